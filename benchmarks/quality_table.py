"""The figures of a quality run as tables in Markdown, one run alone or several precisions side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MOST_COST = 0.005
"""What a faster precision may lose of a figure with a limit, against f32."""
BEGIN, END = "<!-- quality -->", "<!-- end of quality -->"


@dataclass(frozen=True)
class Limit:
    """What a figure must reach, or must not exceed where `at_most` is set, and what is hoped for."""

    must: float
    aim: float | None = None
    at_most: bool = False

    def text(self, value: float | None) -> str:
        """The limit as it is printed."""
        if value is None:
            return ""
        return f"{'at most' if self.at_most else 'at least'} {value:.2f}"


@dataclass(frozen=True)
class Figure:
    """One line of the table: a share or a mean over `n` cases. Without a limit it is only reported."""

    name: str
    n: int
    value: float
    limit: Limit | None = None

    @property
    def holds(self) -> bool:
        """Whether the limit is kept. A figure of no cases keeps none."""
        if self.limit is None:
            return True
        if not self.n:
            return False
        return self.value <= self.limit.must if self.limit.at_most else self.value >= self.limit.must

    def cost(self, exact: Figure) -> float | None:
        """How much worse it is than the same figure in f32; None where it has no limit."""
        if self.limit is None:
            return None
        return (self.value - exact.value) * (1 if self.limit.at_most else -1)


Figures = Mapping[str, Figure]
"""By key, in the order of the table."""


def as_markdown(figures: Figures, *, floors: bool = True) -> str:
    """The figures beside their limits; without `floors` the limits are left out."""
    lines = ["| figure | n | measured | required | aim |", "|---|---|---|---|---|"]
    for figure in figures.values():
        limit = figure.limit if floors else None
        required, aim = (limit.text(limit.must), limit.text(limit.aim)) if limit else ("", "")
        required += "" if limit is None or figure.holds else " **missed**"
        lines.append(f"| {figure.name} | {figure.n} | {figure.value:.3f} | {required} | {aim} |")
    return "\n".join(lines)


def side_by_side(runs: Mapping[str, Figures], *, floors: bool = True) -> str:
    """The figures of each precision in a column, and what the others cost against the first, in points."""
    names = list(runs)
    exact = runs[names[0]]
    head = ["figure", "n", *(["required", "aim"] if floors else []), *names, *(f"{name} costs" for name in names[1:])]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for key, figure in exact.items():
        limit = figure.limit
        cells = [figure.name, str(figure.n)]
        if floors:
            cells += [limit.text(limit.must), limit.text(limit.aim)] if limit else ["", ""]
        for name in names:
            missed = floors and not runs[name][key].holds
            cells.append(f"{runs[name][key].value:.3f}" + (" **missed**" if missed else ""))
        for name in names[1:]:
            cost = runs[name][key].cost(figure)
            mark = "**" if is_dear(runs[name][key], figure) else ""
            cells.append("" if cost is None else f"{mark}{100 * cost + 0.0:+.1f}{mark}")
        lines.append(f"| {' | '.join(cells)} |")
    if not names[1:]:
        return "\n".join(lines)
    before = ["mean of the costs", *[""] * (len(head) - len(names))]
    means = [f"{100 * _mean_cost(runs[name], exact) + 0.0:+.1f}" for name in names[1:]]
    lines.append(f"| {' | '.join(before + means)} |")
    return "\n".join(lines)


def _mean_cost(figures: Figures, exact: Figures) -> float:
    costs = [cost for key, figure in figures.items() if (cost := figure.cost(exact[key])) is not None]
    return sum(costs) / max(1, len(costs))


def is_dear(figure: Figure, exact: Figure) -> bool:
    """Whether a precision loses more than is allowed. One case less is none, however few there are."""
    cost = figure.cost(exact)
    return cost is not None and cost > max(MOST_COST, 1 / max(1, figure.n)) + 1e-9


def missed(figures: Figures) -> list[str]:
    """The names of figures whose limit is not kept."""
    return [figure.name for figure in figures.values() if not figure.holds]


def dear(runs: Mapping[str, Figures]) -> list[str]:
    """Which figures lose too much in which precision, against the first one."""
    if not runs:
        return []
    first, *others = runs
    return [
        f"{figure.name} in {name}"
        for name in others
        for key, figure in runs[name].items()
        if is_dear(figure, runs[first][key])
    ]


def write_between_marks(page: Path, text: str) -> None:
    """Replace what is between the marks of a page; ValueError where it has none."""
    content = page.read_text(encoding="utf-8")
    before, begin, rest = content.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no lines {BEGIN} and {END}.")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
