"""Files whose directory says little of what is in them: what would fill the worker's memory is refused before."""

import io
import struct
import zipfile
from types import SimpleNamespace

import pytest

from benchmarks.hostile_files import with_part, xlsx
from catalog.imports import archives, csv_tables, tables, xlsx_tables
from core.errors import Refused
from tests.support.import_files import zip_file

_MAIN = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_TYPES = "[Content_Types].xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_SHEET = "xl/worksheets/sheet1.xml"


def _two_ends(data, count):
    """The archive with a ZIP64 end, which is the true one, before an end that claims a single file."""
    end = data.rfind(b"PK\x05\x06")
    size, offset = struct.unpack_from("<II", data, end + 12)
    true = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    claimed = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, 50, offset, 0)
    return data[:end] + true + locator + claimed


def test_a_zip_is_as_long_as_what_reads_it_believes(settings, monkeypatch):
    settings.OTJANG_IMPORT_MAX_ENTRIES = 10
    data = _two_ends(zip_file({f"{n}.jpg": b"" for n in range(100)}), 100)
    assert len(zipfile.ZipFile(io.BytesIO(data)).infolist()) == 100
    monkeypatch.setattr(archives.zipfile, "ZipFile", lambda _file: pytest.fail("the whole directory was read"))
    with pytest.raises(Refused) as refused:
        archives.Archive(io.BytesIO(data), "a.zip")
    assert refused.value.code == "zip_too_many"


def test_a_record_of_many_lines_ends_somewhere(monkeypatch):
    monkeypatch.setattr(csv_tables, "LONGEST_RECORD", 10_000)
    read = []
    data = b"SKU,Name\nA,b\n" + b'"\naa",' * 100_000 + b"x\n"
    file = io.BytesIO(data)
    with pytest.raises(Refused) as refused:
        read.extend(tables.Table(file, "a.csv").lines())
    assert refused.value.code == "cell_too_long"
    assert len(read) <= 1


def test_records_are_counted_one_by_one(monkeypatch):
    monkeypatch.setattr(csv_tables, "LONGEST_RECORD", 100)
    data = b"SKU,Name\n" + b'A,"x\ny"\n' * 100
    assert tables.Table(io.BytesIO(data), "a.csv").count() == 100


def _styles(elements):
    return b"<styleSheet %s><cellXfs>%s</cellXfs></styleSheet>" % (_MAIN, b"<xf/>" * elements)


def _moved(old, new):
    """A spreadsheet whose sheet has another path."""
    data = with_part(xlsx(), new, lambda _part: b"<worksheet %s><sheetData/></worksheet>" % _MAIN)
    data = with_part(data, _TYPES, lambda part: part.replace(old.encode(), new.encode()))
    return with_part(data, _RELATIONS, lambda part: part.replace(old.encode(), new.encode()))


def _typed(path, kind):
    override = f'<Override PartName="/{path}" ContentType="{kind}"/></Types>'.encode()
    return with_part(
        with_part(xlsx(), path, lambda part: part or b"<x/>"),
        _TYPES,
        lambda part: part.replace(b"</Types>", override),
    )


_SHARED = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
BOMBS = {
    "styles that are read whole": with_part(xlsx(), "xl/styles.xml", lambda _part: _styles(600_000)),
    "a sheet that has no ending of XML": with_part(
        _moved(_SHEET, "xl/worksheets/sheet1.bin"),
        "xl/worksheets/sheet1.bin",
        lambda _part: b"<worksheet %s><sheetData><row>%s</row></sheetData></worksheet>" % (_MAIN, b"<c/>" * 600_000),
    ),
    "strings where sheets lie": _typed("xl/worksheets/strings.xml", _SHARED),
    "strings where nobody looks": _typed("xl/strings.xml", _SHARED),
    "a sheet where strings lie": _moved(_SHEET, "xl/sharedStrings.xml"),
    "a chart where sheets lie": with_part(
        xlsx(), _RELATIONS, lambda part: part.replace(b"relationships/worksheet", b"relationships/chartsheet")
    ),
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_what_is_read_whole_is_small(data, monkeypatch):
    opened = SimpleNamespace(load_workbook=lambda *_args, **_kwargs: pytest.fail("it was read"))
    monkeypatch.setattr(xlsx_tables, "openpyxl", opened)
    with pytest.raises(Refused) as refused:
        tables.Table(io.BytesIO(data), "a.xlsx")
    assert refused.value.code == "xlsx_bomb"


def test_other_parts_of_a_spreadsheet_may_be_anything():
    data = with_part(xlsx(), "xl/media/image1.png", lambda _part: b"\x89PNG" + b"<" * 2_000_000)
    assert tables.Table(io.BytesIO(data), "a.xlsx").count() == 1


def _cell(xml):
    return with_part(xlsx(), _SHEET, lambda part: part.replace(b"</sheetData>", xml + b"</sheetData>"))


BROKEN = {
    "no workbook": with_part(xlsx(), _TYPES, lambda part: part.replace(b"sheet.main+xml", b"sheet.other+xml")),
    "a cell nowhere": _cell(b'<row r="9"><c r="!!!" t="inlineStr"><is><t>x</t></is></c></row>'),
    "a cell beyond all columns": _cell(b'<row r="9"><c r="ZZZZ9" t="inlineStr"><is><t>x</t></is></c></row>'),
    "a row of no number": _cell(b'<row r="x"><c r="A9"><v>1</v></c></row>'),
    "a date that is none": _cell(b'<row r="9"><c r="A9" t="d"><v>never</v></c></row>'),
    "a string of no number": _cell(b'<row r="9"><c r="A9" t="s"><v>x</v></c></row>'),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_ends_in_a_sentence(data):
    with pytest.raises(Refused) as refused:
        tables.Table(io.BytesIO(data), "a.xlsx").count()
    assert refused.value.code == "xlsx_broken"
