"""What was said before there was a word for it keeps its meaning."""

from importlib import import_module

import pytest
from django.apps import apps

from catalog import services
from catalog.models import Attribute, AttributeValue, Decision
from tests.support.factories import MerchantFactory, ProductFactory
from tests.support.migrated import database_at
from tests.support.seen_products import seen_product
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db

said_by_people = import_module("catalog.migrations.0004_said_by_people")


def _say(product, attribute, *kinds):
    row = Attribute.objects.get(code=attribute)
    value = AttributeValue.objects.filter(attribute=row, children=None).first()
    return [
        Decision.objects.create(
            product=product,
            attribute=row,
            kind=kind,
            value=value if kind == "set" else None,
            source=source,
            channel="portal",
        ).pk
        for source, kind in kinds
    ]


def test_a_withdrawal_of_nothing_is_what_was_left_open(product):
    taken_back = _say(product, "material", ("human", "set"), ("human", "withdrawn"))
    opened = _say(product, "category", ("auto", "set"), ("human", "withdrawn"), ("auto", "withdrawn"))
    both = _say(product, "sleeve_length", ("import", "set"), ("human", "withdrawn"), ("human", "withdrawn"))

    said_by_people.name_what_was_left_open(apps, None)

    left_open = Decision.objects.filter(kind="open").order_by("pk")
    assert list(left_open.values_list("pk", flat=True)) == [opened[1], both[2]]
    assert Decision.objects.get(pk=taken_back[1]).kind == "withdrawn"


def test_what_publishing_added_is_told_from_what_was_answered(merchant, alice, actor_of):
    actor = actor_of(alice)
    products = [
        seen_product(merchant, category=("Jacket", 0.97), material=("denim", 0.96), sleeve_length=("long", 0.95))
        for _ in range(3)
    ]
    answered, _unseen, decided_later = products
    services.save_review(
        actor=actor, product=answered, top_category="Outer", values={"category": "Jacket", "material": "denim"}
    )
    for product in products:
        services.publish(actor=actor, product=product)
    services.decide(actor=actor, product=decided_later, attribute="material", value="woven")
    expected = list(Decision.objects.order_by("pk").values_list("pk", "answers"))
    assert [answers for _pk, answers in expected].count("published") == 1 + 3 + 3
    Decision.objects.update(answers="proposal")

    said_by_people.name_what_was_published(apps, None)

    assert list(Decision.objects.order_by("pk").values_list("pk", "answers")) == expected


@pytest.mark.django_db(transaction=True)
def test_it_can_be_taken_back(product, alice, actor_of):
    actor = actor_of(alice)
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.9), material=("denim", 0.8)), chosen="Outer")
    services.save_review(actor=actor, product=product, top_category="", values={})
    services.withdraw(actor=actor, product=product, attribute="material")
    services.save_review(actor=actor, product=product, top_category="Outer", values={})
    services.publish(actor=actor, product=product)
    other = ProductFactory(merchant=MerchantFactory(), top_category_source="human")

    with database_at(("catalog", "0006_pending_files"), ("classifier", "0008_queue_turns")) as then:
        said_by_people.forget_these_words(then, None)

    assert set(Decision.objects.values_list("kind", "answers")) == {("withdrawn", ""), ("set", "")}
    other.refresh_from_db()
    assert other.top_category_source == ""
