"""Administrators extend the taxonomy without code, and can't break what refers to it."""

import pytest
from django.urls import reverse

from accounts.actors import system
from accounts.models import AuditEvent
from catalog.models import Attribute, AttributeValue
from catalog.services import decide

pytestmark = pytest.mark.django_db

ADD = "admin:catalog_attributevalue_add"


def _value(attribute, code):
    return AttributeValue.objects.get(attribute__code=attribute, code=code)


def _new(attribute="category", **fields):
    given = {
        "attribute": Attribute.objects.get(code=attribute).pk,
        "code": "Poncho",
        "name_ko": "판초",
        "name_en": "Poncho",
        "parent": _value("category", "Outer").pk if attribute == "category" else "",
        "position": 0,
        "active": "on",
    }
    return given | fields


def _as_posted(value, **fields):
    return {
        "name_ko": value.name_ko,
        "name_en": value.name_en,
        "parent": value.parent_id or "",
        "aliases": "\n".join(value.aliases),
        "position": value.position,
        "active": "on",
    } | fields


def _errors(response):
    return response.context["adminform"].form.errors.as_data()


def test_it_adds_a_category_with_aliases(admin, client_of):
    client_of(admin).post(reverse(ADD), _new(aliases="poncho\n Cape \n\n"))
    value = _value("category", "Poncho")
    assert (value.parent.code, value.aliases) == ("Outer", ["poncho", "Cape"])
    assert AuditEvent.objects.get(action="attributevalue.add").user == admin


def test_it_adds_an_attribute(admin, client_of):
    client_of(admin).post(
        reverse("admin:catalog_attribute_add"),
        {"code": "neckline", "name_ko": "넥라인", "name_en": "Neckline", "active": "on", "position": 4},
    )
    assert Attribute.objects.get(code="neckline").active


def test_what_is_new_goes_last_unless_a_position_is_given(admin, client_of):
    client, add = client_of(admin), reverse("admin:catalog_attribute_add")
    assert client.get(add).context["adminform"].form["position"].value() is None
    for code, given in (("neckline", {"position": ""}), ("fit", {}), ("season", {"position": 0})):
        client.post(add, {"code": code, "name_ko": code, "name_en": code, "active": "on", **given})
    for code, given in (("crew", ""), ("v-neck", ""), ("boat", 7), ("turtle", "")):
        client.post(reverse(ADD), _new("neckline", code=code, position=given))

    codes = list(Attribute.objects.values_list("code", flat=True))
    assert codes == ["category", "season", "material", "sleeve_length", "neckline", "fit"]
    necklines = AttributeValue.objects.filter(attribute__code="neckline")
    assert dict(necklines.values_list("code", "position")) == {"crew": 0, "v-neck": 1, "boat": 7, "turtle": 8}


def test_a_position_is_not_lost_by_leaving_it_empty_later(admin, client_of):
    linen = _value("material", "linen")
    url = reverse("admin:catalog_attributevalue_change", args=[linen.pk])
    response = client_of(admin).post(url, _as_posted(linen, position=""))
    assert _errors(response)["position"][0].code == "required"


@pytest.mark.parametrize("code", ["판초", "Pon cho", "1poncho", "Poncho!", "p\u200bq"])
def test_it_refuses_codes_that_are_not_plain(admin, client_of, code):
    count = AttributeValue.objects.count()
    response = client_of(admin).post(reverse(ADD), _new(code=code))
    assert _errors(response)["code"][0].code == "bad_code"
    assert AttributeValue.objects.count() == count


@pytest.mark.parametrize("code", ["garment", "Split", "box_ok"])
def test_it_refuses_codes_that_models_and_data_sets_use_otherwise(admin, client_of, code):
    response = client_of(admin).post(
        reverse("admin:catalog_attribute_add"),
        {"code": code, "name_ko": code, "name_en": code, "active": "on", "position": 4},
    )
    assert _errors(response)["code"][0].code == "code_reserved"
    assert not Attribute.objects.filter(code__iexact=code).exists()


@pytest.mark.parametrize("code", ["Jacket", "jacket", "JACKET"])
def test_it_refuses_a_code_that_exists_in_any_case(admin, client_of, code):
    count = AttributeValue.objects.count()
    response = client_of(admin).post(reverse(ADD), _new(code=code))
    assert _errors(response)["code"][0].code == "code_taken"
    assert AttributeValue.objects.count() == count


def test_it_refuses_an_alias_that_another_value_has(admin, client_of):
    response = client_of(admin).post(reverse(ADD), _new("material", code="jean", aliases="Denim"))
    assert _errors(response)["aliases"][0].code == "alias_taken"


@pytest.mark.parametrize(
    ("attribute", "parent"), [("category", "Jacket"), ("material", "Outer")], ids=["third level", "another attribute"]
)
def test_it_accepts_only_a_sensible_top_category(admin, client_of, attribute, parent):
    count = AttributeValue.objects.count()
    fields = _new(attribute, parent=_value("category", parent).pk)
    assert "parent" in _errors(client_of(admin).post(reverse(ADD), fields))
    assert AttributeValue.objects.count() == count


def test_it_gives_a_top_category_no_parent(admin, client_of):
    top = _value("category", "Top")
    url = reverse("admin:catalog_attributevalue_change", args=[top.pk])
    response = client_of(admin).post(url, _as_posted(top, parent=_value("category", "Outer").pk))
    assert _errors(response)["parent"][0].code == "has_children"
    assert _value("category", "Top").parent is None


def test_it_keeps_codes_for_ever(admin, client_of):
    jacket = _value("category", "Jacket")
    url = reverse("admin:catalog_attributevalue_change", args=[jacket.pk])
    client_of(admin).post(url, _as_posted(jacket, code="Blazer", name_en="Blazer"))
    jacket.refresh_from_db()
    assert (jacket.code, jacket.name_en) == ("Jacket", "Blazer")


def test_it_keeps_a_value_that_products_have(admin, product, client_of):
    decide(actor=system(), product=product, attribute="material", value="linen")
    linen, mesh = _value("material", "linen"), _value("material", "mesh")
    client = client_of(admin)
    for value in (linen, mesh):
        client.post(reverse("admin:catalog_attributevalue_delete", args=[value.pk]), {"post": "yes"})
    assert AttributeValue.objects.filter(pk=linen.pk).exists()
    assert not AttributeValue.objects.filter(pk=mesh.pk).exists()
    assert AuditEvent.objects.filter(action="attributevalue.delete").count() == 1


def test_it_keeps_an_attribute_that_has_values(admin, client_of):
    material = Attribute.objects.get(code="material")
    client_of(admin).post(reverse("admin:catalog_attribute_delete", args=[material.pk]), {"post": "yes"})
    assert Attribute.objects.filter(pk=material.pk).exists()


@pytest.mark.parametrize("page", ["delete", "changelist"])
def test_it_says_what_uses_a_value_and_what_to_do_instead(admin, product, client_of, page):
    decide(actor=system(), product=product, attribute="material", value="linen")
    linen = _value("material", "linen")
    url = reverse(f"admin:catalog_attributevalue_{page}", args=[linen.pk] if page == "delete" else [])
    asked = client_of(admin).post(url, {"action": "delete_selected", "_selected_action": [linen.pk], "post": "yes"})
    assert "Linen is in use (decisions: 1, current values: 1). Switch it off, or merge it into another" in asked.text
    assert "permission" not in asked.text
    assert _value("material", "linen") == linen


def test_it_says_what_uses_an_attribute(admin, client_of):
    sleeve = Attribute.objects.get(code="sleeve_length")
    asked = client_of(admin).get(reverse("admin:catalog_attribute_delete", args=[sleeve.pk]))
    assert f"{sleeve} is in use (values: {sleeve.values.count()}). Switch it off instead." in asked.text


@pytest.mark.parametrize("change", [{"active": ""}, {"applies_to": "Top"}])
def test_it_keeps_the_category_for_every_product(admin, client_of, change):
    category = Attribute.objects.get(code="category")
    fields = {"name_ko": "분류", "name_en": "Kind", "active": "on", "position": 0}
    if "applies_to" in change:
        change = {"applies_to": [_value("category", change["applies_to"]).pk]}
    client, url = client_of(admin), reverse("admin:catalog_attribute_change", args=[category.pk])
    response = client.post(url, fields | change)
    assert "Every product has a category" in response.text
    category.refresh_from_db()
    assert (category.active, category.name_en, category.applies_to.count()) == (True, "Category", 0)

    client.post(url, fields)
    category.refresh_from_db()
    assert category.name_en == "Kind"


def test_it_keeps_the_category_even_without_values(admin, client_of):
    category = Attribute.objects.get(code="category")
    Attribute.objects.exclude(pk=category.pk).update(active=False)
    AttributeValue.objects.filter(attribute=category, parent__isnull=False).delete()
    AttributeValue.objects.filter(attribute=category).delete()
    client = client_of(admin)
    client.post(reverse("admin:catalog_attribute_delete", args=[category.pk]), {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [category.pk], "post": "yes"}
    client.post(reverse("admin:catalog_attribute_changelist"), chosen)
    assert Attribute.objects.filter(pk=category.pk).exists()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_it_renders_in_both_languages(admin, client_of, language):
    client = client_of(admin, language)
    for model, row in (("attribute", Attribute.objects.first()), ("attributevalue", _value("category", "Jacket"))):
        assert client.get(reverse(f"admin:catalog_{model}_change", args=[row.pk])).status_code == 200
        assert client.get(reverse(f"admin:catalog_{model}_add")).status_code == 200
