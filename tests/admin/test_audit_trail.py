"""The audit trail can be read: what was what before, in words, found by merchant, person, kind and thing, as a file."""

import csv
import io

import pytest
from django.urls import reverse

from accounts.models import AuditEvent
from accounts.ready_groups import load_groups
from accounts.services import members as services
from catalog.models import Attribute, AttributeValue
from catalog.services import decide, publish, update_product
from classifier.quality.chosen import choose
from tests.support.admin_world import full_world
from tests.support.factories import ProductFactory, in_group

pytestmark = pytest.mark.django_db

LIST = reverse("admin:accounts_auditevent_changelist")
EXPORT = reverse("admin:accounts_auditevent_export")


@pytest.fixture
def staff(client_of, admin):
    return client_of(admin)


@pytest.fixture
def history(product, actor):
    """Alice renamed her product, decided its material and its category, and published it."""
    update_product(actor=actor, product=product, name="Denim jacket", sku=product.sku)
    decide(actor=actor, product=product, attribute="material", value="linen")
    decide(actor=actor, product=product, attribute="category", value="Jacket")
    publish(actor=actor, product=product)
    return product


def test_a_product_s_history_is_its_trail(history, staff):
    page = staff.get(reverse("admin:catalog_product_history", args=[history.pk]), follow=True).text
    assert "name: Oversized denim jacket → Denim jacket" in page
    assert "Material: Linen" in page
    assert "status: ready → published" in page or "→ published" in page


def test_it_is_read_in_korean(history, client_of, admin):
    page = client_of(admin, "ko").get(LIST).text
    material = AttributeValue.objects.get(attribute__code="material", code="linen")
    assert f"{material.attribute.name_ko}: {material.name_ko}" in page
    assert "linen" not in page


def test_roles_and_thresholds_are_told_in_words(merchant, bob, actor, client_of, admin):
    membership = merchant.memberships.get(user=bob)
    services.change_role(actor=actor, membership=membership, role="viewer")
    material = Attribute.objects.get(code="material")
    choose(actor=actor, merchant=merchant, attribute=material, mode="off", threshold=None)
    page = client_of(admin, "ko").get(LIST).text
    assert "역할: 편집자 → 열람자" in page
    assert "자동으로 확정되는 것: 없음" in page


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"merchant__id__exact": "merchant"}, 4),
        ({"user__id__exact": "alice"}, 4),
        ({"action__exact": "product.publish"}, 1),
        ({"subject_type__exact": "product"}, 4),
        ({"subject_type__exact": "merchant"}, 0),
        ({"action__exact": "product.decide", "merchant__id__exact": "merchant"}, 2),
    ],
)
def test_it_is_filtered(history, staff, merchant, alice, query, count):
    rows = {"merchant": merchant.pk, "alice": alice.pk}
    page = staff.get(LIST, {key: rows.get(value, value) for key, value in query.items()})
    assert len(page.context["cl"].result_list) == count


def test_a_change_of_the_taxonomy_says_from_what_to_what(staff):
    value = AttributeValue.objects.get(attribute__code="material", code="linen")
    url = reverse("admin:catalog_attributevalue_change", args=[value.pk])
    fields = {"name_ko": value.name_ko, "name_en": "Flax", "position": value.position, "active": "on", "aliases": ""}
    assert staff.post(url, fields).status_code == 302
    event = AuditEvent.objects.get(action="attributevalue.change")
    assert (event.details["before"]["name_en"], event.details["after"]["name_en"]) == ("Linen", "Flax")
    page = staff.get(LIST).text
    assert "Linen → Flax" in page
    assert f"{value.pk}</td>" not in page


def test_what_people_are_called_is_not_written_down(staff, bob):
    url = reverse("admin:accounts_user_change", args=[bob.pk])
    fields = {"email": bob.email, "name": "Robert", "language": "ko", "is_active": "on"}
    fields |= {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    assert staff.post(url, fields).status_code == 302
    event = AuditEvent.objects.get(action="user.change")
    assert "Robert" not in str(event.details)


def test_the_file_has_what_the_filters_leave(history, staff, merchant):
    ProductFactory(merchant=merchant)
    AuditEvent.objects.create(action="product.update", subject_type="product", subject_id="x", channel="portal")
    answer = staff.get(EXPORT, {"action__exact": "product.update"})
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert len(rows) == 3
    assert rows[2][1:] == [
        "changed name or SKU",
        "product",
        history.public_id,
        "Denim jacket",
        "alice",
        "website",
        "Alice's merchant",
        "name: Oversized denim jacket → Denim jacket",
    ]
    assert AuditEvent.objects.filter(action="auditevent.export").count() == 1


def test_no_cell_of_the_file_is_a_formula(staff, actor, product):
    update_product(actor=actor, product=product, name="＝1+1", sku=product.sku)
    rows = list(csv.reader(io.StringIO(staff.get(EXPORT).getvalue().decode("utf-8-sig"))))
    assert all(not cell.startswith(("=", "+", "-", "@", "＝")) for row in rows for cell in row)
    assert "'＝1+1" in rows[2]  # behind the event of the export itself


def test_many_lines_are_read_in_parts(staff, django_assert_max_num_queries):
    AuditEvent.objects.bulk_create(
        AuditEvent(action="product.create", subject_type="product", subject_id=f"p{number}", channel="command")
        for number in range(2500)
    )
    with django_assert_max_num_queries(30):
        lines = staff.get(EXPORT).getvalue().decode().splitlines()
    assert len(lines) == 2502  # with the head, and the event of the export itself


def test_the_list_costs_few_queries(staff, history, django_assert_max_num_queries):
    staff.get(LIST)
    with django_assert_max_num_queries(12):
        staff.get(LIST)


def test_who_may_not_read_the_trail_gets_no_file(client_of):
    load_groups()
    assert client_of(in_group("Reviewer")).get(EXPORT).status_code == 200
    from tests.support.factories import staff_user

    assert client_of(staff_user("view_auditevent")).get(EXPORT).status_code == 403


@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_page_shows_json(product, actor, client_of, admin, language):
    full_world(product, actor)
    client = client_of(admin, language)
    for model in ("accounts_auditevent", "accounts_operation", "classifier_classification", "classifier_modelversion"):
        page = client.get(reverse(f"admin:{model}_changelist"))
        for row in page.context["cl"].result_list:
            text = client.get(reverse(f"admin:{model}_change", args=[row.pk])).text
            assert "{&quot;" not in text
            assert "{&#x27;" not in text
            assert 'class="highlight"' not in text
