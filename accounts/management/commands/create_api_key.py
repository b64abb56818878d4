"""`manage.py create_api_key MERCHANT`: a key to the API."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.actors import system
from accounts.management.merchants import merchant_named
from accounts.services import create_api_key
from core.commands import EnglishCommand
from core.errors import Refused


class Command(EnglishCommand):
    """Create a key and print it once."""

    help = "Create an API key for a merchant. Its secret is printed once and kept nowhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the merchant, the key's name, and what it may do."""
        parser.add_argument("named", metavar="merchant", help="the merchant's identifier or its exact name")
        parser.add_argument("--name", default="command line", help="what the key is for, shown beside what it decides")
        parser.add_argument("--read-only", action="store_true", help="a key that may look but not change anything")

    def handle(self, *args: Any, named: str, name: str, read_only: bool, **options: Any) -> None:
        """Write the secret alone to stdout, so that a script can take it."""
        merchant = merchant_named(named)
        try:
            key, secret = create_api_key(actor=system(), merchant=merchant, name=name, read_only=read_only)
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        self.stderr.write(f"{key} for {merchant.name}{', read only' if read_only else ''}. It is shown only now:")
        self.stdout.write(secret)
