"""`manage.py reclassify`: the active models look at the whole catalogue once more."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.actors import system
from accounts.management.english import EnglishCommand
from accounts.models import Merchant
from classifier.operations import start_reclassify


class Command(EnglishCommand):
    """Workers do it in the background; `manage.py operations ID` shows how far they are, pauses and cancels."""

    help = "Classify all photographs again. People's decisions and published products stay as they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """All shops or one."""
        parser.add_argument("--merchant", metavar="SHOP", help="only this shop's photographs (its identifier)")

    def handle(self, *args: Any, merchant: str | None, **options: Any) -> None:
        """Queue it and print the operation's id."""
        shop = Merchant.objects.filter(public_id=merchant).first() if merchant else None
        if merchant and shop is None:
            raise CommandError(f"There is no shop {merchant!r}.")
        operation = start_reclassify(actor=system(), merchant=shop)
        self.stderr.write(
            f"{operation.total} photographs to classify. How far it is: manage.py operations {operation.public_id}"
        )
        self.stdout.write(operation.public_id)
