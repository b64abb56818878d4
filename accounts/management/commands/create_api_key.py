"""`manage.py create_api_key MERCHANT`: a key to the API."""

from argparse import ArgumentParser
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts.actors import system
from accounts.management.merchants import merchant_named
from accounts.models import Scope
from accounts.services import create_api_key
from core.commands import EnglishCommand
from core.errors import Refused


class Command(EnglishCommand):
    """Create a key and print it once."""

    help = "Create an API key for a merchant. Its secret is printed once and kept nowhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the merchant, the key's name, what it may do, and how long it is good."""
        parser.add_argument("named", metavar="merchant", help="the merchant's identifier or its exact name")
        parser.add_argument("--name", default="command line", help="what the key is for, shown beside what it decides")
        may = parser.add_mutually_exclusive_group()
        may.add_argument(
            "--scopes",
            type=lambda text: text.split(","),
            default=list(Scope.values),
            help="what it may do, with commas between: read,write,classify (the default)",
        )
        may.add_argument(
            "--read-only", action="store_const", const=[Scope.READ.value], dest="scopes", help="short for --scopes read"
        )
        parser.add_argument(
            "--last-day", type=date.fromisoformat, help="on which it is good, such as 2027-12-31; without it, for ever"
        )

    def handle(
        self, *args: Any, named: str, name: str, scopes: list[str], last_day: date | None, **options: Any
    ) -> None:
        """Write the secret alone to stdout, so that a script can take it."""
        merchant = merchant_named(named)
        ends = timezone.make_aware(datetime.combine(last_day + timedelta(days=1), time())) if last_day else None
        try:
            key, secret = create_api_key(actor=system(), merchant=merchant, name=name, scopes=scopes, expires_at=ends)
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        may = ", ".join(key.scopes)
        self.stderr.write(f"{key} for {merchant.name}, scopes: {may}. It is shown only now:")
        self.stdout.write(secret)
