"""`manage.py create_api_key SHOP`: a key to the API."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from accounts.actors import system
from accounts.errors import Refused
from accounts.models import Merchant
from accounts.services import create_api_key


def _shop(text: str) -> Merchant:
    found = list(Merchant.objects.filter(Q(public_id=text) | Q(name=text), is_active=True)[:2])
    if len(found) == 1:
        return found[0]
    reason = "Several shops have that name; give the identifier" if found else "There is no open shop with that name"
    known = ", ".join(f"{shop.public_id} ({shop.name})" for shop in Merchant.objects.filter(is_active=True)[:20])
    raise CommandError(f"{reason}. Shops: {known or 'none yet'}.")


class Command(BaseCommand):
    """Create a key and print it once."""

    help = "Create an API key for a shop. Its secret is printed once and kept nowhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the shop, the key's name, and what it may do."""
        parser.add_argument("shop", help="the shop's identifier or its exact name")
        parser.add_argument("--name", default="command line", help="what the key is for, shown beside what it decides")
        parser.add_argument("--read-only", action="store_true", help="a key that may look but not change anything")

    def handle(self, *args: Any, shop: str, name: str, read_only: bool, **options: Any) -> None:
        """Write the secret alone to stdout, so that a script can take it."""
        merchant = _shop(shop)
        try:
            key, secret = create_api_key(actor=system(), merchant=merchant, name=name, read_only=read_only)
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        self.stderr.write(f"{key} for {merchant.name}{', read only' if read_only else ''}. It is shown only now:")
        self.stdout.write(secret)
