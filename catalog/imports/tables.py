"""Tables, whatever they are written as: their heads, and their lines one after another."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO, Any

from django.conf import settings

from catalog.imports import csv_tables, xlsx_tables
from catalog.imports.archives import is_archive
from catalog.imports.refusals import refusal

MOST_COLUMNS = 200
_SAMPLES = 3
_OFTEN = 500  # lines
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHER_ARCHIVES = (b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"ALZ\x01", b"EGGA")
_OTHER_SPREADSHEETS = frozenset((".ods", ".numbers", ".xlsb", ".cell", ".et"))
_ENDINGS = frozenset((".csv", ".tsv", ".txt", ".xlsx", ".xlsm"))


def is_table(name: str) -> bool:
    """Whether a file of that name is a table rather than a photo."""
    return PurePath(name).suffix.lower() in _ENDINGS | _OTHER_SPREADSHEETS | {".xls"}


def check_kind(name: str, head: bytes) -> None:
    """Refuse files that are neither a table that can be read, nor a ZIP file, by what they begin with.

    Raises:
        Refused: `old_excel`, `protected`, `other_spreadsheet`, `other_archive`.
    """
    ending = PurePath(name).suffix.lower()
    if head.startswith(_OLE):
        raise refusal("protected" if ending in {".xlsx", ".xlsm"} else "old_excel", file=name)
    if ending == ".xls" and not is_archive(head):
        raise refusal("old_excel", file=name)
    if ending in _OTHER_SPREADSHEETS:
        raise refusal("other_spreadsheet", file=name)
    if head.startswith(_OTHER_ARCHIVES):
        raise refusal("other_archive", file=name)


@dataclass(frozen=True)
class Heads:
    """A table's columns: what is written above each, and what the first lines hold."""

    heads: list[str]
    samples: list[list[str]]


class Table:
    """A table that has been looked through.

    Args:
        file: its bytes, sought in; it stays open.
        name: what people know it by.

    Raises:
        Refused: it cannot be read; see `catalog.imports.refusals`.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        file.seek(0)
        head = file.read(8)
        check_kind(name, head)
        self._encoding = ""
        if is_archive(head):
            xlsx_tables.check(file, name)
        else:
            self._encoding = csv_tables.encoding_of(file)

    def _rows(self) -> Iterator[tuple[int, list[Any]]]:
        """All rows that have something in them, the heads first."""
        limit = settings.OTJANG_IMPORT_MAX_LINES
        if self._encoding:
            found: Iterator[tuple[int, list[Any]]] = csv_tables.rows(self._file, self._encoding)
        else:
            found = xlsx_tables.rows(self._file, MOST_COLUMNS)
        count = 0
        for number, row in found:
            cells = _without_end(row)
            if not cells:
                continue
            if len(cells) > MOST_COLUMNS:
                raise refusal("too_many_columns", limit=MOST_COLUMNS)
            count += 1
            if count > limit + 1:
                raise refusal("too_many_lines", limit=limit)
            yield number, cells

    def heads(self) -> Heads:
        """Return the heads, and what the first lines below them hold. Raises Refused `table_empty`."""
        first = list(itertools.islice(self._rows(), _SAMPLES + 1))
        if len(first) < 2:
            raise refusal("table_empty")
        heads = [_shown(cell) for cell in first[0][1]]
        width = max(len(row) for _number, row in first)
        heads += [""] * (width - len(heads))
        samples = [
            [_shown(row[column]) if column < len(row) else "" for _n, row in first[1:]] for column in range(width)
        ]
        return Heads(heads, samples)

    def count(self, alive: Callable[[], None] = lambda: None) -> int:
        """Read the table to its end and return how many lines follow the heads.

        So what is broken is said before anything is stored, and how far the check is can be shown.

        Args:
            alive: called every now and then; it may raise.

        Raises:
            Refused: the table is broken, or has too many lines or columns.
        """
        number = 0
        for number, _line in enumerate(self.lines(), 1):
            if number % _OFTEN == 0:
                alive()
        return number

    def lines(self) -> Iterator[tuple[int, list[Any]]]:
        """Yield what follows the heads, with the numbers of the lines as spreadsheets show them."""
        rows = self._rows()
        next(rows, None)
        yield from rows


def _without_end(row: list[Any]) -> list[Any]:
    """The row without the empty cells at its end."""
    width = len(row)
    while width and isinstance(row[width - 1], str) and not row[width - 1].strip():
        width -= 1
    return row[:width]


def _shown(cell: Any) -> str:
    return "=…" if cell is xlsx_tables.FORMULA else str(cell)[:80].strip("\ufeff ")
