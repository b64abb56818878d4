"""The report of an evaluation: Markdown for people, JSON for programs, images and contact sheets beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision.engine.manifest import GARMENT
from vision.evaluation.metrics import attribute_metrics, garment_metrics, topics_of
from vision.evaluation.mistakes import draw_mistakes
from vision.evaluation.model import Model
from vision.evaluation.readings import Reading
from vision.evaluation.tables import class_table, coverage_table, detection_table, table_row
from vision.training.charts import draw_confidence, draw_confusion
from vision.training.dataset import Dataset, by_file
from vision.training.environment import describe_environment
from vision.training.files import write_json, write_text
from vision.training.run import Report, RunError

SCHEMA = 2


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model's readings of one split and its metrics by topic; `detection` has the table of each of its detectors."""

    model: Model
    data: dict[str, Any]
    readings: list[Reading]
    metrics: dict[str, dict[str, Any]]
    detection: dict[str, list[dict[str, Any]]]


def evaluate(model: Model, dataset: Dataset, split: str, report: Report) -> Evaluation:
    """Look at every image of the split and work out the metrics. Raises RunError if there is none to look at."""
    images = model.images(dataset, split)
    if not images:
        raise RunError(f"{dataset.root} has no image in {split} that {model.name} can be measured on.")
    report(f"{model.name}: reading {len(by_file(images))} images of {split}")
    readings = model.read(images)
    metrics = {
        topic: garment_metrics(readings) if topic == GARMENT else attribute_metrics(readings, topic)
        for topic in topics_of(readings, finds_garments=model.finds_garments)
    }
    detection = {}
    for role in model.detectors:
        report(f"{model.name}: average precision of {role}")
        detection[role] = model.detection(role, images, dataset.taxonomy)
    data = {
        "name": dataset.name,
        "fingerprint": dataset.fingerprint,
        "split": split,
        "images": len(by_file(images)),
    }
    return Evaluation(model, data, readings, metrics, {role: rows for role, rows in detection.items() if rows})


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write evaluation.md, evaluation.json and the images into `folder`, which is created."""
    folder.mkdir(parents=True, exist_ok=True)
    sections = [f"# Evaluation of {evaluation.model.name}", _about(evaluation), summary_table([evaluation])]
    for topic in evaluation.metrics:
        sections += _topic_sections(evaluation, topic, folder)
    for role, rows in evaluation.detection.items():
        sections += [f"## Detector of {role.replace('_', ' ')}", detection_table(rows)]
    write_json(folder / "evaluation.json", as_json(evaluation))
    write_text(folder / "evaluation.md", "\n\n".join(sections) + "\n")


def _topic_sections(evaluation: Evaluation, topic: str, folder: Path) -> list[str]:
    """Draw the images of one topic; returns what the Markdown says about it."""
    title, metrics = heading(topic), evaluation.metrics[topic]
    sections = [f"## {title}"]
    if topic != GARMENT:
        confidence, confusion = folder / f"confidence-{topic}.png", folder / f"confusion-{topic}.png"
        draw_confidence(confidence, metrics["reliability"], metrics["coverage"], title)
        draw_confusion(confusion, **metrics["confusion"], title=title)
        sections += [
            f"![Calibration and coverage]({confidence.name})",
            coverage_table(metrics["coverage"]),
            class_table(metrics["per_class"]),
            f"![Confusion matrix]({confusion.name})",
        ]
    mistakes = folder / f"mistakes-{topic}.jpg"
    count = draw_mistakes(mistakes, evaluation.readings, topic)
    sections.append(f"The surest of {count} mistakes:\n\n![Mistakes]({mistakes.name})" if count else "No mistakes.")
    return sections


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """Everything that was measured, as evaluation.json holds it."""
    return {
        "schema": SCHEMA,
        "model": {
            "name": evaluation.model.name,
            "kind": evaluation.model.kind,
            "parts": evaluation.model.parts,
        },
        "data": evaluation.data,
        "environment": describe_environment(),
        "metrics": evaluation.metrics,
        "detection": evaluation.detection,
    }


def heading(topic: str) -> str:
    """The title of a topic: "Garments", or the attribute in words, as in "Sleeve length"."""
    return "Garments" if topic == GARMENT else topic.replace("_", " ").capitalize()


def _about(evaluation: Evaluation) -> str:
    model, data = evaluation.model, evaluation.data
    kinds = {
        "pipeline": "The whole way, from an image to the values of its surest garment",
        "detect": "A detector alone: the surest box of each image and its class",
        "classify": "A classifier alone, on crops by the true boxes and their mirror images",
    }
    parts = "\n".join(
        f"| {role} | {part['name']} | {part['task']} | {part['input']} px | {part['classes']} |"
        for role, part in model.parts.items()
    )
    return (
        f"{kinds[model.kind]}. {data['images']} images of `{data['split']}` in the data set `{data['name']}` "
        f"(SHA-256 of its labels `{data['fingerprint'][:16]}…`). Nothing found, and a class that the model does not "
        f"know, count as wrong.\n\n| role | model | task | input | classes |\n|---|---|---|---|---|\n{parts}"
    )


def _macro_f1(metrics: dict[str, Any]) -> float | None:
    """None where no class has enough images."""
    return metrics["macro_f1"] if metrics["macro_classes"] else None


Line = tuple[str, str, Callable[[dict[str, Any]], float | None]]
_GARMENT_LINES: list[Line] = [
    ("garments found", "garments", lambda metrics: metrics["recall"]),
    ("images without a garment that yield one", "negatives", lambda metrics: metrics["negatives_with_garment"]),
    ("median IoU of the box", "iou_n", lambda metrics: metrics["median_iou"]),
]
_ATTRIBUTE_LINES: list[Line] = [
    ("top-1", "n", lambda metrics: metrics["top1"]),
    ("top-3", "n", lambda metrics: metrics["top3"]),
    ("macro-F1 of the classes with 10 or more", "n", _macro_f1),
    ("expected calibration error", "n", lambda metrics: metrics["ece"]),
]


def summary_table(evaluations: Sequence[Evaluation]) -> str:
    """The main metrics, a column for each model; of two also the difference. Topics that not all share are left out."""
    names = [evaluation.model.name for evaluation in evaluations]
    columns = ["metric", "n", *names, *(["difference"] if len(names) == 2 else [])]
    lines = [table_row(columns), "|---" * len(columns) + "|"]
    for topic in evaluations[0].metrics:
        shared = [evaluation.metrics[topic] for evaluation in evaluations if topic in evaluation.metrics]
        if len(shared) < len(evaluations):
            continue
        for name, count, value in _GARMENT_LINES if topic == GARMENT else _ATTRIBUTE_LINES:
            values = [value(metrics) for metrics in shared]
            counts = " / ".join(dict.fromkeys(str(metrics[count]) for metrics in shared))
            cells = ["" if value is None else f"{value:.3f}" for value in values]
            if len(values) == 2:
                first, second = values
                cells.append("" if first is None or second is None else f"{second - first:+.3f}")
            lines.append(table_row([name if topic == GARMENT else f"{heading(topic).lower()}, {name}", counts, *cells]))
    return "\n".join(lines)
