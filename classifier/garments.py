"""What people say of the garments in an image: where one is, that one is somewhere else, or that there is none.

Nothing is changed or deleted: each of these adds a garment that replaces the one before, so each can be taken back.
What was drawn is described by the worker; until then it counts only if the person said what it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from catalog.models import AttributeValue, Product, ProductImage
from catalog.selectors import Taxonomy
from catalog.services import audit, locked_image
from catalog.services.writing import save
from classifier import proposals
from classifier.jobs import requests
from classifier.models import Classification, Garment, Prediction
from core.db import atomic
from core.errors import Conflict, Gone, Invalid
from vision.engine.results import Box

MOST_DRAWN = 50
"""Garments that people may have drawn in one image."""

LEAST_SIDE = 0.002
"""Of the image: the shortest side of a box. A tall page of 20,000 pixels has garments of a few hundredths."""

LET_MODELS_SAY = ""
"""In place of a top-level category's code: nobody says what it is."""


@dataclass(frozen=True)
class SaidValue:
    """What a model says of one attribute of a garment, in the active language."""

    attribute: str
    attribute_name: str
    value: str
    name: str
    confidence: float
    prediction: Prediction


@dataclass(frozen=True)
class ShownGarment:
    """A garment of an image as editors show it.

    `state`: `done`, `waiting` for a worker, or `failed` with the reason as `problem` and its code; a garment that a
    model found is always done. `top_category`: what the person who drew it says that it is, or an empty text.
    """

    id: int
    box: Box
    by_person: bool
    state: str
    problem: str
    problem_code: str
    top_category: str
    values: list[SaidValue]
    row: Garment


def shown_rows(image: ProductImage) -> QuerySet[Garment]:
    """Return the garments that the image shows, in no certain order. Who may see it is the caller's to say."""
    return Garment.objects.shown().filter(image=image).select_related("top_category")


def shown_garments(image: ProductImage) -> list[ShownGarment]:
    """Return what the image shows, from top to bottom; three queries."""
    return shown(image, list(shown_rows(image).order_by("y1", "x1", "pk")))


def shown(image: ProductImage, rows: Sequence[Garment]) -> list[ShownGarment]:
    """Return these garments of the image as editors show them, in their order; two queries."""
    job = Classification.objects.filter(image=image, purpose=Classification.Purpose.LIVE).order_by("-pk").first()
    said: dict[int, list[SaidValue]] = {row.pk: [] for row in rows}
    predictions = (
        Prediction.objects.counting().filter(garment__in=rows).select_related("attribute", "value", "model_version")
    )
    for prediction in predictions.order_by("attribute__position", "attribute_id"):
        value = prediction.value
        said[prediction.garment_id].append(
            SaidValue(
                attribute=prediction.attribute.code,
                attribute_name=prediction.attribute.name,
                value=value.code,
                name=value.name,
                confidence=prediction.confidence,
                prediction=prediction,
            )
        )
    return [_shown(row, said[row.pk], job) for row in rows]


def _shown(row: Garment, values: list[SaidValue], job: Classification | None) -> ShownGarment:
    by_person = row.source == Garment.Source.HUMAN
    state, problem, code = "done", "", ""
    if by_person and row.described_by_id is None and job is not None and job.state != Classification.State.DONE:
        failed = (Classification.State.FAILED, Classification.State.CANCELLED)
        state = "failed" if job.state in failed else "waiting"
        problem, code = (str(job.get_error_code_display()), job.error_code) if job.error_code else ("", "")
    level = row.top_category.code if row.top_category is not None else LET_MODELS_SAY
    return ShownGarment(row.pk, (row.x1, row.y1, row.x2, row.y2), by_person, state, problem, code, level, values, row)


@atomic
def draw(*, actor: Actor, image: ProductImage, box: Box, top_category: str = LET_MODELS_SAY) -> Garment:
    """Add a garment that the models missed.

    Args:
        actor: who draws.
        image: the image.
        box: x1, y1, x2, y2 in fractions of the upright image.
        top_category: the code of what it is, or `LET_MODELS_SAY`.

    Raises:
        Forbidden: the actor may only look.
        Gone: the image was removed.
        Conflict: `archived`, `too_many_boxes`.
        Invalid: `bad_box`, `unknown_value`.
    """
    product, image = _locked(actor, image)
    if Garment.objects.drawn().filter(image=image).count() >= MOST_DRAWN:
        raise Conflict("too_many_boxes", _("A photo has at most %(most)d drawn boxes."), {"most": MOST_DRAWN})
    taxonomy = Taxonomy.load()
    requests.request_description(image=image)
    x1, y1, x2, y2 = clean_box(box)
    level = _level(top_category, taxonomy)
    drawn = _add(actor, image, x1=x1, y1=y1, x2=x2, y2=y2, top_category=level)
    _settle(actor, product, image, "draw", drawn, taxonomy)
    return drawn


@atomic
def change(
    *, actor: Actor, image: ProductImage, garment: int, box: Box | None = None, top_category: str | None = None
) -> Garment:
    """Move or resize a garment's box, a model's or a person's, or say what it is; returns the one that replaces it.

    Args:
        actor: who changes it.
        image: the image.
        garment: the id of the garment.
        box: as for `draw`; None leaves it where it is.
        top_category: as for `draw`; None leaves it to what was said before.

    Raises:
        Forbidden: the actor may only look.
        Gone: the image was removed, or has no such garment.
        Conflict: `archived`; `stale` when somebody changed this garment before.
        Invalid: `bad_box`, `unknown_value`.
    """
    product, image = _locked(actor, image)
    before = _current(image, garment)
    taxonomy = Taxonomy.load()
    requests.request_description(image=image)
    x1, y1, x2, y2 = clean_box(box or _box(before))
    level = before.top_category if top_category is None else _level(top_category, taxonomy)
    changed = _add(actor, image, replaces=before, x1=x1, y1=y1, x2=x2, y2=y2, top_category=level)
    _settle(actor, product, image, "change", changed, taxonomy)
    return changed


@atomic
def remove(*, actor: Actor, image: ProductImage, garment: int) -> Garment:
    """Say that a box shows no garment; later runs that find it again do not count. Returns what can be taken back.

    Raises as `change` does.
    """
    product, image = _locked(actor, image)
    before = _current(image, garment)
    x1, y1, x2, y2 = _box(before)
    mark = _add(actor, image, replaces=before, absent=True, x1=x1, y1=y1, x2=x2, y2=y2)
    _settle(actor, product, image, "remove", mark, Taxonomy.load())
    return mark


@atomic
def take_back(*, actor: Actor, image: ProductImage, garment: int) -> Garment | None:
    """Undo what a person did last to a garment: drew it, changed it, or removed it.

    Returns:
        What is there again, None where it had been drawn.

    Raises:
        Forbidden: the actor may only look.
        Gone: the image was removed, or has no such garment.
        Conflict: `archived`; `stale` when somebody changed it since, `nothing_to_take_back` if no person did anything.
    """
    product, image = _locked(actor, image)
    last = _find(image, garment)
    if last.source != Garment.Source.HUMAN:
        raise Conflict("nothing_to_take_back", _("Nobody changed this box."))
    if last.ended_at is not None:
        raise _stale()
    before = last.replaces
    if before is not None and before.source == Garment.Source.HUMAN and before.described_by_id is None:
        requests.request_description(image=image)
    Garment.objects.filter(pk=last.pk).update(ended_at=timezone.now())
    if before is not None and before.source == Garment.Source.HUMAN:
        Garment.objects.filter(pk=before.pk).update(ended_at=None)
        before.ended_at = None
    _settle(actor, product, image, "take_back", last, Taxonomy.load())
    return before


@atomic
def describe_again(*, actor: Actor, image: ProductImage) -> None:
    """Queue the description of what was drawn once more, after it failed.

    Raises Forbidden, Gone, or Conflict `archived`.
    """
    _product, image = _locked(actor, image)
    requests.request_description(image=image)


def top_categories() -> list[AttributeValue]:
    """Return what a garment may be said to be, in the taxonomy's order."""
    return list(dict.fromkeys(Taxonomy.load().top_categories.values()))


def clean_box(box: Box) -> Box:
    """Return the box within the image. Raises Invalid `bad_box` unless that has an area."""
    if len(box) == 4 and all(math.isfinite(edge) for edge in box):
        x1, y1, x2, y2 = (min(max(float(edge), 0.0), 1.0) for edge in box)
        if x2 - x1 >= LEAST_SIDE and y2 - y1 >= LEAST_SIDE:
            return x1, y1, x2, y2
    raise Invalid("bad_box", _("This box is too small, or not in the photo."))


def _level(code: str, taxonomy: Taxonomy) -> AttributeValue | None:
    if code == LET_MODELS_SAY:
        return None
    level = next((value for value in taxonomy.top_categories.values() if value.code == code), None)
    if level is None:
        raise Invalid("unknown_value", _("There is no top-level category “%(code)s”."), {"code": code})
    return level


def _locked(actor: Actor, image: ProductImage) -> tuple[Product, ProductImage]:
    product, image = locked_image(actor, image)
    if image.archived_at is not None:
        raise Gone("not_found", _("This photo was removed meanwhile."))
    return product, image


def _find(image: ProductImage, pk: int) -> Garment:
    garments = Garment.objects.filter(image=image).exclude(classification__purpose=Classification.Purpose.SHADOW)
    found = garments.select_related("replaces", "top_category").filter(pk=pk).first()
    if found is None:
        raise Gone("not_found", _("This box is no longer there."))
    return found


def _current(image: ProductImage, pk: int) -> Garment:
    """The garment, if it still counts."""
    found = _find(image, pk)
    if found.ended_at is not None or found.absent or found.covered_by_id is not None:
        raise _stale()
    return found


def _stale() -> Conflict:
    return Conflict("stale", _("Somebody changed this box in the meantime. Look at where it is now."))


def _box(garment: Garment) -> Box:
    return garment.x1, garment.y1, garment.x2, garment.y2


def _add(actor: Actor, image: ProductImage, *, replaces: Garment | None = None, **fields: object) -> Garment:
    if replaces is not None and replaces.source == Garment.Source.HUMAN:
        Garment.objects.filter(pk=replaces.pk).update(ended_at=timezone.now())
    return Garment.objects.create(
        image=image, source=Garment.Source.HUMAN, created_by=actor.user, replaces=replaces, **fields
    )


def _settle(
    actor: Actor, product: Product, image: ProductImage, what: str, garment: Garment, taxonomy: Taxonomy
) -> None:
    """Let the change count for the product, and write it down."""
    product.refresh_from_db()  # a queued job has changed its status
    proposals.propose(product, taxonomy)
    save(product)
    audit(
        actor,
        f"garment.{what}",
        product,
        image=image.public_id,
        garment=garment.pk,
        box=[round(edge, 4) for edge in _box(garment)],
        replaces=garment.replaces_id,
    )
