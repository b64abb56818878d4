"""What models said of garments. Append-only: to disagree, decide on the product's page."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import MerchantData, ReadOnlyAdmin
from catalog.admin.finding import MerchantFilter, of_products
from catalog.admin.image_html import drawn
from catalog.certainty import percent
from catalog.models import ProductImage
from classifier.models import Prediction
from core.admin.base import link_to
from core.admin.newest_first import NewestFirst, TimeFilter
from core.admin.theme import display
from core.ids import is_public_id


@admin.register(Prediction)
class PredictionAdmin(NewestFirst[Prediction], ReadOnlyAdmin[Prediction], MerchantData[Prediction]):
    """Every model's word, with its confidence."""

    list_display = ("preview", "product", "attribute", "value", "sure", "calibrated", "model_version", "created_at")
    list_display_links = ("preview", "product")
    list_filter = (
        "attribute",
        "model_version",
        ("garment__image__product__merchant", MerchantFilter),
        ("created_at", TimeFilter),
    )
    list_select_related = ("garment__image__product", "attribute", "value", "model_version")
    search_fields = ("garment__image__product__name",)  # see get_search_results
    search_help_text = _("number of the photo, or name, SKU or number of the product")
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

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Prediction], search_term: str
    ) -> tuple[QuerySet[Prediction], bool]:
        """By photo or by product."""
        text = search_term.strip()
        if is_public_id(text) and (image := ProductImage.objects.filter(public_id=text).first()):
            return queryset.filter(garment__image=image), False
        return (of_products(self, request, queryset, text, "garment__image__product") if text else queryset), False

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

    @display(description=_("confidence"))
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
