"""CSV files, as Korean and other spreadsheet programs write them."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from typing import IO

from catalog.imports.refusals import refusal

LONGEST = 100_000  # characters of a line, or of a cell over several lines
_CHUNK = 2**20
_SEPARATORS = ",\t;|"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(file: IO[bytes]) -> tuple[str, int]:
    """Return the encoding of a text file and how many lines it has at most. It is read to its end.

    Raises:
        Refused: `encoding`: it is neither UTF-8, UTF-16 with a mark, nor CP949.
    """
    file.seek(0)
    head = file.read(4)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    for name in (marked,) if marked else ("utf-8", "cp949"):
        if (lines := _lines(file, name)) is not None:
            return name, lines
    raise refusal("encoding")


def _lines(file: IO[bytes], encoding: str) -> int | None:
    """How many lines the file has in that encoding; None if it is not in that encoding."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    try:
        while chunk := file.read(_CHUNK):
            text = decoder.decode(chunk)
            if "\x00" in text:
                return None
            lines += text.count("\n") or text.count("\r")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    return lines


def _separator(head: str) -> str:
    """What stands between the cells: what is most often in the first line."""
    return max(_SEPARATORS, key=lambda separator: (head.count(separator), separator == ","))


def _bounded(text: io.TextIOWrapper) -> Iterator[str]:
    """The lines of the file, none longer than may be kept in memory."""
    number = 0
    while line := text.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST:
            raise refusal("cell_too_long", line=number, limit=LONGEST)
        yield line


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
        reader = csv.reader(_bounded(text), delimiter=_separator(first), strict=True)
        while True:
            try:
                row = next(reader, None)
            except csv.Error as error:
                if "field larger" in str(error):
                    raise refusal("cell_too_long", line=reader.line_num, limit=LONGEST) from error
                raise refusal("csv_broken", line=reader.line_num) from error
            if row is None:
                return
            yield reader.line_num, row
    finally:
        text.detach()
