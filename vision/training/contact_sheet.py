"""Many images on one sheet, so that a person sees at a glance where a model goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from vision.engine.preprocess import fit_square
from vision.engine.results import Box
from vision.training.dataset import open_upright
from vision.training.files import atomic_path

COLUMNS = 6
SIDE = 170
GAP = 10
TEXT = 13
MOST_TILES = 48
TRUE_BOX, FOUND_BOX = "#0072B2", "#D55E00"


@dataclass(frozen=True, slots=True)
class Tile:
    """An image with what is written below it, and the boxes that are drawn onto it."""

    image: Path
    lines: Sequence[str]
    true_box: Box | None = None
    found_box: Box | None = None


def draw_sheet(path: Path, tiles: Sequence[Tile]) -> None:
    """Write the first MOST_TILES as a JPEG: true boxes blue, found ones orange."""
    shown = tiles[:MOST_TILES]
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // COLUMNS)
    cell = (SIDE + GAP, SIDE + GAP + (TEXT + 3) * max(len(tile.lines) for tile in shown))
    sheet = Image.new("RGB", (columns * cell[0] + GAP, rows * cell[1] + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(TEXT)
    for index, tile in enumerate(shown):
        left, top = GAP + index % COLUMNS * cell[0], GAP + index // COLUMNS * cell[1]
        sheet.paste(_thumbnail(tile), (left, top))
        for number, line in enumerate(tile.lines):
            draw.text((left, top + SIDE + 2 + number * (TEXT + 3)), _fitted(line, font), fill="black", font=font)
    with atomic_path(path) as temporary:
        sheet.save(temporary, "JPEG", quality=85)


def _thumbnail(tile: Tile) -> Image.Image:
    image = open_upright(tile.image)
    square, geometry = fit_square(image, SIDE)
    draw = ImageDraw.Draw(square)
    for box, colour in ((tile.true_box, TRUE_BOX), (tile.found_box, FOUND_BOX)):
        if box:
            x1, y1, x2, y2 = box
            width, height = geometry.scale_x * image.width, geometry.scale_y * image.height
            corners = (
                (geometry.left + x1 * width, geometry.top + y1 * height),
                (geometry.left + x2 * width, geometry.top + y2 * height),
            )
            draw.rectangle(corners, outline=colour, width=2)
    return square


def _fitted(line: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """The line, shortened until it is no wider than its image."""
    if font.getlength(line) <= SIDE:
        return line
    while line and font.getlength(line + "…") > SIDE:
        line = line[:-1]
    return line + "…"
