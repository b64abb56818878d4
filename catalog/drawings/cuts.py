"""How garments are cut: their pieces, seams and buttons, from the lowest to the uppermost.

Units: x to the right from the middle of the garment, y down from its top edge; its height is about 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.drawings.cloth import Point


@dataclass(frozen=True)
class Piece:
    """A piece of cloth; `fabric` where it differs from the garment's."""

    outline: Sequence[Point]
    light: float = 1.0
    folds: float = 1.0
    fabric: str = ""


@dataclass(frozen=True)
class Seam:
    """A line of thread in the second colour, or the shadow of a fold."""

    points: Sequence[Point]
    accent: bool = False
    dashed: bool = True
    width: float = 0.003


@dataclass(frozen=True)
class Button:
    """A button in the second colour."""

    centre: Point
    radius: float = 0.013


Part = Piece | Seam | Button


def _flip(points: Sequence[Point]) -> list[Point]:
    return [(-x, y) for x, y in points]


def _points(text: str) -> list[Point]:
    """Read points as SVG writes them: `x,y x,y`."""
    return [(float(x), float(y)) for x, y in (point.split(",") for point in text.split())]


def _whole(text: str) -> list[Point]:
    """Close an outline whose points are given from the top middle down the right side to the bottom middle."""
    right_half = _points(text)
    return [*right_half, *reversed(_flip(right_half))]


def _both(part: Piece | Seam) -> tuple[Part, Part]:
    """The part and its mirror image."""
    if isinstance(part, Piece):
        return Piece(_flip(part.outline), part.light, part.folds, part.fabric), part
    return Seam(_flip(part.points), part.accent, part.dashed, part.width), part


_SHORT_SLEEVE = _points("0.25,0.05 0.4,0.11 0.61,0.35 0.46,0.46 0.32,0.34")
_LONG_SLEEVE = _points("0.25,0.05 0.39,0.11 0.5,0.34 0.64,0.78 0.5,0.83 0.4,0.56 0.32,0.34")
_CUFF = _points("0.625,0.735 0.66,0.835 0.505,0.885 0.475,0.785")
_ARMHOLE = Seam(_points("0.29,0.075 0.335,0.2 0.34,0.33"), dashed=False, width=0.004)
_INSIDE = Piece(_whole("0,0.015 0.115,0.02 0.09,0.12 0,0.14"), light=0.55, folds=0.3)
_NECKBAND = Piece(
    _whole("0,0.118 0.075,0.095 0.112,0.018 0.142,0.026 0.105,0.12 0,0.15"),
    fabric="rib",
    folds=0.3,
)

TSHIRT: tuple[Part, ...] = (
    *_both(Piece(_SHORT_SLEEVE)),
    *_both(Seam(_points("0.585,0.345 0.45,0.44"))),
    _INSIDE,
    Piece(_whole("0,0.13 0.08,0.1 0.12,0.02 0.2,0.035 0.3,0.075 0.345,0.34 0.33,0.6 0.35,0.985 0.15,1 0,1")),
    *_both(_ARMHOLE),
    _NECKBAND,
    Seam(_points("-0.34,0.965 -0.15,0.978 0.15,0.978 0.34,0.965")),
)

SHIRT: tuple[Part, ...] = (
    *_both(Piece(_LONG_SLEEVE)),
    *_both(Piece(_CUFF, folds=0.4)),
    _INSIDE,
    Piece(_whole("0,0.14 0.07,0.1 0.12,0.02 0.2,0.035 0.3,0.075 0.34,0.34 0.32,0.6 0.34,0.9 0.25,0.97 0.08,1 0,1")),
    *_both(_ARMHOLE),
    Piece(_points("-0.03,0.12 0.03,0.12 0.03,1 -0.03,1"), folds=0.3),
    Piece(_points("0.11,0.27 0.26,0.27 0.26,0.41 0.185,0.45 0.11,0.41"), folds=0.3),
    Seam(_points("0.115,0.29 0.255,0.29")),
    *_both(Piece(_points("0.01,0.085 0.1,-0.01 0.155,0.03 0.115,0.165"), folds=0.3)),
    *(Button((0.0, 0.15 + 0.13 * number)) for number in range(7)),
    *_both(Seam(_points("0.335,0.885 0.25,0.95 0.06,0.98"))),
)

HOODIE: tuple[Part, ...] = (
    *_both(Piece(_LONG_SLEEVE, folds=1.3)),
    *_both(Piece(_CUFF, fabric="rib", light=0.95, folds=0.3)),
    Piece(_whole("0,-0.13 0.12,-0.12 0.2,-0.04 0.2,0.07 0.1,0.17 0,0.19"), light=0.95),
    Piece(_whole("0,-0.07 0.09,-0.06 0.125,0.02 0.08,0.12 0,0.16"), light=0.5, folds=0.5),
    Piece(
        _whole("0,0.16 0.09,0.12 0.17,0.05 0.3,0.08 0.355,0.34 0.345,0.6 0.36,0.92 0,0.93"),
        folds=1.2,
    ),
    *_both(_ARMHOLE),
    Piece(_whole("0,0.9 0.355,0.89 0.33,0.985 0,0.99"), fabric="rib", light=0.95, folds=0.3),
    Piece(_whole("0,0.56 0.16,0.56 0.26,0.76 0.26,0.87 0,0.875"), folds=0.6),
    *_both(Seam(_points("0.15,0.57 0.245,0.76"))),
    *_both(Seam(_points("0.05,0.15 0.055,0.26 0.07,0.36"), accent=True, dashed=False, width=0.009)),
)

SWEATER: tuple[Part, ...] = (
    *_both(Piece(_LONG_SLEEVE)),
    *_both(Piece(_CUFF, fabric="rib", folds=0.3)),
    _INSIDE,
    Piece(_whole("0,0.13 0.08,0.1 0.12,0.02 0.2,0.035 0.3,0.075 0.345,0.34 0.335,0.6 0.35,0.91 0,0.92")),
    *_both(_ARMHOLE),
    Piece(_whole("0,0.9 0.35,0.89 0.325,0.985 0,0.99"), fabric="rib", folds=0.3),
    _NECKBAND,
)

DENIM_JACKET: tuple[Part, ...] = (
    *_both(Piece(_LONG_SLEEVE)),
    *_both(Piece(_CUFF, folds=0.4)),
    *_both(Seam(_points("0.345,0.15 0.47,0.48 0.575,0.79"), accent=True)),
    _INSIDE,
    Piece(_whole("0,0.14 0.07,0.1 0.12,0.02 0.2,0.035 0.31,0.08 0.35,0.34 0.33,0.6 0.335,0.86 0,0.87")),
    *_both(_ARMHOLE),
    *_both(Seam(_points("0.045,0.27 0.33,0.27"), accent=True)),
    *_both(Seam(_points("0.11,0.4 0.075,0.85"), accent=True)),
    *_both(Seam(_points("0.25,0.4 0.215,0.85"), accent=True)),
    *_both(Piece(_points("0.085,0.275 0.275,0.275 0.275,0.34 0.18,0.375 0.085,0.34"), folds=0.3)),
    *_both(Seam(_points("0.095,0.33 0.18,0.362 0.265,0.33"), accent=True)),
    Button((0.18, 0.345), 0.010),
    Button((-0.18, 0.345), 0.010),
    Piece(_points("-0.035,0.12 0.035,0.12 0.035,0.87 -0.035,0.87"), folds=0.3),
    *_both(Seam(_points("0.028,0.16 0.028,0.86"), accent=True)),
    Piece(_whole("0,0.85 0.335,0.84 0.325,0.94 0,0.945"), folds=0.3),
    Seam(_points("-0.325,0.85 0,0.862 0.325,0.85"), accent=True),
    Seam(_points("-0.32,0.925 0,0.935 0.32,0.925"), accent=True),
    *_both(Piece(_points("0.01,0.1 0.09,-0.02 0.165,0.02 0.135,0.175"), folds=0.3)),
    *_both(Seam(_points("0.03,0.105 0.128,0.158 0.153,0.03"), accent=True)),
    *(Button((0.0, 0.19 + 0.14 * number)) for number in range(6)),
)

COAT: tuple[Part, ...] = (
    *_both(Piece(_points("0.17,0.03 0.27,0.07 0.34,0.25 0.43,0.6 0.33,0.635 0.27,0.42 0.22,0.24"))),
    *_both(Seam(_points("0.41,0.535 0.315,0.565"), dashed=False)),
    Piece(_whole("0,0 0.08,0.005 0.06,0.2 0,0.3"), light=0.45, folds=0.3),
    Piece(
        _points("-0.09,0.01 -0.21,0.05 -0.235,0.25 -0.22,0.5 -0.285,0.985 -0.1,1 0.06,0.995 0.06,0.33"),
        light=0.97,
    ),
    Piece(
        _points("0.09,0.01 0.21,0.05 0.235,0.25 0.22,0.5 0.285,0.985 0.1,1 -0.07,0.995 -0.07,0.36 0.02,0.25"),
    ),
    Piece(_points("-0.08,-0.005 -0.125,0.03 -0.165,0.16 -0.12,0.18 -0.065,0.36 -0.045,0.2"), folds=0.4),
    Piece(_points("0.08,-0.005 0.125,0.03 0.165,0.16 0.12,0.18 -0.06,0.37 0.045,0.15"), folds=0.4),
    *_both(Piece(_points("0.095,0.57 0.205,0.56 0.21,0.595 0.1,0.605"), folds=0.3)),
    *(Button((x, y), 0.012) for y in (0.40, 0.49, 0.64) for x in (-0.025, 0.065)),
    Seam(_points("-0.07,0.37 -0.07,0.99"), dashed=False, width=0.004),
)

JEANS: tuple[Part, ...] = (
    Piece(_whole("0,0 0.19,0 0.18,0.06 0,0.065"), light=0.5, folds=0.3),
    Piece(_whole("0,0.03 0.2,0.005 0.215,0.07 0.25,0.23 0.255,0.6 0.245,0.99 0.08,1 0.055,0.6 0.012,0.3 0,0.29")),
    *_both(Seam(_points("0.225,0.11 0.238,0.25 0.236,0.6 0.228,0.98"), accent=True)),
    *_both(Seam(_points("0.105,0.075 0.13,0.12 0.225,0.14"), accent=True)),
    *_both(Seam(_points("0.24,0.965 0.085,0.975"), accent=True)),
    Seam(_points("0,0.08 0,0.29"), dashed=False, width=0.004),
    Seam(_points("0.045,0.085 0.045,0.19 0.005,0.225"), accent=True),
    Piece(_whole("0,0.022 0.203,0 0.215,0.055 0,0.078"), folds=0.3),
    Seam(_points("-0.207,0.05 0,0.07 0.207,0.05"), accent=True),
    *_both(Piece(_points("0.12,0.005 0.138,0.003 0.14,0.075 0.122,0.077"), folds=0.2)),
    Button((0.0, 0.048), 0.014),
)

_PLEATS = [-0.8, -0.57, -0.34, -0.11, 0.11, 0.34, 0.57, 0.8]

SKIRT: tuple[Part, ...] = (
    Piece(_whole("0,0.02 0.24,0 0.25,0.09 0.47,0.93 0.24,0.985 0,1"), folds=1.2),
    *(
        Piece([(x * 0.24, 0.09), ((x + 0.08) * 0.25, 0.09), ((x + 0.10) * 0.46, 0.95), (x * 0.46, 0.96)], light=0.80)
        for x in _PLEATS
    ),
    Piece(_whole("0,0.02 0.24,0 0.25,0.085 0,0.105"), folds=0.3),
    Seam(_points("-0.243,0.072 0,0.092 0.243,0.072")),
)

DRESS: tuple[Part, ...] = (
    Piece(_whole("0,0.005 0.09,0 0.07,0.1 0,0.14"), light=0.55, folds=0.3),
    Piece(
        _whole("0,0.15 0.06,0.09 0.085,-0.005 0.155,0.01 0.15,0.1 0.195,0.2 0.165,0.4 0.2,0.5 0.35,0.97 0.17,1 0,1"),
        folds=1.2,
    ),
    *(
        Piece([(x * 0.16, 0.43), ((x + 0.10) * 0.16, 0.43), ((x + 0.12) * 0.33, 0.97), (x * 0.33, 0.975)], light=0.82)
        for x in (-0.7, -0.35, 0.0, 0.35, 0.7)
    ),
    Piece(_whole("0,0.395 0.168,0.385 0.172,0.43 0,0.44"), folds=0.3, light=0.92),
    *_both(Seam(_points("0.012,0.155 0.07,0.095 0.095,0.01"))),
    Seam(_points("-0.335,0.955 0,0.98 0.335,0.955")),
)

CUTS: dict[str, tuple[Part, ...]] = {
    "coat": COAT,
    "denim_jacket": DENIM_JACKET,
    "dress": DRESS,
    "hoodie": HOODIE,
    "jeans": JEANS,
    "shirt": SHIRT,
    "skirt": SKIRT,
    "sweater": SWEATER,
    "tshirt": TSHIRT,
}
