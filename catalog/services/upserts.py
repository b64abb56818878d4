"""Many products by their SKUs in one call: each is created, changed, or left as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import Merchant
from catalog.known import Known, make_known
from catalog.models import Decision, Product
from catalog.selectors import Taxonomy
from catalog.services.products import clean_name, clean_sku, create_product, update_product
from catalog.services.review import NOT_APPLICABLE, TAKE_BACK, is_decided, save_review
from catalog.values.deciding import EffectiveDecisions
from catalog.values.many import lock_many, write_changes
from core.db import atomic
from core.errors import Conflict, Invalid, Refused
from core.text import lookup_key, tidied

MOST = 1_000  # products of one call
_IN_ONE = 25  # in one transaction: others wait for these products


class Outcome(StrEnum):
    """What became of a line."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True)
class Line:
    """What somebody says of the product with that SKU.

    Args:
        sku: in any spelling; kept as it is written where the product is new.
        name: another name; None leaves it.
        values: by attribute code a value's code, `NOT_APPLICABLE` or `TAKE_BACK`; what is not named stays as it is.
    """

    sku: str
    name: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What became of a line: the product's public id, or why it was refused."""

    outcome: Outcome
    product: str | None = None
    refusal: Refused | None = None


class _NotAll(Exception):
    """Some lines were refused, so none is to be stored."""

    def __init__(self, results: list[Result]) -> None:
        super().__init__()
        self.results = results


def upsert_products(
    *, actor: Actor, merchant: Merchant, lines: Sequence[Line], all_or_nothing: bool = False
) -> list[Result]:
    """Create or change the merchant's products with these SKUs.

    A refused line does not hold up the others, which are stored some at a time. Repeated after it was broken off, it
    leaves what was stored as it is.

    Args:
        actor: who does it.
        merchant: whose products they are.
        lines: at most MOST.
        all_or_nothing: store them in one transaction, or none where one is refused.

    Returns:
        One result per line. With `all_or_nothing` and a refusal nothing was stored, whatever the others say.

    Raises:
        Forbidden: the actor may only look.
    """
    assert len(lines) <= MOST
    actor.require_edit(merchant.pk)
    work = _Work(actor, merchant, Taxonomy.load(), _repeated(lines))
    if not all_or_nothing:
        some = (lines[start : start + _IN_ONE] for start in range(0, len(lines), _IN_ONE))
        return [result for part in some for result in work.store(part)]
    try:
        return work.store_all(lines)
    except _NotAll as not_all:
        return not_all.results


def _key_of(line: Line) -> str:
    return lookup_key(tidied(line.sku))


def _repeated(lines: Iterable[Line]) -> frozenset[int]:
    """The lines, by identity, whose SKU another one had before."""
    seen: set[str] = set()
    repeated = set()
    for line in lines:
        key = _key_of(line)
        if key in seen:
            repeated.add(id(line))
        seen.add(key)
    return frozenset(repeated)


@dataclass(frozen=True)
class _Work:
    """Who stores products of a merchant."""

    actor: Actor
    merchant: Merchant
    taxonomy: Taxonomy
    repeated: frozenset[int]

    @atomic
    def store_all(self, lines: Sequence[Line]) -> list[Result]:
        """Store all lines in one transaction. Raises _NotAll."""
        results = self.store(lines)
        if any(result.refusal is not None for result in results):
            raise _NotAll(results)
        return results

    @atomic
    def store(self, lines: Sequence[Line]) -> list[Result]:
        """Store those lines that can be, in one transaction."""
        keys = {_key_of(line) for line in lines}
        found = Product.objects.filter(merchant=self.merchant, sku_key__in=keys).values_list("pk", flat=True)
        products = {str(product.sku_key): product for product in lock_many(list(found), self.taxonomy).values()}
        results = []
        for line in lines:
            product = products.get(_key_of(line))
            try:
                with transaction.atomic():
                    result, product = self._store(line, product)
            except Refused as refused:
                result, product = Result(Outcome.REFUSED, refusal=refused), None
            if product is not None and result.outcome != Outcome.UNCHANGED:
                write_changes([product])
            results.append(result)
        return results

    def _store(self, line: Line, product: Product | None) -> tuple[Result, Product]:
        if id(line) in self.repeated:
            raise Invalid("sku_repeated", _("Another line before has this SKU, too. Send one line for each product."))
        if product is None:
            return self._create(line)
        if product.status == Product.Status.ARCHIVED:
            raise Conflict("archived", _("This product is archived. Restore it before you change it."))
        name = line.name if line.name is not None and clean_name(line.name) != product.name else None
        values = self._values_to_say(line, product)
        if name is not None:  # its proposal is built again, so that what is known of it here is out of date
            product = Product.objects.get(pk=product.pk)
        if values:
            self._review(product, values, name)
        elif name is not None:
            update_product(actor=self.actor, product=product, name=name)
        changed = bool(values) or name is not None
        return Result(Outcome.UPDATED if changed else Outcome.UNCHANGED, product.public_id), product

    def _create(self, line: Line) -> tuple[Result, Product]:
        if clean_sku(line.sku) is None:
            raise Invalid("sku_missing", _("Every line needs the SKU of its product."))
        product = create_product(actor=self.actor, merchant=self.merchant, name=line.name or "", sku=line.sku)
        make_known(product, Known([], {}, images_wait=False, versions={}, top_category_id=None))
        if line.values:
            self._review(product, line.values)
        return Result(Outcome.CREATED, product.public_id), product

    def _values_to_say(self, line: Line, product: Product) -> dict[str, str]:
        """What a line says that nobody has decided so already."""
        effective = EffectiveDecisions.of(product) if line.values else EffectiveDecisions()
        return {code: said for code, said in line.values.items() if not self._is_said(effective, code, said)}

    def _is_said(self, effective: EffectiveDecisions, code: str, said: str) -> bool:
        attribute = self.taxonomy.attributes.get(code)
        before = effective.people.get(attribute.pk) if attribute is not None else None
        if attribute is None:  # refused later, by its name
            return False
        if said == TAKE_BACK:
            return before is None or before.kind == Decision.Kind.OPEN
        if said == NOT_APPLICABLE:
            return before is not None and before.kind == Decision.Kind.NOT_APPLICABLE
        return is_decided(before, attribute, said, self.taxonomy)

    def _review(self, product: Product, values: Mapping[str, str], name: str | None = None) -> None:
        save_review(
            actor=self.actor, product=product, top_category=None, values=values, name=name, taxonomy=self.taxonomy
        )
