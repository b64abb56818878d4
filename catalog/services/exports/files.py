"""Lines of products as a file. Whatever their number, memory holds one batch of them, and a chunk of one image."""

from __future__ import annotations

import csv
import io
import logging
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any

import xlsxwriter
from django.conf import settings
from django.core.files.storage import default_storage
from zipstream import ZIP_DEFLATED, ZIP_STORED, ZipStream

from catalog.product_columns import Wording
from catalog.services.exports.choice import Format
from catalog.services.exports.lines import ExportLines, ImageFile, Line
from catalog.storage import read_errors

logger = logging.getLogger(__name__)

MOST_IMAGES = 100_000  # in one ZIP: its list of contents is held until the end
_CHUNK = 256 * 1024
_SHEET_ROWS = 1_048_575  # that a sheet holds below its head
_BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes UTF-8 for something else
_TABLE = "products"
_REPORT = "report.csv"

Tick = Callable[[], None]


def _nothing() -> None:
    """Nobody wants to hear of the progress."""


def file_chunks(lines: ExportLines, tick: Tick = _nothing) -> Iterator[bytes]:
    """Write an export in the format that was chosen.

    Args:
        lines: what is exported.
        tick: called after each batch and each image; what it raises ends the export.

    Yields:
        The file, in pieces.
    """
    if lines.choice.format is Format.ZIP:
        yield from zip_chunks(lines, tick)
    elif lines.choice.format is Format.CSV:
        yield from csv_chunks(lines, tick)
    else:
        with tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as file:
            write_xlsx(file, lines, tick)
            yield from _content(file)


def csv_chunks(lines: ExportLines, tick: Tick = _nothing) -> Iterator[bytes]:
    """Write a CSV file: UTF-8 with a byte order mark, commas, CRLF; a batch at a time."""
    yield _csv_text([lines.heads], _BYTE_ORDER_MARK)
    for batch in lines.batches():
        yield _csv_text(line.cells for line in batch)
        tick()


def _csv_text(rows: Any, beginning: str = "") -> bytes:
    text = io.StringIO()
    text.write(beginning)
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(errors="replace")


class _Sheets:
    """An XLSX file that is written row by row. Every cell is text: no formula, link or number is made of it."""

    def __init__(self, file: IO[bytes], heads: list[str], folder: str) -> None:
        self._book = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": folder})
        self._text = self._book.add_format({"num_format": "@"})  # so that what is typed over stays text, too: 00123
        self._bold = self._book.add_format({"bold": True, "num_format": "@"})
        self._heads = heads
        self._begin()

    def _begin(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._sheet.set_column(0, len(self._heads) - 1, 18, self._text)
        self._sheet.freeze_panes(1, 0)
        self._row = 0
        self._write(self._heads, self._bold)

    def _write(self, cells: list[str], style: Any) -> None:
        for column, cell in enumerate(cells):
            if cell:
                self._sheet.write_string(self._row, column, cell, style)
        self._row += 1

    def add(self, line: Line) -> None:
        """Write a line; what one sheet does not hold goes on in the next."""
        if self._row > _SHEET_ROWS:
            self._begin()
        self._write(line.cells, self._text)

    def close(self, report: list[tuple[str, str, str]], name: str) -> None:
        """End the file, with a report in a sheet of its own if there is something to report."""
        if report:
            self._sheet = self._book.add_worksheet(name)
            self._sheet.set_column(0, 2, 30, self._text)
            self._row = 0
            for row in report:
                self._write(list(row), self._text)
        self._book.close()


def write_xlsx(file: IO[bytes], lines: ExportLines, tick: Tick = _nothing) -> None:
    """Write an XLSX file. Values without a counterpart are listed in a second sheet."""
    with _rows_folder() as folder:
        sheets = _Sheets(file, lines.heads, folder)
        for batch in lines.batches():
            for line in batch:
                sheets.add(line)
            tick()
        sheets.close(_report(lines, []), _report_name(lines))


def _rows_folder() -> tempfile.TemporaryDirectory[str]:
    """Where rows lie until the end. What a killed process leaves there is swept like what is left of uploads."""
    return tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR, suffix=".upload")


def zip_chunks(lines: ExportLines, tick: Tick = _nothing) -> Iterator[bytes]:
    """Write a ZIP: the images in their order, if they are wanted, then the table, and a report where there is need."""
    archive = ZipStream(compress_type=ZIP_STORED)
    missing: list[str] = []
    with tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as table:
        for batch in _written(table, lines):
            for image in (image for line in batch for image in line.images):
                yield from _image_chunks(archive, image, missing)
                tick()
            tick()
        table.seek(0)
        archive.add(_content(table), f"{_TABLE}.{lines.choice.sheet.value}", compress_type=ZIP_DEFLATED)
        yield from archive.all_files()
    if report := _report(lines, missing):
        archive.add(_csv_text(report, _BYTE_ORDER_MARK), _REPORT, compress_type=ZIP_DEFLATED)
    yield from archive.finalize()


def _written(table: IO[bytes], lines: ExportLines) -> Iterator[list[Line]]:
    """Write the table, and hand each batch on."""
    if lines.choice.sheet is Format.CSV:
        table.write(_csv_text([lines.heads], _BYTE_ORDER_MARK))
        for batch in lines.batches():
            table.write(_csv_text(line.cells for line in batch))
            yield batch
        return
    with _rows_folder() as folder:
        sheets = _Sheets(table, lines.heads, folder)
        for batch in lines.batches():
            for line in batch:
                sheets.add(line)
            yield batch
        sheets.close([], "")


def _image_chunks(archive: ZipStream, image: ImageFile, missing: list[str]) -> Iterator[bytes]:
    """Put an image into the archive; one that the storage does not have is noted."""
    if archive.num_streamed() >= MOST_IMAGES:
        missing.append(image.name)
        return
    try:
        file = default_storage.open(image.stored)
    except read_errors() as error:
        logger.warning("%s is not in the storage: %s", image.stored, error)
        missing.append(image.name)
        return
    with file:
        archive.add(_content(file), f"images/{image.name}")
        yield from archive.all_files()


def _content(file: Any) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk


def _report_name(lines: ExportLines) -> str:
    return "no counterpart" if lines.choice.wording is not Wording.KOREAN else "대응 없음"


def _report(lines: ExportLines, missing: list[str]) -> list[tuple[str, str, str]]:
    """What was not possible: values without a counterpart with the number of products, and images that are missing."""
    korean = lines.choice.wording is Wording.KOREAN
    rows = [
        (_report_name(lines), word or ("(값 없음)" if korean else "(no value)"), str(count))
        for word, count in lines.unmapped_rows()
    ]
    return rows + [("빠진 사진" if korean else "missing photo", name, "") for name in missing]
