"""Actions over more rows than a form of Django's may have fields."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from catalog.models import Product
from tests.support.factories import UserFactory
from tests.support.page_forms import messages_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def many(merchant):
    """Return a function that makes so many archived products."""

    def make(count):
        fields = {"merchant": merchant, "status": "archived", "archived_at": timezone.now()}
        Product.objects.bulk_create(Product(name=f"Coat {number}", **fields) for number in range(count))

    return make


LIST = "admin:catalog_product_changelist"


def _fields_of(page):
    """What the browser would send of the page for confirming."""
    queryset = page.context["queryset"]
    return {"action": "delete_selected", "post": "yes", "_selected_action": [row.pk for row in queryset]}


def test_it_deletes_1100_chosen_products(admin, many, client_of):
    many(1_100)
    client, url = client_of(admin), reverse(LIST)
    first = list(Product.objects.values_list("pk", flat=True)[:50])
    page = client.post(url, {"action": "delete_selected", "_selected_action": first, "select_across": "1"})
    assert page.status_code == 200
    assert page.text.count('name="_selected_action"') == 1_100

    deleted = client.post(url, _fields_of(page))

    assert deleted.status_code == 302
    assert "Successfully deleted 1,100 products." in [said.replace("1100", "1,100") for said in messages_of(deleted)]
    assert not Product.objects.exists()
    assert AuditEvent.objects.filter(action="product.delete").count() == 1_100


@pytest.mark.parametrize("action", ["delete_selected", "restore_selected", "classify_selected_again"])
def test_it_says_how_many_rows_are_too_many(admin, many, client_of, action):
    many(2_001)
    first = list(Product.objects.values_list("pk", flat=True)[:50])
    response = client_of(admin).post(reverse(LIST), {"action": action, "_selected_action": first, "select_across": "1"})
    assert response.status_code == 302
    assert messages_of(response) == [
        "At most 2000 rows at a time; nothing was done. Narrow the list down by its filters."
    ]
    assert Product.objects.filter(status="archived").count() == 2_001


def test_it_says_what_is_wrong_with_a_form_of_too_many_fields(admin, client_of):
    response = client_of(admin).post(reverse(LIST), {"_selected_action": list(range(1, 2_600))})
    assert response.status_code == 413
    assert "The form has more than 2500 fields; nothing was stored. Choose fewer rows at a time." in response.text


def test_a_merchant_of_300_people_can_be_saved(admin, merchant, client_of):
    for _person in range(3):
        merchant.memberships.create(user=UserFactory(), role="viewer")
    response = client_of(admin).get(reverse("admin:accounts_merchant_change", args=[merchant.pk]))
    [members, *_others] = response.context["inline_admin_formsets"]
    fields = sum(len(form.fields) for form in members.formset.initial_forms) / 3
    assert 300 * fields < 2_500
