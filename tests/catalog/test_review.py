"""What a person says of a product, and what it does to the current values."""

import pytest

from accounts.models import AuditEvent
from catalog import services
from catalog.models import CATEGORY, MATERIAL, SLEEVE_LENGTH, Decision, Product
from catalog.selectors import product_for_page, values_of
from core.errors import Conflict, Forbidden, Invalid
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposed(product):
    """A jacket over a T-shirt, as the models see it."""
    propose(
        product,
        candidate("Outer", 0.94, category=("Jacket", 0.94), material=("denim", 0.88), sleeve_length=("long", 0.97)),
        candidate("Top", 0.40, category=("Tshirt", 0.71), material=("jersey", 0.69), sleeve_length=("short", 0.55)),
        chosen="Outer",
    )
    return product


def _values(actor, product):
    page = product_for_page(actor, product.public_id)
    return {code: (current.state, current.value and current.value.code) for code, current in values_of(page).items()}


def test_it_shows_the_proposal_of_the_chosen_garment(alice, actor_of, proposed):
    assert _values(actor_of(alice), proposed) == {
        CATEGORY: ("proposed", "Jacket"),
        MATERIAL: ("proposed", "denim"),
        SLEEVE_LENGTH: ("proposed", "long"),
    }


def test_it_follows_another_garment(alice, actor_of, proposed):
    services.choose_top_category(actor=actor_of(alice), product=proposed, top_category="Top")
    assert _values(actor_of(alice), proposed)[CATEGORY] == ("proposed", "Tshirt")


def test_it_saves_garment_and_values_at_once(bob, actor_of, proposed):
    saved = services.save_review(
        actor=actor_of(bob),
        product=proposed,
        top_category="Outer",
        values={CATEGORY: "Jacket", MATERIAL: "woven", SLEEVE_LENGTH: "-"},
        version=proposed.version,
    )
    assert saved.status == Product.Status.READY
    assert _values(actor_of(bob), proposed) == {
        CATEGORY: ("decided", "Jacket"),
        MATERIAL: ("decided", "woven"),
        SLEEVE_LENGTH: ("not_applicable", None),
    }
    assert set(Decision.objects.values_list("user__name", "channel")) == {("bob", "portal")}


def test_it_saves_nothing_of_a_stale_review(alice, bob, actor_of, proposed):
    seen = proposed.version
    services.decide(actor=actor_of(bob), product=proposed, attribute=MATERIAL, value="woven")
    with pytest.raises(Conflict) as refusal:
        services.save_review(
            actor=actor_of(alice), product=proposed, top_category="Top", values={MATERIAL: "denim"}, version=seen
        )
    assert refusal.value.code == "stale"
    assert _values(actor_of(alice), proposed)[MATERIAL] == ("decided", "woven")


def test_it_saves_nothing_when_one_value_is_unknown(alice, actor_of, proposed):
    with pytest.raises(Invalid) as refusal:
        services.save_review(
            actor=actor_of(alice), product=proposed, top_category="Outer", values={CATEGORY: "Jacket", MATERIAL: "moss"}
        )
    assert refusal.value.code == "unknown_value"
    assert not Decision.objects.exists()
    proposed.refresh_from_db()
    assert proposed.status != Product.Status.READY


def test_it_writes_no_second_decision_for_the_same_value(alice, actor_of, proposed):
    for _ in range(2):
        services.save_review(actor=actor_of(alice), product=proposed, top_category="Outer", values={CATEGORY: "Jacket"})
    assert Decision.objects.count() == 1


def test_it_lets_the_category_choose_the_garment(alice, actor_of, proposed):
    services.decide(actor=actor_of(alice), product=proposed, attribute=CATEGORY, value="Jeans")
    proposed.refresh_from_db()
    assert (proposed.top_category.code, proposed.top_category_source) == ("Bottom", "human")
    assert _values(actor_of(alice), proposed)[SLEEVE_LENGTH] == ("not_applicable", None)


def test_it_withdraws_a_category_of_another_garment(alice, actor_of, proposed):
    services.decide(actor=actor_of(alice), product=proposed, attribute=CATEGORY, value="Coat")
    services.choose_top_category(actor=actor_of(alice), product=proposed, top_category="Top")
    assert _values(actor_of(alice), proposed)[CATEGORY] == ("proposed", "Tshirt")


def test_it_shows_the_proposal_again_after_withdrawing(alice, actor_of, proposed):
    services.decide(actor=actor_of(alice), product=proposed, attribute=MATERIAL, value="woven")
    services.withdraw(actor=actor_of(alice), product=proposed, attribute=MATERIAL)
    assert _values(actor_of(alice), proposed)[MATERIAL] == ("proposed", "denim")
    assert Decision.objects.count() == 2


def test_it_never_lets_a_model_overwrite_a_person(alice, actor_of, proposed):
    services.decide(actor=actor_of(alice), product=proposed, attribute=MATERIAL, value="woven")
    propose(proposed, candidate("Outer", 0.99, category=("Coat", 0.99), material=("wool", 0.99)), chosen="Outer")
    assert _values(actor_of(alice), proposed)[MATERIAL] == ("decided", "woven")
    assert _values(actor_of(alice), proposed)[CATEGORY] == ("proposed", "Coat")


def test_it_keeps_what_was_published_whatever_a_later_model_says(alice, actor_of, proposed):
    services.publish(actor=actor_of(alice), product=proposed)
    before = _values(actor_of(alice), proposed)
    assert {state for state, _ in before.values()} == {"decided"}
    propose(proposed, candidate("Bottom", 0.99, category=("Jeans", 0.99), material=("denim", 0.99)), chosen="Bottom")
    assert _values(actor_of(alice), proposed) == before


def test_it_does_not_publish_without_a_category(alice, actor_of, product):
    with pytest.raises(Conflict) as refusal:
        services.publish(actor=actor_of(alice), product=product)
    assert refusal.value.code == "category_open"
    product.refresh_from_db()
    assert product.published_at is None


def test_it_refuses_a_group_as_a_category(alice, actor_of, proposed):
    with pytest.raises(Invalid) as refusal:
        services.decide(actor=actor_of(alice), product=proposed, attribute=CATEGORY, value="Outer")
    assert refusal.value.code == "not_a_leaf"


def test_it_archives_and_restores_to_where_the_values_stand(alice, actor_of, proposed):
    actor = actor_of(alice)
    services.decide(actor=actor, product=proposed, attribute=CATEGORY, value="Jacket")
    services.archive(actor=actor, product=proposed)
    assert services.restore(actor=actor, product=proposed).status == Product.Status.READY


@pytest.mark.parametrize("person", ["dana", "charlie"])
def test_it_denies_viewers_and_outsiders_every_change(person, request, actor_of, proposed):
    actor = actor_of(request.getfixturevalue(person))
    for change in (
        lambda: services.decide(actor=actor, product=proposed, attribute=MATERIAL, value="woven"),
        lambda: services.choose_top_category(actor=actor, product=proposed, top_category="Top"),
        lambda: services.save_review(actor=actor, product=proposed, top_category="Top", values={}),
        lambda: services.publish(actor=actor, product=proposed),
        lambda: services.archive(actor=actor, product=proposed),
        lambda: services.update_product(actor=actor, product=proposed, name="mine"),
    ):
        with pytest.raises(Forbidden):
            change()
    after = Product.objects.get(pk=proposed.pk)
    assert (after.status, after.top_category.code, after.name) == ("to_review", "Outer", "Oversized denim jacket")
    assert not Decision.objects.exists()
    assert not AuditEvent.objects.exists()
