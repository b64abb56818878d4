"""The report of a run: metrics.json, confusion matrix, curves, the worst mistakes on a sheet, and the model card."""

from __future__ import annotations

import csv
from typing import Any

from vision.engine.manifest import GARMENT
from vision.engine.preprocess import written
from vision.evaluation.mistakes import draw_mistakes
from vision.evaluation.readings import NOTHING
from vision.evaluation.tables import class_table, detection_table
from vision.evaluation.validation import Validation
from vision.training.charts import draw_confusion, draw_curves
from vision.training.classifier_options import BETWEEN_TEACHERS, JOINT
from vision.training.dataset import Dataset
from vision.training.files import write_json, write_text
from vision.training.run import METRICS, RESULTS, Run

LICENCE = "AGPL-3.0"


def write_report(run: Run, dataset: Dataset, measured: Validation) -> None:
    """Write the report of a finished run into its folder."""
    confusion = measured.confusion
    columns = list(run.classes) if len(confusion[0]) == len(run.classes) else [*run.classes, NOTHING]
    write_json(run.folder / "confusion.json", {"rows": run.classes, "columns": columns, "counts": confusion})
    draw_confusion(run.folder / "confusion.png", run.classes, columns, confusion, f"{run.role}: val")
    if (run.folder / RESULTS).is_file():
        with (run.folder / RESULTS).open(newline="", encoding="utf-8") as stream:
            draw_curves(run.folder / "curves.png", list(csv.DictReader(stream)), run.role)
    draw_mistakes(run.folder / "mistakes.jpg", measured.readings, run.role)
    write_text(run.folder / "card.md", model_card(run, dataset, measured.metrics))
    # Last, because a run with this file is a finished one.
    write_json(run.folder / METRICS, measured.metrics)


def model_card(run: Run, dataset: Dataset, metrics: dict[str, Any]) -> str:
    """What the model is, how good it is, and what it cannot do, as Markdown."""
    sections = [
        f"# {run.name}",
        _about(run),
        "## Data and licence\n\n" + _data(run),
        "## Quality on val\n\n" + _quality(run, metrics),
        "## What it cannot do\n\n" + _limits(run, dataset),
    ]
    return "\n\n".join(sections) + "\n"


def _about(run: Run) -> str:
    if run.task == "classify":
        what = (
            f"A {_network(run)} classifier that names the **{run.role.replace('_', ' ')}** of one garment, given its "
            "crop: the box with a margin of 4 % of its longer side, padded with grey"
        )
    elif run.role == GARMENT and len(run.classes) > 1:
        what = f"A YOLOv8n detector that finds garments as {', '.join(run.classes)}"
    elif run.role == GARMENT:
        what = "A YOLOv8n detector with the single class `garment`, which finds the garments in an image"
    else:
        what = f"A YOLOv8n detector whose own classes are the {run.role.replace('_', ' ')} of the garments it finds"
    if run.task == "classify" and run.options.get("mirrored", True):
        second = f"another network (from `{run.mirror}`)" if run.mirror else "the same network"
        what += f". It answers with the mean of its logits and those that {second} gives for the crop's mirror image"
    options = run.options
    how = f"Its weights are those of `{run.base}`; docs/models.md says how they were trained."
    if options["epochs"]:
        asked = JOINT if options.get("heads") else f"{run.role} --task {run.task}"
        how = (
            f"Trained for up to {options['epochs']} epochs in batches of {options['batch']} from `{run.base}` with "
            f"`manage.py train {asked}`."
        )
    if options.get("teacher"):
        larger = "several networks together" if BETWEEN_TEACHERS in options["teacher"] else "a larger network"
        how += (
            f" By {options['distillation']:.0%} of the loss it learned the answers of {larger}, "
            f"`{options['teacher']}`, that had learned from the same images."
        )
    if options.get("canvases"):
        how += " It learned from images that were composed of those of the data set."
    nearest = ", whichever is nearest in proportions" if len(run.shapes) > 1 else ""
    return f"{what}; input {written(run.shapes)} px{nearest}, RGB in 0..1.\n\n{how}"


def _network(run: Run) -> str:
    """YOLOv8n-cls, as people write it."""
    name: str = run.options.get("architecture", "yolov8n-cls")
    return name.replace("yolo", "YOLO")


def _data(run: Run) -> str:
    return (
        f"Data set `{run.data['name']}` (SHA-256 of its labels `{run.data['fingerprint'][:16]}…`): "
        f"{run.data['train']} images to train, {run.data['val']} of other contributors to choose and measure. "
        f"The weights come under {LICENCE}, as does the ultralytics software that trained them."
    )


def _quality(run: Run, metrics: dict[str, Any]) -> str:
    val = metrics["val"]
    lines = ["| metric | value |", "|---|---|"]
    if run.task == "detect":
        lines += [
            f"| garments found, of {val['garments']} | {val['recall']:.3f} |",
            f"| median IoU of the best box, of {val['iou_n']} | {val['median_iou']:.3f} |",
            f"| images without garment that yield one, of {val['negatives']} | {val['negatives_with_garment']:.3f} |",
            f"| threshold | {val['threshold']:.2f} |",
        ]
    if "top1" in val:
        lines.append(f"| top-1 (micro), of {val['n']} | {val['top1']:.3f} |")
        if "top3" in val:
            lines.append(f"| top-3 | {val['top3']:.3f} |")
        lines.append(f"| macro-F1 over the {val['macro_classes']} classes with 10 or more | {val['macro_f1']:.3f} |")
    if "calibration" in metrics:
        found = metrics["calibration"]
        lines += [
            f"| expected calibration error before, after temperature {found['temperature']:.2f} | "
            f"{found['ece_before']:.3f}, {found['ece_after']:.3f} |",
        ]
    text = "\n".join(lines)
    if "per_class" in val:
        text += "\n\n" + class_table(val["per_class"])
    if metrics.get("detection"):
        text += "\n\nAs ultralytics' validator counts:\n\n" + detection_table(metrics["detection"])
    if run.task == "classify":
        text += (
            "\n\nMeasured on crops by the true boxes; a class that is not offered counts as wrong. The metrics of the "
            "whole way, from an image through the detector, are in `docs/models.md`."
        )
    return text


def _limits(run: Run, dataset: Dataset) -> str:
    lines = []
    if run.role != GARMENT:
        counts = dataset.counts("train", run.role)
        rare = {name: count for name, count in sorted(counts.items()) if name not in run.classes}
        known = dataset.taxonomy.attributes.get(run.role)
        unseen = [code for code in sorted(known.leaves if known else ()) if code not in counts]
        if rare:
            listed = ", ".join(f"{name} ({count})" for name, count in rare.items())
            lines.append(f"- It was not taught these classes, of which there are too few examples: {listed}.")
        if unseen:
            lines.append(f"- It never saw these classes of the taxonomy: {', '.join(unseen)}.")
        lines.append("- A garment of a class that it was not taught gets the nearest one that it knows.")
    if any(image.worn for image in dataset.images):
        lines.append(
            "- It knows flat garments, photographed at home, and clothes of people in the street, hardly any of them "
            "men or children. Parts of garments, crowds and art it knows less well."
        )
    else:
        lines.append(
            "- It knows single garments, flat on a surface or on a hanger, photographed at home. It is not for street "
            "images, worn garments, or several garments on top of each other."
        )
    lines += [
        "- Rare classes were seen in few images of few people: their metrics above rest on small n.",
        "- It was measured on the labels of one person; two people agree on about 0.94 of them.",
    ]
    if run.role == GARMENT:
        lines.append("- It tells garments from shoes and hats, which it was shown; other things may pass as garments.")
    return "\n".join(lines)
