"""The admin's long lists: newest first, paged by key, found by words, values, merchants and times."""

from datetime import timedelta
from itertools import chain

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from accounts.actors import system
from accounts.models import AuditEvent
from catalog.models import Product, ProductImage
from catalog.services import decide
from tests.support.factories import MerchantFactory, ProductFactory, ProductImageFactory, UserFactory

pytestmark = pytest.mark.django_db

PRODUCTS = reverse("admin:catalog_product_changelist")
IMAGES = reverse("admin:catalog_productimage_changelist")


@pytest.fixture
def staff(client_of):
    """A client of somebody with every permission, who is no superuser: that costs queries."""
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    return client_of(user, "en")


@pytest.fixture
def shown(staff, django_assert_max_num_queries):
    """Ask for a list, within ten queries; returns the page."""

    def ask(address, **query):
        with django_assert_max_num_queries(10, info=f"{address} {query}"):
            return staff.get(address, query)

    return ask


def _found(page):
    return [row.pk for row in page.context["cl"].result_list]


def _pages(shown, address, **query):
    """The pages from the first to the last one, and back to the first."""
    pages, links = [], address
    page = shown(links, **query)
    while True:
        pages.append(_found(page))
        link = page.context["cl"].older_link
        if not link:
            break
        page = shown(address + link)
    back = [_found(page)]
    while link := page.context["cl"].newer_link:
        page = shown(address + link)
        back.append(_found(page))
    return pages, back[::-1]


def test_pages_follow_each_other_by_key_there_and_back(shown):
    merchant = MerchantFactory()
    products = [ProductFactory(merchant=merchant, name=f"Coat {number}").pk for number in range(55)][::-1]
    pages, back = _pages(shown, PRODUCTS)
    assert [len(page) for page in pages] == [20, 20, 15]
    assert list(chain(*pages)) == products
    assert back == pages

    filtered, _back = _pages(shown, PRODUCTS, q="coat")
    assert filtered == pages
    assert "20 products" not in shown(PRODUCTS).text


def test_a_page_says_how_many_only_where_it_shows_all(shown):
    merchant = MerchantFactory()
    for number in range(3):
        ProductFactory(merchant=merchant, name=f"Coat {number}")
    page = shown(PRODUCTS)
    assert "3 products" in " ".join(page.text.split())
    assert not page.context["cl"].has_more_pages


def test_filters_show_what_is_chosen(shown):
    ProductFactory(status="archived")
    page = shown(PRODUCTS, status__exact="archived", material="linen").text
    assert '<option value="archived" selected>' in page
    assert '<option value="linen" selected>' in page


@pytest.mark.parametrize("place", ["abc", "-1", "", "99999999999999999999", "²"])
def test_a_place_that_is_none_is_the_first_page(shown, place):
    product = ProductFactory()
    for where in ("newer", "older"):
        page = shown(PRODUCTS, **{where: place})
        assert page.status_code == 302 or _found(page) == [product.pk]


@pytest.mark.parametrize("few", [1_000, 1, 0])
def test_words_and_values_are_found_together(shown, monkeypatch, few):
    monkeypatch.setattr("catalog.admin.finding._FOUND", few)
    merchant, other = MerchantFactory(name="Corner"), MerchantFactory(name="Elsewhere")
    linen = [ProductFactory(merchant=merchant, name=f"Wool coat {number}", sku=f"WC-{number}") for number in range(3)]
    denim = [ProductFactory(merchant=other, name=f"Wool jacket {number}") for number in range(3)]
    for products, value in ((linen, "linen"), (denim, "denim")):
        for product in products:
            decide(actor=system(), product=product, attribute="material", value=value)
    keys = {"linen": [product.pk for product in linen[::-1]], "denim": [product.pk for product in denim[::-1]]}

    assert _found(shown(PRODUCTS, q="wool")) == keys["denim"] + keys["linen"]
    assert _found(shown(PRODUCTS, q="wool", material="linen")) == keys["linen"]
    assert _found(shown(PRODUCTS, material="denim")) == keys["denim"]
    assert _found(shown(PRODUCTS, q="coat", material="denim")) == []
    assert _found(shown(PRODUCTS, q="wc-1")) == [linen[1].pk]
    assert _found(shown(PRODUCTS, q=linen[2].public_id)) == [linen[2].pk]
    assert _found(shown(PRODUCTS, q="corner")) == keys["linen"]
    assert _found(shown(PRODUCTS, q="corner", material="linen")) == keys["linen"]
    assert _found(shown(PRODUCTS, q="nothing like it")) == []


@pytest.mark.parametrize("few", [1_000, 1])
def test_rows_are_found_by_merchant(shown, monkeypatch, few):
    monkeypatch.setattr("catalog.admin.finding.FEW", few)
    mine, other = MerchantFactory(name="Corner"), MerchantFactory()
    images = [
        ProductImageFactory(product=ProductFactory(merchant=merchant)) for merchant in (mine, other, mine, mine, other)
    ]
    wanted = [image.pk for image in images[::-1] if image.product.merchant_id == mine.pk]
    page = shown(IMAGES, product__merchant__id__exact=mine.pk)
    assert _found(page) == wanted
    assert "Corner" in page.text
    jobs = shown(reverse("admin:classifier_classification_changelist"), image__product__merchant__id__exact=mine.pk)
    assert [job.image_id for job in jobs.context["cl"].result_list] == wanted
    assert shown(IMAGES, product__merchant__id__exact=MerchantFactory().pk).context["cl"].result_count == 0
    assert shown(IMAGES, product__merchant__id__exact="abc").status_code in (200, 302)


def test_photos_are_found_by_file_number_or_product(shown):
    image = ProductImageFactory(product=ProductFactory(name="Red coat"))
    ProductImage.objects.filter(pk=image.pk).update(original_name="front view.jpg")
    ProductImageFactory(product=ProductFactory(name="Blue coat"))
    for query in ("front", "FRONT view", image.public_id, "red coat", image.product.public_id):
        assert _found(shown(IMAGES, q=query)) == [image.pk], query


def test_of_very_many_products_it_says_so(shown, monkeypatch):
    monkeypatch.setattr("catalog.admin.finding._FOUND", 1)
    for _number in range(2):
        ProductImageFactory(product=ProductFactory(name="Red coat"))
    page = shown(IMAGES, q="coat")
    assert _found(page) == []
    assert "Very many products are called so" in page.text


def test_rows_of_a_period(shown):
    now = timezone.now().replace(microsecond=0)
    for days in (9, 6, 3, 0):
        event = AuditEvent.objects.create(channel="admin", action="x.y", subject_type="product", subject_id=str(days))
        AuditEvent.objects.filter(pk=event.pk).update(created_at=now - timedelta(days=days))
    address = reverse("admin:accounts_auditevent_changelist")

    def period(**days):
        query = {}
        for which, ago in days.items():
            when = timezone.localtime(now - timedelta(days=ago))
            query |= {f"created_at_{which}_0": f"{when:%Y-%m-%d}", f"created_at_{which}_1": f"{when:%H:%M:%S}"}
        return [event.subject_id for event in shown(address, **query).context["cl"].result_list]

    assert period(**{"from": 7, "to": 1}) == ["3", "6"]
    assert period(**{"from": 4}) == ["0", "3"]
    assert period(to=5) == ["6", "9"]
    assert period(**{"from": 20, "to": 15}) == []
    assert shown(address, created_at_from_0="nonsense", created_at_from_1="x").status_code in (200, 302)


def test_an_action_is_done_with_all_rows_of_the_list(admin, client_of):
    merchant = MerchantFactory()
    products = [ProductFactory(merchant=merchant, status="ready") for _number in range(30)]
    client = client_of(admin, "en")
    page = client.get(PRODUCTS)
    assert "Select all rows of the list, on other pages too" in page.text
    chosen = {"action": "archive_selected", "_selected_action": [products[0].pk], "select_across": "1", "index": "0"}
    client.post(PRODUCTS, chosen)
    assert Product.objects.filter(status="archived").count() == 30
