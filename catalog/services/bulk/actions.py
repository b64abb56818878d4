"""What may be done to many products, and what it does to each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import Operation
from catalog.models import CATEGORY, Attribute, Decision, Product
from catalog.selectors import Taxonomy
from catalog.services.decisions import (
    accept,
    category_needed,
    decide,
    decide_not_applicable,
    find_attribute,
    find_leaf,
    top_categories,
)
from catalog.services.review import NOT_APPLICABLE, is_decided
from catalog.services.status import archive, publish, restore, unpublish
from catalog.values.deciding import EffectiveDecisions
from core.errors import Invalid

Status = Product.Status

KIND = "bulk_"
"""What the kinds of these operations begin with."""

UNDO = "undo"


@dataclass(frozen=True)
class Work:
    """What a change has at hand: who acts, the taxonomy, and what was chosen when the operation started."""

    actor: Actor
    taxonomy: Taxonomy
    parameters: Mapping[str, Any]


Change = Callable[[Work, Product], Product | None]
"""Changes a locked product, and returns it; None where it was so already. Raises Refused where it cannot be."""


@dataclass(frozen=True)
class Action:
    """Something that is done to many products.

    Args:
        label: the button's text.
        change: what is done to one product.
        cannot: why it cannot be done to products of a status: by status a code of `REASONS`, "" for "is so already".
        needs_category: whether it cannot be done to products without a category.
        undoable: whether it changes the product in a way that can be undone.
        room: to how many products it may be done now, for what must not pile up elsewhere.
    """

    label: str | Promise
    change: Change
    cannot: Mapping[str, str]
    needs_category: bool = False
    undoable: bool = True
    room: Callable[[Operation], int] | None = None


def _publish(work: Work, product: Product) -> Product | None:
    if product.status == Status.PUBLISHED:
        return None
    return publish(actor=work.actor, product=product, taxonomy=work.taxonomy)


def _unpublish(work: Work, product: Product) -> Product | None:
    if product.status not in {Status.PUBLISHED, Status.ARCHIVED}:
        return None
    return unpublish(actor=work.actor, product=product, taxonomy=work.taxonomy)


def _archive(work: Work, product: Product) -> Product | None:
    return archive(actor=work.actor, product=product) if product.status != Status.ARCHIVED else None


def _restore(work: Work, product: Product) -> Product | None:
    if product.status != Status.ARCHIVED:
        return None
    return restore(actor=work.actor, product=product, taxonomy=work.taxonomy)


def _accept(work: Work, product: Product) -> Product | None:
    version = product.version
    accepted = accept(actor=work.actor, product=product, taxonomy=work.taxonomy)
    return accepted if accepted.version != version else None


def _says(before: Decision | None, product: Product, attribute: Attribute, said: str, taxonomy: Taxonomy) -> bool:
    """Whether a person has decided just that; a category also chooses which garment the product is."""
    if said == NOT_APPLICABLE:
        return before is not None and before.kind == Decision.Kind.NOT_APPLICABLE
    if not is_decided(before, attribute, said, taxonomy):
        return False
    value = taxonomy.resolve(attribute.code, said)
    return attribute.code != CATEGORY or (value is not None and product.top_category in top_categories(taxonomy, value))


def _set(work: Work, product: Product) -> Product | None:
    code, said = work.parameters["attribute"], work.parameters["value"]
    attribute = find_attribute(work.taxonomy, code)
    before = EffectiveDecisions.of(product).people.get(attribute.pk)
    if _says(before, product, attribute, said, work.taxonomy):
        return None
    if said == NOT_APPLICABLE:
        decision = decide_not_applicable(actor=work.actor, product=product, attribute=code, taxonomy=work.taxonomy)
    else:
        decision = decide(actor=work.actor, product=product, attribute=code, value=said, taxonomy=work.taxonomy)
    return decision.product


_OPEN: Mapping[str, str] = {
    Status.DRAFT: "category_open",
    Status.CLASSIFYING: "still_classifying",
    Status.ARCHIVED: "archived",
}

ACTIONS: dict[str, Action] = {
    "accept": Action(_("Accept"), _accept, {**_OPEN, Status.PUBLISHED: ""}, needs_category=True),
    "set": Action(_("Set a value"), _set, {Status.ARCHIVED: "archived"}),
    "publish": Action(_("Publish"), _publish, {**_OPEN, Status.PUBLISHED: ""}, needs_category=True),
    "unpublish": Action(
        _("Unpublish"),
        _unpublish,
        {
            Status.ARCHIVED: "archived",
            **dict.fromkeys((Status.DRAFT, Status.CLASSIFYING, Status.TO_REVIEW, Status.READY), ""),
        },
    ),
    "archive": Action(_("Archive"), _archive, {Status.ARCHIVED: ""}),
    "restore": Action(
        _("Restore"),
        _restore,
        dict.fromkeys((status for status in Status if status != Status.ARCHIVED), ""),
    ),
}
"""By their codes, in the order of the buttons. Applications above this one add to them by `provide`."""


def provide(code: str, action: Action) -> None:
    """Add an action that this application cannot do itself, when the process starts."""
    ACTIONS[code] = action


def find_action(code: str) -> Action:
    """Return the action of that code. Raises Invalid `unknown_action`."""
    action = ACTIONS.get(code)
    if action is None:
        raise Invalid("unknown_action", _("There is no action “%(code)s”."), {"code": code})
    return action


def action_of(operation: Operation) -> str:
    """Return the code of what an operation does: one of `ACTIONS`, or UNDO."""
    return operation.kind.removeprefix(KIND)


def check_parameters(code: str, parameters: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, Any]:
    """Return what the action needs to know of the parameters that were sent.

    Raises:
        Invalid: `unknown_action`, and what `services.decide` raises if the value to set is none.
    """
    find_action(code)
    if code != "set":
        return {}
    attribute, value = str(parameters.get("attribute", "")), str(parameters.get("value", ""))
    find_attribute(taxonomy, attribute)
    if value != NOT_APPLICABLE:
        find_leaf(taxonomy, attribute, value)
    elif attribute == CATEGORY:
        raise category_needed()
    return {"attribute": attribute, "value": value}
