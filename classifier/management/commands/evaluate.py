"""`manage.py evaluate`: what models are worth on labelled images, alone or two against each other."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError
from django.db import DatabaseError

from core.commands import EnglishCommand

if TYPE_CHECKING:
    from vision.engine import Taxonomy
    from vision.evaluation.model import Model
    from vision.evaluation.report import Evaluation


class Command(EnglishCommand):
    """Images and labels come from a folder, the results go into another; only the registry needs a database."""

    help = "Measure models on labelled images; writes Markdown, JSON and images."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The models and what they are measured on."""
        parser.add_argument(
            "models",
            nargs="*",
            metavar="MODEL",
            help="weights folder, run folder or checkpoint (.pt); or set:ID or version:ID of the registry",
        )
        parser.add_argument(
            "--compare", nargs=2, metavar=("A", "B"), help="measure two models and say what sets them apart"
        )
        parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv and images/")
        parser.add_argument("--split", choices=("train", "val"), default="val", help="default: val")
        parser.add_argument("--out", type=Path, default=Path("runs/evaluation"), help="default: %(default)s")
        parser.add_argument("--role", help="what a checkpoint's classes are values of, if their names do not say it")
        parser.add_argument("--image-size", type=int, help="side of a checkpoint's input, if it does not say it")
        parser.add_argument(
            "--runtime", choices=("openvino", "torch"), default="openvino", help="for a weights folder (%(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Each model gets a folder of its own in --out, a comparison lies beside them."""
        from vision.engine import EngineError
        from vision.evaluation.comparison_report import verdict, write_comparison
        from vision.evaluation.report import summary_table
        from vision.training.dataset import LabelError
        from vision.training.run import RunError

        compared: list[str] = options["compare"] or []
        names: list[str] = [*options["models"], *compared]
        if not names:
            raise CommandError("Name a model, or two after --compare.")
        try:
            evaluations = self._evaluate(names, options)
            for evaluation in evaluations[: len(options["models"])]:
                self.stdout.write(summary_table([evaluation]) + "\n")
            if compared:
                first, second = evaluations[-2:]
                self.stdout.write(summary_table([first, second]) + "\n")
                for comparison in write_comparison(first, second, options["out"]):
                    counts = f"{len(comparison.only_first)} : {len(comparison.only_second)}"
                    said = verdict(comparison, (first.model.name, second.model.name))
                    self.stdout.write(f"{comparison.topic}  only one right {counts}  {said}")
        except (LabelError, RunError, EngineError) as error:
            raise CommandError(str(error)) from error
        self.report(f"written to {options['out']}")

    def _evaluate(self, names: list[str], options: dict[str, Any]) -> list[Evaluation]:
        """Measure each model and write its report. All are opened first: a wrong name shows before the work."""
        from vision.evaluation.model import distinct
        from vision.evaluation.report import evaluate, write_evaluation
        from vision.training.dataset import read_dataset

        dataset = read_dataset(options["data"])
        evaluations = []
        for model in distinct([_open(str(name), dataset.taxonomy, options) for name in names]):
            evaluation = evaluate(model, dataset, options["split"], self.report)
            write_evaluation(evaluation, options["out"] / model.name)
            evaluations.append(evaluation)
        return evaluations

    def report(self, line: str) -> None:
        """Progress goes to stderr, at once."""
        self.stderr.write(line)
        self.stderr.flush()


def _open(name: str, taxonomy: Taxonomy, options: dict[str, Any]) -> Model:
    """The model that a path holds, or that the registry knows by this name."""
    from vision.evaluation.model import open_model

    if re.fullmatch(r"(set|version):\d+", name):
        try:
            return _registered(name, taxonomy)
        except DatabaseError as error:
            raise CommandError(f"The database cannot be asked ({error}). `manage.py prepare` sets it up.") from error
    given = {"role": options["role"], "image_size": options["image_size"], "runtime": options["runtime"]}
    return open_model(Path(name), taxonomy=taxonomy, **given)


def _registered(name: str, taxonomy: Taxonomy) -> Model:
    """A set as the pipeline that it serves as, or a version alone; here, as nothing else needs a database."""
    from catalog.selectors import Taxonomy as Vocabulary
    from classifier.management.registered import find
    from classifier.models import ModelSet
    from classifier.registry import serving
    from vision.evaluation.model import of_engine, of_network

    row, label = find(name), name.replace(":", "-")
    if isinstance(row, ModelSet):
        return of_engine(label, serving.of_set(row, Vocabulary.load()).engine, taxonomy)
    return of_network(label, *serving.of_version(row), taxonomy)
