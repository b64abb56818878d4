"""Files that are made to do harm: each gets a sentence, soon, and leaves nothing behind."""

import pytest

from benchmarks.hostile_files import everything, sentences_of
from catalog.models import ImportLine, Product
from catalog.services.imports import sending
from tests.support.import_files import checked, csv_file, imported, lines

pytestmark = pytest.mark.django_db

HOSTILE = [hostile for hostile in everything() if len(hostile.data) < 3_000_000]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)
def test_it_gets_its_sentence(hostile, alice, actor_of):
    said = sentences_of(actor_of(alice), hostile)
    assert not hostile.code or said[hostile.code]
    assert not Product.objects.exists()


def test_there_are_more_than_fifty_of_them():
    assert len(HOSTILE) > 50


def test_too_many_lines_are_said_before_any_is_stored(settings, alice, actor_of):
    settings.OTJANG_IMPORT_MAX_LINES = 10
    found = checked(actor_of(alice), table_csv=csv_file(*((f"A{n}",) for n in range(11))))
    assert found.refusal["code"] == "too_many_lines"
    assert not ImportLine.objects.exists()


def test_files_that_are_too_large_are_refused_as_they_come(settings, alice, actor_of):
    settings.OTJANG_IMPORT_MAX_TABLE_BYTES = 20
    with pytest.raises(Exception, match="at most"):
        checked(actor_of(alice), table_csv=csv_file(("A", "x")))
    sending.prune()


def test_what_looks_like_a_formula_in_a_csv_is_text_and_comes_out_safe(alice, actor_of):
    found = imported(actor_of(alice), table_csv=csv_file(("A", "=cmd|'/c calc'!A0"), ("B", "'=1+1")))
    assert [line.outcome for line in lines(found)] == ["created", "created"]
    assert list(Product.objects.order_by("id").values_list("name", flat=True)) == ["=cmd|'/c calc'!A0", "=1+1"]
