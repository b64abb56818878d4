"""`manage.py operations`: long jobs, how far they are, and what stops them."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.actors import system
from accounts.models import Operation
from classifier.jobs import operations
from classifier.models import ShadowReport
from core.commands import EnglishCommand
from core.errors import Refused

_CHANGES = {"pause": operations.pause, "resume": operations.resume, "cancel": operations.cancel}
_LISTED = 20


class Command(EnglishCommand):
    """One line per operation; for one that tried a candidate, its figures as JSON, too."""

    help = "List long operations, or show, pause, resume or cancel one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which one, and what to do with it."""
        parser.add_argument("id", nargs="?", help="default: list the newest")
        parser.add_argument("change", nargs="?", choices=tuple(_CHANGES), help="what to do with it")

    def handle(self, *args: Any, change: str | None, **options: Any) -> None:
        """Show, or change and show."""
        rows = Operation.objects.order_by("-pk")
        if options["id"] is None:
            for operation in rows[:_LISTED]:
                self._show(operation)
            return
        found = rows.filter(public_id=options["id"]).first()
        if found is None:
            raise CommandError(f"There is no operation {options['id']!r}.")
        if change is not None:
            try:
                _CHANGES[change](actor=system(), operation=found)
            except Refused as refusal:
                raise CommandError(refusal.message) from refusal
            found.refresh_from_db()
        self._show(found)
        report = ShadowReport.objects.filter(operation=found).first()
        if report is not None:
            self.stdout.write(json.dumps(report.figures, ensure_ascii=False, indent=1))

    def _show(self, operation: Operation) -> None:
        error = f"  {operation.error}" if operation.error else ""
        progress = f"{operation.done} of {operation.total}, {operation.failed} failed"
        self.stdout.write(f"{operation.public_id}  {operation.kind}  {operation.state}  {progress}{error}")
