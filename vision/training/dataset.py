"""A folder of labelled garment photographs: labels.csv beside images/."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from vision.engine.manifest import GARMENT
from vision.engine.preprocess import crop_region, crop_square
from vision.engine.results import Box
from vision.engine.taxonomy import CATEGORY, Taxonomy

ATTRIBUTES = ("category", "material", "sleeve_length")
COORDINATES = ("x1", "y1", "x2", "y2")
SPLITS = ("train", "val")
COLUMNS = ("image", "split", "sender", *ATTRIBUTES, *COORDINATES, "box_ok")
"""What every table has. Further columns are labels as well: one may be an attribute that a shop added."""
TAXONOMY = "taxonomy.json"
"""Beside the table: what its labels mean, where that is not the project's own taxonomy."""


class LabelError(ValueError):
    """labels.csv or taxonomy.json cannot be used; the message names the line."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """One row of labels.csv: a garment in a photograph, which may have several. One without a box shows none."""

    path: Path
    split: str
    sender: str
    labels: dict[str, str]
    box: Box | None
    box_ok: bool


@dataclass(frozen=True, slots=True)
class Dataset:
    """All photographs of a data folder; the fingerprint is the SHA-256 of its labels, whose meaning is `taxonomy`."""

    root: Path
    photographs: tuple[Photograph, ...]
    fingerprint: str
    taxonomy: Taxonomy

    @property
    def labelled(self) -> frozenset[str]:
        """What there are labels of."""
        return frozenset(self.photographs[0].labels) if self.photographs else frozenset()

    @property
    def name(self) -> str:
        """The data set's name in manifests and cards: that of its folder."""
        return self.root.resolve().name

    def select(self, split: str, attribute: str | None = None) -> list[Photograph]:
        """Photographs of one split; with `attribute`, those that carry a label and a box for it."""
        return [
            photograph
            for photograph in self.photographs
            if photograph.split == split
            and (attribute is None or (photograph.labels.get(attribute) and photograph.box is not None))
        ]

    def counts(self, split: str, attribute: str) -> Counter[str]:
        """How many labelled garments of each class a split holds."""
        return Counter(photograph.labels[attribute] for photograph in self.select(split, attribute))

    def classes(self, attribute: str, minimum: int) -> list[str]:
        """The classes with at least `minimum` training examples, in alphabetical order."""
        counts = self.counts("train", attribute)
        return sorted(name for name, count in counts.items() if count >= minimum)


def by_file(photographs: Sequence[Photograph]) -> list[list[Photograph]]:
    """The rows of the same file together: a photograph may show several garments, each with a row of its own."""
    files: dict[Path, list[Photograph]] = {}
    for photograph in photographs:
        files.setdefault(photograph.path, []).append(photograph)
    return list(files.values())


def read_dataset(root: Path) -> Dataset:
    """Read and check labels.csv.

    Raises LabelError, naming the line, for a missing column or photograph, an unknown split, a malformed box, or a
    contributor or photograph that appears in both splits; for a table in another encoding than UTF-8, and for a
    taxonomy.json that is none.
    """
    source = root / "labels.csv"
    if not source.is_file():
        raise LabelError(f"{source} does not exist.")
    content = source.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelError(f"{source} is not UTF-8 (byte {error.start}): save it as “CSV UTF-8”.") from error
    reader = csv.DictReader(text.splitlines())
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise LabelError(f"{source} line 1: no column {', '.join(missing)}.")
    photographs = []
    split_of: dict[str | Path, str] = {}
    for row in reader:
        place = f"{source} line {reader.line_num}"
        photograph = _read_row(root, row, place)
        if photograph.sender and split_of.setdefault(photograph.sender, photograph.split) != photograph.split:
            raise LabelError(f"{place}: contributor {photograph.sender} is in both splits.")
        if split_of.setdefault(photograph.path, photograph.split) != photograph.split:
            raise LabelError(f"{place}: the photograph {photograph.path.name} is in both splits.")
        photographs.append(photograph)
    return Dataset(root, tuple(photographs), hashlib.sha256(content).hexdigest(), _read_taxonomy(root / TAXONOMY))


def _read_taxonomy(path: Path) -> Taxonomy:
    if not path.is_file():
        return Taxonomy.load()
    try:
        return Taxonomy.load(path)
    except (ValueError, KeyError, TypeError) as error:
        raise LabelError(f"{path} is no taxonomy: {error!r}.") from error


def _read_row(root: Path, row: dict[str, str | None], place: str) -> Photograph:
    if None in row or None in row.values():
        raise LabelError(f"{place}: it has not as many fields as the first line.")
    fields = {column: (text or "").strip() for column, text in row.items()}
    path = root / "images" / fields["image"]
    if not fields["image"] or not path.is_file():
        raise LabelError(f"{place}: the photograph {fields['image']!r} does not exist.")
    if fields["split"] not in SPLITS:
        raise LabelError(f"{place}: split is {fields['split']!r}, not train or val.")
    labels = {column: text for column, text in fields.items() if column in ATTRIBUTES or column not in COLUMNS}
    box = _read_box(fields, place)
    if box is None and any(labels[attribute] for attribute in ATTRIBUTES):
        raise LabelError(f"{place}: labels without a box.")
    return Photograph(path, fields["split"], fields["sender"], labels, box, fields["box_ok"] == "1")


def _read_box(fields: dict[str, str], place: str) -> Box | None:
    texts = [fields[name] for name in COORDINATES]
    if not any(texts):
        return None
    try:
        x1, y1, x2, y2 = (float(text) for text in texts)
    except ValueError:
        raise LabelError(f"{place}: the box {', '.join(texts)} is not four numbers.") from None
    if not (0.0 <= x1 < x2 <= 1.0 and 0.0 <= y1 < y2 <= 1.0):
        raise LabelError(f"{place}: the box {', '.join(texts)} is not inside the photograph.")
    return x1, y1, x2, y2


def open_upright(path: Path) -> Image.Image:
    """A photograph as people see it: EXIF orientation applied, RGB."""
    with Image.open(path) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


@dataclass(frozen=True, slots=True)
class Crops:
    """Garments as squares (n, 3, size, size) of bytes, decoded once and kept in memory.

    `windows` (n, 4) says where in its square the part lies that a network shall see: x1, y1, x2, y2 in units of half
    a square from its centre.
    """

    squares: NDArray[np.uint8]
    windows: NDArray[np.float32]


def load_crops(
    photographs: Sequence[Photograph], size: int, margin: float, progress: Callable[[int], None] = lambda done: None
) -> Crops:
    """Cut the garments with `margin` around them; calls `progress` with the number done."""
    squares = np.empty((len(photographs), 3, size, size), np.uint8)
    windows = np.empty((len(photographs), 4), np.float32)
    for index, photograph in enumerate(photographs):
        if photograph.box is None:
            raise ValueError(f"{photograph.path} has no box to crop.")
        image = open_upright(photograph.path)
        squares[index] = crop_square(image, photograph.box, size, margin).transpose(2, 0, 1)
        outer = crop_region(image.width, image.height, photograph.box, margin)
        inner = crop_region(image.width, image.height, photograph.box)
        half = max(outer[2] - outer[0], outer[3] - outer[1]) / 2
        centre = np.array([outer[0] + outer[2], outer[1] + outer[3]] * 2) / 2
        windows[index] = (np.array(inner) - centre) / half
        progress(index + 1)
    return Crops(squares, windows)


def label_indices(photographs: Iterable[Photograph], attribute: str, classes: Sequence[str]) -> NDArray[np.int64]:
    """The class index of each photograph; -1 where the label is missing or not offered."""
    index = {name: position for position, name in enumerate(classes)}
    return np.array([index.get(photograph.labels[attribute], -1) for photograph in photographs], np.int64)


def true_boxes(
    rows: Sequence[Photograph], attribute: str, classes: Sequence[str], taxonomy: Taxonomy
) -> tuple[tuple[int, Box], ...] | None:
    """Class index and box of each garment that a detector of the attribute shall find in one photograph.

    None where silence, or an answer, could count wrongly: a box is rough, or a garment has a label that is not offered,
    or none although its first level has the attribute.
    """
    boxes = []
    for row in rows:
        if row.box is None:
            continue
        if not row.box_ok:
            return None
        name = GARMENT if attribute == GARMENT else row.labels.get(attribute, "")
        if name in classes:
            boxes.append((classes.index(name), row.box))
        elif name or not _cannot_have(attribute, row, taxonomy):
            return None
    background = all(row.box is None for row in rows)
    return tuple(boxes) if boxes or background else None


def _cannot_have(attribute: str, row: Photograph, taxonomy: Taxonomy) -> bool:
    first_level = taxonomy.parent_of(CATEGORY, row.labels[CATEGORY])
    return first_level is not None and not taxonomy.applies(attribute, first_level)
