"""`manage.py load_mappings`: the shipped mappings to marketplaces' taxonomies, into the database."""

from typing import Any

from catalog.services.mappings import load_shipped
from core.commands import EnglishCommand


class Command(EnglishCommand):
    """Add what is missing; change nothing that is there."""

    help = "Load the mappings that the project ships. Can be run again at any time: only what is missing is added."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load and say what was added."""
        self.stdout.write(f"mappings: {load_shipped()} added")
