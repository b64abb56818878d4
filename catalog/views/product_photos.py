"""The photos of a product's page: where garments are in each, and what became of its classification."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.models import CATEGORY, AttributeValue, Product, ProductImage
from catalog.selectors import Taxonomy

if TYPE_CHECKING:
    from catalog.models.of_classifier import Classification


@dataclass(frozen=True)
class Box:
    """A garment's place in an image, in per cent of its width and height, as SVG attributes want it.

    `hidden` are the names of the attributes that the image does not show.
    """

    x: str
    y: str
    width: str
    height: str
    number: int | None
    top_category: AttributeValue | None
    label: str
    hidden: list[str]


@dataclass(frozen=True)
class Veil:
    """What darkens an image around the boxes of one garment, while the page's row of that garment is pointed at.

    `around` and `edges` are paths in a square of 100 by 100: everything but the boxes, and the boxes.
    """

    number: int
    around: str
    edges: str


@dataclass(frozen=True)
class PageImage:
    """An image with its boxes and the state of its last job."""

    image: ProductImage
    boxes: list[Box]
    veils: list[Veil]
    job: Classification | None

    @property
    def boxes_with_hidden(self) -> list[Box]:
        """The boxes of garments of which the image does not show everything, and that the page numbers."""
        return [box for box in self.boxes if box.hidden and box.number is not None]


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.2f}%"


def _numbers(product: Product) -> dict[int, tuple[int, str]]:
    """The number and the top-level category of the candidate that each garment speaks for, by the garment's id.

    A garment that may be of two speaks for the more probable one.
    """
    numbers: dict[int, tuple[int, str]] = {}
    for number, candidate in enumerate(product.proposal.candidates, start=1):
        for garment in candidate.garments:
            numbers.setdefault(garment, (number, candidate.top_category))
    return numbers


def _boxes(image: ProductImage, numbers: Mapping[int, tuple[int, str]], taxonomy: Taxonomy) -> list[Box]:
    boxes = []
    for garment in image.shown_garments:
        number, code = numbers.get(garment.pk, (None, ""))
        level = taxonomy.resolve(CATEGORY, code)
        category = next((said for said in garment.predictions.all() if said.attribute.code == CATEGORY), None)
        boxes.append(
            Box(
                x=_percent(garment.x1),
                y=_percent(garment.y1),
                width=_percent(garment.x2 - garment.x1),
                height=_percent(garment.y2 - garment.y1),
                number=number,
                top_category=level,
                label=category.value.name if category else level.name if level else "",
                hidden=[taxonomy.attributes[code].name for code in garment.hidden or () if code in taxonomy.attributes],
            )
        )
    return boxes


def _veils(image: ProductImage, numbers: Mapping[int, tuple[int, str]]) -> list[Veil]:
    edges: dict[int, str] = {}
    for garment in image.shown_garments:
        number = numbers.get(garment.pk, (None, ""))[0]
        if number is not None:
            left, top, right, bottom = (100 * edge for edge in (garment.x1, garment.y1, garment.x2, garment.y2))
            path = f"M{left:.2f} {top:.2f}H{right:.2f}V{bottom:.2f}H{left:.2f}Z"
            edges[number] = edges.get(number, "") + path
    return [Veil(number, f"M0 0H100V100H0Z{path}", path) for number, path in sorted(edges.items())]


def photos_of(
    product: Product, images: Iterable[ProductImage], jobs: Mapping[int, Classification], taxonomy: Taxonomy
) -> list[PageImage]:
    """Return the images with what was found in them; `jobs` are the last ones by the image's id."""
    numbers = _numbers(product)
    return [
        PageImage(image, _boxes(image, numbers, taxonomy), _veils(image, numbers), jobs.get(image.pk))
        for image in images
    ]
