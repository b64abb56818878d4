"""`manage.py quantize`: int8 files for the models of a weights folder."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from core.commands import EnglishCommand


class Command(EnglishCommand):
    help = (
        "Make int8 files of all models of a weights folder, calibrated on training images, and list them in the "
        "manifest. Workers use them once int8 is among the `verified` precisions of the manifest, after a quality run. "
        "Needs requirements-training.txt."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--data",
            type=Path,
            nargs="+",
            required=True,
            metavar="DIR",
            help="folders with images/ and labels.csv or garments.csv; as many images are drawn of each",
        )
        parser.add_argument("--weights", type=Path, required=True, metavar="DIR", help="folder of the manifest")
        parser.add_argument("--images", type=int, default=300, help="training images to calibrate on (%(default)s)")
        parser.add_argument(
            "--compare",
            type=int,
            default=200,
            help="images of val for comparing answers with f32 (%(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Quantise, then say how many answers each precision changes; CommandError for what cannot be used."""
        from vision.engine import Engine, EngineError
        from vision.engine.precision import BF16, F32, INT8, PrecisionUnavailable
        from vision.evaluation.precision_changes import measure
        from vision.training.quantization import QuantizationError, drawn_images, quantize

        weights: Path = options["weights"]
        try:
            images = drawn_images(options["data"], "train", options["images"])
            for name in quantize(weights, images, self.stderr.write):
                self.stdout.write(name)
            paths = [image.path for image in drawn_images(options["data"], "val", options["compare"])]
            reference = Engine.load(weights, precision=F32) if paths else None
        except (QuantizationError, EngineError, OSError) as error:
            raise CommandError(str(error)) from error
        if reference is None:
            return
        for precision in (BF16, INT8):
            try:
                other = Engine.load(weights, precision=precision, unverified=True)
            except PrecisionUnavailable as error:
                self.stderr.write(str(error))
                continue
            self.stdout.write(f"{precision} against f32 on {len(paths)} images of val:")
            for line in measure(reference, other, paths).lines():
                self.stdout.write(f"  {line}")
