"""The API's endpoints for the values of a product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.authentication import actor_of
from catalog import selectors, services
from catalog.api import examples
from catalog.api.base import find_product, find_product_to_change
from catalog.api.serializers.values import (
    CurrentValuesField,
    DecidedSerializer,
    DecisionSerializer,
    ValueSerializer,
)
from catalog.models import Attribute, Decision, Product, ProductAttribute
from catalog.shown_values import ShownValue
from core.api import (
    CursorPages,
    SentenceJSONParser,
    body_of,
    check_match,
    conditional,
    refusals,
    tag_of,
    unknown_fields,
)
from core.db import atomic

_NOT_MODIFIED = OpenApiResponse(description="As If-None-Match knows it.")


class ValuesSerializer(serializers.Serializer[Any]):
    """What holds for a product now."""

    attributes = CurrentValuesField(help_text="By the attribute's code, also those that nothing is known of.")


def _shown(product: Product, code: str) -> dict[str, Any]:
    """Return a product's value of an attribute.

    Raises:
        Http404: there is no such attribute.
    """
    try:
        current = selectors.current_value(product, code)
    except ProductAttribute.DoesNotExist as error:
        attribute = Attribute.objects.filter(code=code, active=True).first()
        if attribute is None:
            raise Http404 from error
        current = ProductAttribute(product=product, attribute=attribute)
    if current.attribute.code != code:  # MariaDB compares without case
        raise Http404
    return dict(ValueSerializer(ShownValue.of_current(current)).data)


class ProductValueViewSet(ViewSet):
    """The values of a product, and the decisions that they come from."""

    parser_classes = (SentenceJSONParser,)
    pagination_class = CursorPages

    @extend_schema(
        operation_id="products_attributes_list",
        tags=["values"],
        examples=[examples.answer({"attributes": examples.SUMMARY["attributes"]}, "All values")],
        responses={200: ValuesSerializer, 304: _NOT_MODIFIED},
    )
    def every(self, request: Request, public_id: str) -> Response:
        """Read all values of a product, without anything else of it."""
        actor = actor_of(request)
        product = find_product(actor, public_id)
        known = selectors.products_for_values(actor).get(pk=product.pk)
        context = {"attributes": Attribute.objects.filter(active=True)}
        return conditional(request, dict(ValuesSerializer(known, context=context).data))

    @extend_schema(
        operation_id="products_attributes_read",
        tags=["values"],
        examples=[examples.answer(examples.VALUE, "A proposed value")],
        responses={200: ValueSerializer, 304: _NOT_MODIFIED},
    )
    def retrieve(self, request: Request, public_id: str, code: str) -> Response:
        """Read one value of a product. Its ETag, sent as If-Match, keeps a decision from overwriting another one."""
        return conditional(request, _shown(find_product(actor_of(request), public_id), code))

    @extend_schema(
        operation_id="products_attributes_decide",
        tags=["values"],
        request=DecidedSerializer,
        examples=[
            examples.said({"value": "woven", "reason": "The label says so."}, "A value"),
            examples.said({"not_applicable": True}, "None"),
            examples.answer(examples.DECIDED, "Decided"),
        ],
        responses={
            200: ValueSerializer,
            **refusals(
                "unknown_attribute",
                "unknown_value",
                "not_a_leaf",
                "does_not_apply",
                "category_needed",
                "one_answer",
                "archived",
                412,
            ),
        },
    )
    def update(self, request: Request, public_id: str, code: str) -> Response:
        """Decide a value, or that the product has no such attribute. No model changes it afterwards."""
        actor, product = find_product_to_change(request, public_id)
        data = DecidedSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        said = data.validated_data
        named = {"actor": actor, "product": product, "attribute": code, "reason": said["reason"]}

        def decide() -> None:
            if "value" in said:
                services.decide(**named, value=said["value"])
            else:
                services.decide_not_applicable(**named)

        return self._change(request, product, code, decide)

    @extend_schema(
        operation_id="products_attributes_withdraw",
        tags=["values"],
        examples=[examples.answer(examples.VALUE, "What is proposed shows again")],
        responses={200: ValueSerializer, **refusals("unknown_attribute", "archived", "published", 412)},
    )
    def destroy(self, request: Request, public_id: str, code: str) -> Response:
        """Take a decision back: what the model proposes shows again. Where nobody has decided, it stays open."""
        actor, product = find_product_to_change(request, public_id)

        def withdraw() -> None:
            services.withdraw(actor=actor, product=product, attribute=code)

        return self._change(request, product, code, withdraw)

    def _change(self, request: Request, product: Product, code: str, change: Callable[[], None]) -> Response:
        @atomic
        def unless_changed() -> None:
            if "HTTP_IF_MATCH" in request.META:
                check_match(request, tag_of(_shown(services.lock_product(product.pk), code)))
            change()

        unless_changed()
        body = _shown(Product.objects.select_related("top_category").get(pk=product.pk), code)
        return Response(body, headers={"ETag": tag_of(body)})

    @extend_schema(
        operation_id="products_decisions_list",
        tags=["values"],
        parameters=[OpenApiParameter("attribute", str, description="Only those of the attribute of this code.")],
        examples=[examples.page(examples.DECISION)],
        responses={
            200: DecisionSerializer(many=True),
            **refusals("unknown_field", "invalid_cursor", "invalid_page_size"),
        },
    )
    def decisions(self, request: Request, public_id: str) -> Response:
        """List what was decided of a product, by whom and why, the last decision first."""
        unknown = [one for one in request.query_params if one not in CursorPages.parameters | {"attribute"}]
        if unknown:
            raise unknown_fields(unknown)
        decisions = Decision.objects.filter(product=find_product(actor_of(request), public_id)).select_related(
            "attribute", "value", "user", "api_key", "impersonator", "proposed_by"
        )
        if "attribute" in request.query_params:
            decisions = decisions.filter(attribute__code=request.query_params["attribute"])
        pages = CursorPages(("-pk",))
        page = pages.paginate_queryset(decisions, request)
        return pages.get_paginated_response(DecisionSerializer(page, many=True).data)
