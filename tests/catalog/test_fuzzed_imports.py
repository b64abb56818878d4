"""The readers of imports, given tables and archives that hypothesis makes: lines and files, or a refusal by a code."""

import io
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.hostile_files import archive, with_part, xlsx
from catalog.imports.archives import Archive
from catalog.imports.refusals import SENTENCES
from catalog.imports.tables import MOST_COLUMNS, Table
from catalog.models import Product
from catalog.services.imports import sending
from tests.support import bad_image_bytes as made
from tests.support.changed_bytes import changed, code_of, fuzzed
from tests.support.import_files import HEADS, checked, csv_file, lines, work

SHEET = "xl/worksheets/sheet1.xml"
BOOK = xlsx(("SKU", "Name", "Price"), ("A-1", "코트", 1.5), ("A-2", "=1+1", None))
PARTS = (
    "xl/workbook.xml",
    "[Content_Types].xml",
    "xl/sharedStrings.xml",
    "xl/styles.xml",
    "xl/_rels/workbook.xml.rels",
)
TABLES = [
    csv_file(("A-1", "코트", "Coat", "knit", "", "a.jpg"), ("A-2", 'a"b', "", "", "", "")),
    csv_file(("A-1", "코트", "Coat", "knit", "", ""), encoding="cp949"),
    csv_file(("A-1", "코트", "Coat", "knit", "", ""), encoding="utf-16", delimiter="\t"),
]
ARCHIVES = [
    archive(("A-1.jpg", made.base("gif")), ("folder/A-2.png", made.base("bmp")), ("list.csv", TABLES[0])),
    archive(("사진.jpg", b"x" * 100)),
    BOOK,
]


def _read(data, name):
    table = Table(io.BytesIO(data), name)
    assert all(isinstance(head, str) for head in table.heads().heads)
    assert all(len(cells) <= MOST_COLUMNS for _number, cells in table.lines())


def _is_read_or_refused(data, name):
    assert code_of(lambda: _read(data, name)) in {None, *SENTENCES}


def _unpack(data):
    opened = Archive(io.BytesIO(data), "a.zip")
    for entry in opened.entries:
        assert ".." not in entry.path.split("/")
        assert not entry.path.startswith("/")
        assert code_of(lambda entry=entry: _is_short(opened.read(entry.index, 10_000))) in {None, *SENTENCES}
    opened.close()


def _is_short(content):
    assert len(content) <= 10_001


@fuzzed(250)
@given(changed(TABLES), st.sampled_from(("a.csv", "a.tsv", "a.xlsx", "a.txt")))
def test_a_changed_csv_is_read_or_refused(data, name):
    _is_read_or_refused(data, name)


@fuzzed(150)
@given(st.text(max_size=2_000), st.sampled_from(("utf-8", "utf-16", "cp949", "latin-1")))
def test_any_text_is_read_or_refused(text, encoding):
    _is_read_or_refused(text.encode(encoding, "replace"), "a.csv")


@fuzzed(60)
@given(st.data())
def test_a_changed_part_of_a_spreadsheet_is_read_or_refused(data):
    part = data.draw(st.sampled_from((SHEET, *PARTS)))
    _is_read_or_refused(with_part(BOOK, part, lambda content: data.draw(changed([content or b"<x/>"]))), "a.xlsx")


@fuzzed(150)
@given(changed(ARCHIVES))
def test_a_changed_archive_is_read_or_refused(data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are there twice
        assert code_of(lambda: _unpack(data)) in {None, *SENTENCES}
        _is_read_or_refused(data, "a.xlsx")


CELLS = st.lists(st.text(max_size=60), min_size=len(HEADS) - 1, max_size=len(HEADS) - 1)
ROWS = st.lists(st.tuples(st.one_of(st.text(max_size=70), st.from_regex(r"[A-C]-[0-9]", fullmatch=True)), CELLS))


@pytest.mark.django_db
@fuzzed(15)
@given(ROWS)
def test_every_line_is_imported_or_says_why_not(alice, actor_of, rows):
    actor, before = actor_of(alice), Product.objects.count()
    cells = [[cell.encode(errors="replace").decode() for cell in (sku, *others)] for sku, others in rows]
    found = checked(actor, table_csv=csv_file(*cells))
    assert not found.refusal or found.refusal["code"] in SENTENCES
    if code_of(lambda: sending.start(actor=actor, found=found)) is not None:
        sending.drop(actor=actor, found=found)
        return
    work()
    outcomes = {line.outcome for line in lines(found)}
    assert outcomes <= {"created", "changed", "unchanged", "refused"}
    assert all(line.problems for line in lines(found) if line.outcome == "refused")
    assert Product.objects.count() - before == sum(line.outcome == "created" for line in lines(found))
