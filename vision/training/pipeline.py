"""A whole training run: from a data folder to measured weights and their report."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from vision.engine.manifest import GARMENT
from vision.evaluation.validation import evaluate_classifier, evaluate_detector
from vision.training.classifier import ClassifierOptions, ClassifierTraining
from vision.training.dataset import read_dataset
from vision.training.detector import DetectorOptions, detector_classes, detector_images, train_detector
from vision.training.environment import describe_environment
from vision.training.files import write_json
from vision.training.report import write_report
from vision.training.run import DESCRIPTION, ENVIRONMENT, TASKS, Report, Run, RunError
from vision.training.start import check_there, is_of_a_run, open_weights

Options = ClassifierOptions | DetectorOptions


def start_run(folder: Path, name: str, role: str, task: str, data: Path, base: Path, given: dict[str, Any]) -> Run:
    """Describe a new run in `folder`; `given` holds the options that differ from the task's defaults.

    Raises RunError for an impossible combination, a missing or refused base or a folder that already holds a run, and
    LabelError for data that cannot be read.
    """
    if task not in TASKS or (role == GARMENT and task != "detect"):
        raise RunError(f"There is no {task} model for {role}.")
    dataset = read_dataset(data)
    if (folder / DESCRIPTION).exists():
        raise RunError(f"{folder} already holds a run: resume it or choose another folder.")
    if task == "classify" and is_of_a_run(base):  # the file of a classifier's run, no ultralytics checkpoint
        check_there(base)
    else:
        open_weights(base)
    kind = DetectorOptions if task == "detect" else ClassifierOptions
    unknown = given.keys() - {field.name for field in fields(kind)}
    if unknown:
        raise RunError(f"A {task} model has no option {', '.join(sorted(unknown))}.")
    options = kind(attribute=role, **given)
    if role != GARMENT and role not in dataset.labelled:
        raise RunError(f"{data} has no column {role} in its labels.csv.")
    if isinstance(options, DetectorOptions):
        classes = detector_classes(dataset, options)
        sizes = {split: len(detector_images(dataset, split, options, classes)) for split in ("train", "val")}
    else:
        classes = dataset.classes(role, options.minimum)
        sizes = {
            "train": sum(item.labels[role] in classes for item in dataset.select("train", role)),
            "val": len(dataset.select("val", role)),
        }
    if role != GARMENT and len(classes) < 2:
        raise RunError(
            f"Fewer than two classes of {role} have {options.minimum} examples in train; --minimum sets that number."
        )
    for split, count in sizes.items():
        if not count:
            raise RunError(f"{data} has no images of the split “{split}” for {role}: a run needs both.")
    folder.mkdir(parents=True, exist_ok=True)
    identity = {"name": dataset.name, "fingerprint": dataset.fingerprint, **sizes}
    start = f"{base.resolve().parent.name}/{base.name}" if is_of_a_run(base) else base.name
    run = Run(folder, name, role, task, start, classes, asdict(options), identity)
    run.save()
    write_json(folder / ENVIRONMENT, {"seed": options.seed, **describe_environment()})
    return run


def finish_run(
    run: Run, data: Path, base: Path, report: Report, mirror: Path | None = None, device: str = "cpu"
) -> dict[str, Any]:
    """Train from the run's last epoch to its end, measure it on val and write its report; returns the metrics.

    `base` is opened only if no epoch is done yet. A classifier is measured together with the checkpoint `mirror` if it
    shall serve with it. Training takes place on `device`, see `choose_device`; measuring on the processor, where models
    serve. A finished run is left as it is. Raises RunError for other labels than those it was started
    with, and for weights to go on from that are missing or refused.
    """
    if run.finished:
        return run.metrics()
    dataset = read_dataset(data)
    if dataset.fingerprint != run.data["fingerprint"]:
        raise RunError(f"The run {run.folder} was started with other labels than those in {data}.")
    options = read_options(run)
    if isinstance(options, DetectorOptions):
        train_detector(dataset, base, run.folder, options, report, device)
    else:
        ClassifierTraining(dataset, base, run.folder, options, report, device).fit()
    report("measuring on val")
    size = int(run.options["image_size"])
    if run.task == "detect":
        measured = evaluate_detector(dataset, run.weights, run.role, run.classes, size)
    else:
        measured = evaluate_classifier(dataset, run.weights, run.role, run.classes, size, mirror)
    write_report(run, dataset, measured)
    return measured.metrics


def read_options(run: Run) -> Options:
    """The options of a run as its task's class."""
    kind = DetectorOptions if run.task == "detect" else ClassifierOptions
    return kind(**run.options)
