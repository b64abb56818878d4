"""What the classes of a model mean: values of the taxonomy, by code or alias, or as somebody said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.services import record
from catalog.models import CATEGORY
from catalog.selectors import Taxonomy
from classifier.models import ModelVersion
from classifier.permissions import require_models
from core.db import atomic
from core.errors import Conflict, Invalid
from vision.engine import Taxonomy as Vocabulary
from vision.engine.manifest import GARMENT, NOT_VISIBLE


def vocabulary(taxonomy: Taxonomy) -> Vocabulary:
    """The catalogue's taxonomy as the engine understands it."""
    return Vocabulary.parse(described(taxonomy))


def described(taxonomy: Taxonomy) -> dict[str, Any]:
    """The catalogue's taxonomy in the form of `vision/taxonomy.json`.

    A value that was merged is none of its own there: what it was called stands for the other one.
    """
    levels = {value.pk: code for code, value in taxonomy.values.get(CATEGORY, {}).items()}
    return {
        "attributes": [
            {
                "code": code,
                "ko": attribute.name_ko,
                "en": attribute.name_en,
                "applies_to": sorted(levels[pk] for pk in taxonomy.applies_to[code] if pk in levels),
                "values": _described_values(code, taxonomy),
            }
            for code, attribute in taxonomy.attributes.items()
        ]
    }


def _described_values(attribute: str, taxonomy: Taxonomy) -> list[dict[str, Any]]:
    values = taxonomy.values[attribute].values()
    merged: dict[int, list[str]] = defaultdict(list)
    for value in values:
        today = taxonomy.today(attribute, value.code)
        if today is not None and today != value:
            merged[today.pk] += [value.code, *value.aliases]
    return [
        {
            "code": value.code,
            "ko": value.name_ko,
            "en": value.name_en,
            "parent": value.parent.code if value.parent else None,
            "aliases": [*value.aliases, *merged[value.pk]],
        }
        for value in values
        if value.merged_into_id is None
    ]


def known_classes(role: str, classes: Iterable[str], taxonomy: Taxonomy) -> dict[str, str]:
    """The values that class names stand for by their code or an alias; unknown ones are left out.

    Those of models that find garments stand for top-level categories, or for none. `not_visible` stands for itself:
    that an image does not show the attribute.
    """
    words = vocabulary(taxonomy)
    if role == GARMENT:
        return {name: level for name in classes if (level := words.top_category_of(name)) is not None}
    leaves = {value.code for value in taxonomy.leaves(role)} if role in taxonomy.attributes else set()
    values = {name: taxonomy.resolve(role, words.code_of(role, name)) for name in classes}
    known = {name: value.code for name, value in values.items() if value is not None and value.code in leaves}
    return known | {name: NOT_VISIBLE for name in values if name == NOT_VISIBLE}


def require_one_attribute(role: str, classes: Sequence[str], given: Collection[str], taxonomy: Taxonomy) -> None:
    """Refuse a network whose classes, but for the `given` ones, are values of several attributes, as the shipped one's.

    Raises:
        Invalid: `several_attributes`.
    """
    named = [name for name in classes if name != NOT_VISIBLE]  # any attribute may have that one
    known = {code: known_classes(code, named, taxonomy) for code in taxonomy.attributes}
    mine = known.get(role, {})
    strange = [name for name in named if name not in mine and name not in given]
    if mine and len(strange) > 1 and all(any(name in found for found in known.values()) for name in strange):
        raise Invalid(
            "several_attributes",
            _("This network answers for several attributes at once: %(roles)s. Train one for %(role)s alone."),
            {"roles": ", ".join(code for code, found in known.items() if found), "role": role},
        )


@atomic
def map_classes(*, actor: Actor, version: ModelVersion, mapping: Mapping[str, str]) -> ModelVersion:
    """Say which values (by code or alias) classes of the version stand for.

    Raises:
        Forbidden: the actor may not manage models.
        Invalid: `nothing_mapped`, `unknown_class`, `unknown_value`.
        Conflict: `in_use`; a version that belongs to a set means for ever what it meant.
    """
    require_models(actor)
    if not mapping:
        raise Invalid("nothing_mapped", _("Choose a value for at least one class."))
    version = ModelVersion.objects.select_for_update().get(pk=version.pk)
    if version.sets.exists():
        raise Conflict("in_use", _("This version has been tried or used; register its file again to map it otherwise."))
    version.mapping = {**version.mapping, **checked_mapping(version.role, version.classes, mapping, Taxonomy.load())}
    version.save(update_fields=["mapping"])
    record(
        actor=actor,
        action="model_version.map",
        subject_type="model_version",
        subject_id=str(version.pk),
        merchant_id=None,
        mapping=dict(mapping),
    )
    return version


def checked_mapping(
    role: str, classes: Iterable[str], mapping: Mapping[str, str], taxonomy: Taxonomy
) -> dict[str, str]:
    """The mapping with codes of leaves for values. Raises Invalid: `unknown_class`, `unknown_value`."""
    known = list(classes)
    for name in mapping:
        if name not in known:
            raise Invalid(
                "unknown_class",
                _("The model has no class “%(name)s”; it has: %(known)s."),
                {"name": name, "known": ", ".join(known)},
            )
    return checked_values(role, mapping, taxonomy)


def checked_values(role: str, mapping: Mapping[str, str], taxonomy: Taxonomy) -> dict[str, str]:
    """The mapping with codes of leaves for values. Raises Invalid: `unknown_value`."""
    codes = known_classes(role, mapping.values(), taxonomy)
    for value in mapping.values():
        if value not in codes:
            raise Invalid(
                "unknown_value",
                _("“%(role)s” has no value “%(value)s” that can be chosen."),
                {"role": role, "value": value},
            )
    return {name: codes[value] for name, value in mapping.items()}
