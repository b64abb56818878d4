"""The API's endpoints for the values of a product."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import selectors, services
from catalog.api.base import CONFLICT, REFUSALS, find_product_to_change
from catalog.api.serializers.values import CurrentValueSerializer, DecidedSerializer
from catalog.models import Product
from core.api import SentenceJSONParser, body_of


class ProductAttributeView(APIView):
    """The value of one attribute of a product."""

    parser_classes = (SentenceJSONParser,)

    @extend_schema(
        operation_id="products_attributes_decide",
        request=DecidedSerializer,
        responses={200: CurrentValueSerializer, **REFUSALS, **CONFLICT},
    )
    def put(self, request: Request, public_id: str, code: str) -> Response:
        """Decide a value, or that the product has no such attribute. No model changes it afterwards."""
        actor, product = find_product_to_change(request, public_id)
        data = DecidedSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        if "value" in data.validated_data:
            services.decide(actor=actor, product=product, attribute=code, value=data.validated_data["value"])
        else:
            services.decide_not_applicable(actor=actor, product=product, attribute=code)
        return self._answer(product, code)

    @extend_schema(
        operation_id="products_attributes_withdraw",
        responses={200: CurrentValueSerializer, **REFUSALS, **CONFLICT},
    )
    def delete(self, request: Request, public_id: str, code: str) -> Response:
        """Take a decision back: what the model proposes shows again. Where nobody has decided, it stays open."""
        actor, product = find_product_to_change(request, public_id)
        services.withdraw(actor=actor, product=product, attribute=code)
        return self._answer(product, code)

    def _answer(self, product: Product, code: str) -> Response:
        return Response(CurrentValueSerializer(selectors.current_value(product, code)).data)
