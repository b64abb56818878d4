"""The charts of reports: confusion matrix, reliability and coverage, and the curves of a run. No display is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision.training.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart with any colour vision.
BLUE, ORANGE = "#0072B2", "#D55E00"


def draw_confusion(
    path: Path, rows: Sequence[str], columns: Sequence[str], counts: list[list[int]], title: str
) -> None:
    """An image of the matrix: shades are shares of a row, numbers are counts."""
    figure = _figure(2.5 + 0.42 * len(columns), 2.2 + 0.38 * len(rows))
    axes = figure.add_subplot()
    shares = [[count / max(1, sum(row)) for count in row] for row in counts]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=90)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(title)
    for y, row in enumerate(counts):
        for x, count in enumerate(row):
            if count:
                axes.text(
                    x, y, str(count), ha="center", va="center", size=8, color="white" if shares[y][x] > 0.5 else "black"
                )
    _save(figure, path)


def draw_confidence(
    path: Path, bins: Sequence[Mapping[str, Any]], coverage: Sequence[Mapping[str, Any]], title: str
) -> None:
    """Two panels: how often answers of a confidence are right, and coverage with precision at each threshold.

    `bins` are those of `reliability_bins`, `coverage` the rows of `coverage_rows`.
    """
    figure = _figure(9.5, 4.2)
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], color="grey", linestyle=":", linewidth=1)
    left.bar(
        [row["from"] for row in bins],
        [row["accuracy"] for row in bins],
        width=[row["to"] - row["from"] for row in bins],
        align="edge",
        color=BLUE,
        edgecolor="white",
    )
    for row in bins:
        left.text((row["from"] + row["to"]) / 2, row["accuracy"] + 0.02, str(row["n"]), ha="center", size=7)
    left.plot(
        [row["confidence"] for row in bins], [row["accuracy"] for row in bins], color=ORANGE, marker=".", linestyle=""
    )
    left.set(xlim=(0, 1), ylim=(0, 1.08), xlabel="confidence", ylabel="share that is right", title=title)
    thresholds = [row["threshold"] for row in coverage]
    right.plot(thresholds, [row["coverage"] for row in coverage], color=BLUE, marker=".", label="coverage")
    right.plot(
        thresholds,
        [float("nan") if row["precision"] is None else row["precision"] for row in coverage],
        color=ORANGE,
        marker="^",
        markersize=4,
        label="precision of what is covered",
    )
    right.set(xlim=(0, 1), ylim=(0, 1.08), xlabel="threshold", title="accepted at a threshold")
    right.grid(alpha=0.3)
    right.legend(loc="lower left")
    _save(figure, path)


def draw_curves(path: Path, rows: Sequence[Mapping[str, str]], title: str) -> None:
    """How a run went, from the rows of its results.csv: losses on the left, metrics on val on the right."""
    figure = _figure(9.5, 4.2)
    panels = figure.subplots(1, 2)
    columns = [name for name in rows[0] if "loss" in name or name.startswith(("val_", "metrics/"))]
    epochs = [int(row["epoch"]) for row in rows]
    for axes, wanted, heading in ((panels[0], True, "losses"), (panels[1], False, "metrics on val")):
        for name in columns:
            if ("loss" in name) == wanted:
                values = [float(row[name]) for row in rows]
                axes.plot(epochs, values, marker=".", label=name.removeprefix("metrics/"))
        axes.set(xlabel="epoch", title=f"{title}: {heading}")
        axes.set_ylim(bottom=0)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    _save(figure, path)


def _figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Figure, path: Path) -> None:
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)
