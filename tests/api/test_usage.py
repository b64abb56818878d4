"""How much may come in for a merchant on a day, and what /usage says of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Usage
from catalog.models import Product, ProductImage
from catalog.services import uploads
from classifier.models import ClassifyRequest
from tests.support.api_clients import ApiClient, error_of
from tests.support.drawn_images import upload
from tests.support.stored_files import stored_files

pytestmark = pytest.mark.django_db


def _used(merchant):
    return Usage.objects.filter(merchant=merchant).values_list("images", "bytes").first()


def test_it_counts_what_is_stored_and_nothing_else(api, product, merchant, other_merchant):
    api.upload(f"/products/{product.public_id}/images", upload("a.jpg", color="red"), upload("b.jpg", color="blue"))
    size = sum(ProductImage.objects.values_list("size", flat=True))
    assert _used(merchant) == (2, size)

    api.upload("/products", upload("c.jpg", color="green"), sku="NEW-1")
    api.upload(f"/products/{product.public_id}/images", upload("a.jpg", color="red"))
    api.upload("/products", upload("d.jpg", color="black"), sku="NEW-1")

    assert _used(merchant) == (3, sum(ProductImage.objects.values_list("size", flat=True)))
    assert Usage.objects.count() == 1, "no row for who sends nothing"


def test_people_in_the_portal_use_nothing_up(actor, product, merchant, settings):
    settings.OTJANG_DAILY_IMAGES = 1
    for colour in ("red", "blue"):
        uploads.add_images(actor=actor, product=product, files=[upload(f"{colour}.jpg", color=colour)])
    assert _used(merchant) is None
    assert product.images.count() == 2


@pytest.mark.parametrize("own", [False, True])
def test_it_takes_no_photo_over_the_quota(api, product, merchant, settings, own):
    if own:
        merchant.daily_images = 2
        merchant.save()
    else:
        settings.OTJANG_DAILY_IMAGES = 2
    address = f"/products/{product.public_id}/images"
    assert api.upload(address, upload("a.jpg", color="red")).status_code == 201
    before = stored_files()

    answer = api.upload(address, upload("b.jpg", color="blue"), upload("c.jpg", color="green"))

    assert (answer.status_code, error_of(answer)) == (429, "image_quota_exceeded")
    assert 0 < int(answer.headers["Retry-After"]) <= 86_400
    assert (product.images.count(), stored_files(), _used(merchant)[0]) == (1, before, 1)
    assert api.upload(address, upload("b.jpg", color="blue")).status_code == 201
    answer = api.upload("/products", upload("c.jpg", color="green"), name="One too many")
    assert (answer.status_code, error_of(answer)) == (429, "image_quota_exceeded")
    assert Product.objects.count() == 1
    assert api.send("post", "/products", {"name": "Without photos"}).status_code == 201


def test_it_takes_no_bytes_over_the_quota(api, product, merchant, settings):
    address = f"/products/{product.public_id}/images"
    api.upload(address, upload("a.jpg", color="red"))
    settings.OTJANG_DAILY_BYTES = _used(merchant)[1] + 10
    answer = api.upload(address, upload("b.jpg", color="blue"))
    assert (answer.status_code, error_of(answer)) == (429, "byte_quota_exceeded")
    merchant.daily_megabytes = 1
    merchant.save()
    assert api.upload(address, upload("b.jpg", color="blue")).status_code == 201


def test_what_others_send_meanwhile_counts(api_key, product, merchant, settings, monkeypatch):
    """The quota is looked at before the photos are decoded, and again when they are stored."""
    settings.OTJANG_DAILY_IMAGES = 1
    monkeypatch.setattr(uploads, "_require_quota", lambda actor, files: None)
    api = ApiClient(api_key[1])
    address = f"/products/{product.public_id}/images"
    assert api.upload(address, upload("a.jpg", color="red")).status_code == 201
    before = stored_files()
    answer = api.upload(address, upload("b.jpg", color="blue"))
    assert (answer.status_code, error_of(answer)) == (429, "image_quota_exceeded")
    assert (product.images.count(), stored_files()) == (1, before)


def test_every_day_is_a_new_one(api, product, merchant, settings):
    settings.OTJANG_DAILY_IMAGES = 1
    address = f"/products/{product.public_id}/images"
    api.upload(address, upload("a.jpg", color="red"))
    Usage.objects.update(day=timezone.localdate() - timedelta(days=1))
    assert api.upload(address, upload("b.jpg", color="blue")).status_code == 201
    assert Usage.objects.count() == 2


def test_it_says_what_a_key_may_and_what_is_used(api, api_key, product, merchant, django_assert_num_queries):
    api.upload(f"/products/{product.public_id}/images", upload())
    with django_assert_num_queries(2):  # the key with its merchant, the days
        body = api.send("get", "/usage").json()
    images, size = _used(merchant)
    assert body["key"] == {
        "name": "till",
        "prefix": api_key[0].prefix,
        "scopes": ["read", "write", "classify"],
        "expires_at": None,
        "old_secret_until": None,
    }
    assert body["images"] == {"used": 1, "limit": 100_000, "remaining": 99_999}
    assert body["bytes"]["used"] == size
    assert body["days"] == [{"day": str(timezone.localdate()), "images": images, "bytes": size}]
    assert [rate["name"] for rate in body["rates"]] == ["caller", "merchant"]
    assert body["resets_at"].endswith("T00:00:00+09:00")


def test_a_site_without_quotas_says_so(api, settings):
    settings.OTJANG_DAILY_IMAGES = settings.OTJANG_DAILY_BYTES = 0
    body = api.send("get", "/usage").json()
    assert body["images"] == body["bytes"] == {"used": 0, "limit": None, "remaining": None}


def test_people_read_it_too(client_of, dana, admin):
    assert client_of(dana).get("/api/v1/usage").json()["key"] is None
    answer = client_of(admin).get("/api/v1/usage")
    assert (answer.status_code, error_of(answer)) == (403, "no_merchant")


def test_photos_that_are_only_classified_count_too(api, merchant, settings):
    settings.OTJANG_DAILY_IMAGES = 2
    headers = {"Prefer": "wait=0"}
    sent = {"images": [upload("a.jpg", color="red"), upload("notes.txt", data=b"a text")]}
    assert api.post("/api/v1/classify", sent, headers=headers).status_code == 202
    assert _used(merchant)[0] == 1
    before = stored_files("spool"), ClassifyRequest.objects.count()

    sent = {"images": [upload("b.jpg", color="blue"), upload("c.jpg", color="green")]}
    answer = api.post("/api/v1/classify", sent, headers=headers)

    assert (answer.status_code, error_of(answer)) == (429, "image_quota_exceeded")
    assert (stored_files("spool"), ClassifyRequest.objects.count()) == before
    assert _used(merchant)[0] == 1
