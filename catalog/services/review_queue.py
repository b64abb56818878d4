"""The review: doubtful products one after another, an answer to each, and the last answers taken back in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.core import signing
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from catalog.models import Product
from catalog.services.review import save_review
from catalog.services.review_claims import claim, release
from catalog.services.undo import ProductState, put_back, state_of
from catalog.services.writing import locked_for
from core.db import atomic
from core.errors import Invalid

_SALT = "catalog.review.undo"


@dataclass(frozen=True)
class Answered:
    """An answer that was saved: the product's version since then, and what takes the answer back.

    `undo` is signed: it holds what the product said before, and comes back from the person's browser.
    """

    version: int
    undo: str


def _user(actor: Actor) -> int:
    if actor.user is None:
        raise ValueError("only people review")
    return actor.user.pk


@atomic
def answer(
    *, actor: Actor, product: Product, top_category: str | None, values: Mapping[str, str], version: int
) -> Answered:
    """Save what a person says of a product in the review, and give the product back.

    The arguments and the refusals are those of `save_review`; what was only looked at and sent along counts as a
    person's word, too.
    """
    before = state_of(locked_for(actor, product))
    saved = save_review(actor=actor, product=product, top_category=top_category, values=values, version=version)
    if actor.user is not None:
        release(user=actor.user, products=[product.pk])
    undo = {"product": product.public_id, "user": _user(actor), "version": saved.version, "state": before.to_json()}
    return Answered(saved.version, signing.dumps(undo, salt=_SALT, compress=True))


@atomic
def undo_answer(*, actor: Actor, product: Product, undo: str) -> Product:
    """Take an answer of the review back, and claim the product again for the person.

    Args:
        actor: who answered.
        product: the product.
        undo: as `answer` returned it.

    Raises:
        Invalid: `unknown_answer` if it is not an answer of this person to this product.
        Conflict: `stale` if the product was changed since.
    """
    try:
        stored = signing.loads(undo, salt=_SALT)
    except signing.BadSignature:
        stored = {}
    if (stored.get("product"), stored.get("user")) != (product.public_id, _user(actor)):
        raise Invalid("unknown_answer", _("This answer cannot be taken back here. Open the product to change it."))
    state = ProductState.from_json(stored["state"])
    product = put_back(actor=actor, product=product, state=state, version=stored["version"])
    if actor.user is not None:
        claim(user=actor.user, products=[product.pk])
    return product
