"""What models said of garments. Append-only: to disagree, decide on the product's page."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter, RangeNumericFilter

from accounts.admin.base import MerchantData, ReadOnlyAdmin
from catalog.admin.images import drawn
from catalog.certainty import percent
from classifier.models import Prediction
from core.admin.base import link_to
from core.admin.theme import display


@admin.register(Prediction)
class PredictionAdmin(ReadOnlyAdmin[Prediction], MerchantData[Prediction]):
    """Every model's word, with its confidence."""

    list_display = ("preview", "product", "attribute", "value", "sure", "calibrated", "model_version", "created_at")
    list_display_links = ("preview", "product")
    list_filter = (
        ("garment__image__product__merchant", AutocompleteSelectFilter),
        "attribute",
        "calibrated",
        "model_version",
        ("confidence", RangeNumericFilter),
        ("created_at", RangeDateTimeFilter),
    )
    list_select_related = ("garment__image__product", "attribute", "value", "model_version")
    list_per_page = 25
    search_fields = (
        "value__code",
        "value__name_ko",
        "value__name_en",
        "garment__image__product__name",
        "garment__image__product__sku",
    )
    ordering = ("-id",)
    fields = (
        "preview",
        "product_link",
        "attribute",
        "value",
        "sure",
        "calibrated",
        "others",
        "model_version",
        "created_at",
    )

    class Media:
        css = {"all": ("admin/images.css",)}

    @display(description=_("photo"))
    def preview(self, prediction: Prediction) -> str:
        """The image with this garment's box."""
        return drawn(prediction.garment.image, garments=[prediction.garment])

    @display(description=_("product"))
    def product(self, prediction: Prediction) -> str:
        """What the image shows."""
        return str(prediction.garment.image.product)

    @display(description=_("product"))
    def product_link(self, prediction: Prediction) -> str:
        """The product, where a person can decide."""
        return link_to(prediction.garment.image.product)

    @display(description=_("confidence"), ordering="confidence")
    def sure(self, prediction: Prediction) -> str:
        """As whole per cent."""
        return percent(prediction.confidence)

    @display(description=_("alternatives"))
    def others(self, prediction: Prediction) -> str:
        """The next best values."""
        names = {value.code: value.name for value in prediction.attribute.values.all()}
        entries = (
            (names.get(entry["value"], entry["value"]), percent(entry["confidence"]))
            for entry in prediction.alternatives
        )
        return format_html_join(" · ", "{} {}", entries)
