"""`manage.py restore`: a backup into an empty database and an empty folder of uploads."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.backups import BackupError, restore
from core.commands import EnglishCommand


class Command(EnglishCommand):
    """It writes over nothing. Start no web process and no worker before it is done."""

    help = "Restore a backup into an empty database and an empty folder of uploads."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which backup."""
        parser.add_argument("backup", type=Path, help="the folder of backups, for the newest; or the JSON file of one")

    def handle(self, *args: Any, backup: Path, **options: Any) -> None:
        """Restore; then the site can be started."""
        try:
            made = restore(backup, self.stderr_line)
        except BackupError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{made.name} is restored. Look at it: manage.py audit_data")

    def stderr_line(self, line: str) -> None:
        """Say how far it is."""
        self.stderr.write(line, style_func=str)
