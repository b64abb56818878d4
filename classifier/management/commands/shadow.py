"""`manage.py shadow`: try a candidate on stored images, unseen by anybody."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.actors import system
from classifier.management.registered import NAMING, find_all
from classifier.registry import shadow
from core.commands import EnglishCommand
from core.errors import Refused


class Command(EnglishCommand):
    """Workers do it in the background; the report is in the admin and comes from `manage.py operations ID`."""

    help = "Let a candidate look at stored images, and report what it would change."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whom to try on how much."""
        parser.add_argument("models", nargs="+", metavar="MODEL", help=NAMING)
        parser.add_argument(
            "--sample",
            type=int,
            metavar="N",
            help=f"about N images of products drawn at random; at most, and by default, {shadow.MOST_SAMPLED}",
        )
        parser.add_argument("--seed", type=int, help="draw the same products again")

    def handle(self, *args: Any, models: list[str], sample: int | None, seed: int | None, **options: Any) -> None:
        """Queue it; CommandError says why not."""
        versions, model_set = find_all(models)
        try:
            operation = shadow.start(actor=system(), versions=versions, model_set=model_set, sample=sample, seed=seed)
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        self.stderr.write(
            f"{operation.total} images are queued. How far it is: manage.py operations {operation.public_id}"
        )
        self.stdout.write(operation.public_id)
