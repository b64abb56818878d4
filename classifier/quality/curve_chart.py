"""The curve that a threshold is chosen from, as a chart."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from classifier.precision import Point
from classifier.quality.charts import Axis, Dot, Line, line_chart

_MOST_DOTS = 200


def _dot(point: Point, share: float) -> Dot:
    return Dot(point.threshold, share, f"{point.threshold:.1%}: {share:.1%}")


def draw_curve(points: Sequence[Point], *, level: float | None = None, at: float | None = None) -> str:
    """Return the chart as SVG; '' as long as nobody has decided on such proposals.

    Args:
        points: as `classifier.precision.curve` returns them, the highest threshold first.
        level: the required precision, to mark by a horizontal rule.
        at: the threshold in use, to mark by a vertical rule.
    """
    if not points:
        return ""
    thinned = list(points[:: len(points) // _MOST_DOTS + 1])
    if thinned[-1] is not points[-1]:
        thinned.append(points[-1])
    judged = [point for point in thinned if point.decisions]
    low = min(0.9, int(points[-1].threshold * 10) / 10)
    tenths = range(round(low * 10), 11)
    return line_chart(
        _("precision and coverage by threshold"),
        [
            Line(_("precision"), [_dot(point, point.precision) for point in judged]),
            Line(_("its lower bound"), [_dot(point, point.lower_bound) for point in judged]),
            Line(_("coverage"), [_dot(point, point.coverage) for point in thinned]),
        ],
        Axis(low, 1.0, [(tenth / 10, f"{tenth * 10}%") for tenth in tenths]),
        dotted=len(thinned) == 1,
        level=level,
        at=at,
    )
