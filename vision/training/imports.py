"""Reads data sets of simple kinds: labels.csv beside images/, a folder for each class, boxes of labelling programs."""

from __future__ import annotations

import csv
import math
from functools import partial
from pathlib import Path, PurePosixPath

from vision.engine.formats import is_image_file
from vision.training.annotated import annotation_file, read_annotations
from vision.training.conversion import ConversionError
from vision.training.dataset import COORDINATES, SPLITS
from vision.training.source import (
    Garment,
    Item,
    Notes,
    Reading,
    Rejected,
    clip_box,
    files_of,
    label_code,
    open_image,
    reject,
    split_of,
)
from vision.training.vocabulary import Vocabulary

TABLE = "labels.csv"
_CATEGORY = "category"
WHOLE = (0.0, 0.0, 1.0, 1.0)

Row = dict[str, str]


def import_items(sources: list[Path], attribute: str | None, vocabulary: Vocabulary, val_share: float) -> list[Item]:
    """The images of all sources, which may be of both kinds.

    Args:
        sources: folders with labels.csv and images/, with an export of Label Studio or CVAT beside the images, or with
            a folder for each class of `attribute`, perhaps inside of train/ and val/.
        attribute: what the folders' names are classes of, and labels of boxes if that is not the category.
        vocabulary: what labels mean.
        val_share: how much goes to val where the source does not say.

    Raises:
        ConversionError: a table cannot be read at all, or classes without `attribute` or of one that there is not.
    """
    if attribute is not None and attribute not in vocabulary.attributes:
        raise ConversionError(f"The attribute {attribute} is none of {', '.join(vocabulary.attributes)}.")
    items: list[Item] = []
    for number, source in enumerate(sources, start=1):
        # Names and contributors of different sources have nothing to do with each other.
        prefix = f"{number}-" if len(sources) > 1 else ""
        if (source / TABLE).is_file():
            images = _read_table(source / TABLE)
            items += _table_items(source / "images", images, prefix, vocabulary, val_share)
        elif (drawn := annotation_file(source)) is not None:
            folder, images = read_annotations(drawn, attribute or _CATEGORY, list(vocabulary.attributes))
            items += _table_items(folder, images, prefix, vocabulary, val_share)
        elif attribute is None:
            raise ConversionError(
                f"{source} has no {TABLE}. If it has a folder for each class, say of which attribute."
            )
        else:
            items += _class_items(source, prefix, attribute, vocabulary, val_share)
    return items


def _table_items(
    folder: Path, images: dict[str, list[Row]], prefix: str, vocabulary: Vocabulary, val_share: float
) -> list[Item]:
    items = []
    names: set[str] = set()
    split_of_sender: dict[str, str] = {}
    for image, rows in images.items():
        path = PurePosixPath(image)
        identifier = prefix + path.with_suffix("").as_posix().replace("/", "-") if path.name else ""
        given = {row["split"] for row in rows}
        sender = rows[0].get("sender", "")
        split = rows[0]["split"] or split_of(sender or image, val_share)
        if not path.name or path.is_absolute() or ".." in path.parts or not image.isprintable():
            read = partial(reject, "bad_name")
        elif identifier in names:
            read = partial(reject, "duplicate", f"{identifier} with another ending")
        elif split not in SPLITS:
            read = partial(reject, "unknown_split", split)
        elif len(given) > 1 or (sender and split_of_sender.setdefault(sender, split) != split):
            read = partial(reject, "in_both_splits", sender)
        else:
            names.add(identifier)
            marked = f"{prefix}{sender}" if sender else ""
            read = partial(_read_rows, folder / image, rows, split, marked, vocabulary)
        items.append(Item(identifier, prefix + image, read))
    return items


def _read_table(path: Path) -> dict[str, list[Row]]:
    """The rows of each image; fields that are there and columns that are not are '' alike."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConversionError(f"{path} is not UTF-8 (byte {error.start}).") from error
    reader = csv.DictReader(text.splitlines())
    if "image" not in (reader.fieldnames or ()):
        raise ConversionError(f"{path} line 1: no column image.")
    images: dict[str, list[Row]] = {}
    for fields in reader:
        whole = None not in fields and None not in fields.values()
        row = {name: (value or "").strip() for name, value in fields.items() if name is not None}
        row = {"split": "", "whole": "1" if whole else "", **row}
        images.setdefault(row["image"], []).append(row)
    return images


def _read_rows(image: Path, rows: list[Row], split: str, sender: str, vocabulary: Vocabulary) -> Reading:
    notes = Notes()
    garments = []
    for number, row in enumerate(rows, start=1):
        place = f"row {number}" if len(rows) > 1 else ""
        if not row["whole"]:
            raise Rejected("malformed_row", place)
        labels = {
            attribute: label_code(vocabulary, attribute, row.get(attribute, ""), notes)
            for attribute in vocabulary.attributes
        }
        edges = [row.get(name, "") for name in COORDINATES]
        if any(edges):
            garments.append(Garment(labels, _box(edges, place, notes), row.get("box_ok", "1") == "1"))
        elif all(name in row for name in COORDINATES) and any(row.get(name) for name in vocabulary.attributes):
            raise Rejected("label_without_rectangle", place)
        elif any(labels.values()):
            garments.append(Garment(labels, WHOLE, box_ok=False))  # a table without boxes
    pixels, _width, _height = open_image(image)
    return Reading(image, pixels, split, tuple(garments), sender, clipped=notes.clipped, left_out=tuple(notes.left_out))


def _box(texts: list[str], place: str, notes: Notes) -> tuple[float, float, float, float]:
    try:
        x1, y1, x2, y2 = (float(text) for text in texts)
    except ValueError:
        raise Rejected("bad_rectangle", place) from None
    if not all(map(math.isfinite, (x1, y1, x2, y2))):
        raise Rejected("bad_rectangle", place)
    return clip_box((x1, y1, x2, y2), place, notes)


def _class_items(source: Path, prefix: str, attribute: str, vocabulary: Vocabulary, val_share: float) -> list[Item]:
    folders = {path.name for path in source.iterdir() if path.is_dir() and not path.name.startswith(".")}
    divided = bool(folders) and folders <= set(SPLITS)
    items = []
    names: set[str] = set()
    for file in files_of(source):
        parts = PurePosixPath(file).parts
        identifier = prefix + PurePosixPath(file).with_suffix("").as_posix().replace("/", "-")
        if not is_image_file(source / file):
            read = partial(reject, "not_an_image")
        elif len(parts) < (3 if divided else 2):
            read = partial(reject, "unknown_label", f"{attribute}: not in a class's folder")
        elif not file.isprintable():
            read = partial(reject, "bad_name")
        elif identifier in names:
            read = partial(reject, "duplicate", f"{identifier} with another ending")
        else:
            names.add(identifier)
            split, name = (parts[0], parts[1]) if divided else (split_of(file, val_share), parts[0])
            read = partial(_read_classed, source / file, attribute, name, split, vocabulary)
        items.append(Item(identifier, prefix + file, read))
    return items


def _read_classed(image: Path, attribute: str, name: str, split: str, vocabulary: Vocabulary) -> Reading:
    """An image whose folder says what it shows; nothing says where, so that it trains no detector."""
    code = label_code(vocabulary, attribute, name, Notes())
    if not code:
        raise Rejected("left_out", name)
    pixels, _width, _height = open_image(image)
    return Reading(image, pixels, split, (Garment({attribute: code}, WHOLE, box_ok=False),))
