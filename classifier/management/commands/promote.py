"""`manage.py promote`: models of the registry into service."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.actors import system
from classifier.management.registered import NAMING, find_all
from classifier.registry import model_sets
from core.commands import EnglishCommand
from core.errors import Refused


class Command(EnglishCommand):
    """Running workers follow within seconds."""

    help = "Let versions serve in their roles, or a whole set as it is. What people decided stays."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to promote."""
        parser.add_argument("models", nargs="+", metavar="MODEL", help=NAMING)
        parser.add_argument("--only", action="store_true", help="these alone, without the rest of the active set")

    def handle(self, *args: Any, models: list[str], only: bool, **options: Any) -> None:
        """Promote; CommandError says why not."""
        versions, model_set = find_all(models)
        try:
            if model_set is not None:
                model_sets.promote_set(actor=system(), model_set=model_set)
            else:
                model_set = model_sets.promote(actor=system(), versions=versions, only=only)
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{model_set} (set:{model_set.pk}) serves now:")
        for version in model_set.versions.all():
            self.stdout.write(f"  {version.role}: {version.name}")
