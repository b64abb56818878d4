"""What the portal's home says: what waits, what was done this week, how often proposals were right.

Every read is bounded, whatever the merchant's size: counts stop at `MOST`, the week at `_MOST_EVENTS` events of a kind,
and the acceptance is that of the products that were reviewed last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db.models import Case, IntegerField, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import AuditEvent, Merchant, Operation
from catalog.models import Decision, Product
from catalog.product_filter import ProductFilter
from catalog.selectors import by_person
from core.db import capped_counts, grouped_count

MOST = 1000  # that a number counts up to
DAYS = 7
_MOST_EVENTS = 5_000  # of each kind of work
_REVIEWS = 300  # products whose decisions are the acceptance rate
_MOST_OPERATIONS = 5
_BAR, _BAR_WIDTH = 10, 7  # in the chart, with and without the gap behind it
_HEIGHT = 32


@dataclass(frozen=True)
class Waiting:
    """Products that wait for something, and the list that shows them."""

    code: str
    label: str
    count: int
    query: str

    @property
    def number(self) -> str:
        """The number as people read it."""
        return f"{MOST:,}+" if self.count > MOST else f"{self.count:,}"


_QUEUES = (
    ("to_review", _("to review"), ProductFilter(statuses=(Product.Status.TO_REVIEW,), sort="doubt")),
    ("several", _("garment unclear"), ProductFilter(several=True)),
    ("failed", _("classification failed"), ProductFilter(failed=True)),
    ("classifying", _("being classified"), ProductFilter(statuses=(Product.Status.CLASSIFYING,))),
    ("draft", _("drafts"), ProductFilter(statuses=(Product.Status.DRAFT,))),
    ("ready", _("ready to publish"), ProductFilter(statuses=(Product.Status.READY,))),
)


def waiting(actor: Actor) -> list[Waiting]:
    """Count what waits, by why; one query, whatever the merchant's size."""
    products = Product.objects.visible_to(actor)
    queues = {code: chosen.apply(products).order_by() for code, _label, chosen in _QUEUES}
    counts = capped_counts(queues, MOST + 1)
    return [Waiting(code, str(label), counts[code], chosen.query()) for code, label, chosen in _QUEUES]


@dataclass(frozen=True)
class Bar:
    """One day in the chart of a week: where its bar stands, and how much of it is the person's own."""

    day: datetime
    total: int
    mine: int
    x: int
    height: int
    own_height: int

    @property
    def middle(self) -> float:
        """Where its day is written."""
        return self.x + _BAR_WIDTH / 2

    @property
    def y(self) -> int:
        """Where the bar begins, from above."""
        return _HEIGHT - self.height

    @property
    def own_y(self) -> int:
        """Where the person's part of it begins."""
        return _HEIGHT - self.own_height


@dataclass(frozen=True)
class Work:
    """One kind of work, this week."""

    code: str
    label: str
    query: str
    bars: list[Bar]
    at_least: bool  # there is more than was counted

    @property
    def total(self) -> int:
        """By everybody."""
        return sum(bar.total for bar in self.bars)

    @property
    def mine(self) -> int:
        """By the person."""
        return sum(bar.mine for bar in self.bars)

    @property
    def number(self) -> str:
        """The number of all as people read it."""
        return f"{self.total:,}{'+' if self.at_least else ''}"


_WORK = (
    ("product.create", _("registered"), "since={monday}"),
    ("product.review", _("reviewed"), "source=person&sort=changed"),
    ("product.publish", _("published"), "status=published&sort=changed"),
)


def week(actor: Actor, merchant: Merchant) -> list[Work]:
    """Count this week's work by day, from Monday on in local time; a query for each kind."""
    today = timezone.localdate()
    monday = today - timedelta(days=today.weekday())
    starts = [timezone.make_aware(datetime.combine(monday + timedelta(days=day), time())) for day in range(DAYS)]
    # Compared with bounds: time zones in SQL need tables that MariaDB may lack.
    day = Case(
        *(When(created_at__lt=bound, then=Value(place)) for place, bound in enumerate(starts[1:])),
        default=Value(DAYS - 1),
        output_field=IntegerField(),
    )
    mine = Case(When(user=actor.user, then=Value(1)), default=Value(0), output_field=IntegerField())
    events = AuditEvent.objects.filter(merchant=merchant, created_at__gte=starts[0]).annotate(day=day, mine=mine)
    work = []
    for code, label, query in _WORK:
        # One by one: with all actions at once, MariaDB may read the merchant's whole history.
        rows = grouped_count(events.filter(action=code), ("day", "mine"), _MOST_EVENTS)
        counted = {(place, own): count for place, own, count in rows}
        at_least = sum(counted.values()) >= _MOST_EVENTS
        work.append(Work(code, str(label), query.format(monday=monday.isoformat()), _bars(starts, counted), at_least))
    return work


def _bars(starts: Sequence[datetime], counted: Mapping[tuple[int, int], int]) -> list[Bar]:
    own = [counted.get((place, 1), 0) for place in range(DAYS)]
    totals = [own[place] + counted.get((place, 0), 0) for place in range(DAYS)]
    scale = _HEIGHT / max(1, *totals)
    return [
        Bar(start, total, mine, place * _BAR, _pixels(total, scale), _pixels(mine, scale))
        for place, (start, total, mine) in enumerate(zip(starts, totals, own, strict=True))
    ]


def _pixels(count: int, scale: float) -> int:
    return max(2, round(count * scale)) if count else 0


@dataclass(frozen=True)
class Acceptance:
    """How many of the proposals that people looked at they kept, over the products that were reviewed last."""

    kept: int
    total: int
    products: int

    @property
    def share(self) -> float | None:
        """None where nobody has looked at one."""
        return self.kept / self.total if self.total else None


def acceptance(merchant: Merchant) -> Acceptance:
    """Compare what people decided with what was proposed to them; two queries."""
    reviews = AuditEvent.objects.filter(merchant=merchant, action="product.review", user__isnull=False)
    reviewed = set(reviews.order_by("-created_at").values_list("subject_id", flat=True)[:_REVIEWS])
    if not reviewed:
        return Acceptance(0, 0, 0)
    answers = (Decision.Answers.PROPOSAL, Decision.Answers.SAMPLE)
    decided = (
        Decision.objects.filter(
            by_person(), product__merchant=merchant, product__public_id__in=reviewed, answers__in=answers
        )
        .filter(Q(kind=Decision.Kind.SET) | Q(kind=Decision.Kind.NOT_APPLICABLE))
        .order_by("pk")
        .values_list("product", "attribute", "value", "proposed_value")
    )
    last = {(product, attribute): value == proposed for product, attribute, value, proposed in decided}
    products = {product for product, _attribute in last}
    return Acceptance(sum(last.values()), len(last), len(products))


def operations(merchant: Merchant) -> list[Operation]:
    """The merchant's long jobs that have not ended; one query."""
    running = (Operation.State.QUEUED, Operation.State.RUNNING, Operation.State.PAUSED)
    return list(Operation.objects.filter(merchant=merchant, state__in=running).order_by("-id")[:_MOST_OPERATIONS])
