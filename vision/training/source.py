"""What a converter takes from foreign data: images with garments, each read or rejected with a reason."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from vision.engine.decode import decode
from vision.engine.errors import DecodeError
from vision.engine.results import Box
from vision.training.vocabulary import UnknownName, Vocabulary

DETAIL = 640  # pixels on an image's shorter side that crops are cut from at least, where it has them
BORDER = 0.005  # of a side, by which a box may pass it without a word: rounding
LEAST_INSIDE = 0.5
LEAST_SIDE = 0.002

# Each reason that rejects.csv can give, as people read it.
REASONS = {
    "ambiguous_rectangles": "several rectangles for a part, and not as many labels",
    "bad_name": "the file's name holds characters that cannot be printed, or leads out of the folder",
    "bad_rectangle": "a rectangle is not four numbers",
    "broken_encoding": "the JSON file is not UTF-8",
    "broken_json": "the JSON file cannot be parsed",
    "duplicate": "another file is about the same image",
    "empty_rectangle": "a rectangle has no width or height",
    "in_both_splits": "the image or its contributor is in the other split already",
    "label_without_rectangle": "a garment has labels but no rectangle",
    "left_out": "its class is left out",
    "malformed_row": "the row has not as many fields as the first line",
    "no_garment": "it names no garment",
    "not_an_image": "the file is not an image of a kind that is taken",
    "no_labels_file": "the image has no JSON file",
    "no_image": "its image does not exist",
    "other_image": "it says that it is about another image",
    "other_size": "the image has other proportions than the labels say",
    "outside": "most of a rectangle lies outside of the image",
    "image_unreadable": "the image cannot be decoded",
    "rectangle_without_label": "a garment has a rectangle but no category",
    "several_images": "several images have this name",
    "unexpected_structure": "the JSON file is built otherwise than K-Fashion's",
    "unknown_label": "a label is not in the taxonomy",
    "unknown_split": "the split is neither train nor val",
    "unreadable_file": "the file cannot be read",
}


class Rejected(Exception):
    """An image is left out of the data set; `reason` is a key of REASONS."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Garment:
    """A garment in an image; `labels` by attribute, '' for none. `box_ok` is False for a box that may be rough."""

    labels: dict[str, str]
    box: Box
    box_ok: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """An image that is good to learn from. `pixels` is upright and may be smaller than the file."""

    image: Path
    pixels: Image.Image
    split: str
    garments: tuple[Garment, ...]
    sender: str = ""
    clipped: int = 0
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One image to convert: its name in the data set, the file that rejects name, and how to read it.

    `read` travels to other processes, so it is made with functools.partial; it raises Rejected.
    """

    identifier: str
    file: str
    read: Callable[[], Reading]


@dataclass(slots=True)
class Notes:
    """What is counted, though nothing is rejected for it: clipped boxes, and labels that options leave out."""

    clipped: int = 0
    left_out: list[tuple[str, str]] = field(default_factory=list)


def reject(reason: str, detail: str = "") -> Reading:
    """An item's `read` where the listing has shown already that it cannot be used."""
    raise Rejected(reason, detail)


def split_of(key: str, val_share: float) -> str:
    """train or val, by hash: the same for the same key every time; a larger share moves images to val only."""
    fraction = int.from_bytes(hashlib.sha256(os.fsencode(key)).digest()[:8]) / 2**64
    return "val" if fraction < val_share else "train"


def files_of(folder: Path) -> Iterator[str]:
    """Files in a folder and its subfolders, relative to it with `/`, in order; no hidden ones."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(place, name).relative_to(folder).as_posix()


def open_image(path: Path) -> tuple[Image.Image, int, int]:
    """The pixels, upright, and the width and height of its file, upright too. Raises Rejected."""
    try:
        decoded = decode(path, detail=DETAIL)
    except DecodeError as error:
        reason = {"not_found": "no_image", "unsupported_format": "not_an_image"}.get(error.code, "image_unreadable")
        raise Rejected(reason, str(error)) from error
    return decoded.image, decoded.width, decoded.height


def clip_box(box: Box, place: str, notes: Notes) -> Box:
    """A box in fractions, cut off at the image's border, to five digits.

    Raises Rejected: `empty_rectangle`, or `outside` where less than half of it would remain.
    """
    width, height = box[2] - box[0], box[3] - box[1]
    if width <= 0 or height <= 0:
        raise Rejected("empty_rectangle", place)
    x1, y1, x2, y2 = (round(min(max(edge, 0.0), 1.0), 5) for edge in box)
    if max(x2 - x1, 0.0) * max(y2 - y1, 0.0) < LEAST_INSIDE * width * height:
        raise Rejected("outside", place)
    if x2 - x1 < LEAST_SIDE or y2 - y1 < LEAST_SIDE:
        raise Rejected("empty_rectangle", place)
    notes.clipped += min(box) < -BORDER or max(box) > 1.0 + BORDER
    return x1, y1, x2, y2


def label_code(vocabulary: Vocabulary, attribute: str, name: str, notes: Notes) -> str:
    """The code for a label, '' for none and for one that is left out. Raises Rejected `unknown_label`."""
    if not name:
        return ""
    try:
        code = vocabulary.code_of(attribute, name)
    except UnknownName as error:
        raise Rejected("unknown_label", str(error)) from error
    if vocabulary.leaves_out(attribute, code):
        notes.left_out.append((attribute, code))
        return ""
    return code
