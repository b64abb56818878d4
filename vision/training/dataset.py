"""A folder of labelled garment images: labels.csv beside images/."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision.engine.decode import decode
from vision.engine.manifest import GARMENT
from vision.engine.preprocess import CROP_MARGIN, crop_garment, crop_region
from vision.engine.results import Box
from vision.engine.taxonomy import CATEGORY, Taxonomy

ATTRIBUTES = ("category", "material", "sleeve_length")
COORDINATES = ("x1", "y1", "x2", "y2")
SPLITS = ("train", "val")
COLUMNS = ("image", "split", "sender", *ATTRIBUTES, *COORDINATES, "box_ok")
"""What every table has. Further columns are labels as well: one may be an attribute that a merchant added."""
TAXONOMY = "taxonomy.json"
"""Beside the table: what its labels mean, where that is not the project's own taxonomy."""


class LabelError(ValueError):
    """labels.csv or taxonomy.json cannot be used; the message names the line."""


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """One row of labels.csv: a garment in an image, which may have several. One without a box shows none.

    `worn`: people wear what the image shows, and a garment without a category is none of the taxonomy's, neither a
    target nor a mistake. `complete` is False where the image shows more garments than its rows. `flag` is as in
    `vision.evaluation.outfits`.
    """

    path: Path
    split: str
    sender: str
    labels: dict[str, str]
    box: Box | None
    box_ok: bool
    worn: bool = False
    complete: bool = True
    flag: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """All images of a data folder; the fingerprint is the SHA-256 of its labels, whose meaning is `taxonomy`."""

    root: Path
    images: tuple[LabelledImage, ...]
    fingerprint: str
    taxonomy: Taxonomy
    joined: tuple[str, ...] = ()
    """The names of the folders that it was joined from, if it was."""

    @property
    def labelled(self) -> frozenset[str]:
        """The codes of all attributes that labels.csv has a column for."""
        return frozenset(self.images[0].labels) if self.images else frozenset()

    @property
    def name(self) -> str:
        """The data set's name in manifests and cards: that of its folder, or of all."""
        return "+".join(self.joined) or self.root.resolve().name

    def select(self, split: str, attribute: str | None = None) -> list[LabelledImage]:
        """Images of one split; with `attribute`, those that carry a label and a box for it."""
        return [
            image
            for image in self.images
            if image.split == split and (attribute is None or (image.labels.get(attribute) and image.box is not None))
        ]

    def counts(self, split: str, attribute: str) -> Counter[str]:
        """How many labelled garments of each class a split holds."""
        return Counter(image.labels[attribute] for image in self.select(split, attribute))

    def classes(self, attribute: str, minimum: int) -> list[str]:
        """The classes with at least `minimum` training examples, in alphabetical order."""
        counts = self.counts("train", attribute)
        return sorted(name for name, count in counts.items() if count >= minimum)


def by_file(images: Sequence[LabelledImage]) -> list[list[LabelledImage]]:
    """The rows of the same file together: an image may show several garments, each with a row of its own."""
    files: dict[Path, list[LabelledImage]] = {}
    for image in images:
        files.setdefault(image.path, []).append(image)
    return list(files.values())


def read_dataset(root: Path) -> Dataset:
    """Read and check labels.csv.

    Raises LabelError, naming the line, for a missing column or image, an unknown split, a malformed box, or a
    contributor or image that appears in both splits; for a table in another encoding than UTF-8, and for a
    taxonomy.json that is not valid.
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
    images = []
    split_of: dict[str | Path, str] = {}
    for row in reader:
        place = f"{source} line {reader.line_num}"
        image = _read_row(root, row, place)
        if image.sender and split_of.setdefault(image.sender, image.split) != image.split:
            raise LabelError(f"{place}: contributor {image.sender} is in both splits.")
        if split_of.setdefault(image.path, image.split) != image.split:
            raise LabelError(f"{place}: the image {image.path.name} is in both splits.")
        images.append(image)
    return Dataset(root, tuple(images), hashlib.sha256(content).hexdigest(), _read_taxonomy(root / TAXONOMY))


def _read_taxonomy(path: Path) -> Taxonomy:
    if not path.is_file():
        return Taxonomy.load()
    try:
        return Taxonomy.load(path)
    except (ValueError, KeyError, TypeError) as error:
        raise LabelError(f"{path} is not a valid taxonomy: {error!r}.") from error


def _read_row(root: Path, row: dict[str, str | None], place: str) -> LabelledImage:
    if None in row or None in row.values():
        raise LabelError(f"{place}: it has not as many fields as the first line.")
    fields = {column: (text or "").strip() for column, text in row.items()}
    path = root / "images" / fields["image"]
    if not fields["image"] or not path.is_file():
        raise LabelError(f"{place}: the image {fields['image']!r} does not exist.")
    if fields["split"] not in SPLITS:
        raise LabelError(f"{place}: split is {fields['split']!r}, not train or val.")
    labels = {column: text for column, text in fields.items() if column in ATTRIBUTES or column not in COLUMNS}
    box = _read_box(fields, place)
    if box is None and any(labels[attribute] for attribute in ATTRIBUTES):
        raise LabelError(f"{place}: labels without a box.")
    return LabelledImage(path, fields["split"], fields["sender"], labels, box, fields["box_ok"] == "1")


def _read_box(fields: dict[str, str], place: str) -> Box | None:
    texts = [fields[name] for name in COORDINATES]
    if not any(texts):
        return None
    try:
        x1, y1, x2, y2 = (float(text) for text in texts)
    except ValueError:
        raise LabelError(f"{place}: the box {', '.join(texts)} is not four numbers.") from None
    if not (0.0 <= x1 < x2 <= 1.0 and 0.0 <= y1 < y2 <= 1.0):
        raise LabelError(f"{place}: the box {', '.join(texts)} is not inside the image.")
    return x1, y1, x2, y2


def open_upright(path: Path) -> Image.Image:
    """An image as people see it: EXIF orientation applied, sRGB. Raises DecodeError."""
    return decode(path).image


@dataclass(frozen=True, slots=True)
class Crops:
    """Garments as squares (n, 3, size, size) of bytes, decoded once and kept in memory.

    `windows` (n, 4) says where in its square the part lies that a network shall see: x1, y1, x2, y2 in units of half
    a square from its centre.
    """

    squares: NDArray[np.uint8]
    windows: NDArray[np.float32]


def load_crops(
    images: Sequence[LabelledImage], size: int, margin: float, progress: Callable[[int], None] = lambda done: None
) -> Crops:
    """Cut the garments with `margin` around them; calls `progress` with the number done."""
    squares = np.empty((len(images), 3, size, size), np.uint8)
    windows = np.empty((len(images), 4), np.float32)
    for index, image in enumerate(images):
        if image.box is None:
            raise ValueError(f"{image.path} has no box to crop.")
        opened = open_upright(image.path)
        squares[index] = crop_garment(opened, image.box, [(size, size)], margin).transpose(2, 0, 1)
        outer = crop_region(opened.width, opened.height, image.box, margin)
        inner = crop_region(opened.width, opened.height, image.box)
        half = max(outer[2] - outer[0], outer[3] - outer[1]) / 2
        centre = np.array([outer[0] + outer[2], outer[1] + outer[3]] * 2) / 2
        windows[index] = (np.array(inner) - centre) / half
        progress(index + 1)
    return Crops(squares, windows)


def served_crops(
    images: Sequence[LabelledImage], shapes: Sequence[tuple[int, int]], margin: float = CROP_MARGIN
) -> list[NDArray[np.uint8]]:
    """The garments as the engine cuts them for a network of these shapes, (height, width, 3) of bytes each."""
    crops = []
    for image in images:
        if image.box is None:
            raise ValueError(f"{image.path} has no box to crop.")
        crops.append(crop_garment(open_upright(image.path), image.box, shapes, margin))
    return crops


def label_indices(images: Iterable[LabelledImage], attribute: str, classes: Sequence[str]) -> NDArray[np.int64]:
    """The class index of each image; -1 where the label is missing or not offered."""
    index = {name: position for position, name in enumerate(classes)}
    return np.array([index.get(image.labels.get(attribute, ""), -1) for image in images], np.int64)


def true_boxes(
    rows: Sequence[LabelledImage], attribute: str, classes: Sequence[str], taxonomy: Taxonomy
) -> tuple[tuple[int, Box], ...] | None:
    """Class index and box of each garment that a detector of the attribute shall find in one image.

    None where silence, or an answer, could count wrongly: a box is rough or missing, or a garment has a label that is
    not offered, or none although its top-level category has the attribute.
    """
    boxes = []
    for row in rows:
        if row.box is None or (row.worn and not row.labels.get(CATEGORY)):
            continue
        if not row.complete:
            return None
        if not row.box_ok:
            return None
        name = _garment_class(row, classes, taxonomy) if attribute == GARMENT else row.labels.get(attribute, "")
        if name in classes:
            boxes.append((classes.index(name), row.box))
        elif name or not _cannot_have(attribute, row, taxonomy):
            return None
    background = all(row.box is None for row in rows)
    return tuple(boxes) if boxes or background else None


def _garment_class(row: LabelledImage, classes: Sequence[str], taxonomy: Taxonomy) -> str:
    """What a detector of garments shall call one: `garment` if it has that class, else its top-level category."""
    if GARMENT in classes:
        return GARMENT
    category = row.labels.get(CATEGORY, "")
    return taxonomy.parent_of(CATEGORY, category) or category


def _cannot_have(attribute: str, row: LabelledImage, taxonomy: Taxonomy) -> bool:
    top_category = taxonomy.parent_of(CATEGORY, row.labels[CATEGORY])
    return top_category is not None and not taxonomy.applies(attribute, top_category)
