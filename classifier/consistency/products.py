"""Products whose status, counters, current values or texts do not follow from their rows."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.channels import Channel
from catalog.models import CATEGORY, Decision, Product, ProductAttribute
from catalog.selectors import Taxonomy, todays_values
from catalog.services import lock_product
from catalog.services.recomputing import recompute
from catalog.values.deciding import EffectiveDecisions
from catalog.values.recompute import certainty_of, current_value
from catalog.values.status import MAY_CLASSIFY
from classifier.consistency.walking import LONG, Check, Found, Kind, Step, keys_of, last_key
from classifier.models import Classification
from classifier.proposals import failed_images
from core.errors import Gone

logger = logging.getLogger(__name__)

State = ProductAttribute.State
JobState = Classification.State
Status = Product.Status

_AT_A_TIME = 200
_WITHOUT_RESULT = (JobState.FAILED, JobState.CANCELLED)


@dataclass
class _Jobs:
    """What the live jobs of a product's current images say."""

    wait: bool = False
    unapplied: bool = False
    last: dict[int, tuple[int, str]] = field(default_factory=dict)  # by image: key and state of its last job

    @property
    def failed(self) -> int:
        return sum(state in _WITHOUT_RESULT for _pk, state in self.last.values())


@dataclass
class _Rows:
    """The rows of one product that its others follow from."""

    values: list[ProductAttribute] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    jobs: _Jobs = field(default_factory=_Jobs)


def _rows_of(ids: Collection[int]) -> dict[int, _Rows]:
    rows: dict[int, _Rows] = defaultdict(_Rows)
    for current in ProductAttribute.objects.filter(product__in=ids).order_by():
        rows[current.product_id].values.append(current)
    for decision in Decision.objects.filter(product__in=ids).order_by("id"):
        rows[decision.product_id].decisions.append(decision)
    jobs = Classification.objects.filter(
        image__product__in=ids, image__archived_at=None, purpose=Classification.Purpose.LIVE
    )
    fields = ("image__product", "image", "pk", "state", "open_key", "applied_at")
    for product, image, pk, state, open_key, applied_at in jobs.order_by().values_list(*fields):
        of = rows[product].jobs
        of.wait |= open_key is not None
        of.unapplied |= state in {JobState.DONE, JobState.FAILED} and applied_at is None
        of.last[image] = max(of.last.get(image, (0, "")), (pk, state))
    return rows


class _Judge:
    """Knows the taxonomy, and says of products what does not follow."""

    def __init__(self, asked: Collection[str]) -> None:
        self._asked = asked
        self._taxonomy = Taxonomy.load()
        self._today = todays_values()

    def judge(self, ids: Collection[int]) -> list[Found]:
        """Look at some products, and at those that seem wrong again with their rows locked.

        Every writer locks the product first: what is found twice was not just being written.
        """
        suspects = {found.key for found in self._look(Product.objects.filter(pk__in=ids))}
        if not suspects:
            return []
        with transaction.atomic():
            return self._look(Product.objects.select_for_update().filter(pk__in=suspects))

    def _look(self, products: Any) -> list[Found]:
        listed = list(products.order_by("pk"))
        rows = _rows_of([product.pk for product in listed])
        found = []
        for product in listed:
            if product.top_category_id is not None:  # no join: the rows may be locked
                product.top_category = self._taxonomy.stored(CATEGORY, product.top_category_id)
            wrong = set(self._wrong(product, rows[product.pk]))
            found += [Found(kind, product.public_id, product.pk) for kind in sorted(wrong & set(self._asked))]
        return found

    def _wrong(self, product: Product, rows: _Rows) -> Iterator[str]:
        following = product.following
        unclear = following.pop("unclear")
        if any(getattr(product, name) != value for name, value in following.items()):
            yield "words"
        if max(Counter(current.attribute_id for current in rows.values).values(), default=1) > 1:
            yield "values-doubled"
        if _says_again(rows.decisions):
            yield "decisions-doubled"
        if rows.jobs.unapplied:  # all else follows when they are
            return
        if product.unclear != unclear:
            yield "unclear"
        if not rows.jobs.wait and product.failed_images != rows.jobs.failed:
            yield "failed-images"
        if self._has_wrong_status(product, rows):
            yield "status"
        if self._has_wrong_values(product, rows):
            yield "values"
        elif self._has_wrong_certainty(product, rows):
            yield "certainty"

    def _has_wrong_status(self, product: Product, rows: _Rows) -> bool:
        if rows.jobs.wait:
            return product.status in MAY_CLASSIFY
        if product.status == Status.CLASSIFYING:
            return product.updated_at < timezone.now() - LONG  # an image was deleted just now
        active = {attribute.pk: code for code, attribute in self._taxonomy.attributes.items()}
        states = {active.get(current.attribute_id): current.state for current in rows.values}
        proposed = any(current.state == State.PROPOSED for current in rows.values)
        category = states.get(CATEGORY, State.UNSET)
        if product.status == Status.TO_REVIEW:
            return category == State.DECIDED or (category == State.AUTO and not proposed)
        if product.status == Status.READY:
            by_models = category == State.AUTO and State.PROPOSED not in states.values()
            return category != State.DECIDED and not by_models
        return False

    def _has_wrong_values(self, product: Product, rows: _Rows) -> bool:
        effective = EffectiveDecisions()
        for made in rows.decisions:
            effective.add(made)
        counting = effective.by_attribute
        stored = {current.attribute_id: current for current in rows.values}
        for attribute in self._taxonomy.attributes.values():
            decision = counting.get(attribute.pk)
            if decision is None and product.status == Status.ARCHIVED:
                continue  # what was public has no proposals, and is not computed again when it is put away
            expected = current_value(product, attribute, decision, self._taxonomy)
            if self._differs(product, stored.get(attribute.pk), expected):
                return True
        return False

    def _differs(self, product: Product, current: ProductAttribute | None, expected: dict[str, Any]) -> bool:
        """Whether a value is another one. Of an attribute or a merge that came later, it may not know yet."""
        if current is None:
            return expected["state"] in {State.PROPOSED, State.AUTO, State.DECIDED}
        if current.merchant_id != product.merchant_id:
            return True
        if State.PROPOSED in {current.state, expected["state"]}:
            return self._shown(product, current) != self._of_proposal(product, current, expected)
        return any(getattr(current, name) != value for name, value in expected.items())

    def _shown(self, product: Product, current: ProductAttribute) -> tuple[Any, ...]:
        return current.state, self._today.get(current.value_id or 0), current.confidence, current.decision_id

    def _of_proposal(self, product: Product, current: ProductAttribute, expected: dict[str, Any]) -> tuple[Any, ...]:
        """The same of what is expected; a value that was retired since it was proposed is still shown."""
        value = expected["value_id"]
        if expected["state"] == State.UNSET and product.candidate is not None and expected["decision_id"] is None:
            code = next(code for code, one in self._taxonomy.attributes.items() if one.pk == current.attribute_id)
            proposed = product.candidate.attributes.get(code)
            retired = self._taxonomy.values[code].get(proposed.value) if proposed else None
            if proposed is not None and retired is not None and product.status != Status.PUBLISHED:
                return State.PROPOSED, self._today.get(retired.pk), proposed.confidence, None
        return expected["state"], self._today.get(value or 0), expected["confidence"], expected["decision_id"]

    def _has_wrong_certainty(self, product: Product, rows: _Rows) -> bool:
        if product.status in {Status.PUBLISHED, Status.ARCHIVED}:  # nobody reviews them
            return False
        active = {attribute.pk for attribute in self._taxonomy.attributes.values()}
        counting = [current for current in rows.values if current.attribute_id in active]
        # Without values nothing was computed yet.
        return bool(counting) and product.certainty != certainty_of(product, counting)


def _says_again(decisions: Sequence[Decision]) -> bool:
    """Whether an automatic decision says what the one before it of the same attribute said already."""
    before: dict[int, tuple[str, int | None]] = {}
    for decision in decisions:
        if decision.source != Decision.Source.AUTO:
            continue
        said = (decision.kind, decision.value_id)
        if decision.channel == Channel.COMMAND and before.get(decision.attribute_id) == said:
            return True
        before[decision.attribute_id] = said
    return False


def _walk(asked: Collection[str]) -> Iterator[Step]:
    judge, last = _Judge(asked), last_key(Product)
    for ids in keys_of(Product, _AT_A_TIME):
        yield Step(ids[-1], last, judge.judge(ids))


def recompute_each(ids: Sequence[int]) -> None:
    """Write what follows of these products again. One that it fails for is logged, and found again."""
    taxonomy = Taxonomy.load()
    for pk in ids:
        try:
            with transaction.atomic():
                failed = failed_images(lock_product(pk))
                recompute(product_id=pk, failed_images=failed, taxonomy=taxonomy)
        except Gone:
            continue
        except DatabaseError:
            logger.exception("what follows of the product %d could not be written", pk)


PRODUCTS = Check(
    "products",
    (
        Kind("status", "products whose status does not follow from their values and jobs", recompute_each),
        Kind("failed-images", "products that count another number of failed images", recompute_each),
        Kind("unclear", "products that are said to be clear or unclear and are not", recompute_each),
        Kind("certainty", "products whose certainty is not that of their values", recompute_each),
        Kind("values", "products whose current values do not follow from decisions and proposal", recompute_each),
        Kind("values-doubled", "products with two current values of an attribute"),
        Kind("decisions-doubled", "products with an automatic decision that was recorded twice"),
        Kind("words", "products whose texts for search and order are not those of name and SKU", recompute_each),
    ),
    _walk,
)
