"""`manage.py publish_shared`: one network for all attributes, out of runs that trained them together."""

from __future__ import annotations

import math
from argparse import ArgumentParser
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from core.commands import EnglishCommand

if TYPE_CHECKING:
    from vision.training.run import Run


class Command(EnglishCommand):
    """Needs no database."""

    help = (
        "Average the checkpoints of classifier runs, measure the network with the head of each attribute, and export "
        "it as one network for all of them."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The checkpoints, and where things are."""
        parser.add_argument("checkpoints", nargs="+", type=Path, metavar="RUN/last.pt")
        parser.add_argument(
            "--mirror",
            nargs="+",
            type=Path,
            default=[],
            metavar="RUN/last.pt",
            help="average these as well, into a second network that looks at the mirror image of each crop",
        )
        parser.add_argument(
            "--prior",
            nargs="+",
            default=[],
            metavar="ROLE=VALUE",
            help="`manage.py train --prior` for single attributes",
        )
        parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv and images/")
        parser.add_argument("--image-size", type=int, default=224, help="side of its input in service")
        parser.add_argument("--minimum", type=int, default=20, help="as in the runs (default %(default)s)")
        parser.add_argument("--out", type=Path, default=Path("runs/shared"), help="folder of the runs")
        parser.add_argument("--weights", type=Path, required=True, help="folder of the manifest")

    def handle(self, *args: Any, **options: Any) -> None:
        """One run without an epoch for each attribute and network, published together."""
        from vision.training.dataset import LabelError
        from vision.training.multi_head import publish_multi_head
        from vision.training.publish import ExportError
        from vision.training.run import RunError

        out: Path = options["out"]
        options["prior"] = dict(_parse_prior(text) for text in options["prior"])
        try:
            mirror = self._runs(out / "mirror", options["mirror"], options, []) if options["mirror"] else []
            runs = self._runs(out, options["checkpoints"], options, mirror)
            publish_multi_head(runs, options["weights"], version=f"{date.today():%Y.%m.%d}", mirror=mirror)
        except (LabelError, RunError, ExportError) as error:
            raise CommandError(str(error)) from error

    def _runs(self, folder: Path, checkpoints: list[Path], options: dict[str, Any], mirror: list[Run]) -> list[Run]:
        """A finished run for each attribute from the checkpoints' average, measured together with those of `mirror`."""
        from vision.training.dataset import ATTRIBUTES
        from vision.training.pipeline import finish_run, start_run
        from vision.training.start import CHECKPOINT
        from vision.training.weight_averaging import average_checkpoints

        data = options["data"]
        base = folder / "+".join(path.resolve().parent.name for path in checkpoints) / CHECKPOINT
        average_checkpoints(checkpoints, base)
        given = {"epochs": 0, "image_size": options["image_size"], "minimum": options["minimum"]}
        twins = {run.role: run for run in mirror}
        runs = []
        for role in ATTRIBUTES:
            name = f"{role.replace('_', '-')}-{date.today():%Y.%m}"
            own = given | {"prior": options["prior"].get(role, 0.0)}
            run = start_run(folder / role, name, role, "classify", data, base, own)
            twin = twins.get(role)
            if twin is not None:
                run = replace(run, mirror=twin.base)
                run.save()
            val = finish_run(run, data, base, self.stderr.write, twin.weights if twin else None)["val"]
            self.stdout.write(f"{role}  top1 {val['top1']:.3f}  macro_f1 {val['macro_f1']:.3f}")
            runs.append(run)
        return runs


def _parse_prior(text: str) -> tuple[str, float]:
    """`sleeve_length=-0.25` as a pair. Raises CommandError for anything else."""
    from vision.training.dataset import ATTRIBUTES

    role, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if role not in ATTRIBUTES or not math.isfinite(number):
        raise CommandError(f"{text!r} is not ROLE=VALUE, for example sleeve_length=-0.25.")
    return role, number
