"""How administrators put the taxonomy in order: places, retirement, and merges with a preview of what they change.

Nothing that was decided is rewritten. A product keeps the value that was chosen for it; what that is called today
follows from the merge wherever products are shown and found, and follows back if the merge is taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.services import record
from catalog.models import CATEGORY, Attribute, AttributeValue, Product, ProductAttribute
from core.db import atomic
from core.errors import Conflict, Forbidden, Invalid

MOST_COUNTED = 1_000
_EXAMPLES = 5
_AT_ONCE = 100  # SQLite joins 500 selects at most


def _require(actor: Actor, permission: str = "catalog.change_attributevalue") -> None:
    """Raise Forbidden unless the actor may change the taxonomy: the system, or staff with the permission."""
    in_admin = actor.channel == Channel.ADMIN and actor.user is not None and actor.user.is_staff
    if not actor.is_system and not (in_admin and actor.user is not None and actor.user.has_perm(permission)):
        raise Forbidden("forbidden", _("You may not change the taxonomy."))


def use_counts(values: Iterable[AttributeValue]) -> dict[int, int]:
    """How many products have each value now, by the value's id; counted to MOST_COUNTED + 1. A query for a hundred."""
    table = connection.ops.quote_name(ProductAttribute._meta.db_table)
    one = (
        f"SELECT %s, COUNT(*) FROM (SELECT 1 AS found FROM {table} "  # noqa: S608 - the name of a table
        f"WHERE attribute_id = %s AND value_id = %s LIMIT {MOST_COUNTED + 1}) counted"
    )
    wanted = [(value.pk, value.attribute_id, value.pk) for value in values]
    counts: dict[int, int] = {}
    with connection.cursor() as cursor:
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            cursor.execute(" UNION ALL ".join([one] * len(part)), [number for row in part for number in row])
            counts.update(cursor.fetchall())
    return counts


def siblings(attribute: Attribute, parent: AttributeValue | None) -> QuerySet[AttributeValue]:
    """The values that are put in order together: of one attribute and group, without merged ones."""
    return AttributeValue.objects.filter(attribute=attribute, parent=parent, merged_into=None).order_by(
        "position", "pk"
    )


@atomic
def order_values(*, actor: Actor, attribute: Attribute, parent: AttributeValue | None, ids: Sequence[int]) -> None:
    """Put the values of a group in this order.

    Raises:
        Forbidden: the actor may not change the taxonomy.
        Conflict: `changed_meanwhile`; these are not the values of the group any more.
    """
    _require(actor)
    rows = {value.pk: value for value in AttributeValue.objects.select_for_update().filter(attribute=attribute)}
    group = list(siblings(attribute, parent).values_list("pk", flat=True))
    if sorted(ids) != sorted(group):
        raise Conflict("changed_meanwhile", _("Somebody changed these values meanwhile. Load the page again."))
    if list(ids) == group:
        return
    place = {pk: number for number, pk in enumerate(ids)}
    parent_id = parent.pk if parent else None

    def key(value: AttributeValue) -> tuple[int, int]:
        mine = value.parent_id == parent_id and value.pk in place
        return (place[value.pk] if mine else value.position, value.pk)

    tops = sorted((value for value in rows.values() if value.parent_id is None), key=key)
    ordered = []
    for top in tops:
        ordered += [top, *sorted((value for value in rows.values() if value.parent_id == top.pk), key=key)]
    for number, value in enumerate(ordered):
        value.position = number
    AttributeValue.objects.bulk_update(ordered, ["position"])
    _record(
        actor,
        "attribute.order_values",
        attribute,
        {"order": ", ".join(rows[pk].name for pk in group)},
        {"order": ", ".join(rows[pk].name for pk in ids)},
    )


@atomic
def order_attributes(*, actor: Actor, ids: Sequence[int]) -> None:
    """Put the attributes in this order. Raises Forbidden, or Conflict `changed_meanwhile`."""
    _require(actor, "catalog.change_attribute")
    rows = list(Attribute.objects.select_for_update().order_by("position", "pk"))
    if sorted(ids) != sorted(row.pk for row in rows):
        raise Conflict("changed_meanwhile", _("Somebody changed the attributes meanwhile. Load the page again."))
    before = [row.name for row in rows]
    rows.sort(key=lambda row: ids.index(row.pk))
    for number, row in enumerate(rows):
        row.position = number
    Attribute.objects.bulk_update(rows, ["position"])
    _record(
        actor,
        "attribute.order",
        rows[0],
        {"order": ", ".join(before)},
        {"order": ", ".join(row.name for row in rows)},
    )


@atomic
def set_offered(*, actor: Actor, value: AttributeValue, offered: bool) -> None:
    """Retire a value, or offer it again. Products that have it keep it; it is proposed and chosen no more.

    Raises:
        Forbidden: the actor may not change the taxonomy.
        Conflict: `bad_move`; it is so already.
    """
    _require(actor)
    changed = AttributeValue.objects.filter(pk=value.pk, active=not offered).update(active=offered)
    if not changed:
        raise Conflict("bad_move", _("It is so already. Load the page again."))
    value.active = offered
    what = "offer" if offered else "retire"
    _record(actor, f"attributevalue.{what}", value, {"active": not offered}, {"active": offered})


def targets_of(value: AttributeValue) -> list[AttributeValue]:
    """The values that it can be merged into: others of its attribute that can be chosen, in the taxonomy's order."""
    of_attribute = AttributeValue.objects.filter(attribute=value.attribute_id).select_related("parent", "attribute")
    values = list(of_attribute.order_by("position", "pk"))
    parents = {one.parent_id for one in values}
    return [
        one
        for one in values
        if one.active and one.merged_into_id is None and one.pk != value.pk and one.pk not in parents
    ]


def check_merge(value: AttributeValue, target: AttributeValue) -> None:
    """Raise Invalid unless the value can be merged into that one; the code says why."""
    if target.attribute_id != value.attribute_id or target.pk == value.pk:
        raise Invalid("foreign_target", _("Choose another value of the same attribute."))
    if value.merged_into_id is not None:
        raise Invalid("merged_already", _("This value has been merged already. Take that back first."))
    if target.merged_into_id is not None or not target.active:
        raise Invalid("dead_target", _("That value is merged or switched off itself."))
    if target.children.exists() or value.children.exists():
        raise Invalid("not_a_leaf", _("Only values without values below them can be merged."))
    if AttributeValue.objects.filter(merged_into=value).exists():
        raise Invalid("chain", _("Others are merged into this value. Merge those first."))


@dataclass(frozen=True)
class MergePreview:
    """What a merge changes: nothing is written for it.

    `products` and `decided` count products that have the value now, and those of them for which it was decided.
    """

    products: int
    decided: int
    examples: list[Product]
    models: list[str]
    thresholds: int
    moves_to: AttributeValue | None


def preview_merge(value: AttributeValue, target: AttributeValue) -> MergePreview:
    """Say what it changes. Raises Invalid as `check_merge` does."""
    check_merge(value, target)
    current = ProductAttribute.objects.filter(attribute=value.attribute_id, value=value).order_by()
    decided = Q(state=ProductAttribute.State.DECIDED)
    newest = list(current.order_by("-product").values_list("product", flat=True)[:_EXAMPLES])
    products = Product.objects.select_related("merchant").defer("proposal").in_bulk(newest)
    versions = apps.get_model("classifier", "ModelVersion").objects.filter(role=value.attribute.code)
    thresholds = apps.get_model("classifier", "AcceptanceThreshold").objects.filter(value=value)
    return MergePreview(
        products=current.count(),
        decided=current.filter(decided).count(),
        examples=[products[pk] for pk in newest if pk in products],
        models=sorted({version.name for version in versions if value.code in version.mapping.values()}),
        thresholds=thresholds.count(),
        moves_to=target.parent if value.attribute.code == CATEGORY and target.parent_id != value.parent_id else None,
    )


@atomic
def merge(*, actor: Actor, value: AttributeValue, target: AttributeValue) -> None:
    """Let a value mean another one from now on: products that have it are shown, found and exported as that.

    Raises:
        Forbidden: the actor may not change the taxonomy.
        Invalid: see `check_merge`.
    """
    _require(actor)
    locked = {
        row.pk: row
        for row in AttributeValue.objects.select_for_update().filter(pk__in=(value.pk, target.pk)).order_by("pk")
    }
    check_merge(locked[value.pk], locked[target.pk])
    AttributeValue.objects.filter(pk=value.pk).update(merged_into=target)
    _record(actor, "attributevalue.merge", value, {"merged_into": ""}, {"merged_into": target.name})


@atomic
def separate(*, actor: Actor, value: AttributeValue) -> None:
    """Take a merge back: the value means itself again. Raises Forbidden, or Conflict `bad_move` if it is not merged."""
    _require(actor)
    row = AttributeValue.objects.select_for_update().select_related("merged_into").get(pk=value.pk)
    if row.merged_into is None:
        raise Conflict("bad_move", _("It is so already. Load the page again."))
    before = row.merged_into.name
    AttributeValue.objects.filter(pk=value.pk).update(merged_into=None)
    _record(actor, "attributevalue.separate", value, {"merged_into": before}, {"merged_into": ""})


def _record(
    actor: Actor, action: str, row: Attribute | AttributeValue, before: dict[str, Any], after: dict[str, Any]
) -> None:
    record(
        actor=actor,
        action=action,
        subject_type=str(row._meta.model_name),
        subject_id=str(row.pk),
        merchant_id=None,
        name=row.name,
        before=before,
        after=after,
    )
