"""`manage.py load_groups`: the ready groups for staff, with their permissions."""

from typing import Any

from accounts.ready_groups import NAMES, load_groups
from core.commands import EnglishCommand


class Command(EnglishCommand):
    """Make the groups that are missing, and give all of them the permissions of today."""

    help = "Load the ready groups for staff. Can be run again at any time: their permissions become those shipped."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load and say which they are."""
        load_groups()
        self.stdout.write(f"groups: {', '.join(sorted(NAMES))}")
