"""`manage.py evaluate`: what models are worth on labelled photographs, alone or two against each other."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from accounts.management.english import EnglishCommand

if TYPE_CHECKING:
    from classifier.training.evaluation.report import Evaluation


class Command(EnglishCommand):
    """Needs no database: photographs and labels come from a folder, the results go into another."""

    help = "Measure models on labelled photographs; writes Markdown, JSON and pictures."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The models and what they are measured on."""
        parser.add_argument(
            "models", nargs="*", type=Path, metavar="MODEL", help="weights folder, run folder or checkpoint (.pt)"
        )
        parser.add_argument(
            "--compare", nargs=2, type=Path, metavar=("A", "B"), help="measure two models and say what sets them apart"
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
        from classifier.engine import EngineError
        from classifier.training.dataset import LabelError
        from classifier.training.evaluation.comparison_report import verdict, write_comparison
        from classifier.training.evaluation.report import summary_table
        from classifier.training.run import RunError

        compared: list[Path] = options["compare"] or []
        paths: list[Path] = [*options["models"], *compared]
        if not paths:
            raise CommandError("Name a model, or two after --compare.")
        try:
            evaluations = self._evaluate(paths, options)
            for evaluation in evaluations[: len(options["models"])]:
                self.stdout.write(summary_table([evaluation]) + "\n")
            if compared:
                first, second = evaluations[-2:]
                self.stdout.write(summary_table([first, second]) + "\n")
                for comparison in write_comparison(first, second, options["out"]):
                    counts = f"{len(comparison.only_first)} : {len(comparison.only_second)}"
                    names = (first.model.name, second.model.name)
                    self.stdout.write(f"{comparison.topic}  only one right {counts}  {verdict(comparison, names)}")
        except (LabelError, RunError, EngineError) as error:
            raise CommandError(str(error)) from error
        self.report(f"written to {options['out']}")

    def _evaluate(self, paths: list[Path], options: dict[str, Any]) -> list[Evaluation]:
        """Measure each model and write its papers. All are opened first: a wrong name shows before the work."""
        from classifier.training.dataset import read_dataset
        from classifier.training.evaluation.model import distinct, open_model
        from classifier.training.evaluation.report import evaluate, write_evaluation

        dataset = read_dataset(options["data"])
        given = {"role": options["role"], "image_size": options["image_size"], "runtime": options["runtime"]}
        given["taxonomy"] = dataset.taxonomy
        evaluations = []
        for model in distinct([open_model(path, **given) for path in paths]):
            evaluation = evaluate(model, dataset, options["split"], self.report)
            write_evaluation(evaluation, options["out"] / model.name)
            evaluations.append(evaluation)
        return evaluations

    def report(self, line: str) -> None:
        """Progress goes to stderr, at once."""
        self.stderr.write(line)
        self.stderr.flush()
