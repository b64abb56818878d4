"""How good the models are in service, counted from what people decided. docs/quality.md says what the figures mean."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TypeVar

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from catalog.certainty import CERTAINTY
from catalog.models import Decision
from catalog.selectors import by_person, todays_values
from classifier.models import Classification, Prediction
from classifier.precision import wilson_interval

Key = TypeVar("Key", bound=Hashable)

LOW_CONFIDENCE = next(least for least, code, _word in CERTAINTY if code == "likely")


def verdicts() -> QuerySet[Decision]:
    """The last word of people on what each model proposed for an attribute of a product, whatever keys said since."""
    later = Decision.objects.filter(
        by_person(),
        product=OuterRef("product"),
        attribute=OuterRef("attribute"),
        proposed_by=OuterRef("proposed_by"),
        pk__gt=OuterRef("pk"),
    )
    return (
        Decision.objects.filter(by_person(), ~Exists(later), proposed_by__isnull=False)
        .exclude(kind__in=(Decision.Kind.OPEN, Decision.Kind.WITHDRAWN))
        .order_by()
    )


def accepted() -> QuerySet[Decision]:
    """The decisions by which values were auto-accepted, the last one of an attribute of a product."""
    later = Decision.objects.filter(
        product=OuterRef("product"),
        attribute=OuterRef("attribute"),
        source=Decision.Source.AUTO,
        pk__gt=OuterRef("pk"),
    )
    return Decision.objects.filter(
        ~Exists(later), source=Decision.Source.AUTO, kind=Decision.Kind.SET, proposed_by__isnull=False
    ).order_by()


@dataclass(frozen=True)
class Period:
    """Whole weeks from Monday to Sunday in local time, the last one being today's; one merchant or all."""

    starts: Sequence[datetime]
    merchant: int | None = None

    @classmethod
    def last(cls, weeks: int, merchant: int | None = None) -> Period:
        """The last so many weeks."""
        today = timezone.localdate()
        monday = today - timedelta(days=today.weekday())
        days = [monday - timedelta(weeks=back) for back in reversed(range(weeks))]
        return cls([timezone.make_aware(datetime.combine(day, time())) for day in days], merchant)

    def within(self, when: str, merchant: str) -> Q:
        """The condition that a row is of the period and merchant; both are names of columns."""
        condition = Q(**{f"{when}__gte": self.starts[0]})
        return condition if self.merchant is None else condition & Q(**{merchant: self.merchant})

    def week(self, when: str) -> Case:
        """The place of a row's week. Compared with bounds: time zones in SQL need tables that MariaDB may lack."""
        bounds = enumerate(self.starts[1:])
        return Case(
            *(When(**{f"{when}__lt": bound}, then=Value(place)) for place, bound in bounds),
            default=Value(len(self.starts) - 1),
            output_field=IntegerField(),
        )


@dataclass(frozen=True, slots=True)
class Verdicts:
    """How many verdicts say the same; `decided` is None where the attribute was found not to apply."""

    attribute: int
    proposed: int
    decided: int | None
    model: int
    week: int
    answers: str
    count: int

    @property
    def right(self) -> bool:
        """Whether the proposal was kept."""
        return self.proposed == self.decided


@dataclass(slots=True)
class Rate:
    """How many proposals people kept and how many they changed."""

    kept: int = 0
    changed: int = 0

    @property
    def total(self) -> int:
        """All that were decided."""
        return self.kept + self.changed

    @property
    def acceptance(self) -> float | None:
        """The share that was kept; None for nothing."""
        return self.kept / self.total if self.total else None

    @property
    def override(self) -> float | None:
        """The share that was changed; None for nothing."""
        return self.changed / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share that was kept."""
        return wilson_interval(self.kept, self.total)


@dataclass(slots=True)
class Automatic:
    """What was auto-accepted, and how far that was right."""

    accepted: int = 0
    reviewed: int = 0
    overridden: int = 0
    sample: Rate = field(default_factory=Rate)

    @property
    def coverage(self) -> float | None:
        """The share of settled proposals that needed no person; None for nothing."""
        total = self.accepted + self.reviewed
        return self.accepted / total if total else None


@dataclass(slots=True)
class Drift:
    """What the networks saw in a week: how often they were unsure, and how often they found nothing."""

    predictions: int = 0
    unsure: int = 0
    images: int = 0
    empty: int = 0

    @property
    def unsure_share(self) -> float | None:
        """The share of predictions below LOW_CONFIDENCE."""
        return self.unsure / self.predictions if self.predictions else None

    @property
    def empty_share(self) -> float | None:
        """The share of images without a garment."""
        return self.empty / self.images if self.images else None


def rates(found: Iterable[Verdicts], key: Callable[[Verdicts], Key]) -> dict[Key, Rate]:
    """Count verdicts by whatever `key` says."""
    counted: dict[Key, Rate] = defaultdict(Rate)
    for one in found:
        rate = counted[key(one)]
        if one.right:
            rate.kept += one.count
        else:
            rate.changed += one.count
    return dict(counted)


def corrections(found: Iterable[Verdicts]) -> Counter[tuple[int, int | None]]:
    """Count (proposed, decided) of what people changed."""
    counted: Counter[tuple[int, int | None]] = Counter()
    for one in found:
        if not one.right:
            counted[one.proposed, one.decided] += one.count
    return counted


def read_verdicts(period: Period) -> list[Verdicts]:
    """Two queries, and as many rows as there are different combinations."""
    today = todays_values()
    rows = (
        verdicts()
        .filter(period.within("created_at", "product__merchant"))
        .annotate(week=period.week("created_at"))
        .values_list("attribute_id", "proposed_value_id", "value_id", "proposed_by_id", "week", "answers")
        .annotate(Count("pk"))
    )
    return [
        Verdicts(attribute, today[proposed], today[value] if value else None, model, week, answers, count)
        for attribute, proposed, value, model, week, answers, count in rows
    ]


def read_automatic(period: Period, found: Iterable[Verdicts]) -> dict[int, Automatic]:
    """By attribute; one query beside the verdicts."""
    counted: dict[int, Automatic] = defaultdict(Automatic)
    rows = accepted().filter(period.within("created_at", "product__merchant"))
    for attribute, count in rows.values_list("attribute_id").annotate(Count("pk")):
        counted[attribute].accepted = count
    for one in found:
        automatic = counted[one.attribute]
        if one.answers == Decision.Answers.ACCEPTED:
            automatic.overridden += 0 if one.right else one.count
            continue
        automatic.reviewed += one.count
        if one.answers == Decision.Answers.SAMPLE:
            automatic.sample.kept += one.count if one.right else 0
            automatic.sample.changed += 0 if one.right else one.count
    return dict(counted)


def read_drift(period: Period) -> list[Drift]:
    """One entry per week; two queries. What an operation looked at again is not new input."""
    weeks = [Drift() for _start in period.starts]
    said = Prediction.objects.filter(
        period.within("created_at", "garment__image__product__merchant"),
        garment__classification__purpose=Classification.Purpose.LIVE,
        garment__classification__operation=None,
    )
    unsure = Count("pk", filter=Q(confidence__lt=LOW_CONFIDENCE))
    rows = said.order_by().annotate(week=period.week("created_at")).values_list("week")
    for week, total, low in rows.annotate(total=Count("pk"), low=unsure):
        weeks[week].predictions, weeks[week].unsure = total, low
    looked_at = Classification.objects.filter(
        period.within("finished_at", "image__product__merchant"),
        purpose=Classification.Purpose.LIVE,
        operation=None,
        garments_found__isnull=False,
    )
    jobs = looked_at.order_by().annotate(week=period.week("finished_at")).values_list("week")
    for week, total, empty in jobs.annotate(total=Count("pk"), empty=Count("pk", filter=Q(garments_found=0))):
        weeks[week].images, weeks[week].empty = total, empty
    return weeks
