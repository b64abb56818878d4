"""Values that were merged or switched off: what people decided before stays theirs, and is found."""

import pytest
from django.urls import reverse

from accounts.actors import system
from catalog import services
from catalog.models import AttributeValue, Decision, Product, ProductAttribute
from catalog.selectors import Taxonomy, todays_values
from classifier.registry.class_mapping import described
from tests.support.api_clients import ApiClient
from tests.support.page_forms import fields_of, review_form
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


def _value(attribute, code):
    return AttributeValue.objects.get(attribute__code=attribute, code=code)


def _merge(attribute, code, into):
    AttributeValue.objects.filter(attribute__code=attribute, code=code).update(merged_into=_value(attribute, into))


def _switch_off(attribute, code):
    AttributeValue.objects.filter(attribute__code=attribute, code=code).update(active=False)


def _merged(code="Jumper"):
    _merge("category", code, "PaddedJacket")


def _merged_in_several_steps():
    _merge("category", "Jumper", "Zipup")
    _merge("category", "Zipup", "PaddedJacket")


def _merged_into_another_top_category():
    _merge("category", "Jumper", "KnitWear")


def _switched_off():
    _switch_off("category", "Jumper")


def _merged_into_what_is_switched_off():
    _merged()
    _switch_off("category", "PaddedJacket")


CHANGES = [
    _merged,
    _merged_in_several_steps,
    _merged_into_another_top_category,
    _switched_off,
    _merged_into_what_is_switched_off,
]


@pytest.fixture
def decided(product, alice, actor_of):
    """A jumper, says alice; the model takes it for a jacket of denim."""
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.9), material=("denim", 0.8)), chosen="Outer")
    services.decide(actor=actor_of(alice), product=product, attribute="category", value="Jumper")
    product.refresh_from_db()
    return product


def _category(product):
    current = ProductAttribute.objects.select_related("value", "decision").get(
        product=product, attribute__code="category"
    )
    return current.state, current.value and current.value.code, current.decision and current.decision.user.name


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("publish", [False, True])
def test_the_portal_keeps_it_when_something_else_is_saved(client_of, bob, alice, actor_of, decided, change, publish):
    if publish:
        services.publish(actor=actor_of(alice), product=decided)
    change()
    client = client_of(bob)
    fields = review_form(client, decided) | {"value-material": "woven", "action": "save"}

    page = client.post(f"/products/{decided.public_id}/review", fields, follow=True)

    assert "Saved." in page.text
    assert _category(decided) == ("decided", "Jumper", "alice")
    decided.refresh_from_db()
    assert (decided.top_category.code, decided.status) == ("Outer", "published" if publish else "ready")
    material = Decision.objects.filter(attribute__code="material").first()
    assert (material.value.code, material.user) == ("woven", bob)


@pytest.mark.parametrize(
    ("change", "selected"),
    [
        (_merged_in_several_steps, "PaddedJacket"),
        (_switched_off, "Jumper"),
        (_merged_into_what_is_switched_off, "PaddedJacket"),
    ],
)
def test_the_portal_selects_what_it_is_today(client_of, bob, decided, change, selected):
    change()
    page = client_of(bob).get(f"/products/{decided.public_id}").text

    assert fields_of(page, "review")["value-category"] == selected
    assert ("no longer offered" in page) is (change is not _merged_in_several_steps)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("publish", [False, True])
def test_the_admin_keeps_it_when_something_else_is_saved(client_of, admin, decided, change, publish):
    if publish:
        services.publish(actor=system(), product=decided)
    change()
    client, address = client_of(admin), reverse("admin:catalog_product_change", args=[decided.pk])
    page = client.get(address)
    form = page.context["adminform"].form
    for name in form.fields:
        choices = [code for _label, group in _flat(getattr(form.fields[name], "choices", [])) for code in group]
        assert not choices or (form[name].value() or "") in choices, name
    fields = {name: form[name].value() or "" for name in form.fields if name != "images"}
    for inline in page.context["inline_admin_formsets"]:
        management = inline.formset.management_form
        fields |= {management.add_prefix(name): management[name].value() for name in management.fields}

    response = client.post(address, fields | {"name": "Another name", "value_material": "woven"})

    assert response.status_code == 302
    assert _category(decided) == ("decided", "Jumper", "alice")
    decided.refresh_from_db()
    assert (decided.name, decided.top_category.code) == ("Another name", "Outer")


def _flat(choices):
    """Groups of codes, one for each entry of a list of choices."""
    for value, label in choices:
        yield (value, [code for code, _name in label]) if isinstance(label, list) else (label, [value])


def test_the_garment_of_a_switched_off_top_category_stays(client_of, admin, decided):
    _switch_off("category", "Outer")
    form = client_of(admin).get(reverse("admin:catalog_product_change", args=[decided.pk])).context["adminform"].form
    assert "Outer" in dict(form.fields["garment"].choices)
    assert form["garment"].value() == "Outer"


@pytest.mark.parametrize("change", [_merged, _merged_in_several_steps])
def test_it_is_found_by_what_it_is_today(client_of, bob, admin, api_key, decided, change):
    change()
    found = {
        "portal": client_of(bob).get("/", {"category": "PaddedJacket"}).text,
        "admin": client_of(admin).get(reverse("admin:catalog_product_changelist"), {"category": "PaddedJacket"}).text,
    }
    assert [place for place, page in found.items() if str(decided) not in page] == []

    api = ApiClient(api_key[1])
    for code in ("PaddedJacket", "Jumper", "Outer"):
        assert [entry["id"] for entry in api.send("get", f"/products?category={code}").json()["results"]] == [
            decided.public_id
        ], code
    assert api.send("get", "/products?category=Coat").json()["results"] == []


def test_it_is_found_in_the_top_category_of_today(api_key, decided):
    _merged_into_another_top_category()
    api = ApiClient(api_key[1])
    assert len(api.send("get", "/products?category=Top").json()["results"]) == 1
    assert api.send("get", "/products?category=Outer").json()["results"] == []


def test_saying_the_new_name_is_no_new_decision(alice, actor_of, decided):
    _merged()
    before = Decision.objects.count()
    services.save_review(
        actor=actor_of(alice), product=decided, top_category="Outer", values={"category": "PaddedJacket"}
    )
    assert Decision.objects.count() == before
    services.save_review(actor=actor_of(alice), product=decided, top_category="Outer", values={"category": "Coat"})
    assert _category(decided) == ("decided", "Coat", "alice")


def test_a_merge_is_followed_to_its_end(decided):
    _merged_in_several_steps()
    _switch_off("category", "Zipup")
    taxonomy = Taxonomy.load()
    assert taxonomy.resolve("category", "Jumper").code == "PaddedJacket"
    assert todays_values()[_value("category", "Jumper").pk] == _value("category", "PaddedJacket").pk
    padded = next(
        value
        for attribute in described(taxonomy)["attributes"]
        for value in attribute["values"]
        if value["code"] == "PaddedJacket"
    )
    assert {"Jumper", "Zipup"} <= set(padded["aliases"])


def test_values_merged_in_a_circle_are_harmless(client_of, bob, decided):
    _merge("category", "Jumper", "Zipup")
    _merge("category", "Zipup", "Jumper")
    assert Taxonomy.load().resolve("category", "Jumper") is None
    client = client_of(bob)
    fields = review_form(client, decided) | {"value-material": "woven", "action": "save"}
    assert "Saved." in client.post(f"/products/{decided.public_id}/review", fields, follow=True).text
    assert _category(decided) == ("decided", "Jumper", "alice")


def test_a_category_that_moved_to_another_top_category_stays_decided(client_of, bob, alice, actor_of, decided):
    AttributeValue.objects.filter(attribute__code="category", code="Jumper").update(parent=_value("category", "Top"))
    services.save_review(actor=actor_of(alice), product=decided, top_category=None, values={"material": "woven"})
    assert _category(decided) == ("decided", "Jumper", "alice")
    assert Product.objects.get().status == "ready"
