"""Draws files like K-Fashion's, among them every kind of dirt, and says what has to become of each.

The images are drawn; neither they nor the labels are AIHub's.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

CATEGORIES = {
    "아우터": ("코트", "재킷", "점퍼", "패딩", "베스트", "가디건", "짚업"),
    "하의": ("청바지", "팬츠", "스커트", "레깅스", "조거팬츠"),
    "원피스": ("드레스", "점프수트"),
    "상의": ("탑", "블라우스", "티셔츠", "니트웨어", "셔츠", "브라탑", "후드티"),
}
MATERIALS = ("우븐", "저지", "데님", "니트", "울/캐시미어", "가죽", "시폰", "면", "퍼", "린넨", "헤어 니트", "비닐/PVC")
SLEEVES = ("민소매", "반팔", "캡", "7부소매", "긴팔", "없음")
COLOURS = ("firebrick", "royalblue", "seagreen", "black", "ivory", "slategray")

Document = dict[str, Any]


@dataclass(slots=True)
class Case:
    """One image's files before they are written; dirt changes them. `garments` counts only where it is converted."""

    identifier: str
    document: Document
    image: bytes
    size: tuple[int, int]
    outfit: list[str]
    label_bytes: bytes | None = None
    no_labels: bool = False
    no_image: bool = False

    @property
    def details(self) -> Document:
        """The part of the document that holds rectangles and labels."""
        found: Document = self.document["데이터셋 정보"]["데이터셋 상세설명"]
        return found

    @property
    def first(self) -> tuple[list[Document], list[Document]]:
        """Rectangles and labels of the first part that is there."""
        part = self.outfit[0]
        return self.details["렉트좌표"][part], self.details["라벨링"][part]

    @property
    def text(self) -> str:
        """The JSON file's text."""
        return json.dumps(self.document, ensure_ascii=False)


@dataclass(slots=True)
class Expected:
    """What a conversion has to report: for each rejected file its reason, and the number of garments otherwise."""

    files: int = 0
    garments: int = 0
    clipped: int = 0
    rejects: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)


def _no_category(case: Case) -> None:
    case.first[1][0].pop("카테고리")


def _no_labels_of_part(case: Case) -> None:
    case.first[1][0].clear()


def _unknown_category(case: Case) -> None:
    case.first[1][0]["카테고리"] = "망토"


def _unknown_material(case: Case) -> None:
    case.first[1][0]["소재"] = ["종이", "면"]


def _no_image(case: Case) -> None:
    case.no_image = True


def _no_width(case: Case) -> None:
    case.first[0][0]["가로"] = 0


def _no_height(case: Case) -> None:
    case.first[0][0]["세로"] = 0


def _past_border(case: Case) -> None:
    case.first[0][0] |= {"X좌표": -0.06 * case.size[0], "가로": 0.6 * case.size[0]}


def _outside(case: Case) -> None:
    case.first[0][0] |= {"X좌표": 0.9 * case.size[0]}


def _word_for_number(case: Case) -> None:
    case.first[0][0]["Y좌표"] = "위"


def _infinite(case: Case) -> None:
    case.first[0][0]["X좌표"] = float("inf")


def _two_with_labels(case: Case) -> None:
    rectangles, labels = case.first
    rectangles.append({**rectangles[0], "X좌표": rectangles[0]["X좌표"] + 30})
    labels.append({**labels[0]})


def _two_with_one_label(case: Case) -> None:
    rectangles, _labels = case.first
    rectangles.append({**rectangles[0], "X좌표": rectangles[0]["X좌표"] + 30})


def _label_alone(case: Case) -> None:
    case.first[0][0].clear()


def _broken_encoding(case: Case) -> None:
    case.label_bytes = case.text.encode("utf-8")[:-9] + b"\xff\xfe" + case.text.encode("utf-8")[-9:]


def _other_encoding(case: Case) -> None:
    case.label_bytes = case.text.encode("cp949")


def _cut_json(case: Case) -> None:
    case.label_bytes = case.text.encode("utf-8")[: len(case.text) // 2].decode("utf-8", "ignore").encode("utf-8")


def _empty_json(case: Case) -> None:
    case.label_bytes = b""


def _no_rectangles(case: Case) -> None:
    case.details.pop("렉트좌표")


def _a_list(case: Case) -> None:
    case.document = {"데이터셋 정보": [1, 2]}


def _nothing_worn(case: Case) -> None:
    for section in ("렉트좌표", "라벨링"):
        for part in CATEGORIES:
            case.details[section][part] = [{}]


def _cut_image(case: Case) -> None:
    case.image = case.image[: len(case.image) // 3]


def _not_an_image(case: Case) -> None:
    case.image = b"<html>404</html>"


def _empty_image(case: Case) -> None:
    case.image = b""


def _no_json(case: Case) -> None:
    case.no_labels = True


def _other_image(case: Case) -> None:
    case.document["이미지 정보"]["이미지 식별자"] += 1


def _other_size(case: Case) -> None:
    case.document["이미지 정보"]["이미지 높이"] *= 2


# Each kind of dirt: what it is, the reason to give (none where the file is converted all the same), and how it is made.
DIRT: list[tuple[str, str, Callable[[Case], None]]] = [
    ("rectangle without labels", "rectangle_without_label", _no_labels_of_part),
    ("labels without a category", "rectangle_without_label", _no_category),
    ("category outside the vocabulary", "unknown_label", _unknown_category),
    ("material outside the vocabulary", "unknown_label", _unknown_material),
    ("JSON without its image", "no_image", _no_image),
    ("image without its JSON", "no_labels_file", _no_json),
    ("width 0", "empty_rectangle", _no_width),
    ("height 0", "empty_rectangle", _no_height),
    ("rectangle past the border", "", _past_border),
    ("rectangle mostly outside", "outside", _outside),
    ("a word for a number", "bad_rectangle", _word_for_number),
    ("an infinite number", "bad_rectangle", _infinite),
    ("two rectangles with labels for a part", "", _two_with_labels),
    ("two rectangles with one label", "ambiguous_rectangles", _two_with_one_label),
    ("labels without rectangle", "label_without_rectangle", _label_alone),
    ("broken UTF-8", "broken_encoding", _broken_encoding),
    ("CP949 instead of UTF-8", "broken_encoding", _other_encoding),
    ("JSON cut off", "broken_json", _cut_json),
    ("empty JSON file", "broken_json", _empty_json),
    ("no rectangles at all", "unexpected_structure", _no_rectangles),
    ("another structure", "unexpected_structure", _a_list),
    ("no garment", "no_garment", _nothing_worn),
    ("image cut off", "image_unreadable", _cut_image),
    ("image that is a web page", "image_unreadable", _not_an_image),
    ("empty image", "image_unreadable", _empty_image),
    ("another image's id", "other_image", _other_image),
    ("another size than the image's", "other_size", _other_size),
]


def generate(
    images: Path,
    labels: Path,
    count: int,
    *,
    dirt: float = 0.1,
    seed: int = 1,
    size: tuple[int, int] = (640, 800),
    drawn: int = 200,
) -> Expected:
    """Write `count` images' files into two folders, a thousand a subfolder as AIHub's archives have them.

    `dirt` is the share that something is wrong with, each kind in turn. Images (width, height = `size`) are taken
    from `drawn` ones.
    """
    chance = random.Random(seed)
    expected = Expected(files=count)
    soiled = 0
    for number in range(count):
        folder = f"{number // 1000:03d}"
        case = _clean_case(1000000 + number, chance, size, drawn)
        kind, reason = "clean", ""
        if int((number + 1) * dirt) > int(number * dirt):
            kind, reason, soil = DIRT[soiled % len(DIRT)]
            soiled += 1
            soil(case)
            expected.clipped += soil is _past_border
        expected.kinds[kind] = expected.kinds.get(kind, 0) + 1
        if reason:
            suffix = "jpg" if case.no_labels else "json"
            expected.rejects[f"{folder}/{case.identifier}.{suffix}"] = reason
        else:
            expected.garments += sum(
                bool(rectangle) for rectangles in case.details["렉트좌표"].values() for rectangle in rectangles
            )
        _write(case, images / folder, labels / folder)
    return expected


def _write(case: Case, images: Path, labels: Path) -> None:
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    if not case.no_image:
        (images / f"{case.identifier}.jpg").write_bytes(case.image)
    if not case.no_labels:
        (labels / f"{case.identifier}.json").write_bytes(case.label_bytes or case.text.encode("utf-8"))
        if case.label_bytes == b"":
            (labels / f"{case.identifier}.json").write_bytes(b"")


def _clean_case(number: int, chance: random.Random, size: tuple[int, int], drawn: int) -> Case:
    width, height = size
    outfit = chance.choice((["상의", "하의"], ["상의"], ["원피스"], ["아우터", "하의"], ["아우터", "하의", "상의"]))
    rectangles: Document = {part: [{}] for part in CATEGORIES}
    labelled: Document = {part: [{}] for part in CATEGORIES} | {"스타일": [{"스타일": "스트리트"}]}
    for part in outfit:
        top = 0.5 if part == "하의" else 0.1
        rectangles[part] = [
            {
                "X좌표": round(width * chance.uniform(0.15, 0.3), 1),
                "Y좌표": round(height * (top + chance.uniform(0, 0.05)), 1),
                "가로": int(width * chance.uniform(0.35, 0.5)),
                "세로": int(height * (0.75 if part == "원피스" else 0.4)),
            }
        ]
        labels = {
            "카테고리": chance.choice(CATEGORIES[part]),
            "소재": chance.sample(MATERIALS, chance.choice((1, 1, 2))),
            "색상": "블랙",
            "핏": "노멀",
        }
        if part != "하의" and chance.random() < 0.9:
            labels["소매기장"] = chance.choice(SLEEVES)
        labelled[part] = [labels]
    document: Document = {
        "이미지 정보": {
            "이미지 식별자": number,
            "이미지 높이": height,
            "이미지 너비": width,
            "이미지 파일명": f"{number}.jpg",
        },
        "데이터셋 정보": {
            "파일 번호": number,
            "파일 이름": f"{number}.jpg",
            "데이터셋 상세설명": {"렉트좌표": rectangles, "폴리곤좌표": {}, "라벨링": labelled},
        },
    }
    return Case(str(number), document, _image(number % drawn, size), size, outfit)


@cache
def _image(number: int, size: tuple[int, int]) -> bytes:
    """A drawn person in front of a grainy wall, about as many bytes as a real image of that size."""
    width, height = size
    image = Image.effect_noise((width // 2, height // 2), 40).resize(size).convert("RGB")
    draw = ImageDraw.Draw(image)
    colour = COLOURS[number % len(COLOURS)]
    draw.rectangle((width * 0.3, height * 0.12, width * 0.7, height * 0.5), fill=colour)
    draw.rectangle((width * 0.33, height * 0.5, width * 0.67, height * 0.95), fill=COLOURS[number // 6 % len(COLOURS)])
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
