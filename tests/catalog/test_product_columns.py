"""What is written into a product file is read back as the same, in every wording."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.models import Attribute, AttributeValue, Product, ProductAttribute
from catalog.product_columns import (
    NOT_APPLICABLE,
    CellReader,
    CellWriter,
    Wording,
    column_called,
    columns_of,
    image_names,
    images_cell,
)
from catalog.selectors import Taxonomy
from core.errors import Invalid
from core.spreadsheets import plain, safe

State = ProductAttribute.State


@given(st.text())
def test_any_text_comes_back_and_none_begins_as_a_formula(text):
    assert plain(safe(text)) == text
    assert text == "-" or not safe(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))


@pytest.mark.parametrize("text", ["=1+1", "+82", "-5", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''-1", "＝1"])
def test_what_a_spreadsheet_would_calculate_gets_an_apostrophe(text):
    assert safe(text) == f"'{text}"
    assert plain(safe(text)) == text


@pytest.mark.parametrize("text", ["", "-", "'90s shirt", "A-1", "2+1", "셔츠"])
def test_other_texts_stay_as_they_are(text):
    assert safe(text) == text == plain(text)


@pytest.mark.django_db
@pytest.mark.parametrize("wording", list(Wording))
def test_every_value_and_status_is_read_as_what_was_written(wording):
    taxonomy = Taxonomy.load()
    writer, reader = CellWriter(taxonomy, wording), CellReader(taxonomy)
    for code, values in taxonomy.values.items():
        for value in values.values():
            assert reader.value(code, writer.value(value.pk, State.DECIDED)) == taxonomy.today(code, value.code)
        assert reader.value(code, writer.value(None, State.NOT_APPLICABLE)) == NOT_APPLICABLE
        assert reader.value(code, writer.value(None, State.UNSET)) is None
    assert all(reader.status(writer.status(status)) == status for status in Product.Status.values)


@pytest.mark.django_db
def test_values_are_read_by_code_by_both_names_and_by_alias():
    reader = CellReader(Taxonomy.load())
    value = AttributeValue.objects.get(attribute__code="material", code="shearling")
    assert [reader.value("material", cell) for cell in ("SHEARLING", "무스탕", " Shearling ", "mustang")] == [value] * 4
    with pytest.raises(Invalid, match="Plastic"):
        reader.value("material", "Plastic")


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["울", "캐시미어", "wool", "Cashmere"])
def test_part_of_a_name_is_enough(word):
    assert CellReader(Taxonomy.load()).value("material", word).code == "wool"


@pytest.mark.django_db
def test_a_word_of_two_values_is_written_as_a_code_and_refused_when_read():
    cotton = AttributeValue.objects.get(attribute__code="material", code="cotton")
    other = AttributeValue.objects.create(
        attribute=cotton.attribute, code="cotton-2", name_ko=cotton.name_ko, name_en="Second cotton"
    )
    taxonomy = Taxonomy.load()
    assert CellWriter(taxonomy, Wording.KOREAN).value(other.pk, State.DECIDED) == "cotton-2"
    with pytest.raises(Invalid) as refused:
        CellReader(taxonomy).value("material", cotton.name_ko)
    assert refused.value.code == "ambiguous_value"


@pytest.mark.django_db
def test_a_merged_value_is_written_as_what_it_stands_for_and_a_retired_one_is_still_read():
    old, new = AttributeValue.objects.filter(attribute__code="material", code__in=("fur", "wool")).order_by("code")
    old.merged_into = new
    old.save()
    AttributeValue.objects.filter(code="angora").update(active=False)
    taxonomy = Taxonomy.load()
    writer, reader = CellWriter(taxonomy, Wording.ENGLISH), CellReader(taxonomy)
    assert writer.value(old.pk, State.DECIDED) == new.name_en
    assert reader.value("material", "fur") == new
    assert reader.value("material", "Angora").code == "angora"


@pytest.mark.django_db
def test_heads_are_known_in_every_wording_and_no_two_are_the_same():
    Attribute.objects.create(code="label", name_ko="상태", name_en="Status")
    columns = columns_of(Taxonomy.load())
    for wording in Wording:
        heads = [column.heads[wording] for column in columns]
        assert len(set(heads)) == len(heads)
        assert [column_called(head, columns) for head in heads] == list(columns)
    assert column_called("\ufeff품번", columns).code == "sku"
    assert column_called("가격", columns) is None


def test_names_of_images_are_apart_by_a_bar():
    assert images_cell(["a|b.jpg", "c.jpg"]) == "a_b.jpg|c.jpg"
    assert image_names("a.jpg| b c.jpg|\n") == ["a.jpg", "b c.jpg"]
