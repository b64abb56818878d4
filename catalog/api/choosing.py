"""Choosing many products: by the filter of their list, strictly read, or one by one."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.actors import Actor
from catalog.api.filters import OF_LIST_ALONE, ProductFilterSet
from catalog.models import Product
from catalog.product_filter import ProductFilter
from catalog.selectors import Taxonomy
from catalog.services.exports.choice import MOST_IDS
from core.api import StrictSerializer, unknown_fields
from core.ids import PUBLIC_ID_LENGTH


def read_filter(data: QueryDict, taxonomy: Taxonomy, others: frozenset[str] = frozenset()) -> ProductFilter:
    """Read a filter as the list has it in its address, all but what only the list has (`OF_LIST_ALONE`).

    Args:
        data: the parameters.
        taxonomy: the taxonomy.
        others: parameters that are not the filter's.

    Raises:
        ValidationError: as the list's filter does.
    """
    if of_list := [name for name in OF_LIST_ALONE if name in data]:
        raise unknown_fields(of_list)
    return ProductFilterSet(data, queryset=Product.objects.none()).chosen(others, taxonomy)


class ChosenProductsSerializer(StrictSerializer):
    """Which products: those with these ids, or all that a filter matches. One of both."""

    ids = serializers.ListField(
        child=serializers.CharField(max_length=PUBLIC_ID_LENGTH),
        required=False,
        min_length=1,
        max_length=MOST_IDS,
        help_text="Ids of products. Unknown ones, and those of other merchants, are left out.",
    )
    filter = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=2_000,
        help_text="As in the list's address, such as `status=ready&category=Coat`; empty for all but archived ones.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Demand exactly one of both.

        Raises:
            ValidationError: `one_answer`.
        """
        if ("ids" in attrs) == ("filter" in attrs):
            raise serializers.ValidationError(_("Send either “ids” or a “filter”."), code="one_answer")
        return attrs


def chosen_query(chosen: dict[str, Any], taxonomy: Taxonomy) -> str:
    """Return the filter as services keep it. Raises ValidationError as `read_filter` does."""
    try:
        data = QueryDict(chosen.get("filter", ""))
    except ValueError as error:  # more fields than Django reads
        raise ValidationError({"filter": [str(_("The filter is too long."))]}, "invalid") from error
    return read_filter(data, taxonomy).query()


def chosen_products(actor: Actor, chosen: dict[str, Any], taxonomy: Taxonomy) -> QuerySet[Product]:
    """Return the products, of those that the actor may see. Raises ValidationError as `read_filter` does."""
    visible = Product.objects.visible_to(actor)
    if "ids" in chosen:
        return visible.filter(public_id__in=chosen["ids"])
    return ProductFilter.parse(QueryDict(chosen_query(chosen, taxonomy)), taxonomy).narrowed(visible)
