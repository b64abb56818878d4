"""The taxonomy's tree: put in order, retired, merged after a look at what changes, and added to as the guide says."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.actors import system
from accounts.models import AuditEvent
from catalog.models import Attribute, AttributeValue
from catalog.services import decide
from catalog.services.taxonomy_changes import MOST_COUNTED, use_counts
from tests.support.factories import UserFactory

pytestmark = pytest.mark.django_db

TREE = "admin:catalog_attributevalue_tree"
ORDER = "admin:catalog_attributevalue_order"


def _value(attribute, code):
    return AttributeValue.objects.get(attribute__code=attribute, code=code)


def _merge_page(value):
    return reverse("admin:catalog_attributevalue_merge", args=[value.pk])


def _codes(attribute, **only):
    values = AttributeValue.objects.filter(attribute__code=attribute, **only).order_by("position", "pk")
    return list(values.values_list("code", flat=True))


@pytest.mark.parametrize("language", ["ko", "en"])
def test_it_shows_names_codes_aliases_and_uses(admin, product, client_of, django_assert_max_num_queries, language):
    decide(actor=system(), product=product, attribute="material", value="linen")
    AttributeValue.objects.filter(code="linen").update(aliases=["flax"])
    client = client_of(admin, language)
    with django_assert_max_num_queries(10):
        page = client.get(reverse(TREE)).text
    row = page[page.index(f'id="value-{_value("material", "linen").pk}"') :].split("</li>")[0]
    linen = _value("material", "linen")
    assert all(text in row for text in (linen.name_ko, linen.name_en, "<code>linen</code>", "flax"))
    assert f'taxonomy-uses">{"상품 1개" if language == "ko" else "1 product"}<' in row


def test_it_stops_counting(product, monkeypatch):
    decide(actor=system(), product=product, attribute="material", value="linen")
    assert MOST_COUNTED == 1_000
    monkeypatch.setattr("catalog.services.taxonomy_changes.MOST_COUNTED", 0)
    counts = use_counts(AttributeValue.objects.all())
    assert (counts[_value("material", "linen").pk], counts[_value("material", "mesh").pk]) == (1, 0)


def test_a_script_stores_the_order_of_a_group(admin, client_of):
    outer = _value("category", "Outer")
    before = _codes("category", parent=outer)
    ids = [_value("category", code).pk for code in reversed(before)]
    asked = {"attribute": outer.attribute_id, "parent": outer.pk, "id": ids}
    assert client_of(admin).post(reverse(ORDER), asked).status_code == 204
    assert _codes("category", parent=outer) == before[::-1]
    event = AuditEvent.objects.get(action="attribute.order_values")
    assert event.details["before"]["order"].split(", ")[0] == event.details["after"]["order"].split(", ")[-1]
    assert event.user == admin


def test_an_order_of_other_values_is_refused(admin, client_of):
    outer = _value("category", "Outer")
    before = _codes("category")
    asked = {"attribute": outer.attribute_id, "parent": outer.pk, "id": [_value("material", "linen").pk]}
    answer = client_of(admin).post(reverse(ORDER), asked)
    assert (answer.status_code, answer.json()["code"]) == (409, "changed_meanwhile")
    answer = client_of(admin).post(reverse(ORDER), asked | {"id": ["abc", "²"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "changed_meanwhile")
    assert _codes("category") == before


def test_buttons_move_by_one_place_without_scripts(admin, client_of):
    client, material = client_of(admin), Attribute.objects.get(code="material")
    before = _codes("material")
    second = _value("material", before[1])
    client.post(reverse(ORDER), {"attribute": material.pk, "parent": "", "move": f"{second.pk}:up"})
    assert _codes("material")[:2] == [before[1], before[0]]
    client.post(
        reverse(ORDER), {"attribute": material.pk, "parent": "", "move": f"{second.pk}:up"}
    )  # the first one stays
    assert _codes("material")[:2] == [before[1], before[0]]

    client.post(reverse(ORDER), {"attribute": "", "parent": "", "move": f"{material.pk}:down"})
    assert list(Attribute.objects.values_list("code", flat=True)) == ["category", "sleeve_length", "material"]


def test_it_retires_a_value_and_offers_it_again(admin, client_of):
    client, linen = client_of(admin), _value("material", "linen")
    address = reverse("admin:catalog_attributevalue_offer", args=[linen.pk])
    said = client.post(address, {"offered": "0"}, follow=True).text
    assert "is retired" in said
    assert not _value("material", "linen").active
    client.post(address, {"offered": "1"})
    assert _value("material", "linen").active
    actions = list(AuditEvent.objects.order_by("pk").values_list("action", "details__name"))
    assert actions == [("attributevalue.retire", linen.name), ("attributevalue.offer", linen.name)]


def test_a_merge_offers_only_values_of_the_attribute_and_shows_what_changes(admin, product, client_of):
    decide(actor=system(), product=product, attribute="category", value="Jumper")
    jumper, knit = _value("category", "Jumper"), _value("category", "KnitWear")
    client = client_of(admin)
    asked = client.get(_merge_page(jumper)).context
    codes = {(one.attribute.code, one.code) for one in asked["targets"]}
    assert {attribute for attribute, _code in codes} == {"category"}
    assert not codes & {("category", "Jumper"), ("category", "Outer")}

    page = client.get(_merge_page(jumper), {"into": knit.pk})
    preview = page.context["preview"]
    assert (preview.products, preview.decided, preview.examples) == (1, 1, [product])
    assert preview.moves_to == _value("category", "Top")
    assert str(product) in page.text
    assert _value("category", "Jumper").merged_into is None  # only looked at


def test_lists_show_the_new_name_after_a_merge_and_the_old_one_when_it_is_taken_back(admin, alice, product, client_of):
    decide(actor=system(), product=product, attribute="category", value="Jumper")
    jumper, padded = _value("category", "Jumper"), _value("category", "PaddedJacket")
    client = client_of(admin)
    client.post(_merge_page(jumper), {"into": padded.pk})
    assert _value("category", "Jumper").merged_into == padded

    def lists():
        pages = (
            client.get(reverse("admin:catalog_product_changelist")).text,
            client_of(alice).get("/products/?columns=category").text,
            client_of(alice).get(f"/products/{product.public_id}").text,
        )
        return [page.split("<tbody")[-1] for page in pages[:2]]

    assert all(padded.name in page and f">{jumper.name}<" not in page for page in lists())
    client.post(reverse("admin:catalog_attributevalue_separate", args=[jumper.pk]))
    assert _value("category", "Jumper").merged_into is None
    assert all(jumper.name in page for page in lists())
    changes = AuditEvent.objects.filter(subject_type="attributevalue").order_by("pk").values_list("details", flat=True)
    assert [one["name"] for one in changes] == [jumper.name, jumper.name]
    assert changes[0]["after"] == {"merged_into": padded.name}


@pytest.mark.parametrize(
    ("value", "into"), [("Outer", "Jacket"), ("Coat", "Outer"), ("Coat", "linen"), ("Coat", "Coat"), ("Coat", "Jumper")]
)
def test_it_refuses_other_merges(admin, client_of, value, into):
    AttributeValue.objects.filter(code="Jumper").update(merged_into=_value("category", "Jacket"))
    row, target = _value("category", value), AttributeValue.objects.get(code=into)
    page = client_of(admin).post(_merge_page(row), {"into": target.pk})
    assert page.status_code == 200
    assert 'role="alert"' in page.text
    row.refresh_from_db()
    assert row.merged_into is None


def test_it_makes_no_chain(admin, client_of):
    jumper, jacket, coat = (_value("category", code) for code in ("Jumper", "Jacket", "Coat"))
    client = client_of(admin)
    client.post(_merge_page(jumper), {"into": jacket.pk})
    assert "Others are merged into this value" in client.post(_merge_page(jacket), {"into": coat.pk}).text
    jacket.refresh_from_db()
    assert jacket.merged_into is None


def test_who_may_only_look_sees_the_tree_and_changes_nothing(client_of):
    staff = UserFactory(is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=("view_attributevalue", "view_attribute")))
    client, linen = client_of(staff), _value("material", "linen")
    page = client.get(reverse(TREE))
    assert page.status_code == 200
    assert "taxonomy-moves" not in page.text
    assert client.get(_merge_page(linen)).status_code == 403
    refused = client.post(reverse("admin:catalog_attributevalue_offer", args=[linen.pk]), {"offered": "0"})
    assert refused.status_code == 403
    assert client.post(reverse(ORDER), {"attribute": linen.attribute_id, "id": [linen.pk]}).status_code in (403, 409)
    assert _value("material", "linen").active
    assert client_of(UserFactory(is_staff=True)).get(reverse(TREE)).status_code == 403


def _guide_link(page, step, text):
    return re.search(rf'data-step="{step}" href="([^"]+)">{text}<', page)[1].replace("&amp;", "&")


def _filled(client, address, **fields):
    """What a form's page shows, with these fields filled in as a person would."""
    form = client.get(address).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in (shown | fields).items() if value not in (None, False)}


def test_the_guide_leads_to_a_new_value_that_people_can_choose(admin, alice, product, client_of):
    client = client_of(admin)
    address = _guide_link(client.get(reverse("admin:catalog_attributevalue_guide")).text, "value", "Material")
    fields = _filled(client, address, code="hemp", name_ko="헴프", name_en="Hemp", aliases="marijuana cloth")
    assert client.post(address.partition("?")[0], fields).status_code == 302
    assert _codes("material")[-1] == "hemp"
    assert "Hemp" in client_of(alice).get(f"/products/{product.public_id}").text
    decide(actor=system(), product=product, attribute="material", value="hemp")
    found = client.get(reverse("admin:catalog_product_changelist"), {"material": "hemp"})
    assert [row.pk for row in found.context["cl"].result_list] == [product.pk]


def test_the_guide_leads_to_a_new_attribute(admin, alice, product, client_of):
    client = client_of(admin)
    guide = reverse("admin:catalog_attributevalue_guide")
    address = _guide_link(client.get(guide).text, "attribute", "Add an attribute")
    fields = _filled(client, address, code="neckline", name_ko="넥라인", name_en="Neckline")
    assert client.post(address, fields).status_code == 302
    address = _guide_link(client.get(guide).text, "value", "Neckline")
    for code, name in (("crew", "Crew neck"), ("v-neck", "V-neck")):
        client.post(address.partition("?")[0], _filled(client, address, code=code, name_ko=name, name_en=name))

    page = client_of(alice).get(f"/products/{product.public_id}").text
    assert "Neckline" in page
    assert "Crew neck" in page
    decide(actor=system(), product=product, attribute="neckline", value="v-neck")
    found = client.get(reverse("admin:catalog_product_changelist"), {"neckline": "v-neck"})
    assert [row.pk for row in found.context["cl"].result_list] == [product.pk]
