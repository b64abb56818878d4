"""CSV files, as Korean and other spreadsheet programs write them."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from catalog.imports.refusals import refusal

LONGEST = 100_000  # characters of a line, or of a cell over several lines
LONGEST_RECORD = 4_000_000  # characters of all cells that belong together: quotes let a row go on over many lines
_CHUNK = 2**20
_SEPARATORS = ",\t;|"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(file: IO[bytes]) -> str:
    """Return the encoding of a text file. It is read to its end.

    Raises:
        Refused: `encoding`: it is neither UTF-8, UTF-16 with a mark, nor CP949.
    """
    file.seek(0)
    head = file.read(4)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    for name in (marked,) if marked else ("utf-8", "cp949"):
        if _is_text(file, name):
            return name
    raise refusal("encoding")


def _is_text(file: IO[bytes], encoding: str) -> bool:
    """Whether all of the file is in that encoding."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(_CHUNK):
            if "\x00" in decoder.decode(chunk):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _separator(head: str) -> str:
    """What separates the cells: what is most often in the first line."""
    return max(_SEPARATORS, key=lambda separator: (head.count(separator), separator == ","))


class _Bounded:
    """The lines of the file, none longer than may be kept in memory, and no row of endlessly many."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._number = self._length = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(LONGEST + 1):
            self._number += 1
            self._length += len(line)
            if len(line) > LONGEST:
                raise refusal("cell_too_long", line=self._number, limit=LONGEST)
            if self._length > LONGEST_RECORD:
                raise refusal("cell_too_long", line=self._number, limit=LONGEST_RECORD)
            yield line

    def row_ended(self) -> None:
        """Begin to count again."""
        self._length = 0


def rows(file: IO[bytes], encoding: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows with the number of the line in which each ends; the file stays open.

    Raises:
        Refused: `csv_broken`, `cell_too_long`.
    """
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        first = text.readline(LONGEST)
        text.seek(0)
        csv.field_size_limit(LONGEST)
        lines = _Bounded(text)
        reader = csv.reader(lines, delimiter=_separator(first), strict=True)
        while True:
            try:
                row = next(reader, None)
            except csv.Error as error:
                if "field larger" in str(error):
                    raise refusal("cell_too_long", line=reader.line_num, limit=LONGEST) from error
                raise refusal("csv_broken", line=reader.line_num) from error
            if row is None:
                return
            lines.row_ended()
            yield reader.line_num, row
    finally:
        with suppress(ValueError):  # the file was closed before
            text.detach()
