"""`manage.py export_dataset`: what people decided, as a data set to train on."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.timezone import make_aware

from accounts.actors import system
from accounts.management.merchants import merchant_named
from classifier.management.importing import VAL_SHARE
from classifier.management.progress import ProgressBar
from core.commands import EnglishCommand
from core.errors import Refused


class Command(EnglishCommand):
    """Writes a new folder; changes nothing in the database but the audit trail."""

    help = (
        "Export products that people decided on as labels.csv and images/. Left out are merchants that have "
        "not agreed, and whatever only a model or a program said."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which decisions, and where to."""
        parser.add_argument("--out", type=Path, required=True, help="a new folder")
        parser.add_argument(
            "--merchant", action="append", default=[], help="a merchant's identifier or exact name; may be repeated"
        )
        parser.add_argument(
            "--since", type=date.fromisoformat, metavar="YYYY-MM-DD", help="decided on that day or later"
        )
        parser.add_argument("--until", type=date.fromisoformat, metavar="YYYY-MM-DD", help="or until that day")
        parser.add_argument("--attribute", action="append", default=[], help="an attribute's code; may be repeated")
        parser.add_argument(
            "--val-share", type=float, default=VAL_SHARE, help="share of the products to measure on (%(default)s)"
        )
        parser.add_argument(
            "--trust-boxes",
            action="store_true",
            help="let a model's box train detectors where it is the only one in its image",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Export and say what was left out."""
        # Imported here: this is the one service that reads data sets.
        from classifier.exports import Selection, export_dataset

        if not 0.0 <= options["val_share"] < 1.0:
            raise CommandError("--val-share must be at least 0 and less than 1.")
        selection = Selection(
            merchants=[merchant_named(text) for text in options["merchant"]],
            attributes=options["attribute"],
            since=_start_of(options["since"]),
            until=_start_of(options["until"] and options["until"] + timedelta(days=1)),
        )
        try:
            summary = export_dataset(
                actor=system(),
                folder=options["out"],
                selection=selection,
                val_share=options["val_share"],
                trusts_boxes=options["trust_boxes"],
                progress=ProgressBar(self.stderr if options["verbosity"] else None),
            )
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{summary.images} images of {summary.products} products")
        for reason, count in sorted(summary.rejected.items()):
            self.stdout.write(f"left out, {reason}: {count}")
        if summary.refusing:
            self.stdout.write(f"merchants that have not agreed: {', '.join(summary.refusing)}")


def _start_of(day: date | None) -> datetime | None:
    return make_aware(datetime.combine(day, time.min)) if day else None
