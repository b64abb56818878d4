"""The products' list finds those with all words, however often the words are met together."""

import pytest
from django.urls import reverse

from catalog.admin import wanted
from tests.support.factories import MerchantFactory, ProductFactory


@pytest.fixture
def shops(db):
    """Two merchants' products: shirts, knitted things, and few that are both, made before the others."""
    here, there = MerchantFactory(name="Here"), MerchantFactory(name="There")
    both = [ProductFactory(merchant=here, name="체크 니트"), ProductFactory(merchant=there, name="니트 체크 A77")]
    for colour in ("하늘", "바다", "숲길"):
        ProductFactory(merchant=here, name=f"니트 {colour}")
        ProductFactory(merchant=there, name=f"체크 셔츠 {colour}")
    return both


@pytest.fixture
def search(admin, client_of):
    client = client_of(admin)

    def found(text, **filters):
        response = client.get(reverse("admin:catalog_product_changelist"), {"q": text, **filters})
        assert response.status_code == 200
        return [product.name for product in response.context["cl"].result_list]

    return found


@pytest.mark.parametrize(("sampled", "read_whole"), [(500, False), (4, True)])
def test_two_words_in_any_order(shops, search, monkeypatch, django_assert_max_num_queries, sampled, read_whole):
    monkeypatch.setattr(wanted, "_SAMPLED", sampled)  # the newest four have either word, none has both
    for text in ("니트 체크", "체크 니트"):
        with django_assert_max_num_queries(10) as asked:
            assert search(text) == ["니트 체크 A77", "체크 니트"]
        assert any("INTERSECT" in query["sql"] for query in asked) == read_whole


def test_two_words_that_are_often_met_are_walked_to(shops, search, django_assert_max_num_queries):
    third = ProductFactory(name="니트 체크 B12")
    with django_assert_max_num_queries(10) as asked:
        assert search("니트 체크") == ["니트 체크 B12", "니트 체크 A77", "체크 니트"]
    assert not any("productterm" in query["sql"] for query in asked)
    assert search("체크 니트", merchant__id__exact=third.merchant_id) == ["니트 체크 B12"]
    assert search("체크 니트", status__exact="published") == []


def test_a_merchant_who_is_called_so(shops, search):
    shop = MerchantFactory(name="니트 체크 상점")
    for colour in ("하늘", "바다"):
        ProductFactory(merchant=shop, name=f"셔츠 {colour}")
    assert search("니트 체크") == ["셔츠 바다", "셔츠 하늘", "니트 체크 A77", "체크 니트"]
    ProductFactory(name="체크 니트 C3")
    assert search("니트 체크") == ["체크 니트 C3", "셔츠 바다", "셔츠 하늘", "니트 체크 A77", "체크 니트"]


@pytest.mark.parametrize("sampled", [500, 4])
def test_with_a_number_a_third_word_or_a_value(shops, search, monkeypatch, sampled):
    monkeypatch.setattr(wanted, "_SAMPLED", sampled)
    assert search("니트 체크 A77") == ["니트 체크 A77"]
    assert search("체크 셔츠 숲길") == ["체크 셔츠 숲길"]
    assert search("니트 체크", category="Jacket") == []
    assert search("니트 원피스") == []


@pytest.mark.django_db
def test_nothing_to_look_at_yet(search):
    assert search("니트 체크") == []


def test_signs_that_the_database_reads_are_only_signs(shops, search):
    assert search("% _") == []
    assert search("니트 %") == []


def test_very_many_words(shops, search):
    assert search(" ".join(["니트", "체크"] * 500)) == ["니트 체크 A77", "체크 니트"]
    assert search(" ".join(f"word{number}" for number in range(500))) == []
