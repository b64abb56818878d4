"""`manage.py publish_shared`: one network for all attributes, out of runs that trained them together."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Needs no database."""

    help = (
        "Average the checkpoints of classifier runs, measure the network with the head of each attribute, and export "
        "it as one network for all of them."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The checkpoints, and where things are."""
        parser.add_argument("checkpoints", nargs="+", type=Path, metavar="RUN/last.pt")
        parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv and images/")
        parser.add_argument("--image-size", type=int, default=224, help="side of its input in service")
        parser.add_argument("--minimum", type=int, default=20, help="as in the runs (default %(default)s)")
        parser.add_argument("--out", type=Path, default=Path("runs/shared"), help="folder of the runs")
        parser.add_argument("--weights", type=Path, required=True, help="folder of the manifest")

    def handle(self, *args: Any, **options: Any) -> None:
        """One run without an epoch for each attribute, published together."""
        from classifier.training.classifier import CHECKPOINT
        from classifier.training.dataset import ATTRIBUTES, LabelError
        from classifier.training.joint import publish_together
        from classifier.training.pipeline import finish_run, start_run
        from classifier.training.publish import ExportError
        from classifier.training.run import RunError
        from classifier.training.soup import average_checkpoints

        out, data = options["out"], options["data"]
        base = out / "average" / CHECKPOINT
        given = {"epochs": 0, "image_size": options["image_size"], "minimum": options["minimum"]}
        today = date.today()
        runs = []
        try:
            average_checkpoints(options["checkpoints"], base)
            for role in ATTRIBUTES:
                name = f"{role.replace('_', '-')}-{today:%Y.%m}"
                run = start_run(out / role, name, role, "classify", data, base, given)
                metrics = finish_run(run, data, base, self.stderr.write)
                self.stdout.write(
                    f"{role}  top1 {metrics['val']['top1']:.3f}  macro_f1 {metrics['val']['macro_f1']:.3f}"
                )
                runs.append(run)
            publish_together(runs, options["weights"], version=f"{today:%Y.%m.%d}")
        except (LabelError, RunError, ExportError) as error:
            raise CommandError(str(error)) from error
