"""What owners set for their merchant in the portal, and nobody else."""

import pytest
from django.test import Client

from accounts.models import AuditEvent, Merchant
from accounts.services import set_images_for_training
from core.errors import Forbidden

pytestmark = pytest.mark.django_db


def _page(merchant):
    return f"/merchants/{merchant.public_id}/settings"


def _may_train(merchant):
    merchant.refresh_from_db()
    return merchant.images_for_training


def test_an_owner_refuses_training_and_allows_it_again(client_of, alice, merchant):
    client = client_of(alice)
    assert _page(merchant) in client.get("/").text
    page = client.get(_page(merchant)).text
    assert "Our photos may train models" in page
    assert 'name="images_for_training" checked' in page

    answer = client.post(_page(merchant), follow=True)

    assert "Saved." in answer.text
    assert 'name="images_for_training" checked' not in answer.text
    assert not _may_train(merchant)
    event = AuditEvent.objects.get()
    assert (event.action, event.user, event.merchant, event.channel) == ("merchant.training", alice, merchant, "portal")
    assert event.details == {"allowed": False}

    client.post(_page(merchant), {"images_for_training": "on"})

    assert _may_train(merchant)


def test_it_records_only_changes(client_of, alice, merchant):
    client_of(alice).post(_page(merchant), {"images_for_training": "on"})

    assert not AuditEvent.objects.exists()


def test_it_lets_nobody_else_set_it(client_of, bob, dana, charlie, admin, merchant):
    for person, status in ((bob, 403), (dana, 403), (charlie, 404), (admin, 404)):
        assert client_of(person).get(_page(merchant)).status_code == status
        assert client_of(person).post(_page(merchant)).status_code == status
        assert _page(merchant) not in client_of(person).get("/").text
    assert Client().post(_page(merchant)).url.startswith("/login")

    assert _may_train(merchant)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("person", ["bob", "charlie"])
def test_the_service_asks_again(request, actor_of, merchant, person):
    with pytest.raises(Forbidden):
        actor = actor_of(request.getfixturevalue(person))
        set_images_for_training(actor=actor, merchant=merchant, allowed=False)

    assert _may_train(merchant)


def test_nobody_agrees_to_training_unasked():
    assert not Merchant(name="New").images_for_training
