"""Line charts as inline SVG: geometry here, markup in templates/admin/classifier/line_chart.html, colours in CSS.

Nothing is loaded and nothing runs in the browser. Lines differ by dashes as well as by colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 46, 24, 10, 26  # room for the labels of the axes


@dataclass(frozen=True)
class Dot:
    """A point of a line: place on the x axis, share on the y axis from 0 to 1 (None: a gap), and what it says."""

    x: float
    share: float | None
    title: str = ""


@dataclass(frozen=True)
class Line:
    """A line and its name in the legend."""

    label: str
    dots: Sequence[Dot]


@dataclass(frozen=True)
class Axis:
    """The x axis: its ends, and labels at some of its places."""

    low: float
    high: float
    labels: Sequence[tuple[float, str]]

    def place(self, x: float) -> float:
        """Return the pixel of a place."""
        span = self.high - self.low or 1.0
        return LEFT + (WIDTH - LEFT - RIGHT) * (x - self.low) / span


def _height(share: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)


def _written(number: float) -> str:
    return f"{number:.1f}"  # SVG wants a point whatever the language


def _parts(line: Line, axis: Axis) -> list[str]:
    """The line's unbroken parts, as polylines."""
    parts: list[list[str]] = [[]]
    for dot in line.dots:
        if dot.share is None:
            parts.append([])
        else:
            parts[-1].append(f"{_written(axis.place(dot.x))},{_written(_height(dot.share))}")
    return [" ".join(part) for part in parts if len(part) > 1]


def line_chart(
    title: str,
    lines: Sequence[Line],
    axis: Axis,
    *,
    dotted: bool = True,
    level: float | None = None,
    at: float | None = None,
) -> SafeString:
    """Draw shares from 0 to 100 %.

    Args:
        title: what screen readers say of the chart.
        lines: at most six, for which there are colours.
        axis: the x axis.
        dotted: whether each point is marked, with its title.
        level: a share to mark by a horizontal rule.
        at: a place to mark by a vertical rule.
    """
    drawn = [
        {
            "label": line.label,
            "place": place,
            "parts": _parts(line, axis),
            "dots": [
                {"x": _written(axis.place(dot.x)), "y": _written(_height(dot.share)), "title": dot.title}
                for dot in line.dots
                if dotted and dot.share is not None
            ],
        }
        for place, line in enumerate(lines, start=1)
    ]
    context = {
        "title": title,
        "lines": drawn,
        "width": str(WIDTH),
        "height": str(HEIGHT),
        "left": str(LEFT),
        "right": str(WIDTH - RIGHT),
        "top": str(TOP),
        "bottom": str(HEIGHT - BOTTOM),
        "label_x": str(LEFT - 6),
        "label_y": str(HEIGHT - 8),
        "shares": [(_written(_height(tenth / 10)), f"{tenth * 10}%") for tenth in range(0, 11, 2)],
        "places": [(_written(axis.place(x)), label) for x, label in axis.labels],
        "level": None if level is None else _written(_height(level)),
        "at": None if at is None else _written(axis.place(at)),
    }
    return render_to_string("admin/classifier/line_chart.html", context)
