"""Undoing: what a product says at a moment, and bringing it back to that.

A decision is never deleted. What was decided before is decided again, by the same kind of source and as the answer to
the same proposal, so that figures of quality count what they counted before; what was not, is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from catalog.models import CATEGORY, Decision, Product
from catalog.selectors import Taxonomy, images_wait
from catalog.services.products import check_sku_free, sku_taken
from catalog.services.review import LEAVE_OPEN, NOT_APPLICABLE, TAKE_BACK
from catalog.services.writing import apply_decisions, audit, locked_for, save
from catalog.values.deciding import EffectiveDecisions, decide_again, decisions_of, take_back
from catalog.values.status import show_waiting
from core.db import atomic
from core.errors import Conflict

Status = Product.Status
Kind = Decision.Kind

_SAID = {Kind.NOT_APPLICABLE: NOT_APPLICABLE, Kind.OPEN: LEAVE_OPEN}


@dataclass(frozen=True)
class ProductState:
    """What people can change of a product, as it was at a moment.

    Args:
        status: one of `Product.Status`.
        top_category: its code; None for none.
        top_category_source: who chose it, one of `Product.TopCategorySource`.
        answers: by attribute code what people decided: a value's code, `LEAVE_OPEN`, `NOT_APPLICABLE`, or `TAKE_BACK`
            where nobody did.
        name: may be empty.
        sku: None for none.
        published_at: ISO 8601; None for a product that is not public.
        archived_at: ISO 8601; None for a product that is not put away.
    """

    status: str
    top_category: str | None
    top_category_source: str
    answers: Mapping[str, str]
    name: str
    sku: str | None
    published_at: str | None = None
    archived_at: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ProductState:
        """Return what `to_json` made. Raises TypeError where it was not that."""
        return cls(**stored)


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _said(decision: Decision | None, taxonomy: Taxonomy, code: str) -> str:
    if decision is None:
        return TAKE_BACK
    if decision.value_id is None:
        return _SAID[Kind(decision.kind)]
    return taxonomy.stored(code, decision.value_id).code


def state_of(
    product: Product, taxonomy: Taxonomy | None = None, effective: EffectiveDecisions | None = None
) -> ProductState:
    """Return what the product says now; who wants to be sure of it holds its lock.

    Args:
        product: the product.
        taxonomy: the taxonomy, if the caller has read it already.
        effective: the product's decisions in effect, if the caller has read them already.
    """
    taxonomy = taxonomy or Taxonomy.load()
    effective = effective or EffectiveDecisions.of(product)
    top = product.top_category_id
    return ProductState(
        status=product.status,
        top_category=taxonomy.stored(CATEGORY, top).code if top is not None else None,
        top_category_source=product.top_category_source,
        answers={
            code: _said(effective.people.get(attribute.pk), taxonomy, code)
            for code, attribute in taxonomy.attributes.items()
        },
        name=product.name,
        sku=product.sku,
        published_at=_moment(product.published_at),
        archived_at=_moment(product.archived_at),
    )


def stale() -> Conflict:
    """Return the refusal to undo what is no longer the last change."""
    return Conflict("stale", _("This product was changed since, so that is not undone here."))


@atomic
def put_back(
    *,
    actor: Actor,
    product: Product,
    state: ProductState,
    version: int | None,
    taxonomy: Taxonomy | None = None,
) -> Product:
    """Let a product say again what it said before. Idempotent.

    Images come and go as they did. Whether they wait is looked at now: a product that was being classified when it was
    changed is where its values put it if that is over, and one whose images wait now is shown as being classified.

    Args:
        actor: who undoes.
        product: the product.
        state: what it said before the change.
        version: the product's version after the change; None undoes whatever came after it, too.
        taxonomy: the taxonomy, if the caller has read it already.

    Raises:
        Conflict: `stale` if the product was changed since that version, `sku_taken` if another product has got the
            SKU meanwhile.
        Forbidden: the actor may only look.
        Gone: it was deleted for good.
    """
    product = locked_for(actor, product, archived=True)
    if version is not None and version != product.version:
        raise stale()
    taxonomy = taxonomy or Taxonomy.load()
    decisions = list(decisions_of(product))
    effective = EffectiveDecisions()
    for decision in decisions:
        effective.add(decision)
    now = state_of(product, taxonomy, effective)
    if now == state:
        return product
    fields = _set_fields(product, state, taxonomy)
    for code, said in state.answers.items():
        if code in taxonomy.attributes and now.answers[code] != said:
            _say_again(actor, product, code, said, decisions, effective, taxonomy)
    show_waiting(product, waits=images_wait(product))
    apply_decisions(product, taxonomy)
    _save(product, state, now, fields)
    after = replace(state, status=product.status)  # which follows from its values now
    audit(actor, "product.undo", product, before=now.to_json(), after=after.to_json())
    return product


def _set_fields(product: Product, state: ProductState, taxonomy: Taxonomy) -> list[str]:
    """Give the locked product its own fields back; returns those that are to be saved."""
    product.status = state.status
    product.published_at = datetime.fromisoformat(state.published_at) if state.published_at else None
    product.archived_at = datetime.fromisoformat(state.archived_at) if state.archived_at else None
    product.top_category = taxonomy.values[CATEGORY].get(state.top_category or "")
    gone = product.top_category is None and state.top_category is not None
    product.top_category_source = Product.TopCategorySource.NONE if gone else state.top_category_source
    fields = ["status", "published_at", "archived_at", "top_category", "top_category_source"]
    by_models = product.top_category_source == Product.TopCategorySource.AUTO
    if by_models and product.top_category is not None and product.proposal.chosen is None:
        product.proposal = product.proposal.with_chosen(product.top_category.code)
        fields.append("proposal")
    return fields


def _say_again(
    actor: Actor,
    product: Product,
    code: str,
    said: str,
    decisions: list[Decision],
    effective: EffectiveDecisions,
    taxonomy: Taxonomy,
) -> None:
    """Bring what people say of one attribute back to what they said before."""
    attribute = taxonomy.attributes[code]
    current = effective.people.get(attribute.pk)
    if said == TAKE_BACK:
        if current is not None:
            take_back(actor, product, current)
        return
    kind = next((kind for kind, text in _SAID.items() if text == said), Kind.SET)
    wanted = (attribute.pk, kind, taxonomy.values[code][said].pk if kind == Kind.SET else None)
    earlier = next(
        decision
        for decision in reversed(decisions)
        if decision.source != Decision.Source.AUTO
        and (decision.attribute_id, decision.kind, decision.value_id) == wanted
    )
    if current is not None and _verdict(current) != _verdict(earlier):
        take_back(actor, product, current)  # what it says of a model's proposal would count on
    decide_again(actor, product, earlier)


def _verdict(decision: Decision) -> tuple[str, int | None, int | None]:
    """What makes two decisions verdicts of the same sort on the same model: the later replaces the earlier one."""
    return decision.source, decision.api_key_id, decision.proposed_by_id


def _save(product: Product, state: ProductState, now: ProductState, fields: list[str]) -> None:
    """Save the product; its name and its SKU only if they change, because then its proposal is built again."""
    if (now.name, now.sku) == (state.name, state.sku):
        save(product, *fields)
        return
    check_sku_free(product.merchant_id, state.sku, but=product.pk)
    product.name, product.sku = state.name, state.sku
    try:
        with transaction.atomic():
            save(product, *fields, "name", "sku", "sku_key")
    except IntegrityError as error:
        raise sku_taken() from error
