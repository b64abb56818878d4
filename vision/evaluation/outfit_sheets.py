"""Outfits on a sheet: each find with its name and confidence, green where it is right, and what was missed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vision.engine.taxonomy import CATEGORY
from vision.evaluation.outfits import Compared, Seen, WornGarment
from vision.training.contact_sheet import MOST_TILES, TRUE_BOX, Mark, Tile, draw_sheet

RIGHT, WRONG = "#009E73", "#D55E00"
COLUMNS, SIDE = 5, 250
FIRST_QUALITY, LAST_QUALITY = 85, 40


def draw_outfits(path: Path, compared: Sequence[Compared], *, most_bytes: int) -> None:
    """Write a sheet of at most MOST_TILES outfits, at a quality that keeps the file as small as that.

    A find is green if its category is right and orange if not, or if there is no such garment; missed garments are
    blue. The frame is green where all is right. Raises ValueError where no quality makes the file small enough.
    """
    tiles = [_tile(one) for one in compared[:MOST_TILES]]
    for quality in range(FIRST_QUALITY, LAST_QUALITY - 1, -5):
        draw_sheet(path, tiles, side=SIDE, columns=COLUMNS, quality=quality)
        if path.stat().st_size <= most_bytes:
            return
    raise ValueError(f"{path.name} is larger than {most_bytes} bytes.")


def is_hit(compared: Compared) -> bool:
    """Whether all garments were found and named right, and nothing else was found."""
    return not compared.surplus and all(_is_right(garment, seen) for garment, seen in compared.pairs)


def _is_right(garment: WornGarment, seen: Seen | None) -> bool:
    return seen is not None and seen.first(CATEGORY) == garment.labels[CATEGORY]


def _tile(compared: Compared) -> Tile:
    marks, lines = [], []
    for garment, seen in compared.pairs:
        truth = garment.labels[CATEGORY]
        if seen is None:
            marks.append(Mark(garment.box, TRUE_BOX, f"missed: {truth}"))
            lines.append(f"{truth}: missed")
        else:
            right = _is_right(garment, seen)
            marks.append(Mark(seen.box, RIGHT if right else WRONG, _answer(seen)))
            lines.append(f"{truth}: {'right' if right else _answer(seen)}")
    for seen in compared.surplus:
        marks.append(Mark(seen.box, WRONG, _answer(seen)))
        lines.append(f"surplus: {_answer(seen)}")
    return Tile(compared.outfit.path, lines, marks=marks, frame=RIGHT if is_hit(compared) else WRONG)


def _answer(seen: Seen) -> str:
    values = seen.values.get(CATEGORY)
    return f"{values[0].value} {values[0].confidence:.0%}" if values else "no category"
