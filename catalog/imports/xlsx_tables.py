"""XLSX files, looked through as bytes before openpyxl reads them: what they unpack to, and what is in the XML."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import IO, Any

import openpyxl
from openpyxl.reader.excel import ExcelReader
from openpyxl.xml.constants import SHARED_STRINGS

from catalog.imports.archives import Archive
from catalog.imports.refusals import refusal
from core.errors import Refused

_MOST_PARTS = 2_000
_MOST_ROWS = 2**20  # of any spreadsheet program
_MOST_BYTES = 2**30  # of a sheet, unpacked
_MOST_STRINGS = 128 * 2**20
_MOST_OTHER = 32 * 2**20
_MOST_ROW = 4 * 2**20  # of one row, or of what comes before and after the rows: it is in memory as a whole
_MOST_TAGS = 250_000  # of what openpyxl makes objects of before the first row; an element costs it a kilobyte
_CHUNK = 2**20
_SHEET = re.compile(r"^xl/worksheets/[^/]+\.xml$", re.IGNORECASE)
_STRINGS = "xl/sharedstrings.xml"
_XML = (".xml", ".rels", ".vml")
_NO_TEXT = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"  # what XML may begin with before its first tag
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
FORMULA = object()
"""What a row has where a cell holds a formula."""


class ErrorValue(str):
    """What a cell holds whose formula went wrong, such as `#REF!`."""


def _limit(path: str) -> int:
    if _SHEET.match(path):
        return _MOST_BYTES
    return _MOST_STRINGS if path.lower() == _STRINGS else _MOST_OTHER


def check(file: IO[bytes], name: str) -> None:
    """Look through an XLSX file without keeping any of it.

    Raises:
        Refused: `xlsx_broken`, `xlsx_bomb`, `xlsx_entities`.
    """
    try:
        archive = Archive(file, name)
    except Refused as refused:
        bombs = {"zip_bomb", "zip_too_many", "zip_too_large"}
        raise refusal("xlsx_bomb" if refused.code in bombs else "xlsx_broken") from refused
    if len(archive.entries) > _MOST_PARTS:
        raise refusal("xlsx_bomb")
    with zipfile.ZipFile(file) as opened:
        for info in opened.infolist():
            _look_through(opened, info)
    _check_places(file)


def _check_places(file: IO[bytes]) -> None:
    """Let large parts be read as what they were looked through as: the file itself says what lies at which path."""
    try:
        reader = ExcelReader(file, read_only=True, keep_links=False)
        reader.read_manifest()
        typed = [(part.PartName[1:], part.ContentType) for part in reader.package.Override]
        if any(_is_elsewhere(path, kind) for path, kind in typed):
            raise refusal("xlsx_bomb")
        reader.read_workbook()
        for _sheet, relation in reader.parser.find_sheets():
            is_sheet = "chartsheet" not in relation.Type
            if relation.target.lower() == _STRINGS or (_SHEET.match(relation.target) and not is_sheet):
                raise refusal("xlsx_bomb")
    except Refused:
        raise
    except Exception as error:  # whatever a broken file makes openpyxl and what it rests on raise
        _require_file_s_fault(error)
        raise refusal("xlsx_broken") from error


def _require_file_s_fault(error: Exception) -> None:
    """Raise the disk's errors again: openpyxl raises OSError itself, without a number."""
    if isinstance(error, OSError) and error.errno is not None:
        raise error


def _is_elsewhere(path: str, kind: str) -> bool:
    """Whether a part lies where larger ones of another kind may lie, or strings where only small parts may."""
    if _SHEET.match(path):
        return kind != _SHEET_TYPE
    return (path.lower() == _STRINGS) != (kind == SHARED_STRINGS)


def _look_through(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    limit, sheet = _limit(info.filename), bool(_SHEET.match(info.filename))
    is_xml, is_small = info.filename.lower().endswith(_XML), limit == _MOST_OTHER
    total = since_row = tags = 0
    before = b""
    try:
        with opened.open(info) as part:
            while chunk := part.read(_CHUNK):
                if not total and not is_xml and not chunk.lstrip(_NO_TEXT).startswith(b"<"):
                    return  # no XML, whatever says that it is
                total += len(chunk)
                tags += chunk.count(b"<")
                seen = (before + chunk).replace(b"\x00", b"")  # in UTF-16 every other byte
                if b"<!DOCTYPE" in seen or b"<!ENTITY" in seen:
                    raise refusal("xlsx_entities")
                place = seen.rfind(b"<row")
                since_row = len(seen) - place if place >= 0 else since_row + len(chunk)
                if total > limit or (sheet and since_row > _MOST_ROW) or (is_small and tags > _MOST_TAGS):
                    raise refusal("xlsx_bomb")
                before = chunk[-16:]
    except Refused:
        raise
    except Exception as error:  # whatever a broken archive makes zipfile and zlib raise
        raise refusal("xlsx_broken") from error


def text_of(value: Any) -> Any:
    """Return a cell as text, as a person would have typed it; FORMULA and ErrorValue as they are."""
    if value is None:
        return ""
    if value is FORMULA or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float | Decimal) and value == int(value):
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    return str(value)


def rows(file: IO[bytes], most_columns: int) -> Iterator[tuple[int, list[Any]]]:
    """Yield the rows of the first sheet with their numbers, up to one column more than there may be.

    Cells are texts, FORMULA, or ErrorValue. `check` has been called.

    Raises:
        Refused: `xlsx_broken`.
    """
    book = None
    try:
        file.seek(0)
        book = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
        sheet = next((one for one in book.worksheets if one.sheet_state == "visible"), None)
        if sheet is None:
            raise refusal("xlsx_broken")
        sheet.reset_dimensions()  # what the file says of its size is often wrong
        before = None
        for number, row in enumerate(sheet.iter_rows(max_col=most_columns + 1), 1):
            if number > _MOST_ROWS:  # a row may say that it is number two billion: the empty ones before it come, too
                raise refusal("xlsx_bomb")
            if row is not before:  # all rows that are left out are the same one
                yield number, [_cell(cell) for cell in row]
            before = row
    except Refused:
        raise
    except Exception as error:  # whatever a broken file makes openpyxl and what it rests on raise
        _require_file_s_fault(error)
        raise refusal("xlsx_broken") from error
    finally:
        if book is not None:
            book.close()


def _cell(cell: Any) -> Any:
    kind = cell.data_type
    if kind == "f":
        return FORMULA
    if kind == "e":
        return ErrorValue(cell.value)
    return text_of(cell.value)
