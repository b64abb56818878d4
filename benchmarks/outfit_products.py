"""Products as merchants show them, composed from labelled photos: one garment is sold, outfits are seen.

Each product has an outfit (a photo of a worn garment), and one to four of: a crop from the neck or from the waist, a
close-up, a flat lay of the same category, a detail page (a tall strip) and a drawn size chart. At least one beside the
outfit looks at the garment in particular: without it, or a name, nobody could say which one is sold.
"""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image, ImageDraw

from vision.engine.results import Box
from vision.engine.taxonomy import CATEGORY, Taxonomy
from vision.training.dataset import open_upright

NAMED, MISLEADING = 0.5, 0.1  # of all products, of these
PAGE_WIDTH = 860
FOCUSED = ("crop", "close_up", "flat", "page")
UNCLEAR = frozenset("mp")  # flags of boxes that are off, and of garments that hardly show
WORDS = {
    "Blouse": ("블라우스", "blouse"), "Tshirt": ("반팔티", "t-shirt"), "KnitWear": ("니트", "sweater"),
    "Shirt": ("셔츠", "shirt"), "Cardigan": ("가디건", "cardigan"), "Hoodie": ("후드티", "hoodie"),
    "Jeans": ("청바지", "jeans"), "Pants": ("슬랙스", "pants"), "Skirt": ("치마", "skirt"),
    "Dress": ("원피스", "dress"),
    "JumpSuit": ("점프수트", "jumpsuit"), "JoggerPants": ("조거팬츠", "jogger pants"), "Coat": ("코트", "coat"),
    "Jacket": ("자켓", "jacket"), "Jumper": ("점퍼", "bomber"), "PaddedJacket": ("패딩", "padded jacket"),
    "Vest": ("베스트", "vest"), "SleevelessTop": ("나시", "tank top"), "Bratop": ("브라탑", "bra top"),
    "Leggings": ("레깅스", "leggings"), "Zipup": ("집업", "zip-up"), "Shorts": ("반바지", "shorts"),
}  # fmt: skip
STYLES = (("데일리 ", "오버핏 ", "베이직 코튼 ", "빈티지"), ("Everyday ", "Oversized ", "Soft cotton ", "Vintage "))


@dataclass(frozen=True, slots=True)
class Worn:
    """A labelled garment of a photo; `clear` ones are sold."""

    category: str
    top_category: str
    box: Box
    clear: bool


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo with its size in pixels and what it shows."""

    path: Path
    size: tuple[int, int]
    garments: tuple[Worn, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A window of a photo, and where it comes to lie in the composed image (fractions of its height)."""

    photo: Photo
    window: Box
    top: float = 0.0
    bottom: float = 1.0

    def shown(self) -> Iterator[tuple[Worn, Box]]:
        """The garments of which the window holds enough, with their boxes in the composed image."""
        x1, y1, x2, y2 = self.window
        for garment in self.photo.garments:
            a1, b1, a2, b2 = garment.box
            left, upper, right, lower = max(a1, x1), max(b1, y1), min(a2, x2), min(b2, y2)
            if left >= right or upper >= lower:
                continue
            seen = (right - left) * (lower - upper)
            if seen < 0.3 * (a2 - a1) * (b2 - b1) and seen < 0.2 * (x2 - x1) * (y2 - y1):
                continue
            wide, high, scale = x2 - x1, y2 - y1, self.bottom - self.top
            upper, lower = (self.top + scale * (edge - y1) / high for edge in (upper, lower))
            yield garment, ((left - x1) / wide, upper, (right - x1) / wide, lower)

    def pixels(self) -> tuple[float, float]:
        """Width and height of the window in the photo."""
        x1, y1, x2, y2 = self.window
        return (x2 - x1) * self.photo.size[0], (y2 - y1) * self.photo.size[1]

    def render(self) -> Image.Image:
        """The window itself."""
        edges = (edge * side for edge, side in zip(self.window, self.photo.size * 2, strict=True))
        left, upper, right, lower = (round(edge) for edge in edges)
        return open_upright(self.photo.path).crop((left, upper, max(right, left + 8), max(lower, upper + 8)))


@dataclass(frozen=True, slots=True)
class Shot:
    """One image of a product: parts of photos under each other; a size chart has none."""

    kind: str
    parts: tuple[Part, ...] = ()

    def shown(self) -> list[tuple[Worn, Box]]:
        """Every garment in it, with its box."""
        return [seen for part in self.parts for seen in part.shown()]

    def render(self) -> Image.Image:
        """Draw it."""
        if not self.parts:
            return size_chart()
        if len(self.parts) == 1 and self.parts[0].bottom == 1.0:
            return self.parts[0].render()
        page = Image.new("RGB", (PAGE_WIDTH, page_height([part.pixels() for part in self.parts])), "white")
        for part in self.parts:
            top, bottom = round(part.top * page.height), round(part.bottom * page.height)
            page.paste(part.render().resize((PAGE_WIDTH, max(bottom - top, 1))), (0, top))
        return page


@dataclass(frozen=True, slots=True)
class Product:
    """A product: its images, the outfit first, the garment that it is, and what the merchant calls it."""

    garment: Worn
    shots: tuple[Shot, ...]
    name: str
    misleading: bool

    @property
    def box(self) -> Box:
        """Where the garment is in the outfit."""
        return self.garment.box


def page_height(sizes: Sequence[tuple[float, float]]) -> int:
    """Height of a detail page of windows of these sizes, each as wide as the page, in pixels; text takes a fifth."""
    return round(1.2 * sum(PAGE_WIDTH * high / wide for wide, high in sizes))


def size_chart() -> Image.Image:
    """A table of numbers, as merchants add it."""
    chart = Image.new("RGB", (800, 600), "white")
    draw = ImageDraw.Draw(chart)
    for row in range(8):
        draw.line((40, 60 + 60 * row, 760, 60 + 60 * row), fill="gray", width=2)
        for column in range(6):
            draw.text((60 + 120 * column, 80 + 60 * row), f"{40 + 3 * row + 7 * column}.5", fill="black")
    return chart


def read_photos(folder: Path, table: str, split: str) -> list[Photo]:
    """The photos of one split of a data set that show garments, in the table's order."""
    taxonomy = Taxonomy.load()
    rows: dict[str, list[Worn]] = defaultdict(list)
    with (folder / table).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            category = row["category"]
            if row["split"] != split or not category or not row["x1"]:
                continue
            clear = not UNCLEAR & set(row.get("flag", "")) and row.get("box_ok", "1") == "1"
            x1, y1, x2, y2 = (float(row[edge]) for edge in ("x1", "y1", "x2", "y2"))
            top_category = taxonomy.parent_of(CATEGORY, category) or category
            rows[row["image"]].append(Worn(category, top_category, (x1, y1, x2, y2), clear))
    photos = []
    for name, garments in rows.items():
        path = folder / "images" / name
        photos.append(Photo(path, upright_size(path), tuple(garments)))
    return photos


def upright_size(path: Path) -> tuple[int, int]:
    """Width and height as people see the photo, without decoding it."""
    with Image.open(path) as image:
        on_its_side = image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
        return (image.height, image.width) if on_its_side else image.size


def compose(worn: Sequence[Photo], flat: Sequence[Photo], count: int, seed: int) -> list[Product]:
    """Compose products, each of a different garment as long as there are enough; the same for the same seed."""
    chance = random.Random(seed)
    lays: dict[str, list[Photo]] = defaultdict(list)
    for photo in flat:
        if photo.garments[0].clear:
            lays[photo.garments[0].category].append(photo)
    sold = [(photo, garment) for photo in worn for garment in photo.garments if garment.clear]
    drawn: list[tuple[Photo, Worn]] = []
    while len(drawn) < count:
        drawn += chance.sample(sold, min(len(sold), count - len(drawn)))
    return [_product(photo, garment, lays[garment.category], chance) for photo, garment in drawn]


def _product(photo: Photo, garment: Worn, lays: Sequence[Photo], chance: random.Random) -> Product:
    kinds = ["crop", "crop", "close_up", "page", "chart", *(["flat"] if lays else [])]
    while True:
        chosen = chance.sample(kinds, chance.randint(1, 4))
        if any(kind in FOCUSED for kind in chosen):
            break
    shots = [Shot("outfit", (_whole(photo),)), *(_shot(kind, photo, garment, lays, chance) for kind in chosen)]
    name, misleading = "", False
    if chance.random() < NAMED:
        misleading = chance.random() < MISLEADING
        said = garment.category
        if misleading:
            own = garment.top_category
            others = [seen.category for seen in photo.garments if seen.top_category != own]
            said = chance.choice(others or [code for code in ("Jacket", "Skirt", "Shirt") if code != garment.category])
        language = chance.randrange(2)
        name = chance.choice(STYLES[language]) + WORDS[said][language]
    return Product(garment, tuple(shots), name, misleading)


def _shot(kind: str, photo: Photo, garment: Worn, lays: Sequence[Photo], chance: random.Random) -> Shot:
    if kind == "chart":
        return Shot(kind)
    if kind == "flat":
        return Shot(kind, (_whole(chance.choice(lays)),))
    if kind == "crop":
        return Shot(kind, (Part(photo, _crop(photo, garment, chance)),))
    if kind == "close_up":
        return Shot(kind, (Part(photo, _close_up(garment, chance)),))
    parts = [_whole(photo), Part(photo, _close_up(garment, chance)), Part(photo, _crop(photo, garment, chance))]
    parts += [_whole(chance.choice(lays))] if lays and chance.random() < 0.5 else []
    return Shot(kind, tuple(_stacked(parts)))


def _stacked(parts: Sequence[Part]) -> Iterator[Part]:
    """The parts of a detail page under each other, with room for text before each."""
    total = page_height([part.pixels() for part in parts])
    heights = [PAGE_WIDTH * high / wide for wide, high in (part.pixels() for part in parts)]
    room = (total - sum(heights)) / len(parts)
    at = 0.0
    for part, height in zip(parts, heights, strict=True):
        yield Part(part.photo, part.window, (at + room) / total, (at + room + height) / total)
        at += room + height


def _whole(photo: Photo) -> Part:
    return Part(photo, (0.0, 0.0, 1.0, 1.0))


def _close_up(garment: Worn, chance: random.Random) -> Box:
    """A window about as large as the garment: cut a little at some edges, with a margin at others."""
    x1, y1, x2, y2 = garment.box
    wide, high = x2 - x1, y2 - y1
    left, upper, right, lower = (chance.uniform(-0.15, 0.2) for _edge in range(4))
    return _inside((x1 + left * wide, y1 + upper * high, x2 - right * wide, y2 - lower * high))


def _crop(photo: Photo, garment: Worn, chance: random.Random) -> Box:
    """The person from the neck to where the garment ends, or from where it begins to the feet."""
    edges = list(zip(*(seen.box for seen in photo.garments), strict=True))
    wide = max(edges[2]) - min(edges[0])
    left, right = min(edges[0]) - 0.15 * wide, max(edges[2]) + 0.15 * wide
    _x1, y1, _x2, y2 = garment.box
    margin = chance.uniform(-0.05, 0.15) * (y2 - y1)
    if garment.top_category == "Bottom":
        return _inside((left, y1 - margin, right, max(edges[3]) + 0.08))
    return _inside((left, min(edges[1]) - 0.08, right, y2 + margin))


def _inside(box: Box) -> Box:
    x1, y1, x2, y2 = box
    return max(x1, 0.0), max(y1, 0.0), min(x2, 1.0), min(y2, 1.0)
