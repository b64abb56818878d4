"""What people and keys decided about products. Append-only: corrections are made on the product's page."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter

from accounts.admin.base import MerchantData, ReadOnlyAdmin
from catalog.models import Decision
from core.admin.theme import display


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin[Decision], MerchantData[Decision]):
    """Who decided what, when, and by which channel."""

    list_display = ("created_at", "product", "merchant", "attribute", "kind", "value", "source", "author", "channel")
    list_filter = (
        ("product__merchant", AutocompleteSelectFilter),
        "attribute",
        "kind",
        "source",
        "channel",
        ("created_at", RangeDateTimeFilter),
    )
    list_select_related = ("product__merchant", "attribute", "value", "user", "api_key", "impersonator")
    search_fields = ("product__name", "product__sku", "product__public_id", "user__email", "value__code")
    fields = (
        "created_at",
        "product",
        "attribute",
        "kind",
        "value",
        "source",
        "author",
        "channel",
        "prediction",
        "answers",
        "proposed_value",
        "proposed_confidence",
        "proposed_by",
    )

    @display(description=_("merchant"), ordering="product__merchant__name")
    def merchant(self, decision: Decision) -> str:
        """Whose product it is."""
        return str(decision.product.merchant)

    @display(description=_("author"))
    def author(self, decision: Decision) -> str:
        """The person, the key, or the system."""
        return decision.actor_name
