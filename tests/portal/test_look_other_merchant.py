"""A link to a product of another of one's own shops offers to switch; of a stranger's shop nothing is said."""

import pytest

from catalog.models import Product
from tests.support.factories import MembershipFactory, MerchantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(alice):
    return MembershipFactory(user=alice, merchant=MerchantFactory(name="Zweitladen"), role="owner").merchant


@pytest.fixture
def client(client_of, alice, second):
    """Alice, who works in her second shop now."""
    client = client_of(alice)
    client.post("/merchant", {"merchant": second.public_id})
    return client


@pytest.mark.parametrize("page", ["", "/live"])
def test_it_offers_to_switch_and_leads_to_the_product(client, product, page):
    answer = client.get(f"/products/{product.public_id}{page}")
    assert answer.status_code == 200
    assert "This product belongs to Alice&#x27;s merchant" in answer.text
    assert product.name not in answer.text

    form = {"next": f"/products/{product.public_id}", "merchant": product.merchant.public_id}
    assert f'name="next" value="{form["next"]}"' in answer.text
    switched = client.post("/merchant", form)

    assert switched.headers["Location"] == form["next"]
    assert product.name in client.get(form["next"]).text


def test_a_form_of_the_other_merchant_changes_nothing(client, product):
    answer = client.post(f"/products/{product.public_id}/details", {"name": "Renamed", "sku": ""})
    assert "Nothing was stored." in answer.text
    assert not Product.objects.filter(name="Renamed").exists()


@pytest.mark.parametrize("headers", [{"accept": "application/json"}, {"HX-Request": "true"}])
def test_scripts_still_get_404(client, product, headers):
    assert client.get(f"/products/{product.public_id}/live", headers=headers).status_code == 404


def test_it_tells_nobody_of_a_stranger_s_product(client_of, charlie, alice, product):
    MembershipFactory(user=charlie, merchant=MerchantFactory(name="Drittladen"))
    for address in (f"/products/{product.public_id}", "/products/nowhere"):
        answer = client_of(charlie).get(address)
        assert answer.status_code == 404
        assert "Switch to" not in answer.text


def test_a_member_without_a_place_in_it_any_more_gets_404(client, alice, product):
    alice.memberships.filter(merchant=product.merchant).delete()
    assert client.get(f"/products/{product.public_id}").status_code == 404


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_switching_leads_to_no_other_site(client, product, elsewhere):
    answer = client.post("/merchant", {"next": elsewhere, "merchant": product.merchant.public_id})
    assert "evil" not in answer.headers["Location"]
    assert "javascript" not in answer.headers["Location"]
    assert client.get("/password").text.count("You now work in Alice&#x27;s merchant.") == 1
