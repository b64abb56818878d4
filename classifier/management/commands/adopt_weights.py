"""`manage.py adopt_weights`: detectors from elsewhere, as ultralytics saved them, made ready to serve."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Needs no database. The worker takes the folder up when WEIGHTS_DIR names it."""

    help = "Export ultralytics detectors (.pt) into a weights folder: category=cat.pt material=mat.pt …"
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One ROLE=FILE for each model."""
        parser.add_argument("models", nargs="+", metavar="ROLE=FILE", help="category=best.pt; garment or an attribute")
        parser.add_argument("--weights", type=Path, required=True, metavar="DIR", help="folder that gets them")
        parser.add_argument("--threshold", type=float, default=0.25, help="least score of a box (default %(default)s)")
        parser.add_argument("--image-size", type=int, help="side of the input in pixels (default: as trained)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take over each model; CommandError names what is wrong."""
        from classifier.engine import WeightsError
        from classifier.training.adopt import adopt
        from classifier.training.publish import ExportError

        version = f"{date.today():%Y.%m.%d}"
        for given in options["models"]:
            role, separator, file = given.partition("=")
            if not separator or not role.isidentifier():
                raise CommandError(f"{given!r} is not of the form ROLE=FILE.")
            path = Path(file)
            try:
                entry = adopt(
                    path,
                    role,
                    options["weights"],
                    version=version,
                    name=f"{role.replace('_', '-')}-{path.stem}",
                    threshold=options["threshold"],
                    size=options["image_size"],
                )
            except (WeightsError, ExportError, OSError) as error:
                raise CommandError(f"{role}: {error}") from error
            self.stdout.write(f"{role}: {entry['name']}, {len(entry['classes'])} classes, {entry['input_size']} px")
