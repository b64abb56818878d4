"""`manage.py sweep_files` finds files of before they were recorded."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from catalog import files
from catalog.models import PendingFile
from catalog.services.uploads import add_images
from core.ids import public_id
from tests.support.drawn_images import upload
from tests.support.stored_files import stored_files

pytestmark = pytest.mark.django_db


@pytest.fixture
def strays(alice, actor_of, product):
    """Beside an image's files: those of an upload that broke off, and of a product that this database has not."""
    add_images(actor=actor_of(alice), product=product, files=[upload()])
    return [
        default_storage.save(f"products/{folder}/{public_id()}-display.jpg", ContentFile(b"x"))
        for folder in (product.public_id, "theirs")
    ]


def test_it_lists_and_changes_nothing(strays, capsys):
    call_command("sweep_files", "--list")
    assert capsys.readouterr().out.splitlines() == [strays[0], "1 files without an image"]
    assert not PendingFile.objects.exists()


def test_it_leaves_the_files_to_the_sweep(strays, capsys):
    call_command("sweep_files", "--delete")
    call_command("sweep_files", "--delete")
    assert "1 files will be deleted" in capsys.readouterr().out
    assert len(stored_files()) == 6

    assert files.delete_due() == 1

    assert strays[0] not in stored_files()
    assert len(stored_files()) == 5


def test_it_looks_into_folders_of_other_products_when_it_is_asked_to(strays):
    call_command("sweep_files", "--delete", "--all")
    assert files.delete_due() == 2
    assert len(stored_files()) == 4


def test_it_leaves_uploads_alone_that_are_coming_in(product, capsys):
    path = f"products/{product.public_id}/{public_id()}.jpg"
    files.announce({path: public_id()})
    default_storage.save(path, ContentFile(b"x"))
    call_command("sweep_files", "--list")
    assert capsys.readouterr().out == "0 files without an image\n"


def test_it_finds_nothing_where_nothing_was_uploaded(capsys):
    call_command("sweep_files", "--list")
    assert capsys.readouterr().out == "0 files without an image\n"


def test_it_wants_to_know_what_to_do():
    with pytest.raises(CommandError):
        call_command("sweep_files")
