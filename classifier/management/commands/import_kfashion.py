"""`manage.py import_kfashion`: AIHub's K-Fashion as a data set for the trainings."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from classifier.management.importing import ImportCommand


class Command(ImportCommand):
    """Needs no database. Reads its sources only."""

    help = (
        "Make a data set out of K-Fashion's images and JSON files: labels.csv, detectors' labels, crops and "
        "statistics. What cannot be used is listed in rejects.csv."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The two folders of K-Fashion."""
        parser.add_argument("--images", type=Path, required=True, help="folder of the images, with subfolders")
        parser.add_argument("--labels", type=Path, required=True, help="folder of the JSON files, with subfolders")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Convert; started again after an interruption, go on."""
        from vision.training.kfashion import kfashion_items

        images, labels, val_share = options["images"], options["labels"], options["val_share"]
        self.run(
            options,
            {"images": [images], "labels": [labels]},
            lambda vocabulary: kfashion_items(images, labels, vocabulary, val_share),
        )
