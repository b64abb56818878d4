"""A published product stays as it was published, whatever models say and however it is asked."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from catalog import services
from catalog.models import Attribute, AttributeValue, Product
from core.errors import Conflict
from tests.support.seen_products import current_values
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db

JACKET = {"category": ("Jacket", 0.94), "material": ("denim", 0.8)}


@pytest.fixture
def published(product, actor):
    propose(product, candidate("Outer", 0.9, **JACKET), candidate("Top", 0.6, category=("Tshirt", 0.7)), chosen="Outer")
    return services.publish(actor=actor, product=product)


def test_a_later_model_adds_nothing_to_it(published, actor):
    before = current_values(published)
    assert before["sleeve_length"] == ("unset", None)
    propose(published, candidate("Outer", 0.9, **JACKET, sleeve_length=("long", 0.9)), chosen="Outer")
    assert current_values(published) == before
    services.decide(actor=actor, product=published, attribute="material", value="woven")
    assert current_values(published) == {**before, "material": ("decided", "woven")}


@pytest.mark.parametrize(
    "open_up",
    [
        lambda actor, product: services.withdraw(actor=actor, product=product, attribute="category"),
        lambda actor, product: services.withdraw(actor=actor, product=product, attribute="material"),
        lambda actor, product: services.choose_top_category(actor=actor, product=product, top_category="Top"),
        lambda actor, product: services.save_review(
            actor=actor, product=product, top_category="Outer", values={"category": ""}
        ),
        lambda actor, product: services.save_review(actor=actor, product=product, top_category="Top", values={}),
    ],
)
def test_its_values_cannot_be_opened_again(published, actor, open_up):
    before = current_values(published), Product.objects.values().get(), published.decisions.count()
    with pytest.raises(Conflict) as refusal:
        open_up(actor, published)
    assert refusal.value.code == "published"
    assert (current_values(published), Product.objects.values().get(), published.decisions.count()) == before


def test_a_person_may_still_correct_it(published, actor):
    services.decide(actor=actor, product=published, attribute="category", value="Tshirt")
    published.refresh_from_db()
    assert (published.status, published.top_category.code) == ("published", "Top")
    assert current_values(published)["category"] == ("decided", "Tshirt")


def test_publishing_twice_is_publishing_once(published, actor):
    first = published.published_at
    again = services.publish(actor=actor, product=published)
    assert (again.published_at, again.version) == (first, published.version)


def test_it_shows_what_models_say_once_it_is_taken_back(published, actor):
    propose(published, candidate("Outer", 0.9, **JACKET, sleeve_length=("long", 0.9)), chosen="Outer")
    services.unpublish(actor=actor, product=published)
    assert current_values(published)["sleeve_length"] == ("proposed", "long")
    assert current_values(published)["material"] == ("decided", "denim")


@pytest.mark.parametrize("status", ["draft", "classifying", "to_review"])
def test_a_product_whose_category_is_decided_is_ready(product, actor, status):
    Product.objects.filter(pk=product.pk).update(status=status)
    services.decide(actor=actor, product=product, attribute="material", value="denim")
    product.refresh_from_db()
    assert product.status == status
    services.decide(actor=actor, product=product, attribute="category", value="Jacket")
    product.refresh_from_db()
    assert product.status == "ready"
    services.publish(actor=actor, product=product)


def test_a_product_whose_category_is_open_again_is_not_ready(product, actor):
    services.decide(actor=actor, product=product, attribute="category", value="Jacket")
    services.withdraw(actor=actor, product=product, attribute="category")
    product.refresh_from_db()
    assert product.status == "to_review"


def test_a_top_category_without_categories_in_it_is_a_category_itself(product, actor):
    category = Attribute.objects.get(code="category")
    AttributeValue.objects.create(attribute=category, code="Shoes", name_ko="신발", name_en="Shoes")
    services.decide(actor=actor, product=product, attribute="category", value="Shoes")
    product.refresh_from_db()
    assert product.top_category.code == "Shoes"
    services.save_review(actor=actor, product=product, top_category="Shoes", values={"category": "Shoes"})
    assert current_values(product)["category"] == ("decided", "Shoes")


def test_an_archived_product_comes_back_unpublished(published, actor):
    services.archive(actor=actor, product=published)
    restored = services.restore(actor=actor, product=published)
    assert (restored.status, restored.published_at, restored.archived_at) == ("ready", None, None)


def test_a_prediction_that_is_gone_does_not_stop_a_decision(product, actor):
    propose(product, candidate("Outer", 0.9, prediction=987_654, **JACKET), chosen="Outer")
    decision = services.decide(actor=actor, product=product, attribute="category", value="Jacket")
    assert decision.prediction_id is None
    connection.check_constraints()


def test_a_lock_takes_the_products_row_only(published):
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        services.lock_product(published.pk)
    [locking] = [query["sql"] for query in queries if "catalog_product" in query["sql"]]
    assert "JOIN" not in locking
