"""What the filter of the list finds, in which order, and how it is written in an address."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.utils import timezone

from catalog import services
from catalog.listing import numbers_of, page_of
from catalog.models import Product, ProductTerm
from catalog.product_filter import ProductFilter
from catalog.selection import Selection
from catalog.selectors import Taxonomy
from classifier.jobs import results
from tests.support.factories import ProductFactory, ProductImageFactory
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def found(merchant):
    """Return the names of the merchant's products that an address finds, in its order."""

    def names(query):
        chosen = ProductFilter.parse(QueryDict(query), Taxonomy.load())
        return [product.name for product in chosen.apply(Product.objects.filter(merchant=merchant))]

    return names


def _named(merchant, *names, **fields):
    return [ProductFactory(merchant=merchant, name=name, **fields) for name in names]


@pytest.mark.parametrize(
    ("q", "hit"),
    [
        ("베이직 니트", True),
        ("니트 베이직", True),
        ("\u1102\u1175\u1110\u1173", True),  # 니트 as macOS types it
        ("이직 코튼", True),
        ("니", True),
        ("ＫＮ-10", True),
        ("kn-1042", True),
        ("n-104", True),
        ("Kn", True),
        ("42", False),
        ("베이트", False),
        ("베이직 자켓", False),
        ("%", False),
        ("-1042", True),
        ("104_", False),
    ],
)
def test_it_finds_words_in_any_order(found, merchant, q, hit):
    _named(merchant, "베이직 코튼 니트", sku="KN-1042")
    _named(merchant, "Linen shirt", sku="SH-7")

    assert found(urlencode({"q": q})) == (["베이직 코튼 니트"] if hit else [])


def test_it_finds_a_product_by_its_new_name_alone(found, merchant, actor_of, bob):
    [product] = _named(merchant, "Denim jacket", sku=None)
    services.update_product(actor=actor_of(bob), product=product, name="Suede coat", sku="C-77")

    assert found("q=denim") == []
    assert found("q=suede c-77") == ["Suede coat"]


def test_it_tells_words_that_only_have_the_same_pieces(found, merchant):
    _named(merchant, "abcd bcde")

    assert found("q=abcde") == []


def test_it_leaves_nothing_of_a_deleted_product(merchant, actor_of, alice):
    [product] = _named(merchant, "Denim jacket")
    services.archive(actor=actor_of(alice), product=product)
    services.delete_product(actor=actor_of(alice), product=product)

    assert not ProductTerm.objects.exists()


def test_it_filters_by_status_and_hides_the_archive(found, merchant):
    _named(merchant, "Draft")
    _named(merchant, "Public", status=Product.Status.PUBLISHED)
    _named(merchant, "Put away", status=Product.Status.ARCHIVED)

    assert found("") == ["Public", "Draft"]
    assert found("status=archived") == ["Put away"]
    assert found("status=archived&status=published") == ["Put away", "Public"]


def test_it_filters_by_values_groups_and_what_is_open(found, merchant):
    jacket, shirt, _open = _named(merchant, "Jacket", "Shirt", "Open")
    propose(jacket, candidate("Outer", 0.9, category=("Jacket", 0.94), material=("denim", 0.7)), chosen="Outer")
    propose(shirt, candidate("Top", 0.9, category=("Shirt", 0.94)), chosen="Top")

    assert found("category=Jacket") == ["Jacket"]
    assert found("category=Outer") == ["Jacket"]
    assert found("category=Outer&category=Shirt") == ["Shirt", "Jacket"]
    assert found("category=-") == ["Open"]
    assert found("category=-&category=Top") == ["Open", "Shirt"]
    assert found("category=Top&material=denim") == []
    assert found("material=-") == ["Open", "Shirt"]
    assert found("category=Spacesuit&sort=lost&below=x&since=2026-13-40&status=gone") == ["Open", "Shirt", "Jacket"]


def test_it_filters_by_who_says_the_category(found, merchant, actor_of, bob):
    model, person, _nobody = _named(merchant, "Model", "Person", "Nobody")
    propose(model, candidate("Outer", 0.9, category=("Jacket", 0.94)), chosen="Outer")
    services.decide(actor=actor_of(bob), product=person, attribute="category", value="Coat")

    assert found("source=model") == ["Model"]
    assert found("source=person") == ["Person"]
    assert found("source=auto") == []
    assert found("source=nobody") == ["Nobody"]


def test_it_filters_by_doubt_and_sorts_by_it(found, merchant, actor_of, bob):
    sure, unsure, several, nothing = _named(merchant, "Sure", "Unsure", "Several", "Nothing")
    propose(sure, candidate("Outer", 0.9, category=("Jacket", 0.94)), chosen="Outer")
    propose(unsure, candidate("Outer", 0.9, category=("Jacket", 0.94), material=("denim", 0.39)), chosen="Outer")
    propose(several, candidate("Outer", 0.5, category=("Coat", 0.9)), candidate("Top", 0.4, category=("Shirt", 0.9)))
    propose(nothing)

    assert found("sort=doubt") == ["Unsure", "Several", "Sure", "Nothing"]
    assert found("below=0.6") == ["Several", "Unsure"]
    assert found("several=1") == ["Several"]
    assert found("nothing=1") == ["Nothing"]

    services.decide(actor=actor_of(bob), product=unsure, attribute="material", value="denim")
    assert found("below=0.6") == ["Several"]


def test_it_finds_failed_classifications(found, merchant):
    failed, fine = _named(merchant, "Failed", "Fine")
    for product, state in ((failed, "failed"), (fine, "done")):
        image = ProductImageFactory(product=product)
        image.classifications.update(state=state, open_key=None)
        results.apply(product.pk, Taxonomy.load())

    assert found("failed=1") == ["Failed"]


def test_it_filters_by_day(found, merchant, settings):
    today, _ = _named(merchant, "Today", "Before")
    Product.objects.exclude(pk=today.pk).update(created_at=timezone.now() - timedelta(days=3))
    day = timezone.localdate()

    assert found(f"since={day}") == ["Today"]
    assert found(f"until={day - timedelta(days=1)}") == ["Before"]
    assert found(f"since={day - timedelta(days=3)}&until={day}&sort=oldest") == ["Before", "Today"]


def test_it_sorts(found, merchant):
    first, _second, _third = (
        ProductFactory(merchant=merchant, name=name, sku=sku) for name, sku in (("나", "b"), ("", None), ("가", "A"))
    )
    first.save()

    assert found("") == ["가", "", "나"]
    assert found("sort=oldest") == ["나", "", "가"]
    assert found("sort=name") == ["가", "나", ""]
    assert found("sort=sku") == ["가", "나", ""]
    assert found("sort=changed")[0] == "나"


def test_it_writes_itself_in_one_way():
    query = (
        "q=denim+jacket&status=to_review&status=ready&category=Jacket&category=-&source=model&below=0.6"
        "&failed=1&several=1&nothing=1&since=2026-01-02&until=2026-02-03&sort=doubt"
    )
    taxonomy = Taxonomy.load()

    assert ProductFilter.parse(QueryDict(query), taxonomy).query() == query
    again = ProductFilter.parse(QueryDict("sort=doubt&status=ready&page=3&until=2026-02-03&" + query), taxonomy)
    assert again.query() == query
    assert ProductFilter.parse(QueryDict("sort=newest&x=1"), taxonomy).query() == ""


@pytest.mark.parametrize("sort", ["newest", "oldest", "changed", "name", "sku", "doubt"])
@pytest.mark.parametrize("few", [0, 1_000])
def test_pages_show_what_the_filter_finds_whether_few_or_many(merchant, actor_of, bob, monkeypatch, few, sort):
    """Each way of reading the products finds the same ones in the same order."""
    monkeypatch.setattr("catalog.selection.FEW", few)
    for number, (name, category) in enumerate((("나 shirt", "Shirt"), ("가 shirt", "Shirt"), ("다 coat", "Coat"))):
        product = ProductFactory(merchant=merchant, name=name)
        confidence = 0.9 - number / 10
        propose(product, candidate("Top", 0.9, category=(category, confidence)), chosen="Top")
    taxonomy = Taxonomy.load()

    several = "category=Shirt&category=Coat"
    queries = ("q=shirt", "category=Shirt", "source=model", "q=shirt&category=Shirt&source=model", "q=velvet")
    for query in (*queries, several, f"{several}&q=shirt", f"{several}&category=-"):
        chosen = ProductFilter.parse(QueryDict(f"{query}&sort={sort}"), taxonomy)
        page = page_of(Selection.of(actor_of(bob), chosen))
        expected = list(chosen.apply(Product.objects.filter(merchant=merchant)))
        assert page.products == expected
        assert len(expected) == {"source=model": 3, "q=velvet": 0, several: 3, f"{several}&category=-": 3}.get(query, 2)


@pytest.mark.parametrize("few", [0, 1_000])
def test_several_values_are_paged_forth_and_back_as_one(merchant, actor_of, bob, monkeypatch, few):
    monkeypatch.setattr("catalog.selection.FEW", few)
    monkeypatch.setattr("catalog.listing.PAGE_SIZE", 2)
    for number in range(5):
        product = ProductFactory(merchant=merchant, name=f"product {number}")
        propose(product, candidate("Top", 0.9, category=("Shirt" if number % 2 else "Coat", 0.9)), chosen="Top")
    selection = Selection.of(
        actor_of(bob), ProductFilter.parse(QueryDict("category=Shirt&category=Coat"), Taxonomy.load())
    )

    first = page_of(selection)
    second = page_of(selection, after=first.next)
    third = page_of(selection, after=second.next)
    pages = [[product.name[-1] for product in page.products] for page in (first, second, third)]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]
    assert (first.previous, third.next) == ("", "")
    assert page_of(selection, before=third.previous).products == second.products
    assert numbers_of(selection).matching.count == 5
