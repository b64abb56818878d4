"""The report of a comparison: comparison.md, comparison.json and the images on which two models disagree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vision.evaluation.comparison import Comparison, Pair, changes, compare
from vision.evaluation.report import SCHEMA, Evaluation, heading, summary_table
from vision.evaluation.tables import detection_table
from vision.training.contact_sheet import Tile, draw_sheet
from vision.training.files import write_json, write_text
from vision.training.run import RunError

CHANCE = 0.05
MOST_CHANGES = 12


def write_comparison(first: Evaluation, second: Evaluation, folder: Path) -> list[Comparison]:
    """Write what sets two models apart into `folder`; returns the comparison of each topic that both answer for.

    Raises RunError if there is none.
    """
    topics = [topic for topic in first.metrics if topic in second.metrics]
    if not topics:
        raise RunError(f"{first.model.name} and {second.model.name} say nothing about the same thing.")
    folder.mkdir(parents=True, exist_ok=True)
    names = (first.model.name, second.model.name)
    comparisons = [compare(first.readings, second.readings, topic) for topic in topics]
    sections = [f"# {names[0]} and {names[1]}", _about(first, second), summary_table([first, second])]
    for comparison in comparisons:
        sections += [f"## {heading(comparison.topic)}", _contingency(comparison, names), verdict(comparison, names)]
        for winner, place, pairs in ((0, "first", comparison.only_first), (1, "second", comparison.only_second)):
            path = folder / f"only-{place}-{comparison.topic}.jpg"
            sections += _difference(path, comparison.topic, names, winner, pairs)
    for role in first.detection:
        if role in second.detection:
            sections += [f"## Detectors of {role.replace('_', ' ')}"]
            for evaluation in (first, second):
                sections += [f"{evaluation.model.name}:", detection_table(evaluation.detection[role])]
    write_json(folder / "comparison.json", _as_json(first, second, comparisons))
    write_text(folder / "comparison.md", "\n\n".join(sections) + "\n")
    return comparisons


def verdict(comparison: Comparison, names: tuple[str, str]) -> str:
    """What McNemar's test says, in one sentence."""
    here, there, p = len(comparison.only_first), len(comparison.only_second), comparison.p_value
    test = f"McNemar's test, {comparison.test}"
    if p >= CHANCE:
        return f"The difference may be chance (p = {p:.2g}; {test})."
    return f"{names[0] if here > there else names[1]} is right more often (p = {p:.2g}; {test})."


def _about(first: Evaluation, second: Evaluation) -> str:
    data = first.data
    fairness = ""
    if first.model.finds_garments != second.model.finds_garments:
        shown = first if second.model.finds_garments else second
        fairness = f" {shown.model.name} was shown the true boxes, the other had to find the garments on its own."
    return (
        f"Both on `{data['split']}` of the data set `{data['name']}`. The metrics in the first table are those of each "
        f"model alone; the others count the images that both have read "
        f"({first.data['images']} and {second.data['images']}).{fairness}"
    )


def _contingency(comparison: Comparison, names: tuple[str, str]) -> str:
    return (
        f"| of {comparison.images} images | {names[1]} right | {names[1]} wrong |\n|---|---|---|\n"
        f"| **{names[0]} right** | {comparison.both} | {len(comparison.only_first)} |\n"
        f"| **{names[0]} wrong** | {len(comparison.only_second)} | {comparison.neither} |"
    )


def _difference(path: Path, topic: str, names: tuple[str, str], winner: int, pairs: Sequence[Pair]) -> list[str]:
    """Write the sheet of what only one model gets right; returns what the Markdown says about it."""
    if not pairs:
        path.unlink(missing_ok=True)  # of an earlier comparison in this folder
        return []
    draw_sheet(path, [_tile(pair, topic) for pair in pairs])
    rows = "\n".join(
        f"| {truth} | {ours} | {theirs} | {count} |"
        for (truth, ours, theirs), count in changes(pairs, topic).most_common(MOST_CHANGES)
    )
    return [
        f"### Only {names[winner]} is right",
        f"| label | {names[0]} says | {names[1]} says | images |\n|---|---|---|---|\n{rows}",
        f"![Images]({path.name})",
    ]


def _tile(pair: Pair, topic: str) -> Tile:
    ours, theirs = pair
    said = [f"{number}: {reading.answer(topic).value}" for number, reading in (("first", ours), ("second", theirs))]
    return Tile(ours.image.path, (f"true: {ours.truth(topic)}", *said), ours.image.box, theirs.box)


def _as_json(first: Evaluation, second: Evaluation, comparisons: Sequence[Comparison]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "first": first.model.name,
        "second": second.model.name,
        "data": first.data,
        "topics": {
            comparison.topic: {
                "images": comparison.images,
                "both": comparison.both,
                "neither": comparison.neither,
                "only_first": [ours.image.path.name for ours, _ in comparison.only_first],
                "only_second": [ours.image.path.name for ours, _ in comparison.only_second],
                "p_value": comparison.p_value,
                "test": comparison.test,
            }
            for comparison in comparisons
        },
    }
