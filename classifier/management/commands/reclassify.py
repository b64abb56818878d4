"""`manage.py reclassify`: the active models look at the whole catalogue once more."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.actors import system
from accounts.management.merchants import merchant_named
from classifier.jobs.operations import start_reclassify
from core.commands import EnglishCommand
from core.errors import Refused


class Command(EnglishCommand):
    """Workers do it in the background; `manage.py operations ID` shows how far they are, pauses and cancels."""

    help = "Classify all images again. People's decisions and published products stay as they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """All merchants or one."""
        parser.add_argument(
            "--merchant", metavar="MERCHANT", help="only this merchant's images: its identifier or exact name"
        )

    def handle(self, *args: Any, merchant: str | None, **options: Any) -> None:
        """Queue it and print the operation's id."""
        found = None if merchant is None else merchant_named(merchant)
        try:
            operation = start_reclassify(actor=system(), merchant=found)
        except Refused as refused:
            raise CommandError(refused.message) from refused
        self.stderr.write(
            f"{operation.total} images to classify. How far it is: manage.py operations {operation.public_id}"
        )
        self.stdout.write(operation.public_id)
