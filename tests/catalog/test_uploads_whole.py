"""A product and its images come together or not at all, wherever the process that takes them in is stopped."""

import os
import signal
import threading

import pytest
from django.core.files.storage import default_storage
from django.db import connection, connections, transaction
from django.urls import reverse

from accounts.models import AuditEvent
from catalog import files, services
from catalog.models import PendingFile, Product, ProductImage
from catalog.services import uploads
from catalog.services.uploads import add_images, create_product_with_images
from classifier.models import Classification
from tests.support.api_clients import ApiClient
from tests.support.drawn_images import upload
from tests.support.stored_files import let_an_hour_pass, stored_files

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """What no handler of errors gets hold of."""


def _images():
    return [upload("front.jpg"), upload("back.jpg", color="navy")]


def _stop_before(module, name, stop, call=1):
    """Return what replaces a function so that its n-th call stops the process."""
    real, calls = getattr(module, name), []

    def stopping(*args, **options):
        calls.append(name)
        if len(calls) == call:
            stop()
        return real(*args, **options)

    return module, name, stopping


def _kill():
    os.kill(os.getpid(), signal.SIGKILL)


def _raise():
    raise Killed


# Where it stops, and how many files lie there then: each of two images has three.
STEPS = {
    "before the first file": (files, "write", 1, 0),
    "after the first file": (files, "write", 2, 1),
    "between the images": (files, "write", 5, 4),
    "after the last file": (services, "create_product", 1, 8),
    "after the product's row": (files, "confirm", 1, 8),
    "before the commit": (services, "audit", 1, 8),
}


@pytest.fixture(params=STEPS.values(), ids=STEPS)
def step(request):
    return request.param


def _nothing_is_left(count):
    """Check that no row is there, and that a sweep finds every file."""
    for model in (Product, ProductImage, Classification, AuditEvent):
        assert not model.objects.exists()
    assert len(stored_files()) == count
    assert files.delete_due() == 0  # the request could still be alive
    let_an_hour_pass()
    files.delete_due()
    assert stored_files() == []
    assert not PendingFile.objects.exists()


def test_a_killed_process_leaves_no_product_and_the_same_request_succeeds(step, alice, merchant, actor_of):
    module, name, call, count = step
    request = {"actor": actor_of(alice), "merchant": merchant, "sku": "A-1"}
    connections.close_all()  # the child must not speak through them
    child = os.fork()
    if child == 0:
        try:
            setattr(*_stop_before(module, name, _kill, call))
            create_product_with_images(files=_images(), **request)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    _nothing_is_left(count)

    product, received = create_product_with_images(files=_images(), **request)

    assert product.sku == "A-1"
    assert [entry.refusal for entry in received] == [None, None]
    assert product.images.count() == 2


def _by_api(secret):
    return ApiClient(secret).upload("/products", *_images(), sku="A-1")


def _by_portal(client):
    return client.post(reverse("catalog:new_product"), {"images": _images(), "sku": "A-1"})


def _by_admin(client, merchant):
    data = {"merchant": merchant.pk, "name": "Coat", "sku": "A-1", "images": _images()}
    return client.post(reverse("admin:catalog_product_add"), data)


@pytest.fixture(params=["api", "portal", "admin"])
def create(request, merchant):
    """Create a product with two images."""
    client_of = request.getfixturevalue("client_of")
    if request.param == "api":
        secret = request.getfixturevalue("api_key")[1]
        return lambda: _by_api(secret)
    person = request.getfixturevalue("alice" if request.param == "portal" else "admin")
    client = client_of(person)
    return lambda: _by_portal(client) if request.param == "portal" else _by_admin(client, merchant)


def test_whatever_way_it_comes(step, create, monkeypatch):
    module, name, call, count = step
    with monkeypatch.context() as patches:
        patches.setattr(*_stop_before(module, name, _raise, call))
        with pytest.raises(Killed):
            create()
    _nothing_is_left(count)

    assert create().status_code in {201, 302}
    assert Product.objects.get(sku="A-1").images.count() == 2
    assert not PendingFile.objects.exists()


@pytest.mark.parametrize(("module", "name", "call"), [(files, "write", 2), (files, "write", 6), (files, "confirm", 1)])
def test_images_of_one_request_come_together(module, name, call, product, alice, actor_of, monkeypatch):
    with monkeypatch.context() as patches:
        patches.setattr(*_stop_before(module, name, _raise, call))
        with pytest.raises(Killed):
            add_images(actor=actor_of(alice), product=product, files=_images())
    assert not product.images.exists()
    assert not Classification.objects.exists()
    let_an_hour_pass()
    files.delete_due()
    assert stored_files() == []

    received = add_images(actor=actor_of(alice), product=product, files=_images())

    assert [entry.refusal for entry in received] == [None, None]


def test_files_are_recorded_before_they_are_written(product, alice, actor_of, monkeypatch):
    save, seen = default_storage.save, []

    def look_and_save(path, content, **options):
        seen.append(PendingFile.objects.filter(path=path).exists())
        return save(path, content, **options)

    monkeypatch.setattr(default_storage, "save", look_and_save)
    add_images(actor=actor_of(alice), product=product, files=_images())

    assert seen == [True] * 8
    assert not PendingFile.objects.exists()


def test_an_error_leaves_no_file_where_it_can_be_helped(product, alice, actor_of, monkeypatch):
    def break_off(*_args):
        raise RuntimeError("database")

    monkeypatch.setattr(files, "confirm", break_off)
    with pytest.raises(RuntimeError, match="database"):
        add_images(actor=actor_of(alice), product=product, files=_images())
    assert (stored_files(), PendingFile.objects.count()) == ([], 0)


def test_a_commit_whose_answer_is_lost_keeps_its_files(product, alice, actor_of, monkeypatch):
    """The rows are there, though the request ends in an error: their files must be, too."""
    store = uploads.add_prepared

    def store_and_lose_the_answer(**parts):
        store(**parts)
        raise RuntimeError("connection lost")

    monkeypatch.setattr(uploads, "add_prepared", store_and_lose_the_answer)
    with pytest.raises(RuntimeError, match="connection lost"):
        add_images(actor=actor_of(alice), product=product, files=_images())
    assert product.images.count() == 2
    assert len(stored_files()) == 8


def _announced(path):
    files.announce({path: "b"})
    files.write(path, b"x")
    return path


def _discard(path):
    files.discard([path])
    connection.close()


def test_files_are_claimed_before_they_are_deleted(monkeypatch):
    """Whoever only reads the records does not see that their confirmation is being committed."""
    tries = []
    monkeypatch.setattr(default_storage, "delete", lambda path: tries.append(PendingFile.objects.get(path=path).tries))
    files.discard([_announced("products/a/b.jpg")])
    assert tries == [1]


@pytest.mark.skipif(connection.vendor != "mysql", reason="SQLite has one writer at a time")
def test_a_commit_that_is_still_on_its_way_keeps_its_files():
    path = _announced("products/a/b.jpg")
    discarding = threading.Thread(target=_discard, args=[path])
    with transaction.atomic():
        files.confirm([path])
        discarding.start()
        discarding.join(0.5)  # it waits for the end of this transaction; it would be done long before
    discarding.join()
    assert default_storage.exists(path)


def test_a_request_that_slept_through_the_sweep_is_told_to_come_again(alice, merchant, api_key, monkeypatch):
    def sweep_first(**options):
        let_an_hour_pass()
        files.delete_due()
        return create_product(**options)

    create_product = services.create_product
    monkeypatch.setattr(services, "create_product", sweep_first)

    answer = _by_api(api_key[1])

    assert (answer.status_code, answer.json()["code"]) == (409, "upload_expired")
    assert not Product.objects.exists()


@pytest.mark.parametrize(
    ("fields", "code"), [({"sku": "aj-1042 "}, "sku_taken"), ({"name": "x" * 201}, "name_too_long")]
)
def test_what_is_refused_anyway_is_not_decoded(fields, code, product, merchant, alice, actor_of, monkeypatch):
    monkeypatch.setattr(uploads, "decoding", None)
    with pytest.raises(uploads.Refused) as refused:
        create_product_with_images(actor=actor_of(alice), merchant=merchant, files=_images(), **fields)
    assert refused.value.code == code
    assert not PendingFile.objects.exists()


def test_viewers_are_turned_away_before_anything_is_decoded(merchant, dana, actor_of, monkeypatch):
    monkeypatch.setattr(uploads, "decoding", None)
    with pytest.raises(uploads.Refused) as refused:
        create_product_with_images(actor=actor_of(dana), merchant=merchant, files=_images())
    assert refused.value.code == "forbidden"


def test_an_sku_that_is_taken_while_the_images_are_decoded(merchant, alice, actor_of, monkeypatch):
    actor, decode = actor_of(alice), uploads.decoding

    def take_it_and_decode(*args, **options):
        if not Product.objects.exists():
            services.create_product(actor=actor, merchant=merchant, sku="A-1")
        return decode(*args, **options)

    monkeypatch.setattr(uploads, "decoding", take_it_and_decode)
    with pytest.raises(uploads.Refused) as refused:
        create_product_with_images(actor=actor, merchant=merchant, files=_images(), sku="A-1")
    assert refused.value.code == "sku_taken"
    assert not Product.objects.get().images.exists()
    assert (stored_files(), PendingFile.objects.count()) == ([], 0)
