"""Administrators change products as everybody does: through services, in their own name, by the admin's channel."""

import pytest
from django.urls import reverse

from accounts.actors import system
from accounts.models import AuditEvent
from catalog import services
from catalog.admin.products import ProductAdmin
from catalog.models import Decision, Product, ProductImage
from tests.support.admin_products import product_fields, product_page
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory, ProductImageFactory, staff_user
from tests.support.page_forms import messages_of
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposed(product):
    """A jacket of denim with long sleeves, as the models see it."""
    propose(
        product,
        candidate("Outer", 0.9, category=("Jacket", 0.9), material=("denim", 0.8), sleeve_length=("long", 0.7)),
        candidate("Top", 0.6, category=("Tshirt", 0.6)),
        chosen="Outer",
    )
    return product


def _state(product):
    """Everything that a refused change must leave alone."""
    product.refresh_from_db()
    fields = {field.attname: getattr(product, field.attname) for field in Product._meta.concrete_fields}
    return fields, Decision.objects.count(), AuditEvent.objects.count(), ProductImage.objects.count()


def test_it_shows_the_model_s_opinion_first(admin, proposed, client_of):
    form = client_of(admin).get(product_page(proposed)).context["adminform"].form
    undecided, (title, offered), *_rest = form.fields["value_category"].choices
    assert undecided == ("", "proposed: Jacket 90%")
    assert (str(title), offered) == ("Proposed", [("Jacket", "Jacket 90%")])
    assert form["value_category"].value() == ""


def test_it_overrides_one_value_in_the_administrator_s_name(admin, proposed, client_of):
    client = client_of(admin)
    response = client.post(product_page(proposed), product_fields(client, proposed) | {"value_material": "corduroy"})
    assert response.status_code == 302
    decision = Decision.objects.get(product=proposed)
    assert (decision.attribute.code, decision.value.code) == ("material", "corduroy")
    assert (decision.channel, decision.source, decision.user) == ("admin", "human", admin)
    event = AuditEvent.objects.get(action="product.review")
    assert (event.channel, event.user, event.merchant) == ("admin", admin, proposed.merchant)
    states = dict(proposed.attributes.values_list("attribute__code", "state"))
    assert states == {"category": "proposed", "material": "decided", "sleeve_length": "proposed"}


def test_it_takes_a_decision_back(admin, proposed, client_of):
    client = client_of(admin)
    client.post(product_page(proposed), product_fields(client, proposed) | {"value_material": "corduroy"})
    fields = product_fields(client, proposed)
    assert fields["value_material"] == "corduroy"
    client.post(product_page(proposed), fields | {"value_material": ""})
    assert Decision.objects.first().kind == "withdrawn"
    assert proposed.attributes.get(attribute__code="material").value.code == "denim"


def test_it_says_that_something_does_not_apply(admin, proposed, client_of):
    client = client_of(admin)
    client.post(product_page(proposed), product_fields(client, proposed) | {"value_sleeve_length": "-"})
    assert proposed.attributes.get(attribute__code="sleeve_length").state == "not_applicable"
    assert product_fields(client, proposed)["value_sleeve_length"] == "-"


def test_it_chooses_the_other_garment(admin, proposed, client_of):
    client = client_of(admin)
    client.post(product_page(proposed), product_fields(client, proposed) | {"garment": "Top"})
    proposed.refresh_from_db()
    assert (proposed.top_category.code, proposed.top_category_source) == ("Top", "human")
    assert proposed.attributes.get(attribute__code="category").value.code == "Tshirt"


def test_it_leaves_everything_alone_when_nothing_was_changed(admin, proposed, client_of):
    client = client_of(admin)
    fields = product_fields(client, proposed)
    before = _state(proposed)
    client.post(product_page(proposed), fields)
    assert _state(proposed) == before


def test_it_changes_name_and_sku(admin, proposed, client_of):
    client = client_of(admin)
    client.post(product_page(proposed), product_fields(client, proposed) | {"name": "Jacket", "sku": ""})
    proposed.refresh_from_db()
    assert (proposed.name, proposed.sku) == ("Jacket", None)
    assert not Decision.objects.exists()


def test_it_refuses_what_somebody_else_changed_meanwhile(admin, proposed, client_of):
    client = client_of(admin)
    fields = product_fields(client, proposed)
    client.post(product_page(proposed), fields | {"value_material": "corduroy"})
    before = _state(proposed)
    response = client.post(product_page(proposed), fields | {"value_material": "woven"})
    assert _state(proposed) == before
    assert "This product was changed in the meantime" in response.text


def test_it_stores_nothing_of_a_refused_form(admin, proposed, client_of):
    ProductFactory(merchant=proposed.merchant, sku="taken")
    client = client_of(admin)
    fields = product_fields(client, proposed) | {"value_material": "corduroy", "sku": "TAKEN"}
    before = _state(proposed)
    response = client.post(product_page(proposed), fields)
    assert _state(proposed) == before
    form = response.context["adminform"].form
    assert form.errors["sku"] == ["Another product of this shop has this SKU already. Give another one."]
    assert (form["sku"].value(), form["value_material"].value()) == ("TAKEN", "corduroy")


def test_a_taken_sku_leaves_a_new_product_s_form_as_it_was_typed(admin, proposed, client_of):
    before = _state(proposed)
    response = client_of(admin).post(
        reverse("admin:catalog_product_add"),
        {"merchant": proposed.merchant.pk, "name": "Coat", "sku": "aj-1042 ", "images": [upload("front.jpg")]},
    )
    assert response.status_code == 200
    form = response.context["adminform"].form
    assert set(form.errors) == {"sku", "images"}
    assert (form["name"].value(), form["sku"].value()) == ("Coat", "aj-1042 ")
    assert "Choose the photos once more." in response.text
    assert _state(proposed) == before


def _sent(response):
    """What the browser would send of the page that came back."""
    form = response.context["adminform"].form
    fields = {}
    for name in form.fields:
        if name != "images":
            fields[name] = form[name].value() or ""
            initial = form[name].html_initial_name
            if f'name="{initial}"' in response.text:
                fields[initial] = form.data.get(initial, "")
    for inline in response.context["inline_admin_formsets"]:
        management = inline.formset.management_form
        fields |= {management.add_prefix(name): management[name].value() for name in management.fields}
    return fields


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [
        ({"value_material": "corduroy"}, {"value_sleeve_length": "short"}),
        ({"value_material": "corduroy"}, {"name": "My jacket"}),
        ({"name": "Their jacket"}, {"name": "My jacket"}),
        ({"name": "Their jacket"}, {"sku": "MINE"}),
        ({"name": "Their jacket"}, {"value_category": "Jacket"}),
        ({"name": "Their jacket"}, {}),
    ],
)
def test_the_slower_one_saves_nothing_until_the_page_is_loaded_again(admin, proposed, client_of, theirs, mine):
    client = client_of(admin)
    fields = product_fields(client, proposed)
    client.post(product_page(proposed), fields | theirs, follow=True)
    before = _state(proposed)

    response = client.post(product_page(proposed), fields | mine)
    again = client.post(product_page(proposed), _sent(response))
    for answer in (response, again):
        assert "This product was changed in the meantime, so nothing was saved." in answer.text
        assert f'<a href="{product_page(proposed)}" class="underline">Load the page again</a>' in answer.text
        form = answer.context["adminform"].form
        assert {name: form[name].value() for name in mine} == mine
        assert not messages_of(answer)
    assert _state(proposed) == before

    assert client.post(product_page(proposed), product_fields(client, proposed) | mine).status_code == 302
    assert (_state(proposed) != before) is bool(mine)


def test_it_says_beside_the_field_what_somebody_else_wrote_there(admin, proposed, client_of):
    client = client_of(admin)
    fields = product_fields(client, proposed)
    client.post(product_page(proposed), fields | {"name": "Their jacket", "value_material": "corduroy"})
    mine = {"name": "My jacket", "value_material": "woven", "value_sleeve_length": "short"}
    form = client.post(product_page(proposed), fields | mine).context["adminform"].form
    errors = {name: said for name, said in form.errors.items() if name in mine}
    assert errors == {"name": ["It says now: Their jacket"], "value_material": ["It says now: Corduroy"]}


def test_a_refusal_of_a_service_stands_on_the_form(admin, proposed, client_of):
    client = client_of(admin)
    services.publish(actor=system(), product=proposed)
    fields = product_fields(client, proposed) | {"value_material": "", "name": "Still here"}
    before = _state(proposed)
    response = client.post(product_page(proposed), fields)
    assert response.status_code == 200
    assert "This product is published, so its values stay decided." in response.text
    assert response.context["adminform"].form["name"].value() == "Still here"
    assert _state(proposed) == before


def test_a_form_that_is_wrong_in_any_part_stores_nothing(admin, proposed, client_of):
    client = client_of(admin)
    fields = product_fields(client, proposed) | {"name": "Coat", "value_material": "corduroy"}
    before = _state(proposed)
    for broken in [name for name in fields if name.endswith("TOTAL_FORMS")]:
        assert client.post(product_page(proposed), {**fields, broken: "x"}).status_code == 200
        assert _state(proposed) == before
    assert client.post(product_page(proposed), fields).status_code == 302


def test_a_refused_form_is_looked_at_once(admin, proposed, client_of, monkeypatch):
    opened, own = [], ProductAdmin.get_object
    monkeypatch.setattr(ProductAdmin, "get_object", lambda *asked: opened.append(1) or own(*asked))
    client = client_of(admin)
    fields = product_fields(client, proposed)
    client.post(product_page(proposed), fields | {"name": "Their jacket"})
    opened.clear()
    assert client.post(product_page(proposed), fields | {"name": "My jacket"}).status_code == 200
    assert len(opened) == 1


def test_it_says_beside_the_field_what_is_wrong_with_an_sku(admin, proposed, client_of):
    client = client_of(admin)
    fields = product_fields(client, proposed) | {"sku": "a\u202eb"}
    before = _state(proposed)
    response = client.post(product_page(proposed), fields)
    assert _state(proposed) == before
    assert "cannot be seen" in str(response.context["adminform"].form.errors["sku"])


def test_it_refuses_a_value_that_does_not_exist(admin, proposed, client_of):
    client = client_of(admin)
    for field, value in (("value_category", "Top"), ("value_category", "Toga"), ("garment", "Jacket")):
        fields = product_fields(client, proposed) | {field: value}
        before = _state(proposed)
        assert client.post(product_page(proposed), fields).status_code == 200
        assert _state(proposed) == before


# Images are taken in after the commit, so these tests commit.


MOVES = [
    ("publish", "to_review", "published"),
    ("unpublish", "published", "ready"),
    ("archive", "to_review", "archived"),
    ("restore", "archived", "to_review"),
]


@pytest.mark.parametrize(("move", "before", "after"), MOVES)
def test_it_moves_a_product(admin, proposed, client_of, move, before, after):
    Product.objects.filter(pk=proposed.pk).update(status=before)
    url = reverse(f"admin:catalog_product_{move}", args=[proposed.pk])
    client = client_of(admin)
    assert client.get(url).status_code == 200  # only asks
    proposed.refresh_from_db()
    assert proposed.status == before
    response = client.post(url, {"_form_submitted": "on"})
    assert response.headers["HX-Redirect"] == product_page(proposed)
    proposed.refresh_from_db()
    assert proposed.status == after
    assert AuditEvent.objects.filter(action=f"product.{move}", channel="admin", user=admin).exists()


@pytest.mark.parametrize(("move", "before", "after"), MOVES)
def test_it_says_before_a_move_that_what_is_not_saved_is_lost(admin, proposed, client_of, move, before, after):
    Product.objects.filter(pk=proposed.pk).update(status=before)
    asked = client_of(admin).get(reverse(f"admin:catalog_product_{move}", args=[proposed.pk])).text
    assert "Changes on this page that are not saved yet are lost." in asked
    assert ("It is published as it was last saved" in asked) is (move == "publish")


def test_it_offers_only_the_moves_that_the_status_allows(admin, proposed, client_of):
    page = client_of(admin).get(product_page(proposed)).content.decode()
    for move, offered in (("publish", True), ("archive", True), ("unpublish", False), ("restore", False)):
        assert (f'href="{reverse(f"admin:catalog_product_{move}", args=[proposed.pk])}"' in page) is offered


def test_it_moves_the_chosen_products_and_names_those_it_cannot(admin, proposed, client_of):
    undecided = ProductFactory(merchant=proposed.merchant, name="Nameless")
    response = client_of(admin).post(
        reverse("admin:catalog_product_changelist"),
        {"action": "publish_selected", "_selected_action": [proposed.pk, undecided.pk]},
    )
    assert Product.objects.get(status="published") == proposed
    assert sorted(messages_of(response)) == [
        "1 published.",
        "Nameless: The category is still open. Choose one, then publish.",
    ]


def test_it_hides_products_from_staff_who_may_not_see_all_merchants(proposed, client_of):
    staff = client_of(staff_user("view_product", "change_product", "add_product", "view_productimage", "view_decision"))
    ProductImageFactory(product=proposed)
    before = _state(proposed)
    assert staff.get(reverse("admin:catalog_product_changelist")).status_code == 403
    assert staff.get(reverse("admin:catalog_productimage_changelist")).status_code == 403
    assert staff.get(reverse("admin:catalog_decision_changelist")).status_code == 403
    assert staff.get(product_page(proposed)).status_code in {302, 403}
    assert staff.post(product_page(proposed), {"name": "Mine"}).status_code in {302, 403}
    assert (
        staff.post(reverse("admin:catalog_product_archive", args=[proposed.pk]), {"_form_submitted": "on"}).status_code
        == 403
    )
    assert _state(proposed) == before
    assert proposed.name not in staff.get(reverse("admin:index")).content.decode()


def test_it_lets_staff_look_without_changing(admin, proposed, client_of):
    fields = product_fields(client_of(admin), proposed)
    looker = client_of(staff_user("view_product", "view_all_merchants", "view_productimage", "view_decision"))
    before = _state(proposed)
    page = looker.get(product_page(proposed))
    assert page.status_code == 200
    assert "Jacket 90%" in page.content.decode()
    assert "value_material" not in page.content.decode()
    assert looker.post(product_page(proposed), fields | {"value_material": "corduroy"}).status_code == 403
    for move in ("publish", "archive"):
        url = reverse(f"admin:catalog_product_{move}", args=[proposed.pk])
        assert looker.post(url, {"_form_submitted": "on"}).status_code == 403
    looker.post(
        reverse("admin:catalog_product_changelist"),
        {"action": "archive_selected", "_selected_action": [proposed.pk]},
    )
    assert _state(proposed) == before


@pytest.mark.parametrize("language", ["ko", "en"])
def test_it_renders_in_both_languages(admin, proposed, client_of, language):
    ProductImageFactory(product=proposed)
    response = client_of(admin, language).get(product_page(proposed))
    assert response.status_code == 200
    assert {"ko": "재킷 90%", "en": "Jacket 90%"}[language] in response.content.decode()
