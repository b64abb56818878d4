"""A backup that was made beside the site restores into an empty database and folder, and all answers are the same."""

import gzip
import io
import json
import os
import time
from pathlib import Path

import pytest
from django.conf import settings as site
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models.functions import Now

from accounts.actors import system
from accounts.models import Operation
from catalog import files
from catalog.models import PendingFile, Product, ProductImage
from catalog.services import archive_image, delete_image
from catalog.services.uploads import add_images
from classifier.jobs import batches
from classifier.models import Chore, ClassifyRequest
from config.backups import backup as backups
from config.backups import databases, restore
from tests.support.audited import findings
from tests.support.drawn_images import upload
from tests.support.exported_datasets import JACKET
from tests.support.factories import ProductFactory
from tests.support.fake_engines import StubEngine, serve
from tests.support.other_site import other_site
from tests.support.registered_versions import version

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = time.time() - 7 * 24 * 3600


@pytest.fixture
def place(tmp_path):
    return tmp_path / "backups"


@pytest.fixture
def classified(monkeypatch, merchant):
    """Make a product with classified images of these colours."""

    def make(*colors):
        serve(monkeypatch, StubEngine(JACKET))
        product = ProductFactory(merchant=merchant)
        add_images(actor=system(), product=product, files=[upload(f"{color}.jpg", color=color) for color in colors])
        batches.classify_waiting()
        return product

    return make


def run(command, *args):
    out = io.StringIO()
    call_command(command, *args, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def answers(api):
    """Everything that the API says of products, images, values and operations, and the images' bytes."""
    paths = ["attributes", "classifications", "models", "operations", "products?page_size=2", "products?q=shirt"]
    for product in Product.objects.order_by("pk"):
        one = f"products/{product.public_id}"
        paths += [one, f"{one}/attributes", f"{one}/decisions", f"{one}/fetches", f"{one}/images"]
        paths += [f"{one}/images/{image.public_id}/garments" for image in product.images.all()]
    said = {}
    for path in paths:
        answer = api.get(f"/api/v1/{path}")
        assert answer.status_code == 200, path
        said[path] = answer.content
    for image in ProductImage.objects.order_by("pk"):
        for name in image.files.values():
            with default_storage.open(name) as file:
                said[name] = file.read()
    return said


def age(folder=None):
    """Make the files of the uploads old: what is young the check of stored data leaves to those who write it."""
    for path in Path(folder or site.MEDIA_ROOT).rglob("*"):
        os.utime(path, (LONG_AGO, LONG_AGO))


def test_the_restored_site_gives_the_same_answers(place, classified, api):
    classified("red", "blue")
    classified("green")
    age()
    before = answers(api)
    assert run("backup", place).splitlines()[-1].startswith("SECRET_KEY")
    classified("white")

    with other_site():
        assert "is restored" in run("restore", place)
        age()
        assert answers(api) == before
        assert findings() == {}
        classified("black")  # it is a site like any other: keys go on where they were
        assert Product.objects.count() == 3
    assert Product.objects.count() == 3


def test_a_second_backup_copies_only_what_is_new_and_both_can_be_restored(place, classified):
    first_product = classified("red")
    run("backup", place)
    (first,) = (path for path in place.glob("*Z.json"))
    copied = {path: path.stat().st_ino for path in place.glob("files/**/*.webp")}
    second_product = classified("blue")
    run("backup", place)
    assert {path: path.stat().st_ino for path in copied} == copied
    for backup, products in ((first, {first_product.pk}), (place, {first_product.pk, second_product.pk})):
        with other_site():
            run("restore", backup)
            assert set(Product.objects.values_list("pk", flat=True)) == products
            assert findings("files-missing", "files-without-row", "files-of-nobody") == {}


def test_what_comes_and_goes_during_the_backup_is_whole_or_not_there(place, classified, monkeypatch):
    """An upload after the first round of files is in it; one after the dump leaves files to the sweep alone."""
    early = classified("red", "navy")
    dump = databases.dump
    made = {}

    def dump_in_between(*args):
        made["before"] = classified("blue")
        gone = early.images.first()
        archive_image(actor=system(), image=gone)
        delete_image(actor=system(), image=gone)
        assert files.delete_due()
        dump(*args)
        made["after"] = classified("green")

    monkeypatch.setattr(databases, "dump", dump_in_between)
    run("backup", place)
    with other_site():
        run("restore", place)
        assert set(Product.objects.values_list("pk", flat=True)) == {early.pk, made["before"].pk}
        assert findings("files-missing") == {}
        after = default_storage.listdir(f"products/{made['after'].public_id}")[1]
        assert PendingFile.objects.filter(path__contains=made["after"].public_id).count() == len(after) > 0
        age()
        assert findings() == {}


def test_new_files_that_are_no_images_stay_where_a_row_names_them(place, merchant):
    """Weights just registered, weights that wait for that, and images that are classified without being stored."""
    entry = version("category", "new").serving["files"][0]
    waiting = default_storage.save("models/uploads/waits.pt", ContentFile(b"weights"))
    Operation.objects.create(kind="register_model", parameters={"file": waiting}, total=1)
    request = ClassifyRequest.objects.create(merchant=merchant, names=["a"], results=[None])
    spooled = default_storage.save(request.path(0), ContentFile(b"image"))
    stray = default_storage.save("models/uploads/stray.pt", ContentFile(b"weights"))
    run("backup", place)
    with other_site():
        run("restore", place)
        files.delete_due()
        assert default_storage.exists(entry["path"])
        assert default_storage.exists(waiting)
        assert default_storage.exists(spooled)
        assert not default_storage.exists(stray)


def test_no_worker_deletes_files_while_the_dump_and_the_rest_are_copied(place, classified, monkeypatch):
    classified("red")
    held = []
    dump = databases.dump
    monkeypatch.setattr(
        databases,
        "dump",
        lambda *args: (held.append(Chore.objects.filter(name="prune", lease_until__gt=Now()).exists()), dump(*args)),
    )
    run("backup", place)
    assert held == [True]
    assert not Chore.objects.filter(name="prune", lease_until__gt=Now()).exists()


def test_it_waits_for_a_worker_that_deletes_and_stops_if_one_takes_over(place, monkeypatch):
    Chore.objects.create(name="prune", lease_token="other", lease_until=Now())
    Chore.objects.update(lease_until="2099-01-01T00:00:00Z")
    waits = []

    def wait(seconds):
        waits.append(seconds)
        Chore.objects.update(lease_until=None)

    monkeypatch.setattr(backups.time, "sleep", wait)
    monkeypatch.setattr(backups, "_RENEWED", 0.0)
    dump = databases.dump

    def taken_over(*args):
        Chore.objects.update(lease_token="a worker's")
        dump(*args)

    monkeypatch.setattr(databases, "dump", taken_over)
    with pytest.raises(CommandError, match="Begin again"):
        run("backup", place)
    assert len(waits) == 1
    assert not list(place.glob("*.json"))
    with other_site(), pytest.raises(CommandError, match="no complete backup"):
        run("restore", place)


def test_a_second_one_beside_it_is_refused(place, classified, monkeypatch):
    """Both would write the same files, and each leave out what the other one has just put in its place."""
    classified("red")
    dump = databases.dump

    def meanwhile(*args):
        with pytest.raises(CommandError, match="Another backup"):
            run("backup", place)
        dump(*args)

    monkeypatch.setattr(databases, "dump", meanwhile)
    run("backup", place)
    monkeypatch.undo()
    run("backup", place)
    assert len(list(place.glob("*Z.json"))) == 2


def test_it_writes_over_no_site(place, classified):
    classified("red")
    run("backup", place)
    with pytest.raises(CommandError, match="database is not empty"):
        run("restore", place)
    with other_site():
        default_storage.save("products/x/y.jpg", ContentFile(b"somebody's"))
        with pytest.raises(CommandError, match=r"is not empty\. Restore into a new folder"):
            run("restore", place)
        assert databases.is_empty()


@pytest.mark.parametrize("damage", ["dump", "file", "newer", "engine", "json"])
def test_a_backup_that_is_damaged_or_does_not_fit_is_refused_before_anything_is_written(place, classified, damage):
    classified("red")
    run("backup", place)
    latest = place / "latest.json"
    said = json.loads(latest.read_text())
    if damage == "dump":
        (place / said["dump"]).write_bytes(gzip.compress(b"SELECT 1;"))
    elif damage == "file":
        next(place.glob("files/products/*/*")).unlink()
    elif damage == "newer":
        latest.write_text(json.dumps({**said, "migrations": [*said["migrations"], "catalog.9999_later"]}))
    elif damage == "engine":
        latest.write_text(json.dumps({**said, "engine": "oracle"}))
    else:
        latest.write_text("{}")
    with other_site():
        with pytest.raises(CommandError, match=r"damaged|newer release|oracle|not what a backup says"):
            run("restore", place)
        assert databases.is_empty()
        assert not Path(site.MEDIA_ROOT).exists()


def test_it_does_not_back_up_into_the_uploads():
    with pytest.raises(CommandError, match="within the uploads"):
        run("backup", Path(site.MEDIA_ROOT) / "backups")


def test_a_failing_program_is_said_with_what_it_wrote(place, monkeypatch):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no program")
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "unix_socket", "/nowhere/socket")
    with pytest.raises(CommandError, match=r"dump failed: .*nowhere"):
        run("backup", place)
    monkeypatch.undo()
    assert not list(place.glob("*.json"))


def test_a_site_with_a_bucket_backs_up_its_database_alone(place, classified, monkeypatch):
    classified("red")
    monkeypatch.setattr(backups.uploads, "root", lambda: None)
    assert "the bucket's to keep" in run("backup", place)
    with other_site():
        assert restore(place, print).files == 0
        assert Product.objects.count() == 1
