"""`manage.py train`: from a folder of labelled images to weights."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from core.commands import EnglishCommand
from vision.training.dataset import ATTRIBUTES
from vision.training.run import STRIDE

OPTIONS = (
    "epochs",
    "patience",
    "batch",
    "image_size",
    "input_shapes",
    "architecture",
    "canvases",
    "figures",
    "first_size",
    "last_size",
    "learning_rate",
    "auxiliary_weight",
    "augmentation",
    "background",
    "balance",
    "balance_with",
    "freeze",
    "keep_epochs",
    "minimum",
    "prior",
    "quarter_turns",
    "seed",
    "threads",
    "top_levels",
    "workers",
)


class Command(EnglishCommand):
    """Needs no database: the labels come from a CSV file, the result is a folder."""

    help = "Train one of the models. The run's folder gets weights, metrics, curves, worst mistakes and model card."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Options left out take the defaults of the task."""
        parser.add_argument(
            "role",
            help="garment, category, material, sleeve_length, or another attribute that labels.csv has a column of; "
            "attributes: one network of the first three attributes; teacher: one to learn from by --teacher",
        )
        parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv and images/")
        parser.add_argument("--worn", type=Path, help="folder of outfits that people wear: garments.csv and images/")
        parser.add_argument("--base", type=Path, default=Path("yolov8n.pt"), help="start weights (default %(default)s)")
        parser.add_argument("--task", choices=("detect", "classify"), help="default: detect for garment, else classify")
        parser.add_argument("--out", type=Path, help="folder of the run (default runs/ROLE)")
        parser.add_argument("--name", help="name in the manifest (default ROLE-YEAR.MONTH)")
        parser.add_argument(
            "--teacher",
            type=Path,
            nargs="+",
            default=[],
            metavar="FOLDER",
            help="what it learns from: runs of teachers, or weights folders; several answer together",
        )
        parser.add_argument("--resume", action="store_true", help="go on with the run in --out, with its own options")
        parser.add_argument("--publish", type=Path, metavar="WEIGHTS", help="export the result into this folder")
        parser.add_argument(
            "--architecture", choices=("yolov8n-cls", "yolov8s-cls"), help="of classifiers (default yolov8n-cls)"
        )
        parser.add_argument("--epochs", type=int)
        parser.add_argument("--patience", type=int, help="stop when so many epochs brought nothing better; 0: never")
        parser.add_argument("--batch", type=int)
        parser.add_argument("--image-size", type=int, help="side of the network's input in pixels")
        parser.add_argument(
            "--input-shapes",
            type=_shape,
            nargs="+",
            metavar="HEIGHTxWIDTH",
            help="narrower inputs for images, or garments, that are not square (classifiers, and with --canvases)",
        )
        parser.add_argument("--first-size", type=float, help="share of that size for the first training images")
        parser.add_argument("--last-size", type=float, help="and for the last ones (classifiers)")
        parser.add_argument("--learning-rate", type=float)
        parser.add_argument("--auxiliary-weight", type=float, help="how much the other attributes count in the loss")
        parser.add_argument(
            "--augmentation", choices=("strong", "outline", "texture", "worn"), help="what crops go through"
        )
        parser.add_argument("--prior", type=float, help="negative: favour rare classes (see ClassifierOptions)")
        parser.add_argument(
            "--balance-with", choices=ATTRIBUTES, help="balance the combinations with this attribute, not classes alone"
        )
        parser.add_argument("--freeze", type=int, help="how many of the first layers stay as they are")
        parser.add_argument("--minimum", type=int, help="a class with fewer training examples is not offered")
        parser.add_argument(
            "--keep-epochs",
            action="store_true",
            default=None,
            help="keep the weights of each epoch as epochN.pt, for other runs to start from",
        )
        parser.add_argument("--seed", type=int)
        parser.add_argument("--threads", type=int, help="processor threads")
        _add_detector_arguments(parser)
        parser.add_argument("--device", help="cpu, cuda or cuda:N (default: cuda where torch sees one, else cpu)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Train, measure, and export if asked to."""
        from vision.training.dataset import LabelError
        from vision.training.environment import choose_device
        from vision.training.pipeline import finish_run, publish_run, start_run
        from vision.training.publish import ExportError
        from vision.training.run import Run, RunError

        today = date.today()
        role: str = options["role"]
        folder: Path = options["out"] or Path("runs") / role
        task = options["task"] or ("detect" if role == "garment" else "classify")
        name = options["name"] or f"{role.replace('_', '-')}-{today:%Y.%m}"
        given = {option: options[option] for option in OPTIONS if options[option] is not None}
        data, base = options["data"], options["base"]
        sources = {"worn": options["worn"], "teachers": options["teacher"]}
        try:
            device = choose_device(options["device"])
            if options["resume"]:
                run = Run.load(folder)
            else:
                run = start_run(folder, name, role, task, data, base, given, **sources)
            metrics = finish_run(run, data, base, self.report, device=device, **sources)
            if options["publish"]:
                publish_run(run, options["publish"], f"{today:%Y.%m.%d}", data, self.report, worn=options["worn"])
                self.report(f"published in {options['publish']}")
        except (LabelError, RunError, ExportError) as error:
            raise CommandError(str(error)) from error
        figures = {name: value for name, value in metrics["val"].items() if isinstance(value, float)}
        self.stdout.write("  ".join(f"{name} {value:.3f}" for name, value in figures.items()))

    def report(self, line: str) -> None:
        """Progress goes to stderr, at once."""
        self.stderr.write(line)
        self.stderr.flush()


def _shape(text: str) -> list[int]:
    """Height and width in pixels, as 384x256."""
    try:
        height, width = (int(side) for side in text.split("x"))
    except ValueError:
        raise ArgumentTypeError(f"{text}: give height and width in pixels, such as 384x256.") from None
    if min(height, width) <= 0 or height % STRIDE or width % STRIDE:
        raise ArgumentTypeError(f"{text}: both sides must be multiples of {STRIDE}.")
    return [height, width]


def _add_detector_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--background", type=int, help="how often an epoch shows each image without a garment")
    parser.add_argument(
        "--balance",
        action=BooleanOptionalAction,
        default=None,
        help="show images of a detector's rare classes more often (its default; classifiers always do)",
    )
    parser.add_argument("--quarter-turns", type=float, help="share of the detector's images shown on their side")
    parser.add_argument("--top-levels", action="store_true", default=None, help="find garments by top-level category")
    parser.add_argument(
        "--canvases",
        action="store_true",
        default=None,
        help="with --top-levels: learn from composed images, which show several garments",
    )
    parser.add_argument("--figures", type=int, help="how many garments to cut out for drawn people on canvases")
    parser.add_argument("--workers", type=int, help="processes that compose canvases (default: none of their own)")
