"""Many images on one sheet, so that a person sees at a glance where a model goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from vision.engine.annotate import Font, draw_box
from vision.engine.preprocess import fit
from vision.engine.results import Box
from vision.training.dataset import open_upright
from vision.training.files import atomic_path

COLUMNS = 6
SIDE = 170
GAP = 10
TEXT = 13
MOST_TILES = 48
QUALITY, FRAME = 85, 4
TRUE_BOX, FOUND_BOX = "#0072B2", "#D55E00"


@dataclass(frozen=True, slots=True)
class Mark:
    """A box on an image, with what is written on it."""

    box: Box
    colour: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """An image with what is written below it, what is drawn onto it, and the colour of a frame around it."""

    image: Path
    lines: Sequence[str]
    true_box: Box | None = None
    found_box: Box | None = None
    marks: Sequence[Mark] = ()
    frame: str | None = None


def draw_sheet(
    path: Path, tiles: Sequence[Tile], *, side: int = SIDE, columns: int = COLUMNS, quality: int = QUALITY
) -> None:
    """Write the first MOST_TILES as a JPEG: true boxes blue, found ones orange, then the marks of each.

    `side` is that of an image in pixels; `quality` is the JPEG's.
    """
    shown = tiles[:MOST_TILES]
    rows = -(-len(shown) // columns)
    columns = min(columns, len(shown))
    cell = (side + GAP, side + GAP + (TEXT + 3) * max(len(tile.lines) for tile in shown))
    sheet = Image.new("RGB", (columns * cell[0] + GAP, rows * cell[1] + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(TEXT)
    for index, tile in enumerate(shown):
        left, top = GAP + index % columns * cell[0], GAP + index // columns * cell[1]
        sheet.paste(_thumbnail(tile, side), (left, top))
        for number, line in enumerate(tile.lines):
            draw.text((left, top + side + 2 + number * (TEXT + 3)), _fitted(line, font, side), fill="black", font=font)
    with atomic_path(path) as temporary:
        sheet.save(temporary, "JPEG", quality=quality)


def _thumbnail(tile: Tile, side: int) -> Image.Image:
    image = open_upright(tile.image)
    square, geometry = fit(image, (side, side))
    font = ImageFont.load_default(TEXT)
    if tile.frame:
        ImageDraw.Draw(square).rectangle((0, 0, side - 1, side - 1), outline=tile.frame, width=FRAME)
    boxes = ((tile.true_box, TRUE_BOX), (tile.found_box, FOUND_BOX))
    for mark in [*(Mark(box, colour) for box, colour in boxes if box), *tile.marks]:
        x1, y1, x2, y2 = mark.box
        width, height = geometry.scale_x * image.width, geometry.scale_y * image.height
        left, top = geometry.left + x1 * width, geometry.top + y1 * height
        corners = (left, top, geometry.left + x2 * width, geometry.top + y2 * height)
        draw_box(square, corners, mark.text, mark.colour, font=font, line=2)
    return square


def _fitted(line: str, font: Font, side: int) -> str:
    """The line, shortened until it is no wider than its image."""
    if font.getlength(line) <= side:
        return line
    while line and font.getlength(line + "…") > side:
        line = line[:-1]
    return line + "…"
