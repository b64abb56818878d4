"""What the engine found, as rows: first the garments of a batch, then the products that they belong to.

Two transactions: the first holds no product's lock, so many images share it; each product then has one of its
own, which can be repeated by the sweep as it reads everything again.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from catalog import telling
from catalog.models import Product, ProductImage
from catalog.selectors import Taxonomy, images_wait
from catalog.services import lock_product
from classifier import proposals
from classifier.jobs import drawn, measured, queue
from classifier.models import Classification, Garment, Prediction
from classifier.registry.serving import Serving
from core.db import atomic
from core.errors import Gone
from core.outage import database_is_away
from vision.engine import Garment as FoundGarment
from vision.engine import ImageResult

logger = logging.getLogger(__name__)

State = Classification.State
_LEAST_SIDE = 1e-6  # of the image; a box must have an area


@atomic
def store(
    batch: queue.Batch,
    found: Mapping[int, ImageResult],
    *,
    serving: Serving,
    taxonomy: Taxonomy,
    timings: dict[str, float],
    people: drawn.Drawn = MappingProxyType({}),
) -> int:
    """Transaction 1: end the jobs of these images (by job id) and add their garments and predictions.

    What is said of the garments that `people` drew is added to those. What belongs to a lease that has ended meanwhile
    is dropped. Returns how many jobs were ended.
    """
    only_drawn = {job.pk for job in batch.jobs if job.drawn_only}
    counts = {job: None if job in only_drawn else len(image.garments) for job, image in found.items()}
    held = queue.finish(batch.token, counts, model_set_id=serving.model_set_id, timings=timings)
    ended = [job for job in batch.jobs if job.pk in held]
    queue.count([job.operation_id for job in ended], "done")
    _describe(ended, found, people, serving, taxonomy)
    rows = [
        Garment(
            image_id=job.image_id,
            classification=job,
            confidence=garment.confidence,
            hidden=_hidden(garment, taxonomy),
            **_edges(garment),
        )
        for job in ended
        for garment in found[job.pk].garments
    ]
    if not rows:
        return len(ended)
    Garment.objects.bulk_create(rows)
    predictions = []
    for job, ids in _ids_by_job(ended).items():
        for garment, pk in zip(found[job].garments, ids, strict=True):
            predictions += _predictions(pk, garment, serving, taxonomy)
    Prediction.objects.bulk_create(predictions)
    return len(ended)


def _describe(
    ended: Iterable[Classification],
    found: Mapping[int, ImageResult],
    people: drawn.Drawn,
    serving: Serving,
    taxonomy: Taxonomy,
) -> None:
    """Add what is said of the garments that people drew; from a live job on it is what counts of them."""
    predictions = []
    for job in ended:
        for drawn_garment, said in zip(people.get(job.image_id, ()), found[job.pk].given, strict=True):
            predictions += _predictions(drawn_garment.pk, said, serving, taxonomy)
            if job.purpose == Classification.Purpose.LIVE:
                Garment.objects.filter(pk=drawn_garment.pk).update(
                    described_by=serving.model_set_id, hidden=_hidden(said, taxonomy)
                )
    # The same networks may have said the same before, of this image or beside this in another job.
    Prediction.objects.bulk_create(predictions, ignore_conflicts=True)


def _hidden(garment: FoundGarment, taxonomy: Taxonomy) -> list[str]:
    return [code for code in garment.hidden if code in taxonomy.attributes]


def _edges(garment: FoundGarment) -> dict[str, float]:
    """The box, with an area and inside of the image whatever the rounding."""
    x1, y1, x2, y2 = (min(max(edge, 0.0), 1.0) for edge in garment.box)
    x1, y1 = min(x1, 1.0 - _LEAST_SIDE), min(y1, 1.0 - _LEAST_SIDE)
    return {"x1": x1, "y1": y1, "x2": max(x2, x1 + _LEAST_SIDE), "y2": max(y2, y1 + _LEAST_SIDE)}


def _ids_by_job(ended: list[Classification]) -> dict[int, list[int]]:
    """Ids of the garments just added, in their order. MySQL returns none from a bulk insert, so they are read back."""
    ids: dict[int, list[int]] = defaultdict(list)
    added = Garment.objects.filter(classification__in=[job.pk for job in ended]).order_by("pk")
    for pk, job in added.values_list("pk", "classification_id"):
        assert job is not None
        ids[job].append(pk)
    return ids


def _predictions(garment_id: int, garment: FoundGarment, serving: Serving, taxonomy: Taxonomy) -> list[Prediction]:
    rows = []
    for code, said in garment.attributes.items():
        if said is None:
            continue
        value = taxonomy.values.get(code, {}).get(said.value)
        if value is None or code not in serving.versions:
            logger.warning("%s says %s %r, which the taxonomy does not have", said.model, code, said.value)
            continue
        rows.append(
            Prediction(
                garment_id=garment_id,
                attribute=taxonomy.attributes[code],
                value=value,
                confidence=min(max(said.confidence, 0.0), 1.0),
                calibrated=said.calibrated,
                alternatives=[{"value": other.value, "confidence": other.confidence} for other in said.alternatives],
                model_version_id=serving.versions[code],
            )
        )
    return rows


@atomic
def apply(product_id: int, taxonomy: Taxonomy) -> None:
    """Transaction 2: let what was found count for the product. Idempotent.

    Locks the product before it reads anything, so that the second of two workers sees the first one's work. Jobs that
    end meanwhile are left to the worker that ended them.
    """
    try:
        product = lock_product(product_id)
    except Gone:  # deleted for good while its images were looked at
        return
    live = Classification.objects.filter(purpose=Classification.Purpose.LIVE)
    ended = list(
        live.filter(image__product=product, state__in=(State.DONE, State.FAILED), applied_at=None).values_list(
            "pk", flat=True
        )
    )
    newest = live.filter(image=OuterRef("pk"), state=State.DONE, drawn_only=False).order_by("-pk").values("pk")[:1]
    ProductImage.objects.filter(product=product).update(current_classification=Subquery(newest))
    proposals.propose(product, taxonomy)
    Classification.objects.filter(pk__in=ended).update(applied_at=timezone.now())
    _tell(product, ended)


def _tell(product: Product, ended: list[int]) -> None:
    """Tell webhooks what came of jobs, once: what the sweep finds again has been applied."""
    if not ended:
        return
    failed = Classification.objects.filter(pk__in=ended, state=State.FAILED).order_by("pk")
    if codes := list(failed.values_list("image__public_id", "error_code")):
        telling.tell_failed(product, codes)
    classified = product.images.current().filter(current_classification__isnull=False)
    if not images_wait(product) and classified.exists():
        telling.tell_classified(product)


def apply_each(product_ids: Iterable[int], taxonomy: Taxonomy) -> int:
    """Apply what was found for each of these products; returns for how many it worked.

    One that it fails for is logged and left to the sweep: neither its neighbours nor other batches wait for it.
    Raises the database's error where that is away: then it fails for all of them, and may be repeated as a whole.
    """
    applied = 0
    for product_id in sorted(product_ids):
        try:
            with measured.PHASE.timed(phase=measured.APPLY):
                apply(product_id, taxonomy)
            applied += 1
        except Exception as error:
            if database_is_away(error):
                raise
            logger.exception("the product %d could not be brought up to date", product_id)
    return applied
