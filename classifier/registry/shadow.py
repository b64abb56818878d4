"""Trying a candidate on stored images: what would it propose, and would people agree?

Its jobs have the purpose `shadow`: what they find is stored, but no product, proposal or page takes notice of it.

`ShadowReport.figures`: `images`, `products`, `changed` (products for which anything would change); `attributes`,
by code: `changed` products, and of the `decided` ones how many agree with what is proposed `now` and with what `then`
would be; `moves`: `{attribute, from, to, products}`, most frequent first. The attribute `garment` is the top category
that is chosen without a person. `ShadowReport.changes`: `{product, image, attribute, from, to, decided}` of some
products, examples of each of the most frequent moves.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from django.conf import settings
from django.db.models import F, Max, Min, Prefetch, Q
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import Operation
from accounts.services import record
from catalog.models import Product, ProductAttribute, ProductImage
from catalog.proposal import Proposal
from catalog.selectors import Taxonomy, decided_by_people
from classifier import proposals
from classifier.models import Classification, ModelSet, ModelVersion, ShadowReport
from classifier.permissions import require_models
from classifier.registry import model_sets
from core.db import atomic
from core.errors import Conflict, Invalid

KIND = "shadow"
CHOSEN_GARMENT = "garment"
MOST_SAMPLED = 20_000
MOST_SHOWN = 200
EXAMPLES = 3  # products that are kept for each move
MOST_MOVES = 100
_PRODUCTS_AT_ONCE = 50
_DRAWN_AT_ONCE = 500
_MOST_DRAWN = 200_000  # numbers: enough for the largest sample where nine in ten are of no product any more


@atomic
def start(
    *,
    actor: Actor,
    versions: Iterable[ModelVersion] = (),
    model_set: ModelSet | None = None,
    sample: int | None = None,
    seed: int | None = None,
) -> Operation:
    """Let a set, or the active set with these versions, look at stored images in the background.

    Args:
        actor: who asks.
        versions: candidates; see `model_sets.successor` for the set that they make.
        model_set: the set to try, in place of versions.
        sample: about how many images, drawn by whole products; at most, and by default, MOST_SAMPLED.
        seed: makes the draw repeatable.

    Raises:
        Forbidden: the actor may not manage models.
        Invalid: too large a sample.
        Conflict: the set could not serve, as for a promotion; `nothing_to_look_at`.
    """
    require_models(actor)
    asked = list(versions)
    if sample is not None and not 0 < sample <= MOST_SAMPLED:
        raise Invalid("bad_sample", _("A sample has between 1 and %(most)d photos."), {"most": MOST_SAMPLED})
    deployment = model_sets.active_deployment()
    candidate = model_set or model_sets.successor(deployment.active if deployment else None, asked)
    model_sets.check_servable(candidate.versions.all())
    images = _sample(sample, seed)
    if not images:
        raise Conflict("nothing_to_look_at", _("No photo has been classified yet."))
    parameters = {"last": max(images), "cursor": 0, "images": images, "model_set": candidate.pk, "sample": sample}
    parameters["name"] = ", ".join(version.name for version in asked) or candidate.name
    operation = Operation.objects.create(kind=KIND, created_by=actor.user, parameters=parameters, total=len(images))
    record(
        actor=actor,
        action="operation.start",
        subject_type="operation",
        subject_id=operation.public_id,
        merchant_id=None,
        kind=KIND,
        model_set=candidate.pk,
    )
    return operation


def _sample(size: int | None, seed: int | None) -> list[int]:
    """Ids of classified images: those of products drawn at random until there are enough.

    Of very many products numbers are drawn, some hundreds at a time, and those that belong to none are passed over.
    """
    wanted = size or MOST_SAMPLED
    drawn: list[int] = []
    for products in _drawn_products(random.Random(seed)):
        classified = ProductImage.objects.filter(
            product__in=products, archived_at=None, current_classification__isnull=False
        ).exclude(product__status=Product.Status.ARCHIVED)
        by_product: dict[int, list[int]] = defaultdict(list)
        for image, product in classified.order_by("pk").values_list("pk", "product_id"):
            by_product[product].append(image)
        for product in products:
            if len(drawn) >= wanted:
                return sorted(drawn)
            drawn += by_product[product]
    return sorted(drawn)


def _drawn_products(numbers: random.Random) -> Iterator[list[int]]:
    """Ids that may be of products, each once, in an order that chance makes."""
    ends = Product.objects.aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return
    every = range(ends["first"], ends["last"] + 1)
    if len(every) <= _MOST_DRAWN:
        drawn = numbers.sample(every, len(every))
        for start in range(0, len(drawn), _DRAWN_AT_ONCE):
            yield drawn[start : start + _DRAWN_AT_ONCE]
        return
    seen: set[int] = set()
    while len(seen) < _MOST_DRAWN:
        part = dict.fromkeys(numbers.choices(every, k=_DRAWN_AT_ONCE))  # no more than asked for are drawn at all
        yield [product for product in part if product not in seen]
        seen.update(part)


def write_report(operation: Operation) -> ShadowReport:
    """Compare what the operation's jobs found with what is proposed now; once, however often it is asked."""
    figures, changes = _compare(operation)
    report, _created = ShadowReport.objects.get_or_create(
        operation=operation,
        defaults={"candidate_id": operation.parameters["model_set"], "figures": figures, "changes": changes},
    )
    return report


_Move = tuple[str, str, str]
"""An attribute, what is proposed now, and what would be."""


def _compare(operation: Operation) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    taxonomy = Taxonomy.load()
    codes = [CHOSEN_GARMENT, *taxonomy.attributes]
    attributes = {code: Counter({"changed": 0, "decided": 0, "now": 0, "then": 0}) for code in codes}
    moves: Counter[_Move] = Counter()
    examples: dict[_Move, list[int]] = defaultdict(list)
    changes: dict[int, list[dict[str, Any]]] = {}
    counts = Counter({"images": 0, "products": 0, "changed": 0})
    done = Classification.State.DONE
    looked = Classification.objects.filter(operation=operation, state=done, image__archived_at=None)
    products = looked.order_by("image__product").values_list("image__product", flat=True).distinct()
    for chunk in _chunks(products):
        for product, images, now, then in _proposals(operation, chunk, taxonomy):
            decided = _decided(product, taxonomy)
            different = [code for code in codes if now.get(code) != then.get(code)]
            counts.update(images=len(images), products=1, changed=bool(different))
            for code, value in decided.items():
                attributes[code].update(decided=1, now=now.get(code) == value, then=then.get(code) == value)
            made = [(code, now.get(code) or "", then.get(code) or "") for code in different]
            moves.update(made)
            for code in different:
                attributes[code]["changed"] += 1
            if any(len(examples[move]) < EXAMPLES for move in made):
                shown = {"product": product.pk, "image": images[0]}
                changes[product.pk] = [
                    shown | {"attribute": code, "from": before, "to": after, "decided": decided.get(code)}
                    for code, before, after in made
                ]
                for move in made:
                    examples[move].append(product.pk)
    figures = {
        **counts,
        "attributes": {code: dict(found) for code, found in attributes.items()},
        "moves": [
            {"attribute": code, "from": before, "to": after, "products": count}
            for (code, before, after), count in moves.most_common(MOST_MOVES)
        ],
    }
    return figures, _shown(moves, examples, changes)


def _shown(
    moves: Counter[_Move], examples: Mapping[_Move, Sequence[int]], changes: Mapping[int, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """The changes of examples, whole products, those of the most frequent moves first; MOST_SHOWN at most."""
    shown: list[dict[str, Any]] = []
    products = (product for move, _count in moves.most_common(MOST_MOVES) for product in examples[move][:EXAMPLES])
    for product in dict.fromkeys(products):
        if len(shown) + len(changes[product]) > MOST_SHOWN:
            break
        shown += changes[product]
    return shown


def _chunks(products: Iterable[int]) -> Iterator[list[int]]:
    waiting = iter(list(products))
    while chunk := list(islice(waiting, _PRODUCTS_AT_ONCE)):
        yield chunk


Values = Mapping[str, str | None]


def _proposals(
    operation: Operation, products: Sequence[int], taxonomy: Taxonomy
) -> Iterator[tuple[Product, list[int], Values, Values]]:
    """Each product with its images, and what is proposed for it now and by the candidate."""
    images: dict[int, list[int]] = defaultdict(list)
    done = Q(classifications__operation=operation, classifications__state=Classification.State.DONE)
    looked = ProductImage.objects.filter(done, product__in=products).current()
    for image, owner in looked.values_list("pk", "product_id"):
        images[owner].append(image)
    every = [image for found in images.values() for image in found]
    now = proposals.read(every, Q(classification=F("image__current_classification"))).seen
    candidate = operation.parameters["model_set"]
    then = proposals.read(every, Q(classification__operation=operation), candidate).seen
    decided = decided_by_people().select_related("attribute", "value")
    rows = Product.objects.filter(pk__in=products).select_related("top_category")
    rows = rows.prefetch_related(Prefetch("attributes", decided, to_attr="decided_by_people"))
    for product in rows.order_by("pk"):
        mine = images[product.pk]
        hint = proposals.hint_of(product.name, product.sku, taxonomy)
        before, after = (
            _said(product, proposals.build([seen[image] for image in mine], taxonomy, hint)) for seen in (now, then)
        )
        yield product, mine, before, after


def _said(product: Product, proposal: Proposal) -> dict[str, str | None]:
    """What a proposal says of the product: by the garment that a person chose, else by the most confident one."""
    by_person = product.top_category_source == Product.TopCategorySource.HUMAN
    chosen = product.top_category.code if product.top_category and by_person else None
    speaking = next((found for found in proposal.candidates if chosen in (None, found.top_category)), None)
    said = {code: proposed.value for code, proposed in speaking.attributes.items()} if speaking else {}
    clear = proposals.clear_top_category(proposal, settings.OTJANG_TOP_CATEGORY_THRESHOLD)
    return {CHOSEN_GARMENT: clear, **said}


def _decided(product: Product, taxonomy: Taxonomy) -> dict[str, str]:
    """What people decided of the product, by attribute, as it is called today."""
    decided: list[ProductAttribute] = product.decided_by_people  # type: ignore[attr-defined]  # prefetched to this
    return {
        current.attribute.code: (taxonomy.today(current.attribute.code, current.value.code) or current.value).code
        for current in decided
        if current.attribute.code in taxonomy.attributes and current.value is not None  # not switched off; applicable
    }
