"""The language of commands."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import translation


class EnglishCommand(BaseCommand):
    """A command of this project. It speaks English as its options do, also where it repeats what a service says."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run it in English; a caller from code keeps its own language."""
        with translation.override("en"):
            return super().execute(*args, **options)
