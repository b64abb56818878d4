"""A whole training run: from a data folder to measured weights and their report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from vision.engine.manifest import GARMENT
from vision.evaluation.validation import evaluate_classifier, evaluate_detector
from vision.training.classifier import ClassifierTraining
from vision.training.classifier_options import DEFAULTS, JOINT, TEACHER, ClassifierOptions
from vision.training.dataset import Dataset
from vision.training.detector import (
    CANVAS_DEFAULTS,
    DetectorOptions,
    detector_classes,
    detector_images,
    train_detector,
)
from vision.training.environment import describe_environment
from vision.training.files import write_json
from vision.training.folders import read_folders
from vision.training.joint_calibration import calibrate_together
from vision.training.multi_head import publish_multi_head
from vision.training.publish import publish
from vision.training.report import write_report
from vision.training.run import DESCRIPTION, ENVIRONMENT, METRICS, TASKS, Report, Run, RunError
from vision.training.start import check_there, is_of_a_run, open_weights
from vision.training.teacher import LITE, Teacher, TrainedTeacher, check_packages, measure_teacher
from vision.training.teachers import names_of, open_teachers

Options = ClassifierOptions | DetectorOptions


def start_run(
    folder: Path,
    name: str,
    role: str,
    task: str,
    data: Path,
    base: Path,
    given: dict[str, Any],
    *,
    worn: Path | None = None,
    teachers: Sequence[Path] = (),
) -> Run:
    """Describe a new run in `folder`; `given` holds the options that differ from the task's defaults.

    `worn` is a second folder of data, see `read_folders`; `teachers` what to learn from, see `open_teachers`. The
    role may also be JOINT or TEACHER.

    Raises RunError for an impossible combination, a missing or refused base or a folder that already holds a run, and
    LabelError for data that cannot be read.
    """
    if task not in TASKS or (task == "classify" and role == GARMENT) or (task == "detect" and role in DEFAULTS):
        raise RunError(f"There is no {task} model for {role}.")
    dataset = read_folders(data, worn)
    if (folder / DESCRIPTION).exists():
        raise RunError(f"{folder} already holds a run: resume it or choose another folder.")
    if role == TEACHER:
        check_packages()
    elif task == "classify" and is_of_a_run(base):  # the file of a classifier's run, no ultralytics checkpoint
        check_there(base)
    else:
        open_weights(base)
    if teachers:
        given = given | {"teacher": names_of(teachers)}
    options = _make_options(role, task, given)
    attribute = options.attribute
    if attribute != GARMENT and attribute not in dataset.labelled:
        raise RunError(f"{data} has no column {attribute} in its labels.csv.")
    classes, sizes = _classes_and_sizes(dataset, options)
    if attribute != GARMENT and len(classes) < 2:
        raise RunError(
            f"Fewer than two classes of {attribute} have {options.minimum} examples in train; "
            "--minimum sets that number."
        )
    for split, count in sizes.items():
        if not count:
            raise RunError(f"{data} has no images of the split “{split}” for {attribute}: a run needs both.")
    folder.mkdir(parents=True, exist_ok=True)
    identity = {"name": dataset.name, "fingerprint": dataset.fingerprint, **sizes}
    start = f"{base.resolve().parent.name}/{base.name}" if is_of_a_run(base) else base.name
    run = Run(folder, name, role, task, LITE if role == TEACHER else start, classes, asdict(options), identity)
    if role == JOINT:
        _describe_heads(run, dataset)
    run.save()
    write_json(folder / ENVIRONMENT, {"seed": options.seed, **describe_environment()})
    return run


def _make_options(role: str, task: str, given: dict[str, Any]) -> Options:
    """The task's options, by default those for the role. Raises RunError for one that the task does not have."""
    kind = DetectorOptions if task == "detect" else ClassifierOptions
    unknown = given.keys() - {field.name for field in fields(kind)}
    if unknown:
        raise RunError(f"A {task} model has no option {', '.join(sorted(unknown))}.")
    if role == TEACHER and ("teacher" in given or "architecture" in given):
        raise RunError(f"A teacher is an {LITE}, and has no teacher itself.")
    if given.get("top_levels") and role != GARMENT:
        raise RunError("Only a detector of garments finds them by top-level category.")
    if given.get("canvases") and not given.get("top_levels"):
        raise RunError("Canvases are for detectors of top-level categories: add --top-levels.")
    defaults = CANVAS_DEFAULTS if given.get("canvases") else DEFAULTS.get(role, {})
    return kind(**({"attribute": role} | defaults | given))


def _classes_and_sizes(dataset: Dataset, options: Options) -> tuple[list[str], dict[str, int]]:
    """What is learned, and how many images of each split there are to do so."""
    if isinstance(options, DetectorOptions):
        classes = detector_classes(dataset, options)
        return classes, {split: len(detector_images(dataset, split, options, classes)) for split in ("train", "val")}
    return _attribute_classes_and_sizes(dataset, options.attribute, options.minimum)


def _attribute_classes_and_sizes(dataset: Dataset, attribute: str, minimum: int) -> tuple[list[str], dict[str, int]]:
    classes = dataset.classes(attribute, minimum)
    return classes, {
        "train": sum(item.labels[attribute] in classes for item in dataset.select("train", attribute)),
        "val": len(dataset.select("val", attribute)),
    }


def _describe_heads(run: Run, dataset: Dataset) -> None:
    """Describe each attribute of a joint run as a run of its own, in a folder of it.

    Raises RunError where an attribute has too few classes.
    """
    for attribute in run.options["heads"]:
        classes, sizes = _attribute_classes_and_sizes(dataset, attribute, run.options["minimum"])
        if len(classes) < 2 or not sizes["val"]:
            raise RunError(
                f"Fewer than two classes of {attribute} have {run.options['minimum']} examples in train, or none has "
                "any in val; a network of all attributes needs both."
            )
        name = f"{attribute.replace('_', '-')}-{run.name.removeprefix(f'{JOINT}-')}"
        options = run.options | {"attribute": attribute}
        folder = run.folder / attribute
        folder.mkdir(exist_ok=True)
        Run(folder, name, attribute, run.task, run.base, classes, options, run.data | sizes).save()


def head_runs(run: Run) -> list[Run]:
    """The runs of the attributes of a joint run, whose networks differ in the last layer only."""
    return [Run.load(run.folder / attribute) for attribute in run.options["heads"]]


def finish_run(
    run: Run,
    data: Path,
    base: Path,
    report: Report,
    mirror: Path | None = None,
    device: str = "cpu",
    *,
    worn: Path | None = None,
    teachers: Sequence[Path] = (),
) -> dict[str, Any]:
    """Train from the run's last epoch to its end, measure it on val and write its report; returns the metrics.

    `base` is opened only if no epoch is done yet. A classifier is measured together with the checkpoint `mirror` if it
    shall serve with it. Training takes place on `device`, see `choose_device`; measuring on the processor, where models
    serve. A finished run is left as it is. Raises RunError for other labels than those it was started
    with, for weights to go on from that are missing or refused, and for another teacher.
    """
    if run.finished:
        return run.metrics()
    dataset = read_folders(data, worn)
    if dataset.fingerprint != run.data["fingerprint"]:
        raise RunError(f"The run {run.folder} was started with other labels than those in {data}.")
    options = read_options(run)
    if isinstance(options, DetectorOptions):
        train_detector(dataset, base, run.folder, options, report, device)
    else:
        opened = _teacher_of(options, teachers, device)
        ClassifierTraining(dataset, base, run.folder, options, report, device, opened).fit()
    report("measuring on val")
    return _measure(run, dataset, mirror)


def _teacher_of(options: ClassifierOptions, folders: Sequence[Path], device: str) -> Teacher | None:
    given = names_of(folders)
    if given != options.teacher:
        raise RunError(f"The run learns from the teacher {options.teacher or '(none)'}, not {given or '(none)'}.")
    return open_teachers(folders, device)


def _measure(run: Run, dataset: Dataset, mirror: Path | None) -> dict[str, Any]:
    """Measure what was trained on val, write its report and return the metrics."""
    if run.role == JOINT:
        heads = {head.role: _measure(head, dataset, None) for head in head_runs(run)}
        metrics = {"val": heads[run.options["attribute"]]["val"], "heads": heads}
        write_json(run.folder / METRICS, metrics)
        return metrics
    if run.role == TEACHER:
        heads = measure_teacher(TrainedTeacher(run.weights, "cpu"), dataset)
        metrics = {"val": heads[run.options["attribute"]], "heads": heads}
        write_json(run.folder / METRICS, metrics)
        return metrics
    if run.task == "detect":
        measured = evaluate_detector(dataset, run.weights, run.role, run.classes, run.shapes)
    else:
        mirrored = bool(run.options.get("mirrored", True))
        measured = evaluate_classifier(
            dataset, run.weights, run.role, run.classes, run.shapes, mirror, mirrored=mirrored
        )
    write_report(run, dataset, measured)
    return measured.metrics


def publish_run(run: Run, weights: Path, version: str, data: Path, report: Report, *, worn: Path | None = None) -> None:
    """Export a finished run into `weights`, and calibrate there what belongs together, see `calibrate_together`.

    Raises RunError for a teacher, ExportError if the export differs from the original.
    """
    if run.role == TEACHER:
        raise RunError("A teacher is not published: it is too slow to serve, others learn from it (--teacher).")
    if run.role == JOINT:
        publish_multi_head(head_runs(run), weights, version)
    else:
        publish(run, weights, version)
    if run.options.get("top_levels") or run.role == JOINT:
        calibrate_together(weights, read_folders(data, worn), report)


def read_options(run: Run) -> Options:
    """The options of a run as its task's class."""
    kind = DetectorOptions if run.task == "detect" else ClassifierOptions
    return kind(**run.options)
