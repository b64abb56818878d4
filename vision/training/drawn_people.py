"""Drawn people who wear garments that were cut out of images, for data that show nobody wearing anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vision.training.cutouts import Cutout
from vision.training.pieces import Pixels, Targets, targets_of

SKIN = ((236, 200, 176), (222, 178, 148), (198, 150, 118), (160, 112, 82), (110, 74, 54), (245, 216, 196))
# Widths of garments in shoulder widths, by their sleeves: arms that are stretched out to the sides make them wide.
WIDTHS = {"long": 1.75, "three-quarter": 1.6, "short": 1.35, "cap": 1.2, "sleeveless": 1.05}
BOTTOM_LENGTHS = {"Shorts": (0.2, 0.2), "Skirt": (0.2, 0.45)}
ONEPIECE_SHARE, OUTER_SHARE, OPEN_SHARE = 0.25, 0.45, 0.65
LEAST_VISIBLE = 0.12
LEAST_AREA = 25


@dataclass(frozen=True, slots=True)
class Body:
    """Where a figure stands: its height, the x of its middle and the y of its crown in pixels; widths in heights."""

    height: float
    centre: float
    crown: float
    shoulders: float
    hips: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A point in pixels, from heights beside its middle and below its crown."""
        return self.centre + x * self.height, self.crown + y * self.height


@dataclass(frozen=True, slots=True)
class Laid:
    """A garment on the canvas: its class's index, what is visible of it (a mask), and how many pixels were at first."""

    index: int
    mask: NDArray[np.bool_]
    area: int


def draw_figure(
    canvas: Pixels, cutouts: Sequence[Cutout], classes: Sequence[str], chance: np.random.Generator
) -> Targets:
    """Draw somebody who wears some of the cut-outs over the canvas; returns what is visible of them, in pixels."""
    height, width = canvas.shape[:2]
    tall = height * chance.uniform(0.6, 1.5)
    crown = height * chance.uniform(-0.15, 0.12) if tall > height else (height - tall) * chance.uniform(0.2, 0.8)
    body = Body(
        tall, width * chance.uniform(0.35, 0.65), crown, chance.uniform(0.085, 0.115), chance.uniform(0.06, 0.09)
    )
    canvas[:] = _undressed(Image.fromarray(canvas), body, chance)
    laid: list[Laid] = []
    for cutout in _clothes(cutouts, classes, chance):
        one = _put_on(canvas, body, cutout, classes[cutout.index], chance)
        if one is None:
            continue
        for other in laid:
            other.mask[one.mask] = False
        laid.append(one)
    visible = [one for one in laid if one.mask.sum() >= max(LEAST_AREA, LEAST_VISIBLE * one.area)]
    return targets_of([(one.index, _box_of(one.mask)) for one in visible])


def _box_of(mask: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    rows, columns = np.nonzero(mask)
    return float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)


def _clothes(cutouts: Sequence[Cutout], classes: Sequence[str], chance: np.random.Generator) -> list[Cutout]:
    """What one wears, from below to above: a one-piece, or trousers or a skirt and a top; maybe something over it."""
    by_class: dict[str, list[Cutout]] = {name: [] for name in classes}
    for cutout in cutouts:
        by_class[classes[cutout.index]].append(cutout)
    names = ["Onepiece"] if chance.random() < ONEPIECE_SHARE else ["Bottom", "Top"]
    if chance.random() < OUTER_SHARE:
        names.append("Outer")
    choices = [by_class.get(name, []) for name in names]
    return [some[chance.integers(len(some))] for some in choices if some]


def _undressed(image: Image.Image, body: Body, chance: np.random.Generator) -> Pixels:
    """The figure alone: legs with shoes, arms, trunk, neck and head with hair."""
    pen = ImageDraw.Draw(image)
    tone = np.array(SKIN[chance.integers(len(SKIN))]) + chance.normal(0, 8, 3)
    skin, hair, shoe = (
        tuple(int(v) for v in np.clip(c, 0, 255))
        for c in (tone, chance.integers(0, 160, 3), chance.integers(0, 255, 3))
    )
    limb = max(2, int(body.height * chance.uniform(0.035, 0.05)))
    stance = chance.uniform(0.02, 0.08)
    for side in (-1, 1):
        foot = side * (body.hips * 0.5 + stance)
        pen.line((*body.at(side * body.hips * 0.6, 0.48), *body.at(foot, 0.95)), skin, int(limb * 1.5))
        pen.ellipse((*body.at(foot - 0.03, 0.95), *body.at(foot + 0.03, 0.98)), shoe)
        elbow = body.at(side * (body.shoulders + chance.uniform(0.01, 0.07)), 0.33)
        hand = body.at(side * (body.shoulders + chance.uniform(-0.05, 0.1)), chance.uniform(0.36, 0.5))
        pen.line((*body.at(side * body.shoulders, 0.18), *elbow, *hand), skin, limb, joint="curve")
    corners = ((-body.shoulders, 0.165), (body.shoulders, 0.165), (body.hips, 0.5), (-body.hips, 0.5))
    pen.polygon([body.at(*corner) for corner in corners], skin)
    pen.line((*body.at(0, 0.1), *body.at(0, 0.18)), skin, max(2, int(body.height * 0.045)))
    pen.ellipse((*body.at(-0.05, 0.01), *body.at(0.05, 0.14)), hair)
    pen.ellipse((*body.at(-0.037, 0.035), *body.at(0.037, 0.135)), skin)
    if chance.random() < 0.35:
        for side in (-1, 1):
            pen.line((*body.at(side * 0.05, 0.06), *body.at(side * 0.065, 0.24)), hair, max(2, int(body.height * 0.03)))
    return np.asarray(image)


def _measures(body: Body, cutout: Cutout, name: str, chance: np.random.Generator) -> tuple[int, int, float]:
    """Width and height of a garment in pixels, and how far below the crown it begins, in heights of the figure."""
    across = 2 * body.shoulders * WIDTHS.get(cutout.sleeve_length, 1.2)
    if name == "Bottom":
        across = 2 * body.hips * chance.uniform(1.15, 1.6) * (1.15 if cutout.category == "Skirt" else 1)
        length = chance.uniform(*BOTTOM_LENGTHS.get(cutout.category, (0.48, 0.48))) * chance.uniform(0.9, 1.08)
        begin = chance.uniform(0.42, 0.47)
    elif name == "Onepiece":
        across *= chance.uniform(0.95, 1.25)
        length = chance.uniform(0.42, 0.75) if cutout.category == "Dress" else chance.uniform(0.6, 0.78)
        begin = chance.uniform(0.15, 0.18)
    elif name == "Outer":
        across *= 1.08 * chance.uniform(1.0, 1.25)
        length = chance.uniform(0.5, 0.65) if cutout.category == "Coat" else chance.uniform(0.32, 0.42)
        begin = chance.uniform(0.145, 0.175)
    else:
        across *= chance.uniform(1.0, 1.25)
        length, begin = chance.uniform(0.28, 0.38), chance.uniform(0.145, 0.175)
    return max(6, int(across * body.height)), max(6, int(length * body.height)), begin


def _put_on(canvas: Pixels, body: Body, cutout: Cutout, name: str, chance: np.random.Generator) -> Laid | None:
    """Lay a garment over the figure, open in front if it is outerwear; None where hardly any of it is on the canvas."""
    width, height, begin = _measures(body, cutout, name, chance)
    alpha = np.asarray(Image.fromarray(cutout.mask).resize((width, height)), np.float32)
    if name == "Outer" and chance.random() < OPEN_SHARE:
        gap = width * (chance.uniform(0.03, 0.1) + chance.uniform(0.0, 0.14) * np.linspace(0, 1, height)[:, None])
        alpha = alpha * (np.abs(np.arange(width)[None] - width / 2) > gap)
    layer = Image.fromarray(cutout.pixels).resize((width, height), Image.Resampling.BILINEAR)
    layer.putalpha(Image.fromarray(alpha.astype(np.uint8)))
    turned = layer.rotate(chance.normal(0, 2.5), Image.Resampling.BILINEAR)
    if chance.random() < 0.5:
        turned = turned.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    left = int(body.centre - width / 2 + chance.normal(0, 0.006) * body.height)
    top = int(body.crown + begin * body.height)
    pasted = Image.new("RGBA", (canvas.shape[1], canvas.shape[0]))
    pasted.paste(turned, (left, top))
    whole = np.asarray(pasted)
    share = whole[..., 3:].astype(np.float32) / 255
    mask = share[..., 0] > 0.5
    if not mask.any():
        return None
    canvas[:] = (canvas * (1 - share) + whole[..., :3] * share).astype(np.uint8)
    return Laid(cutout.index, mask, int((np.asarray(turned)[..., 3] > 127).sum()))
