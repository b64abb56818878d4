"""The images that a model gets wrong, on a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vision.evaluation.readings import NOTHING, Reading, labelled
from vision.training.contact_sheet import Tile, draw_sheet


def draw_mistakes(path: Path, readings: Sequence[Reading], topic: str) -> int:
    """Write the worst mistakes as a contact sheet, none where nothing is wrong; returns how many mistakes there are."""
    mistakes = worst_mistakes(readings, topic)
    if mistakes:
        draw_sheet(path, [_tile(reading, topic) for reading in mistakes])
    else:
        path.unlink(missing_ok=True)  # that of an earlier time
    return len(mistakes)


def worst_mistakes(readings: Sequence[Reading], topic: str) -> list[Reading]:
    """The readings that are wrong, the surest first; garments that were missed last."""
    wrong = [reading for reading in labelled(readings, topic) if not reading.is_right(topic)]
    return sorted(wrong, key=lambda reading: -reading.answer(topic).confidence)


def _tile(reading: Reading, topic: str) -> Tile:
    """An image with its label and what was said."""
    answer = reading.answer(topic)
    said = NOTHING if answer.value == NOTHING else f"{answer.value} {answer.confidence:.0%}"
    lines = (f"true: {reading.truth(topic)}", f"said: {said}", reading.image.path.name)
    return Tile(reading.image.path, lines, reading.image.box, reading.box)
