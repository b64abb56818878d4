"""Files that no image points to are deleted, from records: the storage is never listed."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from catalog import files
from catalog.models import PendingFile, Product, ProductImage
from catalog.services.uploads import add_images
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory, ProductImageFactory
from tests.support.stored_files import let_an_hour_pass, stored_files

pytestmark = pytest.mark.django_db


@pytest.fixture
def image(alice, actor_of, product):
    (received,) = add_images(actor=actor_of(alice), product=product, files=[upload()])
    return received.image


def _left_over(path, image="nobody"):
    """A file that was announced and written, by a request that broke off."""
    files.announce({path: image})
    default_storage.save(path, ContentFile(b"x"))
    return path


def test_it_deletes_files_of_uploads_that_broke_off_but_no_young_ones(product, image):
    kept = stored_files()
    old = _left_over(f"products/{product.public_id}/old.jpg")
    let_an_hour_pass()
    young = _left_over(f"products/{product.public_id}/young.jpg")

    assert files.delete_due() == 1

    assert not default_storage.exists(old)
    assert stored_files() == sorted([*kept, young])
    assert PendingFile.objects.get().path == young


def test_it_deletes_the_files_of_a_deleted_image(image):
    ProductImage.objects.all().delete()
    assert len(stored_files()) == 4

    assert files.delete_due() == 4

    assert stored_files() == []
    assert files.delete_due() == 0


def test_it_deletes_the_files_of_a_deleted_product(image):
    image.product.delete()
    assert files.delete_due() == 4
    assert not PendingFile.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_it_deletes_nothing_of_a_deletion_that_was_rolled_back(image):
    from django.db import transaction

    with pytest.raises(RuntimeError), transaction.atomic():
        image.product.delete()
        raise RuntimeError
    assert files.delete_due() == 0
    assert len(stored_files()) == 4


def test_it_never_deletes_what_an_image_points_to(image):
    files.delete_soon(*stored_files(), image=image.public_id)

    assert files.delete_due() == 0

    assert len(stored_files()) == 4
    assert not PendingFile.objects.exists()


def test_it_leaves_files_that_several_images_share_alone():
    one, other = (ProductImageFactory(original=_file("products/shared/one.jpg")) for _n in range(2))
    one.delete()
    assert files.delete_due() == 0
    assert default_storage.exists(other.original.name)


def _file(path):
    if not default_storage.exists(path):
        default_storage.save(path, ContentFile(b"x"))
    return path


def test_it_leaves_the_images_of_another_database_alone():
    """Two installations on one folder of uploads, as after a change of DATABASE_URL."""
    theirs = _file("products/theirs/a.jpg")
    files.delete_due()
    assert stored_files() == [theirs]


def test_it_removes_folders_that_become_empty(image, product):
    folder = f"products/{product.public_id}"
    stray = _left_over(f"{folder}/stray.jpg")
    image.delete()
    files.delete_due()
    assert stored_files() == [stray]

    let_an_hour_pass()
    files.delete_due()

    assert not default_storage.exists(folder)


def test_an_upload_survives_that_its_folder_is_removed_at_that_moment(product, alice, actor_of, monkeypatch):
    save, failed = FileSystemStorage._save, []

    def save_into_nothing(storage, name, content):
        if not failed:
            failed.append(name)
            raise FileNotFoundError(name)
        return save(storage, name, content)

    monkeypatch.setattr(FileSystemStorage, "_save", save_into_nothing)
    (received,) = add_images(actor=actor_of(alice), product=product, files=[upload()])
    assert received.image.original.read()


def test_it_does_not_write_under_another_name_than_the_announced_one():
    _file("products/x/a.jpg")
    with pytest.raises(FileExistsError):
        files.write("products/x/a.jpg", b"y")
    assert stored_files() == ["products/x/a.jpg"]


class OneFails(FileSystemStorage):
    """A storage that does not let go of one file."""

    def delete(self, name):
        if name.endswith("/stuck.jpg"):
            raise OSError("503")
        super().delete(name)


def test_a_file_that_cannot_be_deleted_waits_for_the_next_pass(caplog):
    stuck = _left_over("products/x/stuck.jpg")
    _left_over("products/x/other.jpg")
    let_an_hour_pass()

    assert files.delete_due(storage=OneFails()) == 1

    assert stored_files() == [stuck]
    assert files.delete_due() == 0  # not at once
    let_an_hour_pass()
    assert files.delete_due() == 1
    assert "products/x/stuck.jpg could not be deleted" in caplog.text


def test_it_gives_a_storage_up_that_does_not_answer(monkeypatch):
    monkeypatch.setattr(files, "_CHUNK", 5)
    for number in range(30):
        _left_over(f"products/x{number}/stuck.jpg")
    let_an_hour_pass()

    assert files.delete_due(storage=OneFails()) == 0

    assert PendingFile.objects.filter(tries=0).count() == 20


def test_a_file_that_is_gone_already_is_no_error():
    files.announce({"products/x/never.jpg": "nobody"})
    let_an_hour_pass()
    files.delete_due()
    assert not PendingFile.objects.exists()


def test_it_stops_when_it_is_told_to(monkeypatch):
    monkeypatch.setattr(files, "_CHUNK", 1)
    for number in range(3):
        _left_over(f"products/x/{number}.jpg")
    let_an_hour_pass()
    answers = iter([True, False])
    assert files.delete_due(lambda: next(answers)) == 1


def test_a_pass_is_bounded(monkeypatch):
    monkeypatch.setattr(files, "_CHUNK", 1)
    monkeypatch.setattr(files, "_FILES_PER_PASS", 2)
    for number in range(3):
        _left_over(f"products/x/{number}.jpg")
    let_an_hour_pass()
    assert (files.delete_due(), files.delete_due()) == (2, 1)


def test_what_another_worker_has_claimed_is_left_to_it():
    _left_over("products/x/0.jpg")
    let_an_hour_pass()

    class Claims(FileSystemStorage):
        def delete(self, name):
            assert files.delete_due() == 0  # the other worker, meanwhile
            super().delete(name)

    assert files.delete_due(storage=Claims()) == 1


def test_its_queries_do_not_grow_with_products(merchant, django_assert_num_queries):
    ProductFactory.create_batch(5, merchant=merchant)
    with django_assert_num_queries(1):  # what is due
        files.delete_due()
    assert Product.objects.count() == 5
    for number in range(20):
        _left_over(f"products/x/{number}.jpg")
    let_an_hour_pass()
    # what is due; the claim; what was claimed; the images; the records go; nothing more is due
    with django_assert_num_queries(6):
        assert files.delete_due() == 20
