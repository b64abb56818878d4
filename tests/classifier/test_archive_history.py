"""`manage.py archive_history` takes away what nothing needs, keeps it in files, and changes nothing that people see."""

import gzip
import io
import json
import threading
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import AuditEvent, Operation
from accounts.services import sessions
from catalog.models import BulkChange, Decision, ProductAttribute
from catalog.services import update_product
from classifier import history
from classifier.jobs import batches, chores, requests, sweep
from classifier.models import Classification, ShadowReport
from tests.support.audited import findings
from tests.support.factories import ProductImageFactory

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(days=400)


def run(folder, *options):
    out = io.StringIO()
    call_command("archive_history", folder, *options, stdout=out)
    return out.getvalue()


def lines(folder, kind):
    found = []
    for path in sorted(folder.glob(f"{kind}-*.jsonl.gz")):
        found += [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    return found


def make_old():
    """Let everything that happened so far have happened long ago."""
    then = timezone.now() - LONG_AGO
    AuditEvent.objects.update(created_at=then)
    Classification.objects.filter(finished_at__isnull=False).update(finished_at=then)
    Operation.objects.filter(finished_at__isnull=False).update(finished_at=then)


def values_of(product):
    rows = ProductAttribute.objects.filter(product=product).order_by("pk")
    return list(rows.values_list("attribute", "value", "state", "confidence"))


def look_again(product):
    """Classify the product's images again, and let what was found before be pruned."""
    for image in product.images.all():
        requests.request_classification(image=image, again=True)
    batches.classify_waiting()
    make_old()
    sweep.prune_superseded()


def test_old_lines_of_the_trail_are_in_the_file_and_young_ones_in_the_table(tmp_path, product, actor):
    update_product(actor=actor, product=product, name="Old")
    make_old()
    old = list(AuditEvent.objects.order_by("pk").values("id", "action", "subject_id", "details"))
    update_product(actor=actor, product=product, name="Young")

    assert f"audit: {len(old)} in" in run(tmp_path, "--only", "audit")

    kept = lines(tmp_path, "audit")
    assert [{key: line[key] for key in ("id", "action", "subject_id", "details")} for line in kept] == old
    assert AuditEvent.objects.get().details != old[-1]["details"]
    assert next(tmp_path.iterdir()).stat().st_mode & 0o077 == 0
    assert run(tmp_path, "--only", "audit").startswith("audit: 0  (")
    assert len(list(tmp_path.iterdir())) == 1


def test_jobs_that_later_ones_replaced_go_and_what_counts_stays(tmp_path, merchant, classified):
    product = classified(merchant, "red", "blue")
    first = set(Classification.objects.values_list("pk", flat=True))
    look_again(product)
    before = values_of(product)

    assert "jobs: 2 in" in run(tmp_path, "--only", "jobs")

    assert {line["id"] for line in lines(tmp_path, "jobs")} == first
    assert not Classification.objects.filter(pk__in=first).exists()
    assert {image.current_classification_id for image in product.images.all()} == set(
        Classification.objects.values_list("pk", flat=True)
    )
    assert values_of(product) == before
    assert findings() == {}


def test_a_job_stays_while_it_is_young_unapplied_the_last_of_its_image_or_has_garments(tmp_path, merchant, classified):
    product = classified(merchant, "red")
    for image in product.images.all():
        requests.request_classification(image=image, again=True)
    batches.classify_waiting()
    make_old()
    assert "jobs: 0 " in run(tmp_path, "--only", "jobs")  # with garments, or the last one
    sweep.prune_superseded()
    first = Classification.objects.order_by("pk").first()
    Classification.objects.filter(pk=first.pk).update(applied_at=None)
    assert "jobs: 0 " in run(tmp_path, "--only", "jobs")
    Classification.objects.filter(pk=first.pk).update(applied_at=timezone.now(), finished_at=timezone.now())
    assert "jobs: 0 " in run(tmp_path, "--only", "jobs")
    make_old()
    assert "jobs: 1 in" in run(tmp_path, "--only", "jobs")


def test_the_last_failure_of_an_image_stays_what_people_see(tmp_path, product):
    image = ProductImageFactory(product=product)
    image.classifications.update(state="failed", open_key=None, finished_at=timezone.now(), applied_at=timezone.now())
    make_old()
    assert "jobs: 0 " in run(tmp_path, "--only", "jobs")


def test_operations_go_with_what_other_rows_say_of_them(tmp_path, merchant, classified, monkeypatch):
    monkeypatch.setattr(history, "_DETACHED", 1)
    product = classified(merchant, "red", "blue")
    now = timezone.now()
    gone, with_result, with_changes, with_report, alive = (
        Operation.objects.create(kind=kind, merchant=merchant, state="done", finished_at=now)
        for kind in ("reclassify", "export", "bulk_publish", "shadow", "reclassify")
    )
    Operation.objects.filter(pk=with_result.pk).update(result_file="operations/x/products.csv")
    Operation.objects.filter(pk=alive.pk).update(state="running", finished_at=None)
    BulkChange.objects.create(operation=with_changes, product=product)
    job = Classification.objects.first()
    ShadowReport.objects.create(operation=with_report, candidate=job.model_set)
    Classification.objects.update(operation=gone)
    Decision.objects.update(operation=gone)
    make_old()

    assert "operations: 1 in" in run(tmp_path, "--only", "operations")

    assert {line["public_id"] for line in lines(tmp_path, "operations")} == {gone.public_id}
    assert Operation.objects.filter(pk__in=(with_result.pk, with_changes.pk, with_report.pk, alive.pk)).count() == 4
    assert not Classification.objects.exclude(operation=None).exists()
    assert not Decision.objects.exclude(operation=None).exists()


def test_what_was_written_but_not_deleted_is_written_again(tmp_path, product, actor, monkeypatch):
    update_product(actor=actor, product=product, name="Old")
    make_old()
    events = set(AuditEvent.objects.values_list("pk", flat=True))

    def killed(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(history, "_delete", killed)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, "--only", "audit")
    assert set(AuditEvent.objects.values_list("pk", flat=True)) == events
    run(tmp_path, "--only", "audit")
    kept = [line["id"] for line in lines(tmp_path, "audit")]
    assert sorted(kept) == sorted([*events, *events])
    assert not AuditEvent.objects.exists()


def test_one_process_at_a_time(tmp_path):
    with chores.alone("archive", threading.Event()), pytest.raises(CommandError, match="Another process"):
        run(tmp_path)


@pytest.mark.parametrize("number", ["179", "-1", "many"])
def test_what_pages_still_show_cannot_be_archived(tmp_path, number):
    with pytest.raises(CommandError, match="days"):
        run(tmp_path, "--older-than", number)


def test_log_ins_that_are_over_are_deleted_and_others_stay(alice, client_of):
    rows = {}
    for name, age in (("over", 40), ("long", 40), ("young", 0)):
        key = client_of(alice).session.session_key
        then = timezone.now() - timedelta(days=age)
        UserSession.objects.filter(session_key=key).update(created_at=then)
        rows[name] = UserSession.objects.get(session_key=key)
    Session.objects.filter(pk=rows["over"].session_key).update(expire_date=timezone.now() - LONG_AGO)
    assert sessions.prune() == 1
    assert set(UserSession.objects.all()) == {rows["long"], rows["young"]}
    assert Session.objects.count() == 2
