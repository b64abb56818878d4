"""Images by URL: fetched by a worker, added as if they had been uploaded, refused by code."""

import threading
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import ApiKey
from catalog.models import FetchedImage, Product, ProductImage
from catalog.services import fetching
from core.errors import Conflict, Forbidden, Invalid
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory
from tests.support.failing_storage import failing
from tests.support.receivers import receiving

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _allowed(settings):
    settings.OTJANG_OUTGOING_ALLOWED = ["127.0.0.1"]


@pytest.fixture
def keyed(api_key, merchant):
    return Actor(channel=Channel.API, api_key=api_key[0], merchant=merchant)


def _image(color="red"):
    return upload(f"{color}.jpg", color=color).read()


@pytest.fixture
def shop():
    """A server with images."""

    def answer(call):
        name = call.path.rpartition("/")[2]
        if name.startswith("away"):
            return 503
        if name == "moved.jpg":
            return (302, {"Location": "/photos/red.jpg"}, [])
        if name == "inside.jpg":
            return (302, {"Location": "http://169.254.169.254/latest/"}, [])
        if name == "page.html":
            return (200, {}, [b"<html>"])
        color = name.partition(".")[0]
        return (200, {}, [_image(color)]) if name.endswith(".jpg") and color != "missing" else 404

    with receiving(answer) as running:
        yield running


def _fetch():
    return fetching.fetch_due(threading.Event())


def _ask(actor, product, shop, *names):
    urls = [f"{shop.url}/photos/{name}" for name in names]
    return fetching.request_images(actor=actor, product=product, urls=urls)


def test_images_are_fetched_and_added_in_the_order_of_their_urls(keyed, product, shop):
    asked = _ask(keyed, product, shop, "red.jpg", "navy.jpg")
    assert [one.state for one in asked] == ["waiting", "waiting"]
    assert _fetch() == 2
    images = list(ProductImage.objects.filter(product=product).order_by("position"))
    assert [image.original_name for image in images] == ["red.jpg", "navy.jpg"]
    assert [one.image for one in FetchedImage.objects.order_by("place")] == images
    product.refresh_from_db()
    assert product.status == Product.Status.CLASSIFYING


@pytest.mark.parametrize(
    ("name", "code"),
    [("page.html", "not_an_image"), ("missing.jpg", "answer_refused"), ("inside.jpg", "url_forbidden")],
)
def test_what_is_no_image_is_refused_by_code(keyed, product, shop, name, code):
    _ask(keyed, product, shop, name)
    _fetch()
    fetch = FetchedImage.objects.get()
    assert (fetch.state, fetch.error["code"], fetch.image) == ("refused", code, None)
    assert fetch.error["message"]


def test_a_redirect_is_followed(keyed, product, shop):
    _ask(keyed, product, shop, "moved.jpg")
    _fetch()
    assert ProductImage.objects.get().original_name == "red.jpg"


def test_a_large_file_is_not_read_to_its_end(keyed, product, shop, settings):
    settings.OTJANG_MAX_UPLOAD_BYTES = 100
    _ask(keyed, product, shop, "red.jpg")
    _fetch()
    assert FetchedImage.objects.get().error["code"] == "answer_too_large"


def test_a_server_that_is_away_is_asked_again_for_a_while(keyed, product, shop):
    _ask(keyed, product, shop, "away.jpg")
    tried = 0
    while FetchedImage.objects.get().state == "waiting":
        assert _fetch() == 1
        assert _fetch() == 0
        tried += 1
        FetchedImage.objects.update(next_at=F("next_at") - timedelta(minutes=6))
    assert tried == 4
    assert FetchedImage.objects.get().error["code"] == "answer_later"


def test_our_own_full_disk_costs_no_attempt(keyed, product, shop, monkeypatch):
    (asked,) = _ask(keyed, product, shop, "red.jpg")
    for _outage in range(6):
        with failing(monkeypatch):
            _fetch()
        FetchedImage.objects.update(next_at=F("next_at") - timedelta(hours=1))
    asked.refresh_from_db()
    assert (asked.state, asked.attempts) == ("waiting", 0)

    assert _fetch() == 1
    asked.refresh_from_db()
    assert (asked.state, asked.attempts) == ("done", 0)


def test_what_a_killed_worker_began_is_fetched_again(keyed, product, shop):
    _ask(keyed, product, shop, "red.jpg")
    fetching._claim()
    assert _fetch() == 0
    FetchedImage.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    assert _fetch() == 1
    assert FetchedImage.objects.get().state == "done"


def test_a_merchant_s_slow_server_leaves_room_for_others(keyed, product, shop, charlie, actor_of, other_merchant):
    _ask(keyed, product, shop, "red.jpg", "navy.jpg")
    other = ProductFactory(merchant=other_merchant)
    _ask(actor_of(charlie), other, shop, "green.jpg")
    assert [fetching._claim().product for _number in range(3)] == [product, other, product]


def test_who_lost_the_permission_meanwhile_adds_nothing(keyed, product, shop):
    _ask(keyed, product, shop, "red.jpg")
    ApiKey.objects.update(revoked_at=timezone.now())
    _fetch()
    assert FetchedImage.objects.get().error["code"] == "forbidden"
    assert shop.calls == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://127.0.0.2/", "http://a:b@example.com/x.jpg", ""])
def test_impossible_urls_are_refused_at_once(keyed, product, url):
    with pytest.raises(Invalid):
        fetching.request_images(actor=keyed, product=product, urls=["https://example.com/a.jpg", url])
    assert not FetchedImage.objects.exists()


def test_a_product_has_only_so_many_images(keyed, product, shop, settings):
    settings.OTJANG_MAX_IMAGES_PER_PRODUCT = 2
    _ask(keyed, product, shop, "red.jpg")
    with pytest.raises(Invalid) as refused:
        _ask(keyed, product, shop, "navy.jpg", "green.jpg")
    assert refused.value.code == "too_many_images"
    with pytest.raises(Invalid):
        fetching.request_images(actor=keyed, product=product, urls=[])


def test_nobody_else_asks(product, shop, dana, actor_of, actor):
    with pytest.raises(Forbidden):
        _ask(actor_of(dana), product, shop, "red.jpg")
    Product.objects.update(status="archived")
    with pytest.raises(Conflict):
        _ask(actor, product, shop, "red.jpg")


def test_what_ended_long_ago_is_forgotten(keyed, product, shop):
    _ask(keyed, product, shop, "red.jpg")
    _fetch()
    _ask(keyed, product, shop, "navy.jpg")
    FetchedImage.objects.filter(state="done").update(finished_at=timezone.now() - timedelta(days=8))
    assert fetching.prune() == 1
    assert ProductImage.objects.count() == 1


@pytest.mark.parametrize(
    "path", ["/%2F", "/..%2f", "/%2e%2e", "/a%00b.jpg", "/%0d%0aX-A:b.jpg", "/%ff", "/" + "n" * 400 + ".jpg"]
)
def test_a_photo_is_taken_whatever_its_address_ends_in(keyed, product, path):
    with receiving((200, {}, [_image()])) as running:
        (asked,) = fetching.request_images(actor=keyed, product=product, urls=[running.url + path])
        _fetch()
    asked.refresh_from_db()
    assert (asked.state, asked.reason) == ("done", {})
    name = asked.image.original_name
    assert name.strip(".")
    assert name.isprintable()


def test_a_photo_that_breaks_the_site_is_given_up_and_holds_up_no_other(keyed, product, shop, monkeypatch, caplog):
    add_images = fetching.uploads.add_images

    def broken(*, files, **named):
        if files[0].name == "red.jpg":
            raise RuntimeError("a mistake of ours")
        return add_images(files=files, **named)

    monkeypatch.setattr(fetching.uploads, "add_images", broken)
    _ask(keyed, product, shop, "red.jpg", "blue.jpg")
    for _attempt in range(6):
        _fetch()
        FetchedImage.objects.update(next_at=timezone.now())
    first, second = FetchedImage.objects.order_by("pk")
    assert (first.state, first.error["code"], second.state) == ("refused", "server_error", "done")
    assert "a mistake of ours" in caplog.text
