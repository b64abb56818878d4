"""Loads the taxonomy that the project ships into the database."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import transaction

from catalog.models import CATEGORY, Attribute, AttributeValue
from vision.engine.taxonomy import DEFAULT_TAXONOMY

SHIPPED = DEFAULT_TAXONOMY


def _load_values(attribute: Attribute, entries: list[Mapping[str, Any]]) -> int:
    existing = {value.code: value for value in AttributeValue.objects.filter(attribute=attribute)}
    added = 0
    # Top-level categories come before their children, which point to them.
    for entry in sorted(entries, key=lambda entry: entry.get("parent") is not None):
        if entry["code"] in existing:
            continue
        existing[entry["code"]] = AttributeValue.objects.create(
            attribute=attribute,
            code=entry["code"],
            name_ko=entry["ko"],
            name_en=entry["en"],
            parent=existing[entry["parent"]] if entry.get("parent") else None,
            aliases=entry.get("aliases", []),
            position=entries.index(entry),
        )
        added += 1
    return added


@transaction.atomic
def load_taxonomy(path: Path = SHIPPED) -> tuple[int, int]:
    """Add the attributes and values of the file that are not in the database yet.

    What an administrator renamed, merged or switched off stays as it is.

    Returns:
        How many attributes and how many values were added.
    """
    attributes = json.loads(path.read_text(encoding="utf-8"))["attributes"]
    added_attributes = added_values = 0
    for position, entry in enumerate(attributes):
        attribute, created = Attribute.objects.get_or_create(
            code=entry["code"], defaults={"name_ko": entry["ko"], "name_en": entry["en"], "position": position}
        )
        added_attributes += created
        added_values += _load_values(attribute, entry["values"])
        if created and entry.get("applies_to"):
            attribute.applies_to.set(
                AttributeValue.objects.filter(attribute__code=CATEGORY, parent=None, code__in=entry["applies_to"])
            )
    return added_attributes, added_values
