"""A top-level category without values below it is a category by itself: proposed, shown, chosen and filtered by."""

import json

import pytest
from django.urls import reverse

from accounts.actors import Actor
from accounts.channels import Channel
from catalog import services
from catalog.models import Attribute, AttributeValue, ProductAttribute
from catalog.proposal import Proposal
from tests.support.drawn_images import photo
from tests.support.page_forms import fields_of
from tests.support.seen_products import look, seen_product
from tests.support.written_proposals import top_categories
from vision.engine import Engine, Taxonomy
from vision.engine.taxonomy import DEFAULT_TAXONOMY

pytestmark = pytest.mark.django_db


@pytest.fixture
def hat():
    category = Attribute.objects.get(code="category")
    return AttributeValue.objects.create(attribute=category, code="Hat", name_ko="모자", name_en="Hat")


def _values(product):
    rows = ProductAttribute.objects.filter(product=product).select_related("attribute", "value")
    return {row.attribute.code: (row.state, row.value.code if row.value else None) for row in rows}


def test_it_is_proposed(merchant, hat):
    product = seen_product(merchant, category=("Hat", 0.95), material=("knit", 0.9), sleeve_length=("long", 0.4))

    (found,) = product.proposal.candidates
    assert (found.top_category, found.attributes["category"].value) == ("Hat", "Hat")
    assert found.confidence == pytest.approx(0.95, abs=0.01)
    assert product.top_category == hat
    assert _values(product) == {
        "category": ("proposed", "Hat"),
        "material": ("proposed", "knit"),
        "sleeve_length": ("not_applicable", None),
    }


def test_it_is_a_candidate_beside_others(merchant, hat):
    product = seen_product(merchant, category=("Jacket", 0.9))
    look(product, {"category": ("Hat", 0.8)}, {"category": ("Jacket", 0.9)})

    assert top_categories(product) == ["Outer", "Hat"]
    assert [found.attributes["category"].value for found in product.proposal.candidates] == ["Jacket", "Hat"]


def test_a_group_of_categories_is_not_proposed(merchant, hat):
    """A model that is older than the values below it still says the top-level category."""
    AttributeValue.objects.create(attribute=hat.attribute, code="Beanie", name_ko="비니", name_en="Beanie", parent=hat)

    assert seen_product(merchant, category=("Hat", 0.95)).proposal == Proposal()


def test_the_portal_shows_it_and_filters_by_it(merchant, hat, client_of, alice):
    product = seen_product(merchant, category=("Hat", 0.95))
    other = seen_product(merchant, category=("Jacket", 0.95))
    client = client_of(alice)

    page = client.get(f"/products/{product.public_id}").text
    assert 'value="Hat" checked' in page
    assert 'value="Hat" data-level="" selected' in page
    assert 'name="category" value="Hat"' in client.get("/products/").text
    found = client.get("/products/", {"category": "Hat"}).text
    assert product.public_id in found
    assert other.public_id not in found


def test_saving_it_says_nothing_of_attributes_that_it_does_not_have(merchant, hat, client_of, alice):
    product = seen_product(merchant, category=("Jacket", 0.95), sleeve_length=("long", 0.9))
    client = client_of(alice)
    sent = fields_of(client.get(f"/products/{product.public_id}").text, "review")
    assert sent["value-sleeve_length"] == "long"

    client.post(f"/products/{product.public_id}/review", sent | {"value-category": "Hat", "action": "save"})

    assert _values(product)["category"] == ("decided", "Hat")
    assert _values(product)["sleeve_length"] == ("not_applicable", None)


def test_the_admin_offers_it_and_filters_by_it(merchant, hat, client_of, admin):
    product, other = (seen_product(merchant, category=("Jacket", 0.95)) for _ in range(2))
    client = client_of(admin)
    change = reverse("admin:catalog_product_change", args=[product.pk])
    levels = client.get(change).text.split('name="garment"')[1].split("</select>")[0]
    assert '<option value="Hat">Hat</option>' in levels

    services.decide(actor=Actor(channel=Channel.ADMIN, user=admin), product=product, attribute="category", value="Hat")

    assert "no longer offered" not in client.get(change).text
    page = client.get(reverse("admin:catalog_product_changelist"), {"category": "Hat"}).text
    assert '<option value="Hat" selected' in page
    assert change in page
    assert reverse("admin:catalog_product_change", args=[other.pk]) not in page


def test_the_engine_reads_the_attributes_that_it_has(network_weights):
    data = json.loads(DEFAULT_TAXONOMY.read_text(encoding="utf-8"))
    attributes = {item["code"]: item for item in data["attributes"]}
    categories = attributes["category"]["values"]
    for value in categories:
        value.pop("parent", None)
    attributes["sleeve_length"]["applies_to"] = [value["code"] for value in categories]

    image = Engine.load(network_weights, taxonomy=Taxonomy.parse(data)).classify(photo("navy", (300, 400)))

    assert image.garments
    assert all(garment.attributes["sleeve_length"] for garment in image.garments)
