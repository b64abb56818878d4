"""`manage.py load_taxonomy`: the shipped attributes and values, into the database."""

from typing import Any

from catalog.services.taxonomy import load_taxonomy
from core.commands import EnglishCommand


class Command(EnglishCommand):
    """Add what is missing; change nothing that is there."""

    help = "Load the taxonomy that the project ships. Can be run again at any time: only what is missing is added."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load and say what was added."""
        attributes, values = load_taxonomy()
        self.stdout.write(f"taxonomy: {attributes} attributes and {values} values added")
