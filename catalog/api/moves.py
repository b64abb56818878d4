"""The API's endpoints that move a product: to the public, away, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.authentication import actor_of
from catalog import services
from catalog.api import examples
from catalog.api.base import find_product, find_product_to_change, unless_changed
from catalog.api.products import product_answer
from catalog.api.serializers.products import ProductSerializer, PublishSerializer
from core.api import SentenceJSONParser, refusals

_PUBLISHED = {"status": "published", "published_at": "2026-11-27T15:02:10.220011+09:00"}
_ARCHIVED = {"status": "archived", "archived_at": "2026-11-27T15:02:10.220011+09:00"}


class ProductMoveViewSet(ViewSet):
    """Publish, unpublish, archive and restore."""

    parser_classes = (SentenceJSONParser,)

    def _move(self, request: Request, public_id: str, service: Callable[..., Any]) -> Response:
        actor = actor_of(request)
        product = find_product(actor, public_id)
        unless_changed(request, product, lambda: service(actor=actor, product=product))
        return product_answer(request, actor, public_id)

    @extend_schema(
        operation_id="products_publish",
        tags=["products"],
        request=PublishSerializer,
        examples=[
            examples.said({"while_classifying": True}),
            examples.answer(examples.DETAIL | _PUBLISHED, "Published"),
        ],
        responses={
            200: ProductSerializer,
            **refusals("category_open", "still_classifying", "bad_move", "archived", 412),
        },
    )
    def publish(self, request: Request, public_id: str) -> Response:
        """Publish a product: every value that it shows counts as decided from then on. The body may be left out.

        Right after `classify` or an upload this answers 409 `still_classifying`: wait until the product's status is no
        longer `classifying`, or say that you do not want to.
        """
        actor, product = find_product_to_change(request, public_id)
        # The body may be left out, and clients then send all kinds of content types.
        said = request.data if (request.content_type or "").startswith("application/json") else {}
        data = PublishSerializer(data=said)
        data.is_valid(raise_exception=True)
        unless_changed(request, product, lambda: services.publish(actor=actor, product=product, **data.validated_data))
        return product_answer(request, actor, public_id)

    @extend_schema(
        operation_id="products_unpublish",
        tags=["products"],
        request=None,
        examples=[examples.answer(examples.DETAIL | {"status": "ready"}, "Ready again")],
        responses={200: ProductSerializer, **refusals("bad_move", "archived", 412)},
    )
    def unpublish(self, request: Request, public_id: str) -> Response:
        """Take a product back from the public. Its decisions stay; what is open shows proposals again."""
        return self._move(request, public_id, services.unpublish)

    @extend_schema(
        operation_id="products_archive",
        tags=["products"],
        request=None,
        examples=[examples.answer(examples.DETAIL | _ARCHIVED, "Archived")],
        responses={200: ProductSerializer, **refusals(412)},
    )
    def archive(self, request: Request, public_id: str) -> Response:
        """Put a product away. Nothing is deleted, and lists leave it out; a second time changes nothing."""
        return self._move(request, public_id, services.archive)

    @extend_schema(
        operation_id="products_restore",
        tags=["products"],
        request=None,
        examples=[examples.answer(examples.DETAIL, "Restored")],
        responses={200: ProductSerializer, **refusals("bad_move", 412)},
    )
    def restore(self, request: Request, public_id: str) -> Response:
        """Bring an archived product back, with the status that follows from its values."""
        return self._move(request, public_id, services.restore)
