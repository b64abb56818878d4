"""Which garment a name or SKU mentions."""

import unicodedata

import pytest

from catalog.models import CATEGORY, Attribute, AttributeValue
from catalog.selectors import Taxonomy
from classifier.proposals import hint_of

pytestmark = pytest.mark.django_db


def _mentioned(name, sku=None):
    hint = hint_of(name, sku, Taxonomy.load())
    return hint and (hint.top_category, hint.category)


@pytest.mark.parametrize(
    ("name", "mentioned"),
    [
        ("데님 재킷", ("Outer", "Jacket")),
        ("오버핏 청자켓 (블랙)", ("Outer", "Jacket")),
        ("롱패딩", ("Outer", "PaddedJacket")),
        ("A라인 미니스커트", ("Bottom", "Skirt")),
        ("와이드 청바지", ("Bottom", "Jeans")),  # not 바지
        ("린넨 반바지", ("Bottom", "Shorts")),
        ("니트 원피스", ("Onepiece", None)),  # the last word, and one that only says which top-level category
        ("셔츠 원피스 2colors", ("Onepiece", None)),
        ("반팔티", ("Top", "Tshirt")),
        ("후드집업", ("Outer", "Zipup")),
        ("Denim Jacket", ("Outer", "Jacket")),
        ("Denim jacket with a hoodie", ("Outer", "Jacket")),
        ("SHIRT DRESS", ("Onepiece", "Dress")),
        ("Pleated skirts", ("Bottom", "Skirt")),
        ("Summer dresses", ("Onepiece", "Dress")),
        ("Cotton T-shirt", ("Top", "Tshirt")),
        ("zip-up", ("Outer", "Zipup")),
        ("Raincoat", ("Outer", "Coat")),
        ("Short sleeve", None),
        ("Laptop sleeve", None),
        ("Harvest 2026", None),
        ("파티", None),
        ("2026-11", None),
        ("", None),
    ],
)
def test_it_reads_names_of_garments(name, mentioned):
    assert _mentioned(name) == mentioned


def test_it_reads_korean_in_separate_letters_and_wide_latin():
    assert _mentioned(unicodedata.normalize("NFD", "데님 자켓")) == ("Outer", "Jacket")
    assert _mentioned("ＳＫＩＲＴ") == ("Bottom", "Skirt")


def test_it_reads_the_name_before_the_sku():
    assert _mentioned("봄 신상", "skirt_01-B") == ("Bottom", "Skirt")
    assert _mentioned("니트 가디건", "skirt_01-B") == ("Top", "Cardigan")


def test_it_reads_names_and_aliases_that_were_added():
    category = Attribute.objects.get(code=CATEGORY)
    outer = AttributeValue.objects.get(attribute=category, code="Outer")
    AttributeValue.objects.create(
        attribute=category, code="Poncho", name_ko="판초", name_en="Poncho", parent=outer, aliases=["Serape"]
    )
    assert [_mentioned(name) for name in ("울 판초", "wool poncho", "Serape")] == [("Outer", "Poncho")] * 3


def test_it_does_not_read_what_was_switched_off():
    AttributeValue.objects.filter(code="Skirt").update(active=False)
    assert _mentioned("치마") is None


def test_it_does_not_read_a_word_for_two_kinds_of_garments():
    AttributeValue.objects.filter(code="Skirt").update(aliases=["Skort"])
    AttributeValue.objects.filter(code="Dress").update(aliases=["skort"])
    assert _mentioned("Skort") is None
