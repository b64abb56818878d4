"""`manage.py roll_back`: the set that served before serves again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from accounts.actors import system
from classifier.registry import model_sets
from core.commands import EnglishCommand
from core.errors import Refused


class Command(EnglishCommand):
    """Running workers follow within seconds."""

    help = "Go back to the models that were active before. A second time goes forward again."

    def handle(self, *args: Any, **options: Any) -> None:
        """Go back; CommandError if nothing was active before."""
        try:
            model_set = model_sets.roll_back(actor=system())
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{model_set} (set:{model_set.pk}) serves again.")
