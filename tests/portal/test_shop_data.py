"""An owner takes all data of the shop along, closes the shop, and may take that back for a while."""

import csv
import io
import threading
import zipfile
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.actors import system
from accounts.models import ApiKey, AuditEvent, Membership, Merchant, Operation
from accounts.services import operations
from catalog.files import delete_due
from catalog.models import ImportLine, PendingFile, Product, ProductImage, ProductImport
from catalog.services import closing, decide, shop_data
from catalog.services.deletion import delete_of_closed
from catalog.services.uploads import add_images
from core.errors import Conflict, Forbidden
from tests.support.api_clients import ApiClient
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory
from tests.support.import_files import checked, csv_file, imported

pytestmark = pytest.mark.django_db


@pytest.fixture
def stocked(merchant, product, actor, other_merchant):
    """The merchant has two products, one with photos and a decision; another merchant has one, too."""
    ProductFactory(merchant=merchant, sku="=1+1", name="＠formula")
    ProductFactory(merchant=other_merchant, name="Not theirs")
    add_images(actor=actor, product=product, files=[upload(color="red"), upload("back.jpg", color="blue")])
    decide(actor=actor, product=product, attribute="material", value="woven")
    return product


def _tables(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        tables = {
            name: list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
            for name in names
            if name.endswith(".csv")
        }
        return tables, {name: archive.read(name) for name in names if not name.endswith(".csv")}


def test_everything_is_in_one_file(client_of, alice, stocked, merchant):
    client = client_of(alice)
    client.post("/settings/data/start")
    assert "0 of 2 products" in client.get("/settings/data").text
    client.post("/settings/data/start")
    assert Operation.objects.count() == 1

    operations.continue_long()

    operation = Operation.objects.get()
    assert (operation.state, operation.done, operation.failed) == ("done", 2, 0)
    page = client.get("/settings/data").text
    assert f"/settings/data/{operation.public_id}" in page
    answer = client.get(f"/settings/data/{operation.public_id}")
    tables, photos = _tables(b"".join(answer.streaming_content))
    assert [row["sku"] for row in tables["products.csv"]] == ["AJ-1042", "'=1+1"]
    assert tables["products.csv"][1]["name"] == "'＠formula"
    assert {row["product"] for row in tables["images.csv"]} == {stocked.public_id}
    stored = {default_storage.open(str(image.original)).read() for image in ProductImage.objects.all()}
    assert {photos[row["file"]] for row in tables["images.csv"]} == set(photos.values()) == stored
    assert [(row["attribute"], row["value"], row["by"]) for row in tables["decisions.csv"]] == [
        ("material", "woven", "alice")
    ]
    assert [row["e-mail"] for row in tables["members.csv"]] == ["alice@example.com"]
    assert "Not theirs" not in str(tables)


def test_a_stopped_worker_begins_it_again(client_of, alice, stocked):
    client_of(alice).post("/settings/data/start")
    stop = threading.Event()
    stop.set()
    lease = operations.Lease(Operation.objects.get().pk, "t")
    assert lease.take()
    assert shop_data.run(lease, stop, 2.0) == 0
    assert not default_storage.exists(Operation.objects.get().result_file)
    lease.let_go()

    operations.continue_long()

    assert Operation.objects.get().state == "done"


def test_it_can_be_stopped(client_of, alice, stocked):
    client = client_of(alice)
    client.post("/settings/data/start")
    operation = Operation.objects.get()
    client.post(f"/settings/data/{operation.public_id}/cancel")
    operations.continue_long()
    operation.refresh_from_db()
    assert operation.state == "cancelled"
    assert client.get(f"/settings/data/{operation.public_id}").status_code == 404


def test_a_missing_photo_costs_only_itself(client_of, alice, stocked):
    default_storage.delete(str(ProductImage.objects.first().original))
    client = client_of(alice)
    client.post("/settings/data/start")
    operations.continue_long()
    assert (Operation.objects.get().state, Operation.objects.get().failed) == ("done", 1)
    assert "1 photo is missing" in client.get("/settings/data").text


def test_it_is_for_owners(client_of, alice, bob, charlie, stocked, merchant):
    client_of(alice).post("/settings/data/start")
    operations.continue_long()
    number = Operation.objects.get().public_id
    for person, status in ((bob, 403), (charlie, 404)):
        assert client_of(person).get(f"/settings/data/{number}").status_code == status
    assert client_of(bob).get("/settings/data").status_code == 403
    assert client_of(bob).post("/settings/data/start").status_code == 403
    assert client_of(bob).post(f"/merchants/{merchant.public_id}/close", {"name": merchant.name}).status_code == 403
    assert client_of(charlie).post(f"/merchants/{merchant.public_id}/close", {"name": merchant.name}).status_code == 404


def _close(client, merchant, name=None):
    return client.post(f"/merchants/{merchant.public_id}/close", {"name": name or merchant.name}, follow=True)


def test_closing_asks_for_the_name_and_is_said_on_every_page(client_of, alice, bob, merchant):
    client = client_of(alice)
    assert "That is not the shop" in _close(client, merchant, "Another").text
    answer = _close(client, merchant, " alice's MERCHANT ")
    assert "This shop is being closed" in answer.text
    merchant.refresh_from_db()
    assert timedelta(days=29) < merchant.closes_at - timezone.now() <= timedelta(days=30)
    page = client_of(bob).get("/products/").text
    assert "This shop is being closed" in page
    assert "Take this back" not in page

    client.post(f"/merchants/{merchant.public_id}/keep")

    merchant.refresh_from_db()
    assert merchant.closes_at is None
    assert "being closed" not in client.get("/products/").text


def test_the_sweep_deletes_what_a_closed_shop_had(
    client_of, alice, bob, stocked, merchant, other_merchant, api_key, django_capture_on_commit_callbacks
):
    files = [name for image in ProductImage.objects.all() for name in image.files.values()]
    client = client_of(alice)
    client.post("/settings/data/start")
    operations.continue_long()
    result = Operation.objects.get().result_file
    _close(client, merchant)
    assert closing.remove_due() == 0
    assert Product.objects.filter(merchant=merchant).count() == 2
    Merchant.objects.filter(pk=merchant.pk).update(closes_at=timezone.now())
    late = client.post(f"/merchants/{merchant.public_id}/keep", follow=True)
    assert "The days are over" in late.text

    with django_capture_on_commit_callbacks(execute=True):
        assert closing.remove_due() == 1
        PendingFile.objects.update(delete_after=timezone.now() - timedelta(days=2))
    delete_due()

    assert not Product.objects.filter(merchant=merchant).exists()
    assert not any(default_storage.exists(name) for name in [*files, result])
    assert not Membership.objects.filter(merchant=merchant).exists()
    assert not ApiKey.objects.exists()
    assert ApiClient(api_key[1]).send("get", "/products").status_code == 401
    merchant.refresh_from_db()
    assert (merchant.is_active, merchant.closes_at) == (False, None)
    assert AuditEvent.objects.filter(merchant=merchant, action="merchant.remove").exists()
    assert Product.objects.filter(merchant=other_merchant).exists()
    assert closing.remove_due() == 0


@pytest.mark.parametrize("started", [False, True])
def test_imports_of_a_closed_shop_go_with_it(actor, merchant, started):
    table = csv_file(("A-1", "secret name", "", "", "", ""))
    found = imported(actor, table_csv=table) if started else checked(actor, table_csv=table)
    files = list(found.files.values_list("stored", flat=True))
    assert found.lines.exists()
    assert files or started
    Merchant.objects.filter(pk=merchant.pk).update(closes_at=timezone.now())
    closing.remove_due()
    assert not ProductImport.objects.exists()
    assert not ImportLine.objects.exists()
    assert not any(default_storage.exists(name) for name in files)


def test_a_killed_sweep_goes_on(stocked, merchant):
    ProductFactory(merchant=merchant)
    Merchant.objects.filter(pk=merchant.pk).update(closes_at=timezone.now())
    answers = iter([True, True, False])
    assert closing.remove_due(lambda: next(answers)) == 0
    assert Product.objects.filter(merchant=merchant).count() == 2
    assert closing.remove_due() == 1
    assert not Product.objects.filter(merchant=merchant).exists()


def test_only_closed_shops_are_deleted_from(product, actor):
    with pytest.raises(Conflict):
        delete_of_closed(actor=system(), product=product)
    with pytest.raises(Forbidden):
        delete_of_closed(actor=actor, product=product)
    assert Product.objects.filter(pk=product.pk).exists()
