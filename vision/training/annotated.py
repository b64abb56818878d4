"""Boxes that people drew in Label Studio or CVAT, as rows of the table that `imports` reads.

A box's label is a class of an attribute, the category unless something else is said. Further labels of the same box
(choices per region in Label Studio, attributes in CVAT) count for the attribute that they are named after; one that is
named after the label's own attribute takes the label's place, which then only says "a garment".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from vision.training.conversion import ConversionError
from vision.training.dataset import COORDINATES, SPLITS

Row = dict[str, str]
Images = dict[str, list[Row]]

CVAT = "annotations.xml"
_UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")  # Label Studio puts it before the names of files that were uploaded
_UNREADABLE = {"whole": ""}  # a shape other than a box: its image is rejected


def annotation_file(source: Path) -> Path | None:
    """The export of a labelling program that a folder holds; None for another kind of folder."""
    if (source / CVAT).is_file():
        return source / CVAT
    exports = sorted(path for path in source.glob("*.json") if path.name != "taxonomy.json")
    return exports[0] if len(exports) == 1 else None


def read_annotations(path: Path, attribute: str, attributes: Sequence[str]) -> tuple[Path, Images]:
    """Read an export.

    Args:
        path: `annotations.xml` of "CVAT for images", or Label Studio's JSON or JSON_MIN.
        attribute: what labels of boxes are classes of.
        attributes: all of the vocabulary.

    Returns:
        The folder of the images, and the rows of each image by its path there.

    Raises:
        ConversionError: it cannot be read, or is of another kind.
    """
    source = path.parent
    folder = source / "images" if (source / "images").is_dir() else source
    known = _Known(folder)
    found = _cvat(path) if path.suffix.lower() == ".xml" else _label_studio(path)
    images: Images = {}
    for name, split, boxes in found:
        rows = [_row(box, attribute, attributes) for box in boxes] or [{}]
        for row in rows:
            row.setdefault("whole", "1")
            row.setdefault("box_ok", "1")
            row["split"] = split
        images.setdefault(known.path_of(name), []).extend(rows)
    return folder, images


class _Known:
    """The files of a folder, by their paths and names."""

    def __init__(self, folder: Path) -> None:
        files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        self._paths = set(files)
        self._names: dict[str, list[str]] = {}
        for file in files:
            self._names.setdefault(PurePosixPath(file).name, []).append(file)

    def path_of(self, name: str) -> str:
        """The file that an export means: its path, or its name where only one file has that; else what it says."""
        if name in self._paths:
            return name
        base = PurePosixPath(name).name
        for wanted in (base, _UPLOADED.sub("", base)):
            if len(found := self._names.get(wanted, [])) == 1:
                return found[0]
        return base


class _Box:
    """A box with its labels: edges as fractions of the image; None for a shape without edges."""

    def __init__(self, edges: tuple[float, float, float, float] | None, label: str, *, rough: bool = False) -> None:
        self.edges, self.label, self.rough = edges, label, rough
        self.said: dict[str, str] = {}


def _row(box: _Box, attribute: str, attributes: Sequence[str]) -> Row:
    if box.edges is None:
        return dict(_UNREADABLE)
    labels = {code: box.said.get(code, "") for code in attributes}
    labels[attribute] = labels.get(attribute) or box.label
    edges = {name: f"{edge:.6f}" for name, edge in zip(COORDINATES, box.edges, strict=True)}
    return {**labels, **edges, "box_ok": "0" if box.rough else "1"}


def _split(name: str) -> str:
    found = name.strip().lower()
    return {"training": "train", "validation": "val", "test": "val"}.get(found, found if found in SPLITS else "")


def _cvat(path: Path) -> Iterator[tuple[str, str, list[_Box]]]:
    try:
        seen = False
        for _event, element in iterparse(str(path)):
            if element.tag == "image":
                seen = True
                yield str(element.get("name", "")), _split(element.get("subset", "")), list(_cvat_boxes(element))
                element.clear()
        if not seen:
            raise ConversionError(f"{path} has no images: export it as “CVAT for images 1.1”.")
    except (ParseError, DefusedXmlException, ValueError, UnicodeError) as error:
        raise ConversionError(f"{path} cannot be read as CVAT's XML: {error}") from error


def _cvat_boxes(image: Element) -> Iterator[_Box]:
    width, height = float(image.get("width", "0")), float(image.get("height", "0"))
    for shape in image:
        if shape.tag == "tag":  # of the whole image
            continue
        box = _Box(
            _cvat_edges(shape, width, height), shape.get("label", ""), rough=bool(float(shape.get("rotation", 0)))
        )
        for said in shape.iter("attribute"):
            if said.text:
                box.said[said.get("name", "")] = said.text.strip()
        yield box


def _cvat_edges(shape: Element, width: float, height: float) -> tuple[float, float, float, float] | None:
    if shape.tag == "box":
        x1, y1, x2, y2 = (float(shape.get(name, "nan")) for name in ("xtl", "ytl", "xbr", "ybr"))
    elif shape.tag in {"polygon", "polyline"}:
        points = [tuple(map(float, point.split(","))) for point in shape.get("points", "").split(";") if point]
        x1, x2 = min(point[0] for point in points), max(point[0] for point in points)
        y1, y2 = min(point[1] for point in points), max(point[1] for point in points)
    else:
        return None
    return (x1 / width, y1 / height, x2 / width, y2 / height) if width and height else None


def _label_studio(path: Path) -> Iterator[tuple[str, str, list[_Box]]]:
    try:
        tasks = json.loads(path.read_bytes())
    except ValueError as error:
        raise ConversionError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise ConversionError(f"{path} is not a list of tasks: export it from Label Studio as JSON.")
    for task in tasks:
        data = task["data"] if isinstance(task.get("data"), dict) else task
        address = next((data[key] for key in ("image", "img", "photo") if isinstance(data.get(key), str)), "")
        if not address:
            raise ConversionError(f"{path}: the task {task.get('id')} names no image.")
        boxes = list(_task_boxes(task))
        if "annotations" in task and not _current(task):
            continue  # nobody has looked at it
        yield _name_in(address), _split(str(data.get("split", ""))), boxes


def _name_in(address: str) -> str:
    """The file's path that an address means: of an upload, of local storage, or of a bucket."""
    parts = urlsplit(address)
    path = parse_qs(parts.query).get("d", [parts.path])[0] if parts.path.endswith("local-files/") else parts.path
    return unquote(path).lstrip("/")


def _current(task: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The last annotation that was not cancelled."""
    found = [one for one in task["annotations"] if isinstance(one, dict) and not one.get("was_cancelled")]
    return found[-1] if found else None


def _task_boxes(task: Mapping[str, Any]) -> Iterable[_Box]:
    if "annotations" not in task:  # JSON_MIN
        regions = [value for values in task.values() if isinstance(values, list) for value in values]
        return [_region_box(one) for one in regions if isinstance(one, dict) and ("x" in one or "points" in one)]
    boxes: dict[str, _Box] = {}
    result = (_current(task) or {}).get("result", [])
    for region in result:
        value = region.get("value", {})
        if "x" in value or "points" in value or "rle" in value:
            boxes[str(region.get("id", len(boxes)))] = _region_box(value)
    for region in result:
        chosen = region.get("value", {}).get("choices")
        if chosen and (box := boxes.get(str(region.get("id", "")))) is not None:
            box.said[str(region.get("from_name", ""))] = str(chosen[0])
    return list(boxes.values())


def _region_box(value: Mapping[str, Any]) -> _Box:
    """A region's box; Label Studio gives per cent of the image."""
    kinds = [name for name in value if name.endswith("labels") and value[name]]
    label = str(value[kinds[0]][0]) if kinds else ""
    if "points" in value:
        xs, ys = zip(*((float(x), float(y)) for x, y in value["points"]), strict=True)
        edges = (min(xs), min(ys), max(xs), max(ys))
    elif "width" in value:
        x, y = float(value["x"]), float(value["y"])
        edges = (x, y, x + float(value["width"]), y + float(value["height"]))
    else:
        return _Box(None, label)
    x1, y1, x2, y2 = (edge / 100 for edge in edges)
    return _Box((x1, y1, x2, y2), label, rough=bool(value.get("rotation")))
