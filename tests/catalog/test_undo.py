"""Undoing a change of a product: it says again what it said before, and only if nobody changed it since."""

from dataclasses import replace

import pytest

from accounts.models import AuditEvent
from catalog import services
from catalog.models import CATEGORY, MATERIAL, SLEEVE_LENGTH, Decision, Product
from catalog.services import LEAVE_OPEN, NOT_APPLICABLE, TAKE_BACK, ProductState, put_back, state_of
from classifier.quality.metrics import verdicts
from core.errors import Conflict, Forbidden
from tests.support.factories import ProductFactory
from tests.support.seen_products import current_values, seen_product
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposed(product):
    """A jacket over a T-shirt, as the models see it; they chose the jacket."""
    propose(
        product,
        candidate("Outer", 0.94, category=("Jacket", 0.94), material=("denim", 0.88), sleeve_length=("long", 0.97)),
        candidate("Top", 0.40, category=("Tshirt", 0.71), material=("jersey", 0.69), sleeve_length=("short", 0.55)),
        chosen="Outer",
    )
    return product


def _row(product):
    """All that pages show of it, except for when and how often it was changed."""
    product = Product.objects.get(pk=product.pk)
    fields = ("status", "top_category_id", "top_category_source", "name", "sku", "sku_key", "published_at")
    return {name: getattr(product, name) for name in fields} | {
        "archived_at": product.archived_at,
        "proposal": product.proposal,
        "values": current_values(product),
    }


def _review(actor, product):
    return services.save_review(
        actor=actor, product=product, top_category="Top", values={CATEGORY: "Tshirt", SLEEVE_LENGTH: NOT_APPLICABLE}
    )


CHANGES = {
    "publish": lambda actor, product: services.publish(actor=actor, product=product),
    "archive": lambda actor, product: services.archive(actor=actor, product=product),
    "review": _review,
    "decide": lambda actor, product: (
        services.decide(actor=actor, product=product, attribute=MATERIAL, value="woven").product
    ),
    "rename": lambda actor, product: services.update_product(actor=actor, product=product, name="Other", sku="B-2"),
    "leave open": lambda actor, product: services.save_review(
        actor=actor, product=product, top_category=None, values={MATERIAL: LEAVE_OPEN}
    ),
    "none of these": lambda actor, product: services.save_review(
        actor=actor, product=product, top_category=services.NO_GARMENT, values={}
    ),
}
BEFORE = {
    "proposed": lambda actor, product: None,
    "reviewed": _review,
    "published": lambda actor, product: services.publish(actor=actor, product=product),
    "archived while public": lambda actor, product: (
        services.publish(actor=actor, product=product),
        services.archive(actor=actor, product=product),
    ),
}


@pytest.mark.parametrize("change", ["publish", "archive", "review", "decide", "rename", "leave open", "none of these"])
def test_it_says_again_what_it_said_before(actor, proposed, change):
    before, state = _row(proposed), state_of(proposed)
    changed = CHANGES[change](actor, proposed)
    assert _row(proposed) != before
    put_back(actor=actor, product=proposed, state=ProductState.from_json(state.to_json()), version=changed.version)
    assert _row(proposed) == before
    assert state_of(Product.objects.get(pk=proposed.pk)) == state


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ("reviewed", lambda actor, product: services.publish(actor=actor, product=product)),
        ("reviewed", CHANGES["decide"]),
        ("published", lambda actor, product: services.unpublish(actor=actor, product=product)),
        ("published", CHANGES["archive"]),
        ("published", CHANGES["decide"]),
        ("archived while public", lambda actor, product: services.restore(actor=actor, product=product)),
    ],
)
def test_it_does_so_whatever_it_was_before(actor, proposed, before, change):
    BEFORE[before](actor, proposed)
    proposed.refresh_from_db()
    row, state = _row(proposed), state_of(proposed)
    changed = change(actor, proposed)
    put_back(actor=actor, product=proposed, state=state, version=changed.version)
    assert _row(proposed) == row


def test_a_change_can_be_undone_and_done_again(actor, proposed):
    services.publish(actor=actor, product=proposed)
    proposed.refresh_from_db()
    public, row = state_of(proposed), _row(proposed)
    back = services.unpublish(actor=actor, product=proposed)
    draft = state_of(Product.objects.get(pk=proposed.pk))
    again = put_back(actor=actor, product=proposed, state=public, version=back.version)
    assert _row(proposed) == row
    put_back(actor=actor, product=proposed, state=draft, version=again.version)
    assert state_of(Product.objects.get(pk=proposed.pk)) == draft


def test_what_was_changed_since_is_left_alone(actor, proposed):
    state = state_of(proposed)
    version = services.publish(actor=actor, product=proposed).version
    services.decide(actor=actor, product=proposed, attribute=MATERIAL, value="woven")
    row, decisions = _row(proposed), Decision.objects.count()
    with pytest.raises(Conflict) as refused:
        put_back(actor=actor, product=proposed, state=state, version=version)
    assert refused.value.code == "stale"
    assert (_row(proposed), Decision.objects.count()) == (row, decisions)


def test_without_a_version_it_undoes_whatever_came_after(actor, proposed):
    row, state = _row(proposed), state_of(proposed)
    services.publish(actor=actor, product=proposed)
    services.decide(actor=actor, product=proposed, attribute=MATERIAL, value="woven")
    put_back(actor=actor, product=proposed, state=state, version=None)
    assert _row(proposed) == row


def test_undoing_twice_changes_nothing_more(actor, proposed):
    state = state_of(proposed)
    services.publish(actor=actor, product=proposed)
    version = put_back(actor=actor, product=proposed, state=state, version=None).version
    counts = (Decision.objects.count(), AuditEvent.objects.count())
    assert put_back(actor=actor, product=proposed, state=state, version=version).version == version
    assert (Decision.objects.count(), AuditEvent.objects.count()) == counts


def test_a_viewer_may_not(actor, dana, actor_of, proposed):
    state = state_of(proposed)
    services.publish(actor=actor, product=proposed)
    row = _row(proposed)
    with pytest.raises(Forbidden):
        put_back(actor=actor_of(dana), product=proposed, state=state, version=None)
    assert _row(proposed) == row


def test_an_sku_that_another_product_has_got_is_not_taken_from_it(actor, merchant, proposed):
    state = state_of(proposed)
    version = services.update_product(actor=actor, product=proposed, sku="B-2").version
    ProductFactory(merchant=merchant, sku="AJ-1042")
    with pytest.raises(Conflict) as refused:
        put_back(actor=actor, product=proposed, state=state, version=version)
    assert refused.value.code == "sku_taken"
    assert Product.objects.get(pk=proposed.pk).sku == "B-2"


def test_what_models_said_in_between_is_shown(actor, proposed):
    state = state_of(proposed)
    services.decide(actor=actor, product=proposed, attribute=MATERIAL, value="woven")
    propose(proposed, candidate("Outer", 0.9, category=("Coat", 0.8), material=("denim", 0.7)), chosen="Outer")
    put_back(actor=actor, product=proposed, state=state, version=proposed.version)
    assert current_values(proposed)[CATEGORY] == ("proposed", "Coat")
    assert current_values(proposed)[MATERIAL] == ("proposed", "denim")


def test_it_leaves_a_line_that_says_from_what_to_what(actor, proposed):
    state = state_of(proposed)
    services.publish(actor=actor, product=proposed)
    put_back(actor=actor, product=proposed, state=state, version=None)
    event = AuditEvent.objects.get(action="product.undo")
    assert (event.user, event.details["before"]["status"]) == (actor.user, "published")
    assert event.details["after"] == state.to_json()


def test_that_line_says_where_the_product_is_and_not_where_it_was(actor, proposed):
    """Its values were decided on the way to the public, and stay: so it is ready, and no longer to be reviewed."""
    _review(actor, proposed)
    services.publish(actor=actor, product=proposed)
    state = replace(state_of(proposed), status=Product.Status.TO_REVIEW, published_at=None)
    put_back(actor=actor, product=proposed, state=state, version=None)
    proposed.refresh_from_db()
    event = AuditEvent.objects.get(action="product.undo")
    assert event.details["after"]["status"] == proposed.status == Product.Status.READY


def test_figures_count_what_they_counted_before(actor, merchant):
    product = seen_product(merchant, category=("Jacket", 0.9), material=("denim", 0.8))
    services.decide(actor=actor, product=product, attribute=CATEGORY, value="Jacket")
    product.refresh_from_db()
    state, counted = state_of(product), list(verdicts().values_list("attribute__code", "value__code"))
    assert counted == [("category", "Jacket")]
    services.save_review(actor=actor, product=product, top_category=None, values={CATEGORY: "Coat", MATERIAL: "woven"})
    assert verdicts().count() == 2
    put_back(actor=actor, product=product, state=state, version=None)
    assert list(verdicts().values_list("attribute__code", "value__code")) == counted
    assert state.answers == {CATEGORY: "Jacket", MATERIAL: TAKE_BACK, SLEEVE_LENGTH: TAKE_BACK}


def test_an_import_does_not_become_a_persons_word(actor, merchant):
    product = seen_product(merchant, category=("Jacket", 0.9))
    services.decide(actor=actor, product=product, attribute=CATEGORY, value="Coat", source=Decision.Source.IMPORT)
    product.refresh_from_db()
    state = state_of(product)
    services.decide(actor=actor, product=product, attribute=CATEGORY, value="Jacket")
    put_back(actor=actor, product=product, state=state, version=None)
    last = Decision.objects.order_by("-id")[0]
    assert (last.value.code, last.source, last.user) == ("Coat", "import", actor.user)
    assert not verdicts().exists()
