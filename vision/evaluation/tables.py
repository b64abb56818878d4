"""Metrics as tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def detection_table(rows: Sequence[dict[str, Any]]) -> str:
    """The table of ultralytics' validator, line by line."""
    lines = ["| class | images | boxes | P | R | mAP50 | mAP50-95 |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        values = (row[name] for name in ("precision", "recall", "map50", "map50_95"))
        lines.append(
            table_row([row["class"], str(row["images"]), str(row["boxes"]), *(f"{value:.3f}" for value in values)])
        )
    return "\n".join(lines)


def class_table(per_class: dict[str, dict[str, Any]]) -> str:
    """Precision, recall and F1 of each class."""
    lines = ["| class | n | precision | recall | F1 |", "|---|---|---|---|---|"]
    for label, row in per_class.items():
        values = (f"{row[name]:.2f}" for name in ("precision", "recall", "f1"))
        lines.append(table_row([label, str(row["n"]), *values]))
    return "\n".join(lines)


def coverage_table(rows: Sequence[dict[str, Any]]) -> str:
    """How many answers are accepted at each threshold, and how many of these are right."""
    lines = ["| threshold | accepted | coverage | precision |", "|---|---|---|---|"]
    for row in rows:
        precision = "" if row["precision"] is None else f"{row['precision']:.3f}"
        lines.append(table_row([f"{row['threshold']:.2f}", str(row["n"]), f"{row['coverage']:.3f}", precision]))
    return "\n".join(lines)


def table_row(cells: Sequence[str]) -> str:
    """The cells as one line of a Markdown table."""
    return f"| {' | '.join(cells)} |"
