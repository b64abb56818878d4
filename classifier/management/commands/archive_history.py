"""`manage.py archive_history`: keeps the tables that grow for ever small."""

import threading
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from classifier.history import KINDS, archive
from classifier.jobs import chores
from core.commands import EnglishCommand

_DAYS = 365
_FEWEST_DAYS = 180  # figures, undoing and the sweep look at far less


def days(text: str) -> int:
    """Read the option; too few days would take from people what pages still show."""
    try:
        number = int(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a number of days") from None
    if number < _FEWEST_DAYS:
        raise ArgumentTypeError(f"at least {_FEWEST_DAYS} days")
    return number


class Command(EnglishCommand):
    """For a timer, monthly. Nothing has to be stopped, and after a kill it is run again."""

    help = "Write old rows of the audit trail, jobs and operations into compressed files, and delete them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to, how old, and what."""
        parser.add_argument("folder", type=Path, help="for the files; they name people, as the rows do")
        parser.add_argument(
            "--older-than", type=days, default=_DAYS, metavar="DAYS", help=f"{_DAYS}, at least {_FEWEST_DAYS}"
        )
        parser.add_argument("--only", action="append", choices=tuple(KINDS), help="repeatable; all of them without it")

    def handle(self, *args: Any, folder: Path, older_than: int, only: list[str] | None, **options: Any) -> None:
        """Archive each kind, and say how many rows went where."""
        before = timezone.now() - timedelta(days=older_than)
        with chores.alone("archive", threading.Event()) as goes_on:
            if goes_on is None:
                raise CommandError("Another process archives just now.")
            for code in only or KINDS:
                done = archive(KINDS[code], folder, before, goes_on)
                where = f" in {done.file}" if done.file else ""
                self.stdout.write(f"{code}: {done.rows}{where}  ({done.kind.sentence})")
