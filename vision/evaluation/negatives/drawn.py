"""Drawings of what merchants upload beside garments (charts, tables, text, labels), and of a world without any."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Colour = tuple[int, int, int]
SIZES = ((480, 640), (640, 480), (560, 560), (430, 760))
WORDS = (
    "cotton", "wash", "cold", "gentle", "size", "model", "height", "length", "chest", "shoulder", "waist", "hem",
    "delivery", "return", "days", "notice", "please", "check", "colour", "may", "differ", "screen", "measured",
    "flat", "hand", "dry", "clean", "only", "do", "not", "bleach", "iron", "low", "made", "in", "Korea", "new",
    "best", "season", "sale", "review", "thank", "you", "order", "today", "free", "shipping", "over", "detail",
    "point", "fabric", "stretch", "none", "lining", "thickness",
)  # fmt: skip
SIZE_NAMES = ("XS", "S", "M", "L", "XL", "2XL")
MEASURES = ("Length", "Shoulder", "Chest", "Sleeve", "Waist", "Hip", "Rise", "Thigh", "Hem")


def draw(kind: str, seed: str) -> Image.Image:
    """An image of a kind in DRAWINGS, the same one for the same seed; as a file of a phone or a designer."""
    chance = random.Random(f"{kind} {seed}")
    return DRAWINGS[kind](chance, *chance.choice(SIZES))


def _colour(chance: random.Random, low: int = 0, high: int = 255) -> Colour:
    return chance.randint(low, high), chance.randint(low, high), chance.randint(low, high)


def _sheet(chance: random.Random, width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A light ground to write on."""
    image = Image.new("RGB", (width, height), _colour(chance, 225))
    return image, ImageDraw.Draw(image)


def _write(draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: float, fill: Colour) -> None:
    draw.text(at, text, fill=fill, font=ImageFont.load_default(size))


def _syllables(
    chance: random.Random, draw: ImageDraw.ImageDraw, at: tuple[float, float], size: float, count: int, fill: Colour
) -> None:
    """Signs that look like Hangul from afar; no font of it comes with Pillow."""
    for number in range(count):
        x, y = at[0] + number * size * 1.1, at[1]
        for _ in range(chance.randint(3, 5)):
            start = x + chance.random() * size * 0.7, y + chance.random() * size * 0.7
            across = chance.random() < 0.5
            end = (start[0] + size * 0.4, start[1]) if across else (start[0], start[1] + size * 0.4)
            draw.line((start, end), fill=fill, width=max(1, round(size / 9)))
        if chance.random() < 0.4:
            draw.ellipse((x, y + size * 0.5, x + size * 0.4, y + size * 0.9), outline=fill, width=max(1, int(size / 9)))


def _chart(chance: random.Random, width: int, height: int) -> Image.Image:
    image, pen = _sheet(chance, width, height)
    left, top, right, bottom = width * 0.14, height * 0.16, width * 0.92, height * 0.86
    _write(pen, (left, height * 0.05), " ".join(chance.sample(WORDS, 3)), width / 18, (40, 40, 40))
    style = chance.choice(("bars", "line", "pie"))
    count = chance.randint(4, 9)
    values = [chance.uniform(0.1, 1) for _ in range(count)]
    if style == "pie":
        side, start = min(right - left, bottom - top), 0.0
        for value in values:
            end = start + 360 * value / sum(values)
            pen.pieslice((left, top, left + side, top + side), start, end, fill=_colour(chance), outline="white")
            start = end
        return image
    for step in range(5):
        y = bottom - (bottom - top) * step / 4
        pen.line((left, y, right, y), fill=(200, 200, 200))
        _write(pen, (width * 0.04, y - 6), str(step * 25), width / 36, (90, 90, 90))
    step_width = (right - left) / count
    if style == "bars":
        colour = _colour(chance)
        for index, value in enumerate(values):
            x = left + index * step_width
            pen.rectangle((x + step_width * 0.2, bottom - (bottom - top) * value, x + step_width * 0.8, bottom), colour)
    else:
        for _ in range(chance.randint(1, 3)):
            heights = [bottom - (bottom - top) * chance.random() for _ in range(count)]
            points = [(left + (index + 0.5) * step_width, y) for index, y in enumerate(heights)]
            pen.line(points, fill=_colour(chance, 0, 180), width=4)
    return image


def _text_page(chance: random.Random, width: int, height: int) -> Image.Image:
    image, pen = _sheet(chance, width, height)
    ink, size = _colour(chance, 0, 90), width / chance.randint(22, 40)
    y, like_hangul = height * 0.06, chance.random() < 0.5
    _write(pen, (width * 0.08, y), " ".join(chance.sample(WORDS, 2)).upper(), size * 1.7, ink)
    y += size * 3
    while y < height * 0.93:
        if chance.random() < 0.12:
            y += size
        elif like_hangul:
            _syllables(chance, pen, (width * 0.08, y), size, int(width * chance.uniform(0.4, 0.8) / size / 1.1), ink)
        else:
            _write(pen, (width * 0.08, y), " ".join(chance.choices(WORDS, k=chance.randint(3, 7))), size, ink)
        y += size * 1.7
    return image


def _size_chart(chance: random.Random, width: int, height: int) -> Image.Image:
    image, pen = _sheet(chance, width, height)
    ink, head = _colour(chance, 0, 100), _colour(chance, 140, 225)
    columns, lines = chance.sample(MEASURES, chance.randint(3, 5)), SIZE_NAMES[: chance.randint(3, 6)]
    cell = (width * 0.9 / (len(columns) + 1), min(height * 0.1, height * 0.7 / (len(lines) + 1)))
    left, top = width * 0.05, height * chance.uniform(0.14, 0.25)
    _write(pen, (left, top - width / 9), chance.choice(("SIZE", "SIZE GUIDE", "Size (cm)")), width / 16, ink)
    for row in range(len(lines) + 1):
        for column in range(len(columns) + 1):
            x, y = left + column * cell[0], top + row * cell[1]
            fill = head if row == 0 or column == 0 else None
            pen.rectangle((x, y, x + cell[0], y + cell[1]), fill=fill, outline=(150, 150, 150))
            text = ["", *columns][column] if row == 0 else lines[row - 1]
            if row and column:
                text = f"{chance.uniform(20, 120):.1f}"
            _write(pen, (x + cell[0] * 0.15, y + cell[1] * 0.3), text, width / 38, ink)
    below = top + (len(lines) + 2) * cell[1]
    for _ in range(chance.randint(0, 3)):
        _write(pen, (left, below), " ".join(chance.choices(WORDS, k=6)), width / 40, ink)
        below += width / 25
    return image


def _care_label(chance: random.Random, width: int, height: int) -> Image.Image:
    image = Image.new("RGB", (width, height), _colour(chance, 60, 220))
    pen, ink = ImageDraw.Draw(image), _colour(chance, 0, 70)
    left, right = width * 0.25, width * 0.75
    pen.rectangle((left, 0, right, height * 0.85), fill=_colour(chance, 235))
    for line in range(4):
        text = f"{chance.randrange(5, 100, 5)}% {chance.choice(WORDS)}"
        _write(pen, (left + width * 0.06, height * (0.08 + line * 0.07)), text, width / 24, ink)
    side = width * 0.09
    for number in range(4):
        x, y = left + width * 0.04 + number * side * 1.25, height * 0.5
        shape = chance.choice(("circle", "triangle", "square", "tub"))
        if shape == "circle":
            pen.ellipse((x, y, x + side, y + side), outline=ink, width=3)
        elif shape == "triangle":
            pen.polygon(((x, y + side), (x + side / 2, y), (x + side, y + side)), outline=ink, width=3)
        elif shape == "square":
            pen.rectangle((x, y, x + side, y + side), outline=ink, width=3)
        else:
            pen.line(((x, y), (x + side * 0.15, y + side), (x + side * 0.85, y + side), (x + side, y)), ink, 3)
        if chance.random() < 0.5:
            pen.line((x, y, x + side, y + side), fill=ink, width=3)
    return image


def _screenshot(chance: random.Random, width: int, height: int) -> Image.Image:
    image, pen = _sheet(chance, width, height)
    accent, ink = _colour(chance, 20, 180), (60, 60, 60)
    pen.rectangle((0, 0, width, height * 0.09), fill=accent)
    _write(pen, (width * 0.05, height * 0.03), chance.choice(WORDS).title(), height / 32, (255, 255, 255))
    y = height * 0.12
    while y < height * 0.9:
        line = height * chance.uniform(0.07, 0.12)
        pen.rounded_rectangle((width * 0.04, y, width * 0.96, y + line), 8, fill="white", outline=(210, 210, 210))
        if chance.random() < 0.6:
            pen.ellipse((width * 0.07, y + line * 0.2, width * 0.07 + line * 0.6, y + line * 0.8), fill=_colour(chance))
        _write(pen, (width * 0.2, y + line * 0.3), " ".join(chance.choices(WORDS, k=3)), height / 40, ink)
        if chance.random() < 0.4:
            pen.rounded_rectangle((width * 0.78, y + line * 0.25, width * 0.93, y + line * 0.75), 6, fill=accent)
        y += line * 1.15
    return image


def _room(chance: random.Random, width: int, height: int) -> Image.Image:
    image = Image.new("RGB", (width, height), _colour(chance, 150, 240))
    pen, floor = ImageDraw.Draw(image), height * chance.uniform(0.6, 0.8)
    pen.rectangle((0, floor, width, height), fill=_colour(chance, 60, 190))
    x = width * chance.uniform(0.05, 0.5)
    pen.rectangle((x, height * 0.12, x + width * 0.35, height * 0.45), fill=(190, 215, 240), outline="white", width=9)
    pen.line((x + width * 0.175, height * 0.12, x + width * 0.175, height * 0.45), fill="white", width=6)
    for _ in range(chance.randint(1, 3)):  # a sofa, a shelf, a table
        x, wide, tall = (
            width * chance.uniform(0, 0.7),
            width * chance.uniform(0.2, 0.5),
            height * chance.uniform(0.1, 0.3),
        )
        colour = _colour(chance)
        base = floor + height * chance.uniform(0, 0.15)
        pen.rounded_rectangle((x, base - tall, x + wide, base), 12, fill=colour)
        for leg in (x + wide * 0.08, x + wide * 0.88):
            pen.rectangle((leg, base, leg + 8, base + height * 0.05), fill=(70, 50, 40))
    lamp = width * chance.uniform(0.6, 0.9)
    pen.line((lamp, 0, lamp, height * 0.12), fill=(50, 50, 50), width=3)
    pen.pieslice((lamp - 40, height * 0.1, lamp + 40, height * 0.1 + 80), 180, 360, fill=_colour(chance, 180))
    return _like_a_photo(chance, image)


def _landscape(chance: random.Random, width: int, height: int) -> Image.Image:
    image = _gradient(chance, width, height)
    pen = ImageDraw.Draw(image)
    for level in (0.5, 0.62, 0.75):
        colour, phase = _colour(chance, 30, 170), chance.uniform(0, 7)
        waves = [
            (x, height * (level + 0.06 * math.sin(phase + x / width * 7) + 0.03 * math.sin(2 * phase + x / width * 19)))
            for x in range(0, width + 8, 8)
        ]
        pen.polygon([*waves, (width, height), (0, height)], fill=colour)
    for _ in range(chance.randint(0, 8)):  # trees
        x, y, size = chance.uniform(0, width), height * chance.uniform(0.7, 0.95), height * chance.uniform(0.05, 0.14)
        pen.rectangle((x - 3, y, x + 3, y + size * 0.5), fill=(80, 60, 40))
        pen.ellipse((x - size / 2, y - size, x + size / 2, y), fill=(30, chance.randint(80, 160), 40))
    return _like_a_photo(chance, image)


def _art(chance: random.Random, width: int, height: int) -> Image.Image:
    image = Image.new("RGB", (width, height), _colour(chance))
    pen = ImageDraw.Draw(image, "RGBA")
    for _ in range(chance.randint(8, 40)):
        x, y, size = chance.uniform(0, width), chance.uniform(0, height), chance.uniform(20, width * 0.5)
        fill = (*_colour(chance), chance.randint(90, 255))
        shape = chance.randrange(3)
        if shape == 0:
            pen.ellipse((x - size / 2, y - size / 2, x + size / 2, y + size * chance.uniform(0, 1)), fill=fill)
        elif shape == 1:
            corners = [(x + chance.uniform(-size, size), y + chance.uniform(-size, size)) for _ in range(3)]
            pen.polygon(corners, fill=fill)
        else:
            points = [(chance.uniform(0, width), chance.uniform(0, height)) for _ in range(4)]
            pen.line(points, fill=fill, width=chance.randint(3, 30), joint="curve")
    return image


def _animal(chance: random.Random, width: int, height: int) -> Image.Image:
    image = _gradient(chance, width, height)
    pen, fur = ImageDraw.Draw(image), _colour(chance, 40, 220)
    x, y, size = width * chance.uniform(0.35, 0.6), height * chance.uniform(0.4, 0.6), min(width, height) * 0.4
    pen.ellipse((x - size * 0.8, y, x + size * 0.5, y + size * 0.7), fill=fur)
    for leg in (-0.6, -0.35, 0.05, 0.3):
        pen.rectangle((x + leg * size, y + size * 0.5, x + (leg + 0.1) * size, y + size), fill=fur)
    pen.arc((x - size * 1.2, y - size * 0.3, x - size * 0.6, y + size * 0.5), 30, 200, fill=fur, width=12)
    pen.ellipse((x + size * 0.2, y - size * 0.35, x + size * 0.8, y + size * 0.25), fill=fur)
    for ear in (0.28, 0.62):
        left, right, base = x + (ear - 0.05) * size, x + (ear + 0.15) * size, y - size * 0.2
        pen.polygon(((left, base), ((left + right) / 2, base - size * 0.35), (right, base)), fill=fur)
        pen.ellipse((x + ear * size, y - size * 0.12, x + (ear + 0.08) * size, y - size * 0.04), fill="black")
    pen.ellipse((x + size * 0.46, y + size * 0.02, x + size * 0.56, y + size * 0.09), fill=(60, 30, 30))
    return _like_a_photo(chance, image)


def _plain(chance: random.Random, width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), _colour(chance))


def _gradient(chance: random.Random, width: int, height: int) -> Image.Image:
    first, second = (np.array(_colour(chance, 60), np.float32) for _ in range(2))
    angle = chance.uniform(0, math.pi)
    y, x = np.mgrid[0:height, 0:width]
    share = (x / width * math.cos(angle) + y / height * math.sin(angle))[..., None]
    share = (share - share.min()) / (share.max() - share.min())
    return Image.fromarray((first + (second - first) * share).astype(np.uint8))


def _noise(chance: random.Random, width: int, height: int) -> Image.Image:
    numbers = np.random.default_rng(chance.randrange(2**32))
    grain = chance.choice((1, 4, 16, 60))
    shape = (-(-height // grain), -(-width // grain), 3)
    return Image.fromarray(numbers.integers(0, 256, shape, np.uint8)).resize((width, height), Image.Resampling.BICUBIC)


def _pattern(chance: random.Random, width: int, height: int) -> Image.Image:
    """Stripes, checks or dots from edge to edge, as a close-up of a cloth or a wall."""
    image = Image.new("RGB", (width, height), _colour(chance))
    pen, colour, step = ImageDraw.Draw(image, "RGBA"), (*_colour(chance), 170), chance.randint(12, 60)
    style = chance.choice(("stripes", "checks", "dots"))
    for x in range(0, width, step):
        if style != "dots":
            pen.rectangle((x, 0, x + step // 2, height), fill=colour)
        for y in range(0, height, step):
            if style == "dots":
                pen.ellipse((x, y, x + step // 2, y + step // 2), fill=colour)
    if style == "checks":
        for y in range(0, height, step):
            pen.rectangle((0, y, width, y + step // 2), fill=colour)
    return _like_a_photo(chance, image)


def _like_a_photo(chance: random.Random, image: Image.Image) -> Image.Image:
    """A little blur and grain."""
    numbers = np.random.default_rng(chance.randrange(2**32))
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(chance.uniform(0.3, 2))), np.float32)
    grain = numbers.normal(0, chance.uniform(1, 9), soft.shape)
    return Image.fromarray(np.clip(soft + grain, 0, 255).astype(np.uint8))


DRAWINGS: Mapping[str, Callable[[random.Random, int, int], Image.Image]] = {
    "chart": _chart,
    "text": _text_page,
    "size chart": _size_chart,
    "care label": _care_label,
    "screenshot": _screenshot,
    "room": _room,
    "landscape": _landscape,
    "art": _art,
    "animal": _animal,
    "plain": _plain,
    "gradient": _gradient,
    "noise": _noise,
    "pattern": _pattern,
}
SHARES = {"chart": 2, "text": 2, "size chart": 2, "screenshot": 2, "room": 2}
"""How often a kind comes where the others come once: what merchants do upload comes more often."""
