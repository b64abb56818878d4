"""Pictures of garments that the project draws itself, for the demo shop: flat lays with cloth, folds, seams and shadow.

The same arguments give the same bytes with the same Pillow.
"""

import io
import random
from dataclasses import dataclass

from PIL import Image, ImageChops

from catalog.drawings.cloth import GROUNDS, Colour, Lay, noise, spread
from catalog.drawings.cuts import CUTS, Piece, Seam

SIZE = (600, 800)  # px
_QUALITY = 88


@dataclass(frozen=True)
class Garment:
    """What is drawn: a cut of `cuts.CUTS` in a fabric of `cloth.FABRICS`."""

    cut: str
    fabric: str
    colour: Colour
    accent: Colour


@dataclass(frozen=True)
class Placed:
    """A garment and where it lies: the middle of its top edge and its height in fractions of the picture; degrees."""

    garment: Garment
    top: tuple[float, float] = (0.5, 0.08)
    height: float = 0.82
    angle: float = 0.0


def photograph(*placed: Placed, ground: str, seed: int, size: tuple[int, int] = SIZE) -> bytes:
    """Draw garments, the later ones on top, and return a JPEG.

    Args:
        placed: what to draw.
        ground: what they lie on, a name of `cloth.GROUNDS`.
        seed: folds, grain and how exactly the garment was laid out.
        size: width and height in pixels.
    """
    rng = random.Random(seed)
    picture = GROUNDS[ground](size, rng)
    for item in placed:
        _lay(picture, item, rng)
    picture = ImageChops.hard_light(picture, noise(size, rng, strength=0.03))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def _lay(picture: Image.Image, item: Placed, rng: random.Random) -> None:
    width, height = picture.size
    garment = item.garment
    lay = Lay(
        picture,
        origin=(item.top[0] * width, item.top[1] * height),
        scale=item.height * height,
        angle=item.angle,
        rng=rng,
    )
    parts = CUTS[garment.cut]
    lay.cast_shadow([part.outline for part in parts if isinstance(part, Piece)])
    cloths: dict[str, Image.Image] = {}
    for part in parts:
        if isinstance(part, Piece):
            fabric = part.fabric or garment.fabric
            if fabric not in cloths:
                cloths[fabric] = spread(fabric, picture.size, (garment.colour, garment.accent), rng)
            lay.piece(part.outline, cloths[fabric], light=part.light, folds=part.folds)
        elif isinstance(part, Seam):
            lay.seam(part.points, garment.accent if part.accent else None, width=part.width, dashed=part.dashed)
        else:
            lay.button(part.centre, part.radius, garment.accent)
