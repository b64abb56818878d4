"""`manage.py import_dataset`: data sets of simple kinds, checked, into the layout of the trainings."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from classifier.management.importing import ImportCommand


class Command(ImportCommand):
    """Needs no database. Reads its sources only."""

    help = (
        "Make one data set out of folders that each have labels.csv and images/, a folder of images for each class, or "
        "boxes of garments as Label Studio (JSON) or CVAT (XML for images) export them. What cannot be used is listed "
        "in rejects.csv."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folders, and what is special about them."""
        parser.add_argument("sources", nargs="+", type=Path, metavar="FOLDER")
        parser.add_argument(
            "--attribute", help="what the names of class folders are, such as material; or labels of boxes (category)"
        )
        parser.add_argument(
            "--keep-unknown", action="store_true", help="keep class names that the taxonomy does not have"
        )
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Convert; started again after an interruption, go on."""
        from vision.training.imports import import_items

        sources, attribute, val_share = options["sources"], options["attribute"], options["val_share"]
        self.run(
            options,
            {"sources": sources},
            lambda vocabulary: import_items(sources, attribute, vocabulary, val_share),
            keeps_unknown=options["keep_unknown"],
            attribute=attribute,
            keep_unknown=options["keep_unknown"],
        )
