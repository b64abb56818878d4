"""Training images for detectors, each composed when it is shown: garments alone, side by side, small, cut, or none.

A detector that learnt from images of one garment each finds one in each. Canvases show several, as merchants put
them together, at scales from a quarter to one and a half, and parts of people as they are cropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from vision.engine.preprocess import PADDING_GREY
from vision.training.cutouts import Cutout
from vision.training.drawn_people import draw_figure
from vision.training.negatives import cut_surroundings, drawn_negative
from vision.training.pieces import Manner, Piece, Pixels, Place, Targets, lay, targets_of

if TYPE_CHECKING:
    import torch

NEGATIVES = 0.07
ANY_SCALE, WHOLE = (0.25, 1.5), (0.85, 1.2)
LATE = 0.85
"""From this share of the epochs on canvases are mostly what will be served: whole images, hardly any mosaics."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Up to which draw of 0..1 a canvas shows a person, a flat garment or garments side by side; a mosaic beyond.

    `any_scale` is how often an image alone on its canvas may be small or larger than it, `crop` how often it is
    cropped.
    """

    person: float
    flat: float
    side_by_side: float
    any_scale: float
    crop: float


EARLY_SHARES = Shares(person=0.4, flat=0.6, side_by_side=0.8, any_scale=0.45, crop=0.4)
LATE_SHARES = Shares(person=0.5, flat=0.76, side_by_side=0.95, any_scale=0.25, crop=0.2)


@dataclass(slots=True)
class Album:
    """What canvases are composed of. Pieces of flat garments or of people there must be."""

    classes: Sequence[str]
    worn: list[Piece] = field(default_factory=list)
    flat: list[Piece] = field(default_factory=list)
    negatives: list[Piece] = field(default_factory=list)
    cutouts: list[Cutout] = field(default_factory=list)

    def draw(self, chance: np.random.Generator, worn: float) -> Piece:
        """Any piece, by this chance one of people; of the other kind where there are none."""
        people = bool(self.worn) and (not self.flat or chance.random() < worn)
        some = self.worn if people else self.flat
        return some[chance.integers(len(some))]


def compose(
    album: Album, shape: tuple[int, int], chance: np.random.Generator, *, late: bool = False
) -> tuple[Pixels, Targets]:
    """A canvas of this `shape` (height, width) in pixels and the garments on it, boxes in pixels."""
    if chance.random() < NEGATIVES:
        return compose_negative(album, shape, chance)
    canvas = np.full((*shape, 3), PADDING_GREY if chance.random() < 0.5 else 255, np.uint8)
    if chance.random() < 0.15:
        canvas[:] = chance.integers(0, 256, 3)
    shares = LATE_SHARES if late else EARLY_SHARES
    scale = ANY_SCALE if chance.random() < shares.any_scale else WHOLE
    way = chance.random()
    if way < shares.person and not album.worn and album.cutouts:
        canvas = _ground(album, shape, chance)
        return canvas, draw_figure(canvas, album.cutouts, album.classes, chance)
    if way < shares.flat:
        worn, crop = (1.0, shares.crop) if way < shares.person else (0.0, 0.1)
        return canvas, _lay(album, canvas, _whole(shape), worn, Manner(scale, crop), chance)
    if way < shares.side_by_side or late:
        return canvas, _side_by_side(album, canvas, chance)
    return canvas, _mosaic(album, canvas, chance)


def _whole(shape: tuple[int, int]) -> Place:
    return 0, 0, shape[1], shape[0]


def compose_negative(album: Album, shape: tuple[int, int], chance: np.random.Generator) -> tuple[Pixels, Targets]:
    """A canvas without a garment: a part of a street, shoes and hats, or a drawing."""
    way = chance.random()
    if way < 0.35 and album.worn:
        cut = cut_surroundings(album.draw(chance, 1.0), shape, chance)
        if cut is not None:
            return cut, targets_of([])
    if way < 0.6 and album.negatives:
        canvas = np.full((*shape, 3), 255, np.uint8)
        piece = album.negatives[chance.integers(len(album.negatives))]
        return canvas, lay(canvas, _whole(shape), piece, Manner((0.6, 1.4), 0.3), album.classes, chance)
    return drawn_negative(shape, chance), targets_of([])


def _lay(
    album: Album, canvas: Pixels, place: Place, worn: float, manner: Manner, chance: np.random.Generator
) -> Targets:
    return lay(canvas, place, album.draw(chance, worn), manner, album.classes, chance)


def _side_by_side(album: Album, canvas: Pixels, chance: np.random.Generator) -> Targets:
    """Two or three images in a row or a column, with or without a gap, over all of the canvas or a band of it."""
    height, width = canvas.shape[:2]
    count = 3 if chance.random() < 0.15 else 2
    worn = 0.0 if chance.random() < 0.75 else 0.6
    gap, band = int(chance.integers(0, 12)), chance.uniform(0.45, 1.0)
    below = chance.random() < 0.25 * height / width
    length, breadth = (height, width) if below else (width, height)
    cuts = (length * number // count + int(length * chance.uniform(-0.07, 0.07)) for number in range(1, count))
    edges = [0, *cuts, length]
    border = int(breadth * (1 - band) / 2)
    found = []
    for number in range(count):
        start = edges[number] + (gap if number else 0)
        along, across = edges[number + 1] - start, breadth - 2 * border
        place = (border, start, across, along) if below else (start, border, along, across)
        found.append(_lay(album, canvas, place, worn, Manner((0.75, 1.15), 0.1), chance))
    return np.concatenate(found)


def _mosaic(album: Album, canvas: Pixels, chance: np.random.Generator) -> Targets:
    """Four images around a point near the middle."""
    height, width = canvas.shape[:2]
    x, y = (int(part * side) for part, side in zip(chance.uniform(0.35, 0.65, 2), (width, height), strict=True))
    places = ((0, 0, x, y), (x, 0, width - x, y), (0, y, x, height - y), (x, y, width - x, height - y))
    manner = Manner((0.7, 1.8), 0.3)
    return np.concatenate([_lay(album, canvas, place, 0.55, manner, chance) for place in places])


def _ground(album: Album, shape: tuple[int, int], chance: np.random.Generator) -> Pixels:
    """What a drawn figure is in front of: a colour, the blurred edge of an image, or a blurred drawing."""
    way = chance.random()
    if way < 0.35:
        return np.full((*shape, 3), 255 if chance.random() < 0.6 else chance.integers(0, 256), np.uint8)
    if way < 0.75 and album.flat:
        image = album.draw(chance, 0.0).open()
        strip = max(6, image.height // 8)
        top = 0 if chance.random() < 0.5 else max(0, image.height - strip)
        image = image.crop((0, top, image.width, min(image.height, top + strip)))
    else:
        image = Image.fromarray(drawn_negative(shape, chance))
    height, width = shape
    coarse = image.resize((width // 9 + 1, height // 9 + 1), Image.Resampling.BOX)
    return np.array(coarse.resize((width, height), Image.Resampling.BICUBIC))


def recolour(canvas: Pixels, chance: np.random.Generator) -> Pixels:
    """Most canvases in other colours, contrast and brightness; a few without colours."""
    values = canvas.astype(np.float32)
    if chance.random() < 0.8:
        grey = values.mean(axis=2, keepdims=True)
        values = grey + (values - grey) * chance.uniform(0.4, 1.5)
        values *= chance.uniform(0.93, 1.07, 3)
        values = (values - 128) * chance.uniform(0.75, 1.25) + 128 + chance.uniform(-30, 30)
    if chance.random() < 0.05:
        values = np.repeat(values.mean(axis=2, keepdims=True), 3, axis=2)
    return values.clip(0, 255).astype(np.uint8)


class Canvases:
    """A data set as ultralytics' detection trainer reads it: canvas number i of an epoch is the same every time.

    All canvases of an epoch have the same of `shapes`, which take turns.
    """

    def __init__(self, album: Album, shapes: Sequence[tuple[int, int]], count: int, epochs: int, seed: int) -> None:
        self.album, self.shapes, self.count, self.epochs, self.seed = album, shapes, count, epochs, seed
        self.epoch = 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        import torch

        chance = np.random.default_rng([self.seed, self.epoch, index])
        height, width = self.shapes[self.epoch % len(self.shapes)]
        canvas, found = compose(self.album, (height, width), chance, late=self.epoch >= LATE * self.epochs)
        edges = found[:, 1:] / np.array([width, height] * 2, np.float32)
        boxes = np.concatenate([(edges[:, :2] + edges[:, 2:]) / 2, edges[:, 2:] - edges[:, :2]], axis=1)
        pixels = np.ascontiguousarray(recolour(canvas, chance).transpose(2, 0, 1))
        return {
            "img": torch.from_numpy(pixels),
            "cls": torch.from_numpy(found[:, :1].copy()),
            "bboxes": torch.from_numpy(boxes.astype(np.float32)),
            "batch_idx": torch.zeros(len(found)),
        }

    @staticmethod
    def collate_fn(samples: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """A batch, in which `batch_idx` says which image each box is of."""
        import torch

        for number, sample in enumerate(samples):
            sample["batch_idx"] = sample["batch_idx"] + number
        batch = {name: torch.cat([sample[name] for sample in samples]) for name in ("cls", "bboxes", "batch_idx")}
        return batch | {"img": torch.stack([sample["img"] for sample in samples])}
