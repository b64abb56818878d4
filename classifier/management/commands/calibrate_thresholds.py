"""`manage.py calibrate_thresholds`: from which confidence on values are auto-accepted."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.actors import system
from classifier.models import AcceptanceThreshold
from classifier.quality.thresholds import TARGET_PRECISION, calibrate
from core.commands import EnglishCommand
from core.errors import Refused


class Command(EnglishCommand):
    """Calibrates and prints every threshold."""

    help = "Calibrate on people's decisions from which confidence on proposals are auto-accepted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the precision that accepted values shall have."""
        parser.add_argument(
            "--precision",
            type=float,
            default=TARGET_PRECISION,
            help="share of the accepted values that shall be right, by its lower Wilson bound (default %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line per scope."""
        try:
            thresholds = calibrate(actor=system(), precision=options["precision"])
        except Refused as refused:
            raise CommandError(refused.message) from refused
        for row in thresholds:
            self.stdout.write(_line(row))
        self.stdout.write(f"{sum(row.threshold is not None and row.enabled for row in thresholds)} in use")


def _line(row: AcceptanceThreshold) -> str:
    where = f"{row.merchant or '*'}  {row.attribute.code}  {row.value.code if row.value else '*'}  {row.model_version}"
    if not row.enabled:
        return f"{where}  switched off  ({row.decisions} decisions)"
    if row.threshold is None or row.lower_bound is None or row.coverage is None:
        return f"{where}  {'off' if row.rules else 'too few'}  ({row.decisions} decisions)"
    return (
        f"{where}  {row.threshold:.4f}  {row.right}/{row.above} right, at least {row.lower_bound:.3f}, "
        f"coverage {row.coverage:.2f}"
    )
