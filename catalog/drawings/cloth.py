"""Cloth and what it lies on: textures, and pieces with folds, soft edges and shadow."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

Colour = tuple[int, int, int]
Point = tuple[float, float]

_NEUTRAL = 128  # what hard light leaves unchanged; darker multiplies, lighter screens
_FINE = 2  # outlines are drawn larger by this factor, so that their edges come out smooth
_COARSE = 4  # shade is soft, so it is worked out smaller by this factor


def _scaled(colour: Colour, light: float) -> Colour:
    red, green, blue = (max(0, min(255, round(channel * light))) for channel in colour)
    return red, green, blue


def _grey(image: Image.Image) -> Image.Image:
    return Image.merge("RGB", (image, image, image))


@cache
def _around_neutral(strength: float) -> list[int]:
    """Return the table that draws all greys towards the neutral one."""
    return [round(_NEUTRAL + (value - _NEUTRAL) * strength) for value in range(256)]


@cache
def _falling_off(light: float) -> list[int]:
    """Return the table that makes a blurred mask the light on cloth: full inside, less at the edge."""
    return [round(255 * light * (0.62 + 0.38 * min(1.0, max(0.0, value / 255 - 0.45) / 0.5))) for value in range(256)]


def noise(
    size: tuple[int, int], rng: random.Random, *, strength: float, cells: tuple[int, int] | None = None
) -> Image.Image:
    """Return a picture to lay over another by hard light.

    Args:
        size: in pixels.
        rng: where the noise comes from.
        strength: 0 changes nothing, 1 goes from black to white.
        cells: how many spots across and down; by default one a pixel.
    """
    spots = cells or size
    image = Image.frombytes("L", spots, rng.randbytes(spots[0] * spots[1]))
    if spots != size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    return _grey(image.point(_around_neutral(strength)))


def _tiled(tile: Image.Image, size: tuple[int, int]) -> Image.Image:
    image = Image.new(tile.mode, size)
    image.paste(tile, (0, 0))
    width, height = tile.size
    while width < size[0]:  # what is there already is copied beside itself, twice as much each time
        image.paste(image.crop((0, 0, width, height)), (width, 0))
        width *= 2
    while height < size[1]:
        image.paste(image.crop((0, 0, size[0], height)), (0, height))
        height *= 2
    return image


def _jersey(size: tuple[int, int], colours: tuple[Colour, Colour], rng: random.Random) -> Image.Image:
    return ImageChops.hard_light(Image.new("RGB", size, colours[0]), noise(size, rng, strength=0.07))


def _rib(size: tuple[int, int], colours: tuple[Colour, Colour], rng: random.Random) -> Image.Image:
    tile = Image.new("L", (7, 1))
    tile.putdata([104, 120, 134, 142, 134, 120, 104])
    return ImageChops.hard_light(_jersey(size, colours, rng), _grey(_tiled(tile, size)))


def _denim(size: tuple[int, int], colours: tuple[Colour, Colour], rng: random.Random) -> Image.Image:
    tile = Image.new("L", (4, 4), _NEUTRAL - 14)
    for step in range(4):
        tile.putpixel((step, step), _NEUTRAL + 40)
        tile.putpixel((step, (step + 1) % 4), _NEUTRAL + 8)
    cloth = ImageChops.hard_light(Image.new("RGB", size, colours[0]), _grey(_tiled(tile, size)))
    cloth = ImageChops.hard_light(cloth, noise(size, rng, strength=0.16))
    return ImageChops.hard_light(cloth, noise(size, rng, strength=0.16, cells=(9, 7)))  # worn and washed


def _knit(size: tuple[int, int], colours: tuple[Colour, Colour], rng: random.Random) -> Image.Image:
    tile = Image.new("L", (24, 10), 100)
    draw = ImageDraw.Draw(tile)
    for y in (-10, 0, 10):  # stitches lean towards each other, as in stocking stitch
        draw.line((1, y, 5, y + 7), 150, 4)
        draw.line((11, y, 7, y + 7), 150, 4)
        draw.line((13, y, 17, y + 7), 142, 4)
        draw.line((23, y, 19, y + 7), 142, 4)
    stitches = _tiled(tile.filter(ImageFilter.GaussianBlur(0.8)), size)
    return ImageChops.hard_light(_jersey(size, colours, rng), _grey(stitches))


def _stripes(size: tuple[int, int], colours: tuple[Colour, Colour], rng: random.Random) -> Image.Image:
    tile = Image.new("RGB", (18, 1), colours[0])
    ImageDraw.Draw(tile).line((0, 0, 6, 0), fill=colours[1])
    return ImageChops.hard_light(_tiled(tile, size), noise(size, rng, strength=0.05))


def _flowers(size: tuple[int, int], colours: tuple[Colour, Colour], rng: random.Random) -> Image.Image:
    cloth = Image.new("RGB", size, colours[0])
    draw = ImageDraw.Draw(cloth)
    for _flower in range(size[0] * size[1] // 1500):
        x, y, turn = rng.uniform(0, size[0]), rng.uniform(0, size[1]), rng.uniform(0, math.tau)
        petal = rng.uniform(3.5, 6.0)
        shade = _scaled(colours[1], rng.uniform(0.8, 1.15))
        for leaf in range(5):
            angle = turn + leaf * math.tau / 5
            cx, cy = x + petal * math.cos(angle), y + petal * math.sin(angle)
            draw.ellipse((cx - petal * 0.7, cy - petal * 0.7, cx + petal * 0.7, cy + petal * 0.7), shade)
        draw.ellipse((x - 2.5, y - 2.5, x + 2.5, y + 2.5), (228, 178, 64))
    return ImageChops.hard_light(cloth, noise(size, rng, strength=0.05))


def _wool(size: tuple[int, int], colours: tuple[Colour, Colour], rng: random.Random) -> Image.Image:
    fibres = noise(size, rng, strength=0.22, cells=(size[0] // 3, size[1] // 2))
    return ImageChops.hard_light(_jersey(size, colours, rng), fibres)


Fabric = Callable[[tuple[int, int], tuple[Colour, Colour], random.Random], Image.Image]

FABRICS: dict[str, Fabric] = {
    "denim": _denim,
    "flowers": _flowers,
    "jersey": _jersey,
    "knit": _knit,
    "rib": _rib,
    "stripes": _stripes,
    "wool": _wool,
}


def spread(fabric: str, size: tuple[int, int], colours: tuple[Colour, Colour], rng: random.Random) -> Image.Image:
    """Return a length of cloth: a fabric of FABRICS in its main and its second colour."""
    return FABRICS[fabric](size, colours, rng)


def _wood(size: tuple[int, int], rng: random.Random) -> Image.Image:
    image = Image.new("RGB", size)
    plank = size[0] // 4
    for left in range(0, size[0], plank):
        board = Image.new("RGB", (plank, size[1]), _scaled((196, 160, 118), rng.uniform(0.92, 1.06)))
        board = ImageChops.hard_light(board, noise(board.size, rng, strength=0.16, cells=(30, 4)))
        board = ImageChops.hard_light(board, noise(board.size, rng, strength=0.10, cells=(plank, 14)))
        image.paste(board, (left, 0))
        ImageDraw.Draw(image).line((left, 0, left, size[1]), (112, 84, 58), 2)
    return image


def _carpet(size: tuple[int, int], rng: random.Random) -> Image.Image:
    image = Image.new("RGB", size, (203, 196, 184))
    image = ImageChops.hard_light(image, noise(size, rng, strength=0.45, cells=(size[0] // 4, size[1] // 4)))
    return ImageChops.hard_light(image, noise(size, rng, strength=0.2))


def _sheet(size: tuple[int, int], rng: random.Random) -> Image.Image:
    image = Image.new("RGB", size, (222, 222, 224))
    image = ImageChops.hard_light(image, noise(size, rng, strength=0.16, cells=(4, 5)))
    return ImageChops.hard_light(image, noise(size, rng, strength=0.08, cells=(9, 3)))


def _table(size: tuple[int, int], rng: random.Random) -> Image.Image:
    image = Image.new("RGB", size, (150, 166, 168))
    image = ImageChops.hard_light(image, noise(size, rng, strength=0.10, cells=(3, 4)))
    return ImageChops.hard_light(image, noise(size, rng, strength=0.05))


GROUNDS: dict[str, Callable[[tuple[int, int], random.Random], Image.Image]] = {
    "carpet": _carpet,
    "sheet": _sheet,
    "table": _table,
    "wood": _wood,
}


def _rounded(points: Sequence[Point], cut: float = 0.13, times: int = 2) -> list[Point]:
    """Round a closed outline by cutting its corners (Chaikin, 1974)."""
    rounded = list(points)
    for _time in range(times):
        following = rounded[1:] + rounded[:1]
        rounded = [
            (ax + (bx - ax) * share, ay + (by - ay) * share)
            for (ax, ay), (bx, by) in zip(rounded, following, strict=True)
            for share in (cut, 1 - cut)
        ]
    return rounded


class Lay:
    """A garment laid out on a picture: takes points in the garment's own units and draws cloth."""

    def __init__(self, picture: Image.Image, *, origin: Point, scale: float, angle: float, rng: random.Random) -> None:
        """Lay a garment out.

        Args:
            picture: what is drawn on, in place.
            origin: pixel at which the garment's (0, 0) lies.
            scale: pixels of the garment's unit.
            angle: clockwise turn in degrees.
            rng: nobody lays cloth out exactly; also its folds.
        """
        self.picture = picture
        self._origin = origin
        self._scale = scale
        self._cos, self._sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        self._rng = rng
        self._draw = ImageDraw.Draw(picture)
        self._phase = rng.uniform(0, math.tau)

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        placed = []
        for x, y in points:
            # The same place moves the same way, so that pieces that meet still meet.
            x, y = x + 0.009 * math.sin(7 * y + self._phase), y + 0.008 * math.sin(6 * x + 2 * self._phase)
            x, y = x * self._scale, y * self._scale
            placed.append(
                (self._origin[0] + x * self._cos - y * self._sin, self._origin[1] + x * self._sin + y * self._cos)
            )
        return placed

    def _mask(self, outlines: Sequence[Sequence[Point]], margin: int = 0) -> tuple[Image.Image, tuple[int, int]] | None:
        """Return where the outlines cover the picture, and the left top corner; None for wholly outside of it."""
        shapes = [self._pixels(_rounded(outline)) for outline in outlines]
        xs, ys = zip(*(point for shape in shapes for point in shape), strict=True)
        left, top = max(0, math.floor(min(xs)) - margin), max(0, math.floor(min(ys)) - margin)
        right = min(self.picture.width, math.ceil(max(xs)) + margin)
        bottom = min(self.picture.height, math.ceil(max(ys)) + margin)
        if right - left < 2 or bottom - top < 2:
            return None
        mask = Image.new("L", ((right - left) * _FINE, (bottom - top) * _FINE))
        draw = ImageDraw.Draw(mask)
        for shape in shapes:
            draw.polygon([((x - left) * _FINE, (y - top) * _FINE) for x, y in shape], 255)
        return mask.reduce(_FINE), (left, top)

    def cast_shadow(self, outlines: Sequence[Sequence[Point]]) -> None:
        """Darken the ground to the lower right of the whole garment."""
        reach = self._scale * 0.012
        found = self._mask(outlines, margin=round(reach * 4))
        if found is not None:
            mask, (left, top) = found
            mask = mask.filter(ImageFilter.GaussianBlur(reach)).point(lambda value: value * 0.55)
            self.picture.paste((28, 24, 22), (left + round(reach), top + round(reach * 1.4)), mask)

    def piece(self, outline: Sequence[Point], cloth: Image.Image, *, light: float = 1.0, folds: float = 1.0) -> None:
        """Draw one piece of cloth: folded, and darker towards its edge where it curves away.

        Args:
            outline: its corners.
            cloth: from `spread`, as large as the picture.
            light: below 1 for what lies inside or below.
            folds: how deep they are.
        """
        found = self._mask([outline])
        if found is None:  # outside of a close-up
            return
        mask, (left, top) = found
        width, height = mask.size
        image = cloth.crop((left, top, left + width, top + height))
        # Cloth hangs: its folds are longer than wide.
        down = (max(2, round(18 * width / self._scale)), max(2, round(4 * height / self._scale)))
        image = ImageChops.hard_light(image, noise(image.size, self._rng, strength=0.20 * folds, cells=(4, 4)))
        image = ImageChops.hard_light(image, noise(image.size, self._rng, strength=0.15 * folds, cells=down))
        small = ImageOps.expand(mask.reduce(_COARSE), _COARSE)
        small = small.filter(ImageFilter.GaussianBlur(self._scale * 0.011 / _COARSE))
        small = small.crop((_COARSE, _COARSE, small.width - _COARSE, small.height - _COARSE))
        depth = small.resize(mask.size, Image.Resampling.BILINEAR).point(_falling_off(light))
        self.picture.paste(ImageChops.multiply(image, _grey(depth)), (left, top), mask)

    def seam(self, points: Sequence[Point], colour: Colour | None, *, width: float, dashed: bool) -> None:
        """Draw a seam, in thread of a colour or as the shadow of a fold; `width` in the garment's units."""
        pixels = self._pixels(points)
        thick = max(1, round(width * self._scale))
        for (ax, ay), (bx, by) in pairwise(pixels):
            length = math.dist((ax, ay), (bx, by))
            steps = max(1, round(length / 7)) if dashed else 1
            for step in range(steps):
                start, end = step / steps, (step + (0.6 if dashed else 1.0)) / steps
                line = (
                    ax + (bx - ax) * start,
                    ay + (by - ay) * start,
                    ax + (bx - ax) * end,
                    ay + (by - ay) * end,
                )
                self._draw.line(line, colour or self._shade_at(line[:2]), thick)

    def _shade_at(self, point: tuple[float, float]) -> Colour:
        x = min(max(round(point[0]), 0), self.picture.width - 1)
        y = min(max(round(point[1]), 0), self.picture.height - 1)
        pixel = self.picture.getpixel((x, y))
        assert isinstance(pixel, tuple)
        return _scaled((int(pixel[0]), int(pixel[1]), int(pixel[2])), 0.62)

    def button(self, centre: Point, radius: float, colour: Colour) -> None:
        """Draw a button with four holes and its own small shadow; `radius` in the garment's units."""
        [(x, y)] = self._pixels([centre])
        size = max(2.0, radius * self._scale)
        self._draw.ellipse((x - size + 1.5, y - size + 2, x + size + 1.5, y + size + 2), (40, 36, 34))
        self._draw.ellipse((x - size, y - size, x + size, y + size), colour, _scaled(colour, 0.6))
        for dx, dy in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
            hole = (x + dx * size * 0.28, y + dy * size * 0.28)
            self._draw.ellipse((hole[0] - 1, hole[1] - 1, hole[0] + 1, hole[1] + 1), _scaled(colour, 0.4))
