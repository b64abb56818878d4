"""`manage.py rotate_api_key PREFIX`: another secret for a key."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError

from accounts.actors import system
from accounts.models import ApiKey
from accounts.services import rotate_api_key
from core.commands import EnglishCommand
from core.errors import Refused


class Command(EnglishCommand):
    """Replace a key's secret and print the new one once."""

    help = "Give an API key another secret. It is printed once and kept nowhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the key, and how long its old secret stays good."""
        parser.add_argument("prefix", help="the readable beginning of the key, such as otj_240bd6")
        parser.add_argument(
            "--keep-old-hours", type=int, default=24, metavar="HOURS", help="how long the old secret stays good (24)"
        )

    def handle(self, *args: Any, prefix: str, keep_old_hours: int, **options: Any) -> None:
        """Write the secret alone to stdout, so that a script can take it."""
        key = ApiKey.objects.select_related("merchant").filter(prefix=prefix).first()
        if key is None:
            raise CommandError(f"There is no key with the prefix {prefix!r}.")
        try:
            secret = rotate_api_key(actor=system(), key=key, overlap=timedelta(hours=keep_old_hours))
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        self.stderr.write(
            f"{key}: the old secret is good for {keep_old_hours} more hours. The new one, shown only now:"
        )
        self.stdout.write(secret)
