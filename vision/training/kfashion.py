"""Reads K-Fashion (AIHub): an image and a JSON file each, both named by the image's id.

The parts of the JSON that matter here are the image's size, the rectangles and the labels, each by part of the
outfit (아우터, 하의, 원피스, 상의) as a list. An empty object says that the part is not in the image. Rectangles
and labels of a part belong together by their place in the list.
"""

from __future__ import annotations

import json
import math
import unicodedata
from functools import partial
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Any

from vision.engine.formats import is_image_file
from vision.engine.taxonomy import CATEGORY
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

PARTS = ("아우터", "하의", "원피스", "상의")
NOTHING = "없음"
RECTANGLE = ("X좌표", "Y좌표", "가로", "세로")
MATERIAL, SLEEVE_LENGTH = "material", "sleeve_length"
SAME_PROPORTIONS = 0.02  # resized copies differ by the rounding of their sides
MOST_PIXELS = 1e6  # of a coordinate; whatever is larger is a slip

_LABELS = ".json"

Labels = dict[str, Any]
Pair = tuple[str, Labels, Labels]
"""A part's name, a rectangle and the labels that belong to it."""


def kfashion_items(images: Path, labels: Path, vocabulary: Vocabulary, val_share: float) -> list[Item]:
    """All images of the two folders and their subfolders, in the order of the JSON files' names.

    An image without a JSON file comes last, to be rejected, so that every file is accounted for.
    """
    by_name: dict[str, list[str]] = {}
    others = []
    for file in files_of(images):
        if is_image_file(images / file):
            by_name.setdefault(PurePosixPath(file).stem, []).append(file)
        elif not file.lower().endswith(_LABELS):
            others.append(file)
    items = []
    first_of: dict[str, str] = {}
    for file in filter(lambda name: name.lower().endswith(_LABELS), files_of(labels)):
        identifier = PurePosixPath(file).stem
        found = by_name.get(identifier, [])
        first = first_of.setdefault(identifier, file)
        if first != file:
            read = partial(reject, "duplicate", first)
        elif not identifier.isprintable():
            read = partial(reject, "bad_name")
        elif len(found) > 1:
            read = partial(reject, "several_images", ", ".join(found))
        else:
            image = images / found[0] if found else None
            read = partial(read_kfashion, identifier, labels / file, image, vocabulary, val_share)
        items.append(Item(identifier, file, read))
    for identifier, files in by_name.items():
        if identifier not in first_of:
            items += [Item(identifier, file, partial(reject, "no_labels_file")) for file in files]
    items += [Item(PurePosixPath(file).stem, file, partial(reject, "not_an_image")) for file in others]
    return items


def read_kfashion(
    identifier: str, labels: Path, image: Path | None, vocabulary: Vocabulary, val_share: float
) -> Reading:
    """Read one JSON file and its image.

    Boxes that pass the border are clipped. The first entry of 소재 is the material; 소매기장 may be missing.

    Raises:
        Rejected: with the first thing that is wrong; one wrong garment spoils the image, because a detector must
            not learn to overlook a garment that is there.
    """
    if image is None:
        raise Rejected("no_image")
    document = _read_json(labels)
    _check_identifier(document, identifier)
    details = _section(document, "데이터셋 정보", "데이터셋 상세설명")
    pairs = _pairs(_section(details, "렉트좌표"), _section(details, "라벨링"))
    notes = Notes()
    named = [_labels(part, labels, vocabulary, notes) for part, _rectangle, labels in pairs]
    rectangles = [_rectangle(part, rectangle) for part, rectangle, _labels in pairs]
    pixels, width, height = open_image(image)
    stated_width, stated_height = _stated_size(document) or (width, height)
    if abs(stated_width * height / (stated_height * width) - 1) > SAME_PROPORTIONS:
        raise Rejected("other_size", f"{width}x{height}, not {stated_width:g}x{stated_height:g}")
    garments = []
    for (part, _object, _labels_of), codes, (left, top, wide, high) in zip(pairs, named, rectangles, strict=True):
        edges = (
            left / stated_width,
            top / stated_height,
            (left + wide) / stated_width,
            (top + high) / stated_height,
        )
        garments.append(Garment(codes, clip_box(edges, part, notes)))
    split = split_of(identifier, val_share)
    return Reading(image, pixels, split, tuple(garments), clipped=notes.clipped, left_out=tuple(notes.left_out))


def _read_json(path: Path) -> Any:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Rejected("broken_encoding", f"byte {error.start}") from error
    except OSError as error:
        raise Rejected("unreadable_file", error.strerror or "") from error
    try:
        return json.loads(unicodedata.normalize("NFC", text))
    except json.JSONDecodeError as error:
        raise Rejected("broken_json", f"line {error.lineno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, brackets without end
        raise Rejected("broken_json", str(error)) from error


def _section(document: Any, *keys: str) -> Labels:
    """The object at the end of a path of keys."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    if not isinstance(document, dict):
        raise Rejected("unexpected_structure", " / ".join(keys))
    return document


def _check_identifier(document: Any, identifier: str) -> None:
    stated = _section(document).get("이미지 정보")
    stated = stated.get("이미지 식별자") if isinstance(stated, dict) else None
    if isinstance(stated, int | str) and str(stated).strip().lstrip("0") != identifier.lstrip("0"):
        raise Rejected("other_image", f"이미지 식별자 {stated}")


def _stated_size(document: Any) -> tuple[float, float] | None:
    """Width and height that the rectangles refer to, if the file says so."""
    about = document.get("이미지 정보")
    if not isinstance(about, dict) or "이미지 너비" not in about or "이미지 높이" not in about:
        return None
    width, height = _number(about["이미지 너비"]), _number(about["이미지 높이"])
    if width is None or height is None or width <= 0 or height <= 0:
        raise Rejected("unexpected_structure", "이미지 너비, 이미지 높이")
    return width, height


def _pairs(rectangles: Labels, labels: Labels) -> list[Pair]:
    """The garments of all parts, with their rectangles and labels."""
    unknown = rectangles.keys() - set(PARTS)
    if unknown:
        raise Rejected("unexpected_structure", f"렉트좌표 / {min(unknown)}")
    pairs = []
    for part in PARTS:
        boxes, named = _objects(rectangles, part), _objects(labels, part)
        if 0 < sum(map(bool, named)) < sum(map(bool, boxes)):
            raise Rejected("ambiguous_rectangles", part)
        nothing: Labels = {}
        for box, label in zip_longest(boxes, named, fillvalue=nothing):
            if box and not label:
                raise Rejected("rectangle_without_label", part)
            if label and not box:
                raise Rejected("label_without_rectangle", part)
            if box:
                pairs.append((part, box, label))
    if not pairs:
        raise Rejected("no_garment")
    return pairs


def _objects(section: Labels, part: str) -> list[Labels]:
    found = section.get(part) or []
    found = [found] if isinstance(found, dict) else found
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise Rejected("unexpected_structure", part)
    return found


def _labels(part: str, labels: Labels, vocabulary: Vocabulary, notes: Notes) -> dict[str, str]:
    """The codes of a garment by attribute."""
    category = _text(labels.get("카테고리"), part)
    if not category:
        raise Rejected("rectangle_without_label", f"{part}: 카테고리")
    materials = labels.get("소재") or ""
    material = _text(materials[0] if isinstance(materials, list) else materials, part)
    code = label_code(vocabulary, CATEGORY, category, notes)
    codes = {CATEGORY: code, MATERIAL: label_code(vocabulary, MATERIAL, material, notes), SLEEVE_LENGTH: ""}
    top_category = vocabulary.taxonomy.parent_of(CATEGORY, vocabulary.code_of(CATEGORY, category))
    if vocabulary.taxonomy.applies(SLEEVE_LENGTH, top_category):
        sleeve = _text(labels.get("소매기장"), part)
        codes[SLEEVE_LENGTH] = label_code(vocabulary, SLEEVE_LENGTH, sleeve, notes)
    return codes


def _text(value: Any, part: str) -> str:
    """A label's text; '' for none."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Rejected("unexpected_structure", f"{part}: a label is not text")
    text = value.strip()
    return "" if text == NOTHING else text


def _rectangle(part: str, rectangle: Labels) -> tuple[float, float, float, float]:
    """Left, top, width and height in pixels."""
    left, top, width, height = (_number(rectangle.get(key)) for key in RECTANGLE)
    if left is None or top is None or width is None or height is None:
        raise Rejected("bad_rectangle", part)
    if width <= 0 or height <= 0:
        raise Rejected("empty_rectangle", part)
    return left, top, width, height


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= MOST_PIXELS and math.isfinite(value) else None
