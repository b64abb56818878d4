"""A product's history says what was changed, not only that something was."""

import pytest

from catalog import services

pytestmark = pytest.mark.django_db


def _history(client_of, user, product):
    page = client_of(user).get(f"/products/{product.public_id}").text
    return page[page.index('id="history"') :]


@pytest.mark.parametrize(
    ("before", "after", "said", "not_said"),
    [
        (("", None), ("Red jacket", ""), ["Name: Red jacket"], ["SKU:", "→"]),
        (("Red jacket", "R-1"), ("Red coat", "R-1"), ["Name: Red jacket → Red coat"], ["SKU:"]),
        (("Red jacket", "R-1"), ("Red jacket", ""), ["SKU: removed “R-1”"], ["Name:"]),
        (("Red", "R-1"), ("Blue", "B-1"), ["Name: Red → Blue, SKU: R-1 → B-1"], []),
    ],
)
def test_it_says_how_name_and_sku_changed(client_of, alice, actor_of, merchant, before, after, said, not_said):
    product = services.create_product(actor=actor_of(alice), merchant=merchant, name=before[0], sku=before[1])

    client_of(alice).post(f"/products/{product.public_id}/details", {"name": after[0], "sku": after[1]})

    history = _history(client_of, alice, product)
    assert all(sentence in history for sentence in said)
    assert not any(word in history for word in not_said)


def test_it_quotes_the_reason_that_was_given(client_of, alice, actor_of, merchant):
    product = services.create_product(actor=actor_of(alice), merchant=merchant, name="Shirt")
    reason = "the <label> says linen"
    services.decide(actor=actor_of(alice), product=product, attribute="material", value="woven", reason=reason)
    assert "<q>the &lt;label&gt; says linen</q>" in _history(client_of, alice, product)
