"""The admin's addresses with ids that no row can have, and with those that no row has."""

import pytest
from django.contrib import admin as django_admin
from django.urls import reverse

from accounts.models import ApiKey, AuditEvent
from tests.support.factories import ProductFactory

pytestmark = pytest.mark.django_db

IMPOSSIBLE = ("abc", "1.5", "-", "99999999999999999999", "1%00", "%00", "1/2", "%F0%9F%A7%A5", "1;DROP")
MISSING = ("0", "-1", "999999999")


def _addresses():
    """Every address of the admin that has a row's id in it, as a path with %s in its place."""
    for model, page in django_admin.site._registry.items():
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for pattern in page.get_urls():
            route = str(pattern.pattern)
            for parameter in ("<path:object_id>", "<id>"):
                if parameter in route:
                    yield base + route.replace(parameter, "%s")


ADDRESSES = sorted(_addresses())


def _counts():
    return ProductFactory._meta.model.objects.count(), ApiKey.objects.filter(revoked_at=None).count()


def test_the_addresses_are_all_that_there_are():
    assert len(ADDRESSES) > 90
    for path in ("catalog/product/%s/classify_again/", "accounts/user/%s/password/", "accounts/apikey/%s/revoke/"):
        assert f"/admin/{path}" in ADDRESSES


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_is_no_id_is_404(admin, product, api_key, client_of, address):
    client, before = client_of(admin), (_counts(), AuditEvent.objects.count())
    for text in IMPOSSIBLE:
        for send in (client.get, client.post):
            assert send(address % text, {"_form_submitted": "on"}).status_code == 404, (address, text)
    assert (_counts(), AuditEvent.objects.count()) == before


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_row_that_is_gone_is_404_or_said(admin, product, api_key, client_of, address):
    client, before = client_of(admin), (_counts(), AuditEvent.objects.count())
    for text in MISSING:
        for send in (client.get, client.post):
            response = send(address % text, {"_form_submitted": "on"})
            # Django goes to the index with a sentence; where nobody may change, it says no first.
            assert response.status_code in {301, 302, 403, 404}, (address, text)
            if response.status_code == 302:
                assert response.url in {reverse("admin:index"), address % text + "change/"}
    assert (_counts(), AuditEvent.objects.count()) == before


@pytest.mark.parametrize("model", django_admin.site._registry, ids=lambda model: model._meta.label_lower)
def test_a_list_s_parameters_are_what_they_may_be(admin, product, client_of, model):
    client = client_of(admin)
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    for query in ("id__exact=abc", "id__exact=99999999999999999999", "p=abc", "o=abc", "o=99", "q=%00", "e=1"):
        assert client.get(f"{url}?{query}").status_code in {200, 302, 400}, query
    for parameter in (
        "merchant__id__exact",
        "attribute__id__exact",
        "created_at_from_0",
        "top_category",
        "less_sure_than",
    ):
        for value in ("abc", "99999999999999999999"):
            assert client.get(url, {parameter: value}).status_code in {200, 302, 400}, (parameter, value)


@pytest.mark.parametrize("chosen", ["abc", "99999999999999999999", "1\x00"])
def test_a_chosen_row_that_cannot_be_is_a_bad_request(admin, product, client_of, chosen):
    response = client_of(admin).post(
        reverse("admin:catalog_product_changelist"), {"action": "archive_selected", "_selected_action": chosen}
    )
    assert response.status_code == 400


def test_strangers_are_asked_to_log_in_before_anything(client, product):
    url = reverse("admin:catalog_product_publish", args=[product.pk])
    assert client.get(url).status_code == 302
    assert client.get(url.replace(str(product.pk), "0")).status_code == 302
