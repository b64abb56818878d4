"""The pages of thresholds: the curve, switching one off, calibrating."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import AuditEvent, Operation
from accounts.services import operations
from classifier.models import AcceptanceThreshold
from classifier.quality import counting
from tests.support.seen_products import seen_product
from tests.support.written_thresholds import allow

pytestmark = pytest.mark.django_db

SURE = {"category": ("Jacket", 0.97), "material": ("denim", 0.96), "sleeve_length": ("long", 0.95)}


def _change(row):
    return reverse("admin:classifier_acceptancethreshold_change", args=[row.pk])


def test_a_thresholds_page_draws_its_curve(admin, client_of, merchant, alice, review):
    row = allow("material", 0.9)
    for confidence, wanted in ((0.8, "denim"), (0.7, "denim"), (0.6, "woven")):
        review(alice, seen_product(merchant, **{**SURE, "material": ("denim", confidence)}), material=wanted)
    page = client_of(admin).get(_change(row)).content.decode()
    assert page.count("<polyline") == 3  # precision, its lower bound, coverage
    assert "its lower bound" in page


def test_a_thresholds_page_reads_the_decisions_once(admin, client_of, merchant, alice, review):
    row = allow("material", 0.9)
    review(alice, seen_product(merchant, **{**SURE, "material": ("denim", 0.8)}), material="woven")
    client = client_of(admin)
    with CaptureQueriesContext(connection) as queries:
        assert "its lower bound" in client.get(_change(row)).text
    # What people decided, and what was auto-accepted.
    assert sum("catalog_decision" in query["sql"] for query in queries) == 2


def test_a_thresholds_page_says_when_there_is_no_curve_yet(admin, client_of):
    assert "Nobody has decided on such proposals yet." in client_of(admin).get(_change(allow("material", 0.9))).text


def test_an_administrator_switches_one_off_and_it_is_audited(admin, client_of, merchant):
    row = allow("material", 0.9)
    response = client_of(admin).post(_change(row), {"threshold": "0.1"})  # an empty box; the rest is not editable
    assert response.status_code == 302
    row.refresh_from_db()
    assert (row.enabled, row.threshold) == (False, 0.9)
    assert AuditEvent.objects.get(action="acceptancethreshold.change").user == admin


def test_an_administrator_calibrates_from_the_list(admin, client_of, clerk, merchant, alice, review):
    review(alice, seen_product(merchant, **SURE))
    url = reverse("admin:classifier_acceptancethreshold_calibrate")
    assert client_of(clerk).post(url, {"_form_submitted": "on", "precision": "0.97"}).status_code == 403
    assert not AcceptanceThreshold.objects.exists()
    client = client_of(admin)
    assert client.get(url).status_code == 200
    assert client.post(url, {"_form_submitted": "on", "precision": "1.5"}).status_code == 200
    assert not AcceptanceThreshold.objects.exists()
    assert client.post(url, {"_form_submitted": "on", "precision": "0.97"}).headers["HX-Redirect"]
    assert not AcceptanceThreshold.objects.exists()  # a worker does it
    assert operations.continue_long() == 1
    assert Operation.objects.get().state == "done"
    assert set(AcceptanceThreshold.objects.values_list("precision", "threshold")) == {(0.97, None)}
    assert AuditEvent.objects.get(action="acceptancethreshold.calibrate").user == admin


def test_calibration_by_who_lost_the_permission_fails_with_a_sentence(admin, actor_of, merchant):
    actor = Actor(channel=Channel.ADMIN, user=admin)
    operation = counting.start_calibration(actor=actor, precision=0.97)
    type(admin).objects.filter(pk=admin.pk).update(is_superuser=False)
    operations.continue_long()
    operation.refresh_from_db()
    assert (operation.state, operation.failed, operation.open_key) == ("failed", 1, None)
    assert "You may not change what is auto-accepted." in operation.error
