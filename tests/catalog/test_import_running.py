"""Imports survive what happens meanwhile: kills, pauses, others' changes, lost rights."""

import pytest
from django.core.files.storage import default_storage
from django.db.models import F

from accounts.models import AuditEvent, Membership, Operation
from accounts.services import operations
from catalog import files, services
from catalog.models import ImportLine, PendingFile, Product, ProductImage
from catalog.services import uploads
from catalog.services.imports import checking, running, sending
from core.errors import Conflict, Forbidden
from tests.support.import_files import begun, checked, codes, csv_file, imported, lines, photos, work, zip_file

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """As if the process was gone."""


@pytest.fixture
def actor(alice, actor_of):
    return actor_of(alice)


@pytest.fixture
def line_by_line(monkeypatch):
    monkeypatch.setattr(running, "_IN_ONE", 1)
    monkeypatch.setattr(running, "_PAUSE_SECONDS", 0)


def _killed_at(monkeypatch, module, name, call):
    """Let a function be the last that the process did, at its so-manieth call."""
    real, calls = getattr(module, name), []

    def once(*args, **kwargs):
        calls.append(1)
        if len(calls) == call:
            monkeypatch.setattr(module, name, real)
            raise Killed
        return real(*args, **kwargs)

    monkeypatch.setattr(module, name, once)


def _table(count):
    return csv_file(*((f"A{n}", f"name {n}", "Coat", "", "", "") for n in range(count)))


def _stored_files(folder="products"):
    folders, names = default_storage.listdir(folder) if default_storage.exists(folder) else ([], [])
    return [*names, *(name for one in folders for name in _stored_files(f"{folder}/{one}"))]


def test_a_killed_worker_loses_nothing_and_does_nothing_twice(actor, monkeypatch, line_by_line):
    found = checked(
        actor,
        table_csv=_table(6),
        photos_zip=zip_file(photos("A1_1.jpg", "A1_2.jpg", "A3_1.jpg", "A4_1.jpg")),
    )
    operation = sending.start(actor=actor, found=found)
    for module, name, call in ((services, "create_product", 2), (uploads, "create_prepared", 1)):
        _killed_at(monkeypatch, module, name, call)
        with pytest.raises(Killed):
            work()
    work()
    operation.refresh_from_db()
    assert (operation.state, operation.done, operation.failed) == ("done", 6, 0)
    assert [line.outcome for line in lines(found)] == ["created"] * 6
    assert Product.objects.count() == 6
    assert ProductImage.objects.count() == 4
    assert AuditEvent.objects.filter(action="product.create").count() == 6


def test_files_of_a_line_that_was_killed_are_swept(actor, monkeypatch):
    found = checked(actor, photos_zip=zip_file(photos("A_1.jpg")))
    sending.start(actor=actor, found=found)
    _killed_at(monkeypatch, running.services, "lock_product", 99)
    monkeypatch.setattr(files, "discard", lambda _paths: None)
    _killed_at(monkeypatch, uploads, "create_prepared", 1)
    with pytest.raises(Killed):
        work()
    assert len(_stored_files()) == 4
    monkeypatch.undo()
    work()
    PendingFile.objects.update(delete_after=F("delete_after") - files._TIME_TO_FINISH * 2)
    files.delete_due()
    assert len(_stored_files()) == 4
    assert not PendingFile.objects.exists()


def test_a_killed_check_begins_again(actor, monkeypatch):
    monkeypatch.setattr(checking, "_BATCH", 2)
    found = begun(actor, table_csv=_table(5))
    sending.start_check(actor=actor, found=found)
    _killed_at(monkeypatch, checking, "present_of", 2)
    with pytest.raises(Killed):
        work()
    assert ImportLine.objects.count() == 2
    work()
    found.refresh_from_db()
    assert (found.counts, ImportLine.objects.count()) == ({"new": 5}, 5)
    assert (found.operation.done, found.operation.total) == (5, 5)


def test_who_may_no_longer_change_products_imports_nothing_more(actor, alice):
    found = checked(actor, table_csv=_table(2))
    operation = sending.start(actor=actor, found=found)
    Membership.objects.filter(user=alice).update(role="viewer")
    work()
    operation.refresh_from_db()
    assert (operation.state, operation.error) == ("failed", "forbidden")
    assert not Product.objects.exists()


def test_an_sku_that_somebody_takes_meanwhile_is_changed_not_doubled(actor, merchant):
    found = checked(actor, table_csv=_table(2))
    services.create_product(actor=actor, merchant=merchant, sku="a0", name="was quicker")
    sending.start(actor=actor, found=found)
    work()
    assert [line.outcome for line in lines(found)] == ["changed", "created"]
    assert Product.objects.get(sku="a0").name == "name 0"


def test_photos_that_end_the_process_are_given_up(actor):
    found = checked(actor, photos_zip=zip_file(photos("A_1.jpg", "B_1.jpg")))
    ImportLine.objects.filter(number=1).update(attempts=running._MOST_ATTEMPTS)
    operation = sending.start(actor=actor, found=found)
    work()
    operation.refresh_from_db()
    assert (operation.done, operation.failed) == (1, 1)
    assert codes(lines(found)[0]) == ["gave_up"]


def test_paused_it_waits_and_cancelled_what_was_done_stays(actor, line_by_line, monkeypatch):
    found = checked(actor, table_csv=_table(3))
    operation = sending.start(actor=actor, found=found)
    _killed_at(monkeypatch, services, "create_product", 2)
    with pytest.raises(Killed):
        work()
    operations.pause(actor=actor, operation=operation)
    work()
    assert Product.objects.count() == 1
    operations.resume(actor=actor, operation=operation)
    operations.cancel(actor=actor, operation=operation)
    work()
    assert Product.objects.count() == 1
    with pytest.raises(Conflict):
        sending.start_check(actor=actor, found=found)


def test_files_that_are_gone_end_it_with_a_sentence(actor):
    found = checked(actor, photos_zip=zip_file(photos("A_1.jpg")))
    sending.delete_files(found)
    found.files.create(kind="archive", name="x.zip", stored="imports/gone", size=1)
    operation = sending.start(actor=actor, found=found)
    work()
    operation.refresh_from_db()
    assert (operation.state, operation.error) == ("failed", "file_gone")


def test_the_sweep_takes_files_after_the_import_and_lines_a_month_later(actor, monkeypatch):
    found = imported(actor, table_csv=_table(1))
    stored = found.files.get().stored
    sending.prune()
    assert not default_storage.exists(stored)
    assert ImportLine.objects.count() == 1
    monkeypatch.setattr(sending, "_LINES_KEPT", -sending._LINES_KEPT)
    sending.prune()
    assert not ImportLine.objects.exists()
    assert Operation.objects.filter(kind="import_products").exists()


def test_who_may_only_look_begins_nothing(dana, merchant, actor_of):
    with pytest.raises(Forbidden):
        sending.begin(actor=actor_of(dana), merchant=merchant)
