"""Which box of an exported image is the product's, and what people drew in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalog.models import CATEGORY
from catalog.selectors import Taxonomy
from classifier.models import Garment, Prediction

BOX_COLUMNS = ("file", "product", "x1", "y1", "x2", "y2", "top_category")
"""Of boxes.csv: every box that a person drew in an exported image, with what they say it is, if they do."""


def is_drawn(garment: Garment) -> bool:
    """Whether a person drew it: programs may, too, but then nobody has looked. Of an erased person nothing is known."""
    return garment.source == Garment.Source.HUMAN and garment.created_by_id is not None


def box_row(file: str, product: str, garment: Garment) -> list[str]:
    """Return the row of boxes.csv for a garment that a person drew."""
    edges = (garment.x1, garment.y1, garment.x2, garment.y2)
    level = garment.top_category.code if garment.top_category is not None else ""
    return [file, product, *(f"{edge:.5f}" for edge in edges), level]


def levels_of(garments: Sequence[Garment], taxonomy: Taxonomy) -> dict[int, int]:
    """Return the id of the top-level category of each garment that people drew, by its id (one query).

    What the person says counts, else what models take it for; garments of which neither is known are left out.
    """
    drawn = [garment for garment in garments if garment.source == Garment.Source.HUMAN]
    levels = {garment.pk: garment.top_category_id for garment in drawn if garment.top_category_id is not None}
    unsaid = [garment.pk for garment in drawn if garment.pk not in levels]
    categories = Prediction.objects.counting().filter(garment__in=unsaid, attribute__code=CATEGORY)
    for garment, value in categories.values_list("garment_id", "value_id") if unsaid else ():
        if value in taxonomy.top_categories:
            levels[garment] = taxonomy.top_categories[value].pk
    return levels


def garment_of(
    garments: Sequence[Garment], speaking: set[int], levels: Mapping[int, int], top_category: int | None
) -> Garment | None:
    """The garment that the product is.

    The one that a person drew, unless it is of another top-level category (by `levels`) than the product; else the one
    that speaks for the chosen candidate; else the only one that was found, because then the models took it for
    something else. None where it could be one of several.
    """
    drawn = [
        garment
        for garment in garments
        if garment.source == Garment.Source.HUMAN and levels.get(garment.pk, top_category) == top_category
    ]
    of_candidate = [garment for garment in garments if garment.pk in speaking]
    for found in (drawn, of_candidate, garments):
        if len(found) == 1:
            return found[0]
    return None
