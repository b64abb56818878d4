"""What owners set for their shop in the portal, and nobody else."""

import pytest

from accounts.models import AuditEvent
from accounts.services import set_photographs_for_training
from core.errors import Forbidden

pytestmark = pytest.mark.django_db


def _page(shop):
    return f"/shops/{shop.public_id}/settings"


def _may_train(shop):
    shop.refresh_from_db()
    return shop.photographs_for_training


def test_an_owner_refuses_training_and_allows_it_again(client_of, alice, shop):
    client = client_of(alice)
    assert _page(shop) in client.get("/").text
    page = client.get(_page(shop)).text
    assert "Our photographs may train models" in page
    assert "checked" in page

    answer = client.post(_page(shop), follow=True)

    assert "Saved." in answer.text
    assert "checked" not in answer.text
    assert not _may_train(shop)
    event = AuditEvent.objects.get()
    assert (event.action, event.user, event.merchant, event.via) == ("merchant.training", alice, shop, "portal")
    assert event.details == {"allowed": False}

    client.post(_page(shop), {"photographs_for_training": "on"})

    assert _may_train(shop)


def test_it_records_only_changes(client_of, alice, shop):
    client_of(alice).post(_page(shop), {"photographs_for_training": "on"})

    assert not AuditEvent.objects.exists()


def test_it_lets_nobody_else_set_it(client, client_of, bob, dana, charlie, admin, shop):
    for person, status in ((bob, 403), (dana, 403), (charlie, 404), (admin, 404)):
        assert client_of(person).get(_page(shop)).status_code == status
        assert client_of(person).post(_page(shop)).status_code == status
        assert _page(shop) not in client_of(person).get("/").text
    assert client.post(_page(shop)).url.startswith("/login")

    assert _may_train(shop)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("person", ["bob", "charlie"])
def test_the_service_asks_again(request, actor_of, shop, person):
    with pytest.raises(Forbidden):
        actor = actor_of(request.getfixturevalue(person))
        set_photographs_for_training(actor=actor, merchant=shop, allowed=False)

    assert _may_train(shop)
