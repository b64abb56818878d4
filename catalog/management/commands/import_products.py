"""`manage.py import_products`: products from a table, a ZIP file, a folder of photos, or several of these."""

from __future__ import annotations

import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.management.base import CommandError

from accounts.actors import Actor, system
from accounts.channels import Channel
from accounts.management.merchants import merchant_named
from accounts.models import Merchant, Operation
from accounts.services import operations
from catalog.imports.refusals import sentence
from catalog.models import ImportLine, ProductImport
from catalog.selectors import Taxonomy
from catalog.services.imports import report, sending
from core.commands import EnglishCommand
from core.errors import Refused

_NEVER = threading.Event()
_SHOWN = 50
_JUNK = frozenset(("thumbs.db", "desktop.ini"))


class Command(EnglishCommand):
    """The same import as the portal's, carried out here or by a worker."""

    help = (
        "Look through a table (CSV, XLSX), ZIP files or folders of photos, say what each line would do, and with --yes "
        "import it. Existing SKUs are changed, never doubled."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The files, whose they become, and whether they are imported."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="FILE", help="tables, ZIP files, photos or folders")
        parser.add_argument("--merchant", required=True, help="name or identifier of the merchant")
        parser.add_argument("--yes", action="store_true", help="import; without it, only say what would be done")
        parser.add_argument(
            "--column", action="append", default=[], metavar="HEAD=COLUMN", help="what a column is, such as 품명=name"
        )
        parser.add_argument("--report", type=Path, help="write a line for each line to this CSV file")
        parser.add_argument("--queue", action="store_true", help="with --yes: leave the import to a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        """Send the files, check, and import."""
        merchant = merchant_named(options["merchant"])
        actor = system(Channel.COMMAND)
        try:
            found = self._sent(actor, merchant, options["paths"])
            self._check(actor, found, options["column"])
            self._say(found)
            if options["yes"]:
                self._import(actor, found, queue=options["queue"])
            if options["report"]:
                with options["report"].open("wb") as file:
                    file.writelines(report.encoded(found))
            if not options["yes"]:
                sending.drop(actor=actor, found=found)
                sending.delete_files(found)
                self.stdout.write("Nothing was stored. Say --yes to import.")
        except (Refused, OSError) as error:
            raise CommandError(str(error)) from error

    def _sent(self, actor: Actor, merchant: Merchant, paths: list[Path]) -> ProductImport:
        found = sending.begin(actor=actor, merchant=merchant)
        for path, name in (one for given in paths for one in _files(given)):
            with path.open("rb") as opened:
                sending.add_file(actor=actor, found=found, file=File(opened, name=path.name), path=name)
        return found

    def _check(self, actor: Actor, found: ProductImport, said: list[str]) -> None:
        """Let the dry run end, in this process; once more if columns were said, which need its heads."""
        self._carry_out(sending.start_check(actor=actor, found=found))
        found.refresh_from_db()
        if said:
            columns = _columns(found, said)
            self._carry_out(sending.start_check(actor=actor, found=found, columns=columns))
            found.refresh_from_db()
        if found.refusal:
            raise CommandError(sentence(found.refusal, report.column_names(Taxonomy.load())))

    def _say(self, found: ProductImport) -> None:
        names = report.column_names(Taxonomy.load())
        wrong = ImportLine.objects.filter(of=found).exclude(problems=[]).order_by("number")
        for line in wrong[:_SHOWN]:
            said = " ".join(sentence(problem, names) for problem in line.problems)
            self.stdout.write(f"line {line.number} {line.sku}: {said}")
        counts = ", ".join(f"{count} {action}" for action, count in sorted(found.counts.items()))
        self.stdout.write(f"{sum(found.counts.values())} lines: {counts}")

    def _import(self, actor: Actor, found: ProductImport, *, queue: bool) -> None:
        operation = sending.start(actor=actor, found=found)
        if queue:
            self.stdout.write(f"A worker imports it: manage.py operations {operation.public_id}")
            return
        self._carry_out(operation)
        operation.refresh_from_db()
        found.refresh_from_db()
        sending.delete_files(found)
        self.stdout.write(f"{operation.done} lines done, {operation.failed} not possible")

    def _carry_out(self, operation: Operation) -> None:
        """Go on with an operation until it ends; a worker may do some of it as well."""
        while Operation.objects.filter(pk=operation.pk, state__in=operations.ALIVE).exists():
            operations.continue_one(operation)
            _NEVER.wait(0.05)


def _files(path: Path) -> Iterator[tuple[Path, str]]:
    """The file, or all files of a folder, with the names that they have in the import."""
    if not path.is_dir():
        yield path, path.name
        return
    for file in sorted(path.rglob("*")):
        parts = file.relative_to(path).parts
        if file.is_file() and not any(part.startswith(".") for part in parts) and file.name.lower() not in _JUNK:
            yield file, "/".join(parts)


def _columns(found: ProductImport, said: list[str]) -> dict[int, str]:
    """Which column is what: as it was guessed, but for what is said."""
    columns = {place: str(column["column"]) for place, column in enumerate(found.columns)}
    heads = {column["head"]: place for place, column in enumerate(found.columns)}
    for one in said:
        head, equals, code = one.rpartition("=")
        if not equals or head not in heads:
            raise CommandError(f"--column {one}: the table's heads are {', '.join(heads)}.")
        columns = {place: "" if column == code else column for place, column in columns.items()}
        columns[heads[head]] = code
    return columns
