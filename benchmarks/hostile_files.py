#!/usr/bin/env python
"""Send more than fifty files that are made to do harm through the import, and print the sentence that each gets.

Everything is made here and stays small: what claims to be huge only claims it. Prints a table; exits with 1 if a file
got no sentence, another one than it should, took long, or left a product behind.
"""

from __future__ import annotations

import io
import os
import struct
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

_SECONDS = 30.0  # for one file, which a worker may spend
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)
_SHEET = "xl/worksheets/sheet1.xml"
_STRINGS = "xl/sharedStrings.xml"
_LAUGHS = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
_SECRET = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@dataclass(frozen=True)
class Hostile:
    """A file, and the code of the sentence that it must get: for all of it, or for its line."""

    name: str
    data: bytes
    code: str
    what: str


def xlsx(*rows: tuple[Any, ...]) -> bytes:
    """An ordinary spreadsheet."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in rows or (("SKU", "Name"), ("A", "b")):
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_part(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The same archive with one part changed, or added."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            content = old.read(info)
            new.writestr(info.filename, change(content) if info.filename == name else content)
        if name not in old.namelist():
            new.writestr(name, change(b""))
    return file.getvalue()


def archive(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A ZIP file of these entries."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, content in entries:
            made.writestr(name, content, method)
    return file.getvalue()


def photo() -> bytes:
    """A photo that nothing is wrong with."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (300, 300), "teal").save(file, "JPEG")
    return file.getvalue()


def png_bomb(side: int = 60_000) -> bytes:
    """A PNG that claims 3.6 billion pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(bytes(1000))), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = 0o120777 << 16
    return info


def _flagged(data: bytes, bit: int) -> bytes:
    """The archive with a bit of its entries' flags set, in the local headers and in the directory."""
    changed = bytearray(data)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            changed[at + place] |= bit
            at = data.find(mark, at + 1)
    return bytes(changed)


def _in_directory(data: bytes, place: int, value: bytes) -> bytes:
    """The archive with other bytes in each entry of its directory."""
    changed = bytearray(data)
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        changed[at + place : at + place + len(value)] = value
        at = data.find(b"PK\x01\x02", at + 1)
    return bytes(changed)


def _in_end(data: bytes, place: int, value: bytes) -> bytes:
    at = data.rfind(b"PK\x05\x06")
    return data[: at + place] + value + data[at + place + len(value) :]


def tables() -> Iterator[Hostile]:
    """Tables as text."""
    head = b"SKU,Name\n"
    yield Hostile("empty.csv", b"", "table_empty", "no byte")
    yield Hostile("heads.csv", head, "table_empty", "heads only")
    yield Hostile("binary.csv", bytes(range(256)) * 40, "encoding", "no text at all")
    yield Hostile("nul.csv", head + b"A,\x00\x00b\n", "encoding", "NUL bytes")
    yield Hostile("utf16.csv", "SKU,이름\nA,b\n".encode("utf-16-le"), "encoding", "UTF-16 without a mark")
    yield Hostile("latin.csv", head + "A,caf\xe9 \xff\xfe\n".encode("latin-1"), "encoding", "Latin-1")
    yield Hostile(
        "wide.csv", b",".join([b"SKU", *[b"c%d" % n for n in range(220)]]) + b"\nA\n", "too_many_columns", "221 columns"
    )
    yield Hostile("commas.csv", b"SKU" + b"," * 90_000 + b"x\nA\n", "too_many_columns", "90,000 columns")
    yield Hostile("quote.csv", head + b'A,"no end\nB,c\n', "csv_broken", "a quote that does not end")
    yield Hostile("after_quote.csv", head + b'A,"x"y\n', "csv_broken", "text behind a quote")
    yield Hostile("long_cell.csv", head + b'A,"' + b"x\n" * 100_000 + b'"\n', "cell_too_long", "a cell of 200 KB")
    yield Hostile("long_line.csv", head + b"A," + b"x" * 5_000_000 + b"\n", "cell_too_long", "a line of 5 MB")
    yield Hostile("long.csv", head + b"x,\n" * 1_000_001, "too_many_lines", "1,000,001 lines")
    yield Hostile("no_sku.csv", b"Name,Price\nA,1\n", "no_sku_column", "no SKU")
    yield Hostile("control.csv", head + "A\u202eb,x\n".encode(), "sku_control_characters", "text that turns around")
    yield Hostile("blank.csv", head + "\u3164,x\n".encode(), "sku_looks_empty", "an SKU that cannot be seen")
    yield Hostile("long_sku.csv", head + b"A" * 65 + b",x\n", "sku_too_long", "65 characters")
    yield Hostile("long_name.csv", head + b"A," + b"n" * 201 + b"\n", "name_too_long", "201 characters")
    yield Hostile(
        "metadata.csv", b"SKU,Photos\nA,http://169.254.169.254/latest\n", "image_address", "a server's inside"
    )
    yield Hostile("file.csv", b"SKU,Photos\nA,file:///etc/passwd\n", "image_address", "a file of the server")
    yield Hostile("path.csv", b"SKU,Photos\nA,../../etc/passwd\n", "image_missing", "a path out of the folder")


def _sheet(change: Callable[[bytes], bytes]) -> bytes:
    return with_part(xlsx(), _SHEET, change)


def _row(xml: bytes) -> Callable[[bytes], bytes]:
    return lambda sheet: sheet.replace(b"</sheetData>", xml + b"</sheetData>")


def _before_root(part: bytes, what: bytes) -> bytes:
    return part.replace(b"<worksheet", what + b"<worksheet", 1)


def _wide(part: bytes) -> bytes:
    """The same with entities, in UTF-16."""
    return _before_root(part, _LAUGHS).decode().encode("utf-16")


def spreadsheets() -> Iterator[Hostile]:
    """XLSX files."""
    yield Hostile("formula.xlsx", xlsx(("SKU", "Name"), ("A", "=1+1")), "formula", "a formula")
    yield Hostile(
        "dde.xlsx", xlsx(("SKU", "Name"), ("A", "=cmd|'/c calc'!A0")), "formula", "a formula that starts programs"
    )
    yield Hostile("error.xlsx", xlsx(("SKU", "Name"), ("A", "#REF!")), "error_value", "a value that went wrong")
    yield Hostile(
        "laughs.xlsx", _sheet(lambda part: _before_root(part, _LAUGHS)), "xlsx_entities", "entities of entities"
    )
    yield Hostile(
        "secret.xlsx", _sheet(lambda part: _before_root(part, _SECRET)), "xlsx_entities", "an entity that is a file"
    )
    yield Hostile(
        "workbook.xlsx", with_part(xlsx(), "xl/workbook.xml", lambda x: _LAUGHS + x), "xlsx_entities", "in the workbook"
    )
    yield Hostile("strings.xlsx", with_part(xlsx(), _STRINGS, lambda x: _SECRET + x), "xlsx_entities", "in the strings")
    yield Hostile("utf16.xlsx", _sheet(_wide), "xlsx_entities", "in UTF-16")
    yield Hostile("bomb.xlsx", _sheet(lambda x: x + b" " * 60_000_000), "xlsx_bomb", "60 MB of blanks")
    yield Hostile(
        "string_bomb.xlsx",
        with_part(xlsx(), _STRINGS, lambda x: x + b" " * 60_000_000),
        "xlsx_bomb",
        "60 MB of blanks in the strings",
    )
    yield Hostile(
        "far_row.xlsx",
        _sheet(_row(b'<row r="2000000000"><c r="A2000000000"><v>1</v></c></row>')),
        "xlsx_bomb",
        "row two billion",
    )
    yield Hostile(
        "far_cell.xlsx",
        _sheet(_row(b'<row r="9"><c r="XFD9" t="inlineStr"><is><t>x</t></is></c></row>')),
        "",
        "column 16,384",
    )
    cells = b"".join(b'<c r="%s1" t="inlineStr"><is><t>h</t></is></c>' % _letters(n) for n in range(1, 300))
    yield Hostile(
        "wide.xlsx",
        _sheet(lambda x: x[: x.find(b"<sheetData>") + 11] + b'<row r="1">' + cells + b"</row></sheetData></worksheet>"),
        "too_many_columns",
        "299 columns",
    )
    yield Hostile(
        "fat_row.xlsx",
        _sheet(_row(b"<row>" + os.urandom(3_000_000).hex().encode() + b"</row>")),
        "xlsx_bomb",
        "a row of 6 MB",
    )
    yield Hostile("cut.xlsx", xlsx()[:2000], "xlsx_broken", "cut off")
    yield Hostile("photos.xlsx", archive(("A.jpg", b"x")), "xlsx_broken", "another archive")
    yield Hostile("xml.xlsx", _sheet(lambda x: x[:-30]), "xlsx_broken", "XML that does not end")
    yield Hostile(
        "string.xlsx",
        _sheet(_row(b'<row r="9"><c r="A9" t="s"><v>99999</v></c></row>')),
        "xlsx_broken",
        "a string that is not there",
    )
    yield Hostile(
        "infinite.xlsx",
        _sheet(_row(b'<row r="9"><c r="A9"><v>1e999</v></c></row>')),
        "xlsx_broken",
        "an infinite number",
    )
    yield Hostile("locked.xlsx", _OLE, "protected", "with a password")
    yield Hostile("old.xls", _OLE, "old_excel", "of before 2007")
    yield Hostile("page.xls", b"<html><table><tr><td>SKU</td></tr></table>", "old_excel", "HTML that says it is Excel")
    yield Hostile("open.ods", archive(("content.xml", b"<x/>")), "other_spreadsheet", "OpenDocument")


def _letters(number: int) -> bytes:
    found = ""
    while number:
        number, rest = divmod(number - 1, 26)
        found = chr(65 + rest) + found
    return found.encode()


def archives() -> Iterator[Hostile]:
    """ZIP files and what is in them."""
    image = photo()
    good = archive(("A.jpg", image))
    for number, name in enumerate(("../A.jpg", "/etc/A.jpg", "C:\\A.jpg", "x/../../A.jpg", "..\\..\\A.jpg")):
        yield Hostile(f"slip{number}.zip", archive((name, image)), "zip_path", name)
    yield Hostile("link.zip", archive((_link("A.jpg"), b"/etc/passwd")), "zip_link", "a symbolic link")
    yield Hostile("locked.zip", _flagged(good, 1), "zip_encrypted", "with a password")
    yield Hostile("nested.zip", archive(("more.zip", good)), "zip_nested", "an archive in the archive")
    yield Hostile(
        "nested_tar.zip", archive(("A/more.tar.gz", b"\x1f\x8b")), "zip_nested", "another kind in the archive"
    )
    yield Hostile(
        "bomb.zip", archive(("A.jpg", bytes(60_000_000)), method=zipfile.ZIP_DEFLATED), "zip_bomb", "60 MB of zeros"
    )
    yield Hostile("claims.zip", _in_directory(good, 24, struct.pack("<I", 0xF0000000)), "zip_bomb", "claims 4 GB")
    large = archive(*((f"A{n}.jpg", b"") for n in range(3)))
    sizes = _in_directory(_in_directory(large, 24, struct.pack("<I", 0xF0000000)), 20, struct.pack("<I", 0xE0000000))
    yield Hostile("sum.zip", sizes, "zip_too_large", "claims 12 GB")
    yield Hostile("many.zip", archive(*((f"{n}.jpg", b"") for n in range(50_001))), "zip_too_many", "50,001 files")
    yield Hostile(
        "directory.zip", _in_end(good, 12, struct.pack("<I", 0xF0000000)), "zip_too_many", "claims a huge directory"
    )
    yield Hostile("cut.zip", good[:-40], "zip_broken", "cut off")
    yield Hostile("head.zip", b"PK\x03\x04" + bytes(500), "zip_broken", "a beginning only")
    yield Hostile("no.zip", b"this is no archive", "zip_broken", "text")
    yield Hostile("method.zip", archive(("A.jpg", image), method=zipfile.ZIP_LZMA), "zip_method", "packed otherwise")
    yield Hostile("two.zip", archive(("a.csv", b"SKU\nA\n"), ("b.csv", b"SKU\nB\n")), "zip_two_tables", "two tables")
    yield Hostile("empty.zip", archive(), "no_images", "nothing")
    yield Hostile("junk.zip", archive(("__MACOSX/._A.jpg", b"x"), (".DS_Store", b"x")), "no_images", "leftovers")
    yield Hostile(
        "script.zip", archive(("A.svg", b"<svg onload='alert(1)'/>"), ("A.html", b"x")), "no_images", "scripts"
    )
    yield Hostile("crc.zip", good.replace(image[100:140], bytes(40)), "image_refused", "a wrong checksum")
    yield Hostile("size.zip", _in_directory(good, 24, struct.pack("<I", 10)), "image_refused", "claims ten bytes")
    overlapping = _in_directory(archive(("A.jpg", image), ("B.jpg", image)), 42, struct.pack("<I", 0))
    yield Hostile("overlap.zip", overlapping, "image_refused", "two names for the same bytes")
    yield Hostile("pixels.zip", archive(("A.png", png_bomb())), "image_refused", "3.6 billion pixels")
    yield Hostile(
        "html.zip",
        archive(("A.jpg", b"<html><script>alert(1)</script>")),
        "image_refused",
        "HTML that says it is a photo",
    )
    yield Hostile("nothing.zip", archive(("A.jpg", b"")), "image_refused", "a photo without a byte")
    yield Hostile("x.rar", b"Rar!\x1a\x07\x00" + bytes(100), "other_archive", "RAR")
    yield Hostile("x.7z", b"7z\xbc\xaf\x27\x1c" + bytes(100), "other_archive", "7z")
    yield Hostile("x.exe", b"MZ" + bytes(100), "unknown_kind", "a program")


def everything() -> Iterator[Hostile]:
    """All of them."""
    yield from tables()
    yield from spreadsheets()
    yield from archives()


def sentences_of(actor: Any, hostile: Hostile) -> dict[str, str]:
    """Send a file through the import's dry run, and return the sentences that it gets, by their codes."""
    from django.core.files.base import ContentFile

    from accounts.services import operations
    from catalog.imports.refusals import sentence
    from catalog.models import ImportLine
    from catalog.services.imports import sending
    from core.errors import Refused

    found = sending.begin(actor=actor, merchant=actor.merchant)
    try:
        sending.add_file(actor=actor, found=found, file=ContentFile(hostile.data, name=hostile.name))
        sending.start_check(actor=actor, found=found)
        operations.continue_long()
    except Refused as refused:
        return {refused.code: refused.message}
    finally:
        sending.drop(actor=actor, found=found)
    found.refresh_from_db()
    problems = [problem for line in ImportLine.objects.filter(of=found)[:10] for problem in line.problems]
    return {problem["code"]: sentence(problem) for problem in [*problems, found.refusal] if problem}


def _run(folder: str) -> int:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": f"sqlite:///{folder}/otjang.sqlite3",
        "MEDIA_ROOT": f"{folder}/media",
        "SECRET_KEY": "only-for-benchmarks-" * 4,
        "LOG_LEVEL": "ERROR",
    }
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import translation

    call_command("prepare", no_demo=True, verbosity=0)
    from accounts.actors import Actor
    from accounts.channels import Channel
    from accounts.models import Merchant, User
    from catalog.models import Product

    merchant = Merchant.objects.create(name="Hostile")
    user = User.objects.create_user("hostile@example.com")
    actor = Actor(channel=Channel.PORTAL, user=user, merchant=merchant, role="owner")
    failures = count = 0
    with translation.override("en"):
        for hostile in everything():
            count += 1
            began = time.monotonic()
            said = sentences_of(actor, hostile)
            seconds = time.monotonic() - began
            good = (hostile.code in said or not hostile.code) and seconds < _SECONDS
            failures += not good
            sentence = said.get(hostile.code) or said
            print(f"{'ok ' if good else 'NO '} {seconds:5.1f} s  {hostile.name:18} {hostile.what:34} {sentence}")
    left = Product.objects.count()
    print(f"{count} files, {failures} without their sentence, {left} products left behind")
    return 1 if failures or left else 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="otjang-hostile-") as temporary:
        raise SystemExit(_run(temporary))
