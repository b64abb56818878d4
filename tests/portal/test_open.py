"""What a person leaves open on a product's page is open: saved, published, and whatever a model says later."""

import pytest

from accounts.models import AuditEvent
from catalog.models import Decision, Product, ProductAttribute
from tests.support.factories import ProductFactory
from tests.support.page_forms import fields_of, review_form
from tests.support.seen_products import current_values, look
from tests.support.written_proposals import candidate, propose
from tests.support.written_thresholds import allow

pytestmark = pytest.mark.django_db

JACKET = {"category": ("Jacket", 0.94), "material": ("denim", 0.88), "sleeve_length": ("long", 0.9)}


@pytest.fixture
def proposed(product):
    propose(
        product, candidate("Outer", 0.91, **JACKET), candidate("Top", 0.6, category=("Tshirt", 0.7)), chosen="Outer"
    )
    return product


def _send(client, product, fields, action, **changed):
    fields = (
        fields
        | {"action": action}
        | {name if name == "top_category" else f"value-{name}": v for name, v in changed.items()}
    )
    return client.post(f"/products/{product.public_id}/review", fields, follow=True)


def _everything():
    return (
        list(Product.objects.values()),
        list(ProductAttribute.objects.values()),
        Decision.objects.count(),
        AuditEvent.objects.count(),
    )


# -- Save and publish --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("says_what_it_shows", [True, False])
def test_it_publishes_no_value_that_was_left_open(client, proposed, says_what_it_shows):
    fields = review_form(client, proposed)
    if not says_what_it_shows:
        fields = {name: value for name, value in fields.items() if not name.startswith("shown-")}
    _send(client, proposed, fields, "publish", material="")

    proposed.refresh_from_db()
    assert proposed.status == "published"
    assert current_values(proposed) == {
        "category": ("decided", "Jacket"),
        "material": ("unset", None),
        "sleeve_length": ("decided", "long"),
    }
    assert not Decision.objects.filter(attribute__code="material", kind="set").exists()
    propose(proposed, candidate("Outer", 0.99, **JACKET), chosen="Outer")
    assert current_values(proposed)["material"] == ("unset", None)


def test_it_does_not_publish_none_of_these_with_everything_open(client, proposed):
    before = _everything()

    response = _send(
        client,
        proposed,
        review_form(client, proposed),
        "publish",
        top_category="",
        category="",
        material="",
        sleeve_length="short",
    )

    assert response.status_code == 400
    assert "The category is still open. Choose one, then publish." in response.text
    assert _everything() == before
    typed = fields_of(response.text, "review")
    assert (typed["top_category"], typed["value-category"], typed["value-material"]) == ("", "", "")
    assert typed["value-sleeve_length"] == "short"


def test_it_does_not_publish_a_category_that_was_left_open(client, proposed):
    before = _everything()

    response = _send(client, proposed, review_form(client, proposed), "publish", category="", material="woven")

    assert (response.status_code, _everything()) == (400, before)
    assert fields_of(response.text, "review")["value-material"] == "woven"
    again = _send(client, proposed, fields_of(response.text, "review"), "save")  # nothing of it is forgotten
    assert again.status_code == 200
    assert current_values(proposed) == {
        "category": ("unset", None),
        "material": ("decided", "woven"),
        "sleeve_length": ("decided", "long"),
    }


def test_what_a_model_said_after_the_page_was_opened_is_not_published(client, product):
    fields = review_form(client, product)
    propose(product, candidate("Outer", 0.9, category=("Coat", 0.9), material=("velvet", 0.31)), chosen="Outer")

    _send(client, product, fields, "publish", category="Jacket")

    product.refresh_from_db()
    assert product.status == "published"
    assert current_values(product)["category"] == ("decided", "Jacket")
    assert current_values(product)["material"] == ("unset", None)
    assert not Decision.objects.exclude(attribute__code="category").exists()


def test_what_a_model_said_after_the_page_was_opened_is_still_proposed_when_it_is_saved(client, product):
    fields = review_form(client, product)
    propose(product, candidate("Outer", 0.9, category=("Coat", 0.9), material=("velvet", 0.31)), chosen="Outer")

    _send(client, product, fields, "save", category="Jacket")

    assert current_values(product)["material"] == ("proposed", "velvet")


def test_a_value_that_the_form_does_not_name_is_not_published(client, proposed):
    fields = {name: value for name, value in review_form(client, proposed).items() if not name.endswith("-material")}

    _send(client, proposed, fields, "publish")

    assert current_values(proposed)["material"] == ("unset", None)
    assert current_values(proposed)["category"] == ("decided", "Jacket")


def test_what_was_accepted_after_the_page_was_opened_is_not_in_the_person_s_name(client, merchant, settings):
    settings.OTJANG_SAMPLE_SHARE = 0.0
    product = ProductFactory(merchant=merchant)
    fields = review_form(client, product)
    allow("material", 0.8)
    look(product, JACKET)

    _send(client, product, fields, "publish", category="Jacket")

    assert current_values(product)["material"] == ("auto", "denim")
    assert list(Decision.objects.filter(source="human").values_list("attribute__code", flat=True)) == ["category"]


def test_publishing_alone_leaves_open_what_was_opened(client, proposed):
    _send(client, proposed, review_form(client, proposed), "save", material="")

    client.post(f"/products/{proposed.public_id}/moves/publish")
    assert current_values(proposed)["material"] == ("unset", None)
    client.post(f"/products/{proposed.public_id}/moves/unpublish")
    assert current_values(proposed)["material"] == ("unset", None)


def test_saving_and_publishing_is_one_version_and_both_are_in_the_trail(client, proposed):
    version = proposed.version
    _send(client, proposed, review_form(client, proposed), "publish")

    proposed.refresh_from_db()
    assert proposed.version == version + 1
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == [
        "product.review",
        "product.publish",
    ]


def test_saving_a_published_product_as_it_stands_changes_nothing(client, proposed):
    _send(client, proposed, review_form(client, proposed), "publish", material="")
    propose(proposed, candidate("Outer", 0.99, **JACKET), chosen="Outer")
    before = current_values(proposed), Decision.objects.count()

    page = _send(client, proposed, review_form(client, proposed), "save")

    assert "Saved." in page.text
    assert (current_values(proposed), Decision.objects.count()) == before


# -- Save --------------------------------------------------------------------------------------------------------------


def test_it_remembers_what_was_opened(client, proposed):
    page = _send(client, proposed, review_form(client, proposed), "save", material="")

    assert current_values(proposed)["material"] == ("unset", None)
    assert "left open by bob" in page.text
    assert "Material: left open" in page.text
    assert fields_of(page.text, "review")["value-material"] == ""
    decision = Decision.objects.get(attribute__code="material")
    assert (decision.kind, decision.user.name, decision.channel) == ("open", "bob", "portal")

    propose(proposed, candidate("Outer", 0.99, **JACKET), chosen="Outer")
    assert current_values(proposed)["material"] == ("unset", None)
    count = Decision.objects.count()
    _send(client, proposed, review_form(client, proposed), "save")
    assert Decision.objects.count() == count


def test_it_remembers_that_it_is_none_of_these(client, proposed):
    nothing = {"top_category": "", "category": "", "material": "", "sleeve_length": ""}
    page = _send(client, proposed, review_form(client, proposed), "save", **nothing)

    fields = fields_of(page.text, "review")
    assert (fields["top_category"], fields["value-category"]) == ("", "")
    assert "said that none of the garments found is the product" in page.text
    assert set(current_values(proposed).values()) == {("unset", None)}

    propose(proposed, candidate("Outer", 0.99, **JACKET), chosen="Outer")
    proposed.refresh_from_db()
    assert (proposed.top_category, proposed.top_category_source) == (None, "human")
    assert set(current_values(proposed).values()) == {("unset", None)}
    assert "Choose the garment:" not in client.get("/").text

    _send(client, proposed, review_form(client, proposed), "save")
    assert AuditEvent.objects.filter(action="product.choose_none").count() == 1
    _send(client, proposed, review_form(client, proposed), "save", top_category="Outer", category="Coat")
    proposed.refresh_from_db()
    assert (proposed.top_category.code, current_values(proposed)["category"]) == ("Outer", ("decided", "Coat"))


def test_what_was_open_and_is_left_open_is_no_answer(client, product):
    _send(client, product, review_form(client, product), "save", category="Jacket")
    assert Decision.objects.count() == 1

    propose(product, candidate("Outer", 0.9, **JACKET), chosen="Outer")

    assert current_values(product)["material"] == ("proposed", "denim")
