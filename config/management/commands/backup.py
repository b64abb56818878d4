"""`manage.py backup`: database and uploads, while the site is used."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.backups import BackupError, back_up
from core.commands import EnglishCommand


class Command(EnglishCommand):
    """Nothing has to be stopped. A second backup into the same folder copies only new files."""

    help = "Back up the database and the uploads into a folder, while the site is being used."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to."""
        parser.add_argument("folder", type=Path, help="best on another machine; may hold earlier backups")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        """Back up; the last line is printed once all is complete."""
        try:
            made = back_up(folder, self.stderr_line)
        except BackupError as error:
            raise CommandError(str(error)) from None
        kept = "" if made.listing else "; the files of uploads are the bucket's to keep"
        self.stdout.write(f"{folder / made.name}.json: {made.files} files, {made.bytes:,} bytes{kept}")
        self.stdout.write("SECRET_KEY and the other settings are not in it: keep them elsewhere.")

    def stderr_line(self, line: str) -> None:
        """Say how far it is."""
        self.stderr.write(line, style_func=str)
