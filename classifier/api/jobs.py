"""The API's endpoints for classifications: the jobs of looking at stored images."""

from __future__ import annotations

from typing import Any

from django.db.models import Max, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import Actor
from accounts.authentication import actor_of
from catalog.api.base import find_product
from catalog.api.serializers.images import JOB_STATES
from catalog.models import Product
from classifier.api.waits import COME_AGAIN, LOCATION, RETRY_AFTER, WaitQuerySerializer, header_of, wait_of
from classifier.jobs import requests
from classifier.models import Classification
from core import waiting
from core.api import (
    SELECTION_PARAMETERS,
    CursorPages,
    ErrorBodySerializer,
    ProblemType,
    SelectedFieldsSerializer,
    Selection,
    StrictSerializer,
    refusals,
    register,
    selection_of,
    selection_parameters,
)

register(
    ProblemType("already_ended", 409, _("The classification has ended, so nothing is left to cancel.")),
    ProblemType(
        "nothing_to_retry", 409, _("Only the last classification of a photo can be tried again, if it has failed.")
    ),
)

State = Classification.State

OPEN = (State.QUEUED, State.RUNNING)
_ENDED = (State.DONE, State.FAILED)
_MOST_AHEAD = 1000

_JOB = {
    "id": 8142,
    "product": "70pf28xnx4hv0vm239at",
    "image": "bjc41ndk5c8rjqz36ext",
    "state": "done",
    "error": None,
    "attempts": 1,
    "garments_found": 2,
    "model_set": "2026.11",
    "queued_at": "2026-11-27T16:20:11.361494+09:00",
    "started_at": "2026-11-27T16:20:11.402113+09:00",
    "finished_at": "2026-11-27T16:20:11.913480+09:00",
}
_WAITS = _JOB | {
    "state": "queued",
    "attempts": 0,
    "garments_found": None,
    "model_set": None,
    "started_at": None,
    "finished_at": None,
}
_CANCELLED = _WAITS | {
    "state": "cancelled",
    "error": {"code": "cancelled", "detail": "The classification was cancelled. You can start it again."},
    "finished_at": "2026-11-27T16:20:12.048812+09:00",
}
_TIMES = header_of("Retry-After", COME_AGAIN, 200, 202, kind=OpenApiTypes.INT)


def shown_state(job: Classification) -> Classification.State:
    """Return the state for callers: until what a worker found counts for the product, the job runs."""
    return State.RUNNING if job.state in _ENDED and job.applied_at is None else State(job.state)


_SHOWN = {
    State.QUEUED: Q(state=State.QUEUED),
    State.RUNNING: Q(state=State.RUNNING) | Q(state__in=_ENDED, applied_at=None),
    State.DONE: Q(state=State.DONE, applied_at__isnull=False),
    State.FAILED: Q(state=State.FAILED, applied_at__isnull=False),
    State.CANCELLED: Q(state=State.CANCELLED),
}


class JobSerializer(SelectedFieldsSerializer):
    """A classification: the job of looking at one image once."""

    id = serializers.IntegerField(source="pk", help_text="Of the classification.")
    product = serializers.CharField(source="image.product.public_id", help_text="Id of the product.")
    image = serializers.CharField(source="image.public_id", help_text="Id of the image.")
    state = serializers.SerializerMethodField(help_text="Until it is `done`, `failed` or `cancelled`, ask again.")
    error = serializers.SerializerMethodField(help_text="Why it failed, or waits longer.")
    attempts = serializers.IntegerField(help_text="How often it was begun; more than once if a worker was stopped.")
    garments_found = serializers.IntegerField(allow_null=True, help_text="How many, once it is done.")
    model_set = serializers.CharField(
        source="model_set.name", allow_null=True, default=None, help_text="The models that looked, once it is done."
    )
    queued_at = serializers.DateTimeField(help_text="When it began to wait.")
    started_at = serializers.DateTimeField(allow_null=True, help_text="When a worker began.")
    finished_at = serializers.DateTimeField(allow_null=True, help_text="When it ended.")

    @extend_schema_field(serializers.ChoiceField(JOB_STATES))
    def get_state(self, job: Classification) -> str:
        """Return the state."""
        return str(shown_state(job))

    @extend_schema_field(ErrorBodySerializer(allow_null=True))
    def get_error(self, job: Classification) -> dict[str, str] | None:
        """Return the reason with its sentence."""
        return {"code": job.error_code, "detail": str(job.get_error_code_display())} if job.error_code else None


class WaitingJobSerializer(JobSerializer):
    """A classification, and how many are handed out to workers before it."""

    ahead = serializers.SerializerMethodField(
        help_text=f"How many jobs come before it while it waits, counted up to {_MOST_AHEAD}."
    )

    def get_ahead(self, job: Classification) -> int:
        """Count them."""
        return requests.ahead_of(job, _MOST_AHEAD)


class JobQuerySerializer(StrictSerializer):
    """Which classifications to list."""

    state = serializers.ChoiceField(JOB_STATES, required=False, help_text="Only those in this state.")
    product = serializers.CharField(required=False, help_text="Only those of the images of the product with this id.")
    image = serializers.CharField(required=False, help_text="Only those of the image with this id.")


def _jobs(actor: Actor) -> QuerySet[Classification]:
    """The jobs that count for products that the actor may know of; of removed images none."""
    if actor.merchant is None:
        return Classification.objects.none()
    jobs = Classification.objects.filter(
        merchant=actor.merchant, purpose=Classification.Purpose.LIVE, image__archived_at=None
    )
    return _with_names(jobs)


def _with_names(jobs: QuerySet[Classification]) -> QuerySet[Classification]:
    return jobs.select_related("image__product", "model_set")


def _wait(jobs: QuerySet[Classification], pk: int, seconds: int) -> Classification:
    """Return a job as it is when it has ended, or after so many seconds.

    Raises:
        Http404: there is none, or none any more.
    """
    latest: Classification | None = None

    def is_over() -> bool:
        nonlocal latest
        latest = jobs.filter(pk=pk).first()
        return latest is None or shown_state(latest) not in OPEN

    waiting.wait_until(is_over, seconds)
    if latest is None:
        raise Http404
    return latest


def _answer(
    job: Classification, http_status: int = status.HTTP_200_OK, selection: Selection | None = None, **headers: str
) -> Response:
    times = RETRY_AFTER if shown_state(job) in OPEN else {}
    body = WaitingJobSerializer(job, context={"selection": selection}).data
    return Response(body, http_status, headers={**times, **headers})


class JobListView(APIView):
    """The merchant's classifications."""

    pagination_class = CursorPages
    page_order = ("-pk",)

    @extend_schema(
        operation_id="classifications_list",
        parameters=[JobQuerySerializer, *selection_parameters(JobSerializer)],
        responses={200: JobSerializer(many=True), **refusals("unknown_field")},
        examples=[OpenApiExample("done", _JOB, response_only=True, status_codes=["200"])],
    )
    def get(self, request: Request) -> Response:
        """List classifications of stored images, the newest first."""
        pages = CursorPages()
        apart = pages.parameters | SELECTION_PARAMETERS
        said = {name: value for name, value in request.query_params.items() if name not in apart}
        query = JobQuerySerializer(data=said)
        query.is_valid(raise_exception=True)
        asked, selection = query.validated_data, selection_of(request, JobSerializer)
        columns = {"product": "image__product__public_id", "image": "image__public_id"}
        jobs = _jobs(actor_of(request)).filter(**{columns[name]: asked[name] for name in columns if name in asked})
        if "state" in asked:
            jobs = jobs.filter(_SHOWN[State(asked["state"])])
        # Keys first: with the names of all that is joined, MariaDB would sort a merchant's whole history.
        named = _with_names(Classification.objects.all())
        page = pages.paginate_queryset(named, request, view=self, parts=[jobs])
        return pages.get_paginated_response(JobSerializer(page, many=True, context={"selection": selection}).data)


class JobView(APIView):
    """One classification."""

    @extend_schema(
        operation_id="classifications_read",
        parameters=[WaitQuerySerializer, *selection_parameters(WaitingJobSerializer), _TIMES],
        responses={200: WaitingJobSerializer, **refusals("unknown_field")},
        examples=[
            OpenApiExample("waits", _WAITS | {"ahead": 3}, response_only=True, status_codes=["200"]),
            OpenApiExample("done", _JOB | {"ahead": 0}, response_only=True, status_codes=["200"]),
        ],
    )
    def get(self, request: Request, job_id: int) -> Response:
        """Read how far a classification is. What was found is at the image and in the product's proposal."""
        selection = selection_of(request, WaitingJobSerializer)
        seconds = wait_of(request, SELECTION_PARAMETERS)
        return _answer(_wait(_jobs(actor_of(request)), job_id, seconds), selection=selection)


class JobRetryView(APIView):
    """Another try."""

    @extend_schema(
        operation_id="classifications_retry",
        parameters=[header_of("Location", LOCATION, 202), _TIMES],
        request=None,
        responses={
            202: OpenApiResponse(WaitingJobSerializer, description="The new classification."),
            **refusals("archived", "nothing_to_retry"),
        },
        examples=[OpenApiExample("waits", _WAITS | {"ahead": 3}, response_only=True, status_codes=["202"])],
    )
    def post(self, request: Request, job_id: int) -> Response:
        """Classify an image again whose last classification failed or was cancelled."""
        actor = actor_of(request)
        new = requests.retry(actor=actor, job=get_object_or_404(_jobs(actor), pk=job_id))
        address = reverse("api:classification", args=(new.pk,))
        return _answer(_jobs(actor).get(pk=new.pk), status.HTTP_202_ACCEPTED, Location=address)


class JobCancelView(APIView):
    """The end of a classification."""

    @extend_schema(
        operation_id="classifications_cancel",
        request=None,
        responses={200: WaitingJobSerializer, **refusals("archived", "already_ended")},
        examples=[OpenApiExample("cancelled", _CANCELLED | {"ahead": 0}, response_only=True, status_codes=["200"])],
    )
    def post(self, request: Request, job_id: int) -> Response:
        """Cancel a classification that waits or runs. What earlier ones found stays; it can be tried again."""
        actor = actor_of(request)
        requests.cancel(actor=actor, job=get_object_or_404(_jobs(actor), pk=job_id))
        return _answer(_jobs(actor).get(pk=job_id))


class ProductProgressSerializer(serializers.Serializer[Any]):
    """How many of a product's images were dealt with."""

    total = serializers.IntegerField(help_text="Its images.")
    done = serializers.IntegerField(help_text="Those whose last classification is done.")
    failed = serializers.IntegerField(help_text="Those whose last classification failed or was cancelled.")


class ProductClassificationSerializer(serializers.Serializer[Any]):
    """How far the images of a product are classified."""

    state = serializers.ChoiceField(
        JOB_STATES,
        allow_null=True,
        help_text=(
            "`queued` or `running` as long as an image waits; then `failed` or `cancelled` if the last classification "
            "of an image did, else `done`; null without images."
        ),
    )
    progress = ProductProgressSerializer(help_text="How many images were dealt with.")
    classifications = JobSerializer(many=True, help_text="The last one of each image, in the order of the images.")


class QueuedSerializer(ProductClassificationSerializer):
    """How far the images of a product are classified, after they were queued again."""

    queued = serializers.IntegerField(help_text="Images that wait now; those that waited already are not counted.")


_PRODUCT = {"state": "queued", "progress": {"total": 1, "done": 0, "failed": 0}, "classifications": [_WAITS]}


def _of_product(product: Product) -> dict[str, Any]:
    """The last job of each current image, and what they come to together; three queries."""
    live = Classification.objects.filter(
        image__product=product, image__archived_at=None, purpose=Classification.Purpose.LIVE
    ).order_by()
    last = [pk for _image, pk in live.values_list("image").annotate(last=Max("pk"))]
    jobs = list(_with_names(live.filter(pk__in=last)).order_by("image__position", "image"))
    states = [shown_state(job) for job in jobs]
    order = (State.RUNNING, State.QUEUED, State.FAILED, State.CANCELLED, State.DONE)
    return {
        "state": next((state for state in order if state in states), None),
        "progress": {
            "total": product.images.current().count(),
            "done": states.count(State.DONE),
            "failed": states.count(State.FAILED) + states.count(State.CANCELLED),
        },
        "classifications": jobs,
    }


def _answer_of_product(product: Product, seconds: int = 0) -> Response:
    found: dict[str, Any] = {}

    def is_over() -> bool:
        nonlocal found
        found = _of_product(product)
        return found["state"] not in OPEN

    over = waiting.wait_until(is_over, seconds)
    return Response(ProductClassificationSerializer(found).data, headers={} if over else RETRY_AFTER)


class ProductClassificationView(APIView):
    """The classification of all images of a product."""

    @extend_schema(
        operation_id="products_classification_read",
        parameters=[WaitQuerySerializer, _TIMES],
        responses={200: ProductClassificationSerializer},
        examples=[OpenApiExample("waits", _PRODUCT, response_only=True, status_codes=["200"])],
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Read how far the images of a product are classified. What was found is in the product's proposal."""
        seconds = wait_of(request)
        return _answer_of_product(find_product(actor_of(request), public_id), seconds)

    @extend_schema(
        operation_id="products_classify",
        parameters=[header_of("Location", LOCATION, 202), _TIMES],
        request=None,
        responses={
            202: OpenApiResponse(QueuedSerializer, description="Images wait; ask at Location how far they are."),
            **refusals("archived"),
        },
        examples=[OpenApiExample("queued", _PRODUCT | {"queued": 1}, response_only=True, status_codes=["202"])],
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Classify all images of a product again. Decisions stay."""
        actor = actor_of(request)
        product = find_product(actor, public_id)
        queued = requests.classify_again(actor=actor, product=product)
        headers = {"Location": reverse("api:classify-product", args=(product.public_id,)), **RETRY_AFTER}
        body = QueuedSerializer({**_of_product(product), "queued": queued}).data
        return Response(body, status.HTTP_202_ACCEPTED, headers=headers)

    @extend_schema(
        operation_id="products_classification_cancel",
        request=None,
        responses={200: ProductClassificationSerializer, **refusals("archived")},
        examples=[
            OpenApiExample(
                "cancelled",
                {
                    "state": "cancelled",
                    "progress": {"total": 1, "done": 0, "failed": 1},
                    "classifications": [_CANCELLED],
                },
                response_only=True,
                status_codes=["200"],
            )
        ],
    )
    def delete(self, request: Request, public_id: str) -> Response:
        """Cancel the classification of all images of a product that wait or run. What earlier ones found stays."""
        actor = actor_of(request)
        product = find_product(actor, public_id)
        requests.cancel_all(actor=actor, product=product)
        return _answer_of_product(product)
