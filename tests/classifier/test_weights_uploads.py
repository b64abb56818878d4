"""Weights uploaded in the admin: registered by a worker under a lease, and stopped, cancelled or taken over."""

import errno
import os
import threading
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now
from django.urls import reverse, reverse_lazy

from accounts.actors import Actor, system
from accounts.channels import Channel
from accounts.models import AuditEvent, Operation, User
from classifier.jobs import operations
from classifier.models import ModelVersion
from classifier.registry import registration, uploads
from core.errors import Forbidden
from tests.support.factories import UserFactory
from tests.support.registered_versions import two_materials

pytestmark = pytest.mark.django_db

CHECKPOINT = b"PK\x03\x04 and so on"  # how such files begin
UPLOAD = reverse_lazy("admin:classifier_modelversion_upload")


class After(threading.Event):
    """Is set from the time on that it is asked so often; or does something else then, and is never set."""

    def __init__(self, times, then=None):
        super().__init__()
        self.times, self.then = times, then

    def is_set(self):
        self.times -= 1
        if self.times == 0 and self.then:
            self.then()
        return self.times <= 0 and self.then is None


@pytest.fixture
def endless(monkeypatch, tmp_path):
    """A process that opens weights for ever; returns what says whether it has ended."""
    program, pid = tmp_path / "python", tmp_path / "pid"
    program.write_text(f"#!/bin/sh\necho $$ > {pid}\nexec sleep 600\n")
    program.chmod(0o700)
    monkeypatch.setattr(registration.sys, "executable", str(program))

    def has_ended():
        try:
            os.kill(int(pid.read_text()), 0)
        except (ProcessLookupError, FileNotFoundError):  # it may not even have begun
            return True
        return False

    return has_ended


@pytest.fixture
def by_a_superuser(admin):
    """Queue an upload, as the administrator."""
    actor = Actor(channel=Channel.ADMIN, user=admin)
    return lambda: uploads.queue(actor=actor, file=SimpleUploadedFile("a.pt", CHECKPOINT), role="material")


def test_a_superuser_uploads_and_a_worker_registers(opened, client_of, admin):
    form = {
        "file": SimpleUploadedFile("material_best.pt", CHECKPOINT),
        "role": "material",
        "mapping": "Teflon = vinyl",
        "image_size": "320",
        "licence": "CC-BY-4.0",
        "card": "It has seen one merchant only.",
    }
    client = client_of(admin)
    assert client.get(UPLOAD).status_code == 200
    client.post(UPLOAD, form)

    operation = Operation.objects.get()
    assert (operation.kind, operation.state, operation.created_by) == ("register_model", "queued", admin)
    assert not ModelVersion.objects.exists()

    assert uploads.run_waiting() == 1
    assert uploads.run_waiting() == 0

    version = ModelVersion.objects.get()
    assert (version.name, version.input_size, version.unknown_classes) == ("material_best", 320, [])
    operation.refresh_from_db()
    assert (operation.state, operation.done, operation.parameters["version"]) == ("done", 1, version.pk)
    page = client.get(reverse("admin:classifier_modelversion_change", args=[version.pk])).text
    assert "CC-BY-4.0" in page
    assert "It has seen one merchant only." in page
    assert not default_storage.exists(operation.parameters["file"])
    actions = AuditEvent.objects.order_by("id").values_list("action", "user")
    assert list(actions) == [("operation.start", admin.pk), ("model_version.register", admin.pk)]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("no such luck")])
def test_what_breaks_off_is_tried_again(by_a_superuser, monkeypatch, error):
    operation = by_a_superuser()

    def broken(*_arguments):
        raise error

    monkeypatch.setattr(registration, "_open", broken)
    assert uploads.run_waiting() == 1

    operation.refresh_from_db()
    assert (operation.state, operation.attempts, operation.lease_until) == ("queued", 1, None)
    assert error.args[-1] in operation.error
    assert default_storage.exists(operation.parameters["file"])

    monkeypatch.setattr(registration, "_open", two_materials)
    assert uploads.run_waiting() == 1

    operation.refresh_from_db()
    assert (operation.state, operation.attempts, operation.error) == ("done", 2, "")
    assert ModelVersion.objects.count() == 1


def test_what_breaks_off_again_and_again_is_given_up(by_a_superuser, monkeypatch, settings):
    settings.OTJANG_MAX_ATTEMPTS = 2
    operation = by_a_superuser()

    def broken(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(registration, "_open", broken)
    assert [uploads.run_waiting() for _attempt in range(3)] == [1, 1, 0]

    operation.refresh_from_db()
    assert (operation.state, operation.failed, operation.attempts) == ("failed", 1, 2)
    assert "No space left" in operation.error
    assert not default_storage.exists(operation.parameters["file"])


def test_an_upload_whose_file_is_gone_fails_at_once(by_a_superuser):
    operation = by_a_superuser()
    default_storage.delete(operation.parameters["file"])

    assert uploads.run_waiting() == 1

    operation.refresh_from_db()
    assert (operation.state, operation.failed, operation.attempts) == ("failed", 1, 1)
    assert "no longer in the storage" in operation.error


@pytest.mark.parametrize(
    ("language", "sentence"), [("ko", "가중치를 받지 않았습니다"), ("en", "The weights were not taken")]
)
def test_why_an_upload_failed_is_said_in_the_readers_language(admin, client_of, monkeypatch, language, sentence):
    def refuse(*_arguments):
        raise registration._refused("it broke")

    monkeypatch.setattr(registration, "_open", refuse)
    actor = Actor(channel=Channel.ADMIN, user=admin)
    operation = uploads.queue(actor=actor, file=SimpleUploadedFile("a.pt", CHECKPOINT), role="material")
    uploads.run_waiting()

    page = client_of(admin, language).get(reverse("admin:accounts_operation_change", args=[operation.pk])).text
    assert f"{sentence}: it broke" in page


def test_it_refuses_any_other_file_at_once(admin, client_of):
    answer = client_of(admin).post(UPLOAD, {"file": SimpleUploadedFile("a.pdf", b"%PDF-1.7"), "role": "material"})
    assert "This is not a PyTorch checkpoint" in answer.text
    assert not Operation.objects.exists()


def test_nobody_else_uploads(opened, client_of, alice, actor_of):
    from django.contrib.auth.models import Permission

    clerk = UserFactory(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="classifier"))
    answer = client_of(clerk).post(UPLOAD, {"file": SimpleUploadedFile("a.pt", CHECKPOINT), "role": "material"})
    assert answer.status_code == 403
    with pytest.raises(Forbidden):
        uploads.queue(actor=actor_of(alice), file=SimpleUploadedFile("a.pt", CHECKPOINT), role="material")
    assert not Operation.objects.exists()
    assert not default_storage.exists("models/uploads") or default_storage.listdir("models/uploads") == ([], [])


@pytest.mark.parametrize("changes", [{"is_active": False}, {"is_staff": False}, {"is_superuser": False}])
def test_weights_of_somebody_who_lost_the_right_meanwhile_are_not_opened(opened, admin, by_a_superuser, changes):
    operation = by_a_superuser()
    User.objects.filter(pk=admin.pk).update(**changes)

    uploads.run_waiting()

    operation.refresh_from_db()
    assert (operation.state, operation.error) == ("failed", "Only superusers may bring in weights.")
    assert not ModelVersion.objects.exists()
    assert not default_storage.exists(operation.parameters["file"])


def test_a_stopped_worker_leaves_the_upload_to_another_one(endless, by_a_superuser):
    operation = by_a_superuser()

    uploads.run_waiting(After(3))

    assert endless()
    operation.refresh_from_db()
    assert (operation.state, operation.attempts, operation.lease_until) == ("queued", 0, None)
    assert default_storage.exists(operation.parameters["file"])


def test_an_upload_can_be_cancelled_while_a_worker_registers_it(
    endless, by_a_superuser, monkeypatch, django_capture_on_commit_callbacks
):
    operation = by_a_superuser()
    monkeypatch.setattr(uploads, "RENEW_SECONDS", 0)

    with django_capture_on_commit_callbacks(execute=True):
        uploads.run_waiting(After(2, lambda: operations.cancel(actor=system(), operation=operation)))

    assert endless()
    operation.refresh_from_db()
    assert operation.state == "cancelled"
    assert not ModelVersion.objects.exists()
    assert not default_storage.exists(operation.parameters["file"])


def test_an_upload_whose_worker_was_killed_begins_again_after_its_lease(opened, by_a_superuser):
    operation = by_a_superuser()
    rows = Operation.objects.filter(pk=operation.pk)
    rows.update(state="running", attempts=1, lease_token="dead", lease_until=Now() + timedelta(seconds=30))
    assert uploads.run_waiting() == 0

    rows.update(lease_until=Now() - timedelta(seconds=1))
    assert uploads.run_waiting() == 1

    operation.refresh_from_db()
    assert (operation.state, operation.attempts) == ("done", 2)
    assert ModelVersion.objects.count() == 1


def test_an_upload_that_kills_every_worker_is_given_up(opened, by_a_superuser, settings):
    settings.OTJANG_MAX_ATTEMPTS = 2
    operation = by_a_superuser()
    lost = {"state": "running", "attempts": 2, "lease_token": "dead", "lease_until": Now() - timedelta(seconds=1)}
    Operation.objects.filter(pk=operation.pk).update(**lost)

    assert uploads.run_waiting() == 0

    operation.refresh_from_db()
    assert (operation.state, operation.failed) == ("failed", 1)
    assert "given up" in operation.error
    assert not default_storage.exists(operation.parameters["file"])


def test_a_worker_whose_lease_has_ended_stores_nothing(opened, by_a_superuser, monkeypatch):
    operation = by_a_superuser()
    register = uploads.register

    def slow(**options):
        Operation.objects.filter(pk=operation.pk).update(lease_token="another worker's")
        return register(**options)

    monkeypatch.setattr(uploads, "register", slow)
    uploads.run_waiting()

    operation.refresh_from_db()
    assert (operation.state, operation.done) == ("running", 0)
    assert default_storage.exists(operation.parameters["file"])


def test_an_upload_can_be_cancelled_before_a_worker_takes_it(opened, admin, django_capture_on_commit_callbacks):
    operation = uploads.queue(actor=system(), file=SimpleUploadedFile("a.pt", CHECKPOINT), role="material")
    with django_capture_on_commit_callbacks(execute=True):
        operations.cancel(actor=system(), operation=operation)

    assert uploads.run_waiting() == 0
    assert not default_storage.exists(operation.parameters["file"])
    assert not ModelVersion.objects.exists()
