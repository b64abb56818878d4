"""What people and keys decided about products. Append-only: corrections are made on the product's page."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import MerchantData, ReadOnlyAdmin
from accounts.models import User
from catalog.admin.finding import MerchantFilter, of_products
from catalog.models import Decision
from core.admin.newest_first import NewestFirst, TimeFilter
from core.admin.theme import display
from core.text import lookup_key


@admin.register(Decision)
class DecisionAdmin(NewestFirst[Decision], ReadOnlyAdmin[Decision], MerchantData[Decision]):
    """Who decided what, when, and by which channel."""

    list_display = ("created_at", "product", "merchant", "attribute", "kind", "value", "source", "author", "channel")
    list_filter = (
        ("product__merchant", MerchantFilter),
        "attribute",
        "kind",
        "source",
        "channel",
        ("created_at", TimeFilter),
    )
    list_select_related = ("product__merchant", "attribute", "value", "user", "api_key", "impersonator")
    search_fields = ("product__name",)  # see get_search_results
    search_help_text = _("name, SKU or number of the product, or the whole e-mail of who decided")
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

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Decision], search_term: str
    ) -> tuple[QuerySet[Decision], bool]:
        """By product, or by the person."""
        text = search_term.strip()
        if "@" in text:
            return queryset.filter(user__in=User.objects.filter(email_key=lookup_key(text))), False
        return (of_products(self, request, queryset, text, "product") if text else queryset), False

    @display(description=_("merchant"))
    def merchant(self, decision: Decision) -> str:
        """Whose product it is."""
        return str(decision.product.merchant)

    @display(description=_("author"))
    def author(self, decision: Decision) -> str:
        """The person, the key, or the system."""
        return decision.actor_name
