"""Staff see the webhooks of all merchants, switch them, and send again what did not arrive."""

from datetime import UTC, datetime

import pytest

from tests.support.factories import staff_user
from tests.support.webhook_endpoints import deliver, endpoint_at
from webhooks import services
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db


def test_staff_see_them_without_secrets(client_of, admin, actor, receiver):
    endpoint = endpoint_at(receiver, actor, description="till")
    services.send_test(actor=actor, endpoint=endpoint)
    deliver()
    client = client_of(admin)
    for page in (
        "endpoint/",
        f"endpoint/{endpoint.pk}/change/",
        "delivery/",
        f"delivery/{Delivery.objects.get().pk}/change/",
    ):
        answer = client.get(f"/admin/webhooks/{page}")
        assert answer.status_code == 200
        assert "till" in answer.text
        assert endpoint.secret not in answer.text


def test_what_has_arrived_has_no_next_attempt(client_of, admin, actor, receiver):
    services.send_test(actor=actor, endpoint=endpoint_at(receiver, actor))
    Delivery.objects.update(next_at=datetime(2031, 3, 14, tzinfo=UTC))
    page = f"/admin/webhooks/delivery/{Delivery.objects.get().pk}/change/"
    assert "2031" in client_of(admin).get(page).text
    Delivery.objects.update(state=Delivery.State.DELIVERED)
    for address in (page, "/admin/webhooks/delivery/"):
        assert "2031" not in client_of(admin).get(address).text


def test_staff_switch_test_and_replay(client_of, admin, actor, receiver):
    endpoint = endpoint_at(receiver, actor)
    client, base = client_of(admin), f"/admin/webhooks/endpoint/{endpoint.pk}"
    confirmed = {"_form_submitted": "on"}
    client.post(f"{base}/send_test/", confirmed)
    assert deliver() == 1
    client.post(f"/admin/webhooks/delivery/{Delivery.objects.get().pk}/replay/", confirmed)
    assert deliver() == 1
    client.post(f"{base}/switch_off/", confirmed)
    endpoint.refresh_from_db()
    assert not endpoint.is_active
    client.post(f"{base}/switch_on/", confirmed)
    endpoint.refresh_from_db()
    assert endpoint.is_active


def test_who_may_only_look_changes_nothing(client_of, actor, receiver):
    endpoint = endpoint_at(receiver, actor)
    looker = staff_user("view_endpoint", "view_delivery", "view_all_merchants")
    client = client_of(looker)
    assert client.get("/admin/webhooks/endpoint/").status_code == 200
    assert client.post(
        f"/admin/webhooks/endpoint/{endpoint.pk}/switch_off/", {"_form_submitted": "on"}
    ).status_code in {302, 403, 404}
    endpoint.refresh_from_db()
    assert endpoint.is_active
    assert client_of(staff_user("view_endpoint")).get("/admin/webhooks/endpoint/").status_code == 403
