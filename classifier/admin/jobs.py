"""Classification jobs: which wait, run or failed, why, and how long each part took."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_tasks_db.models import DBTaskResult

from accounts.admin.base import ReadOnlyAdmin
from catalog.admin.finding import MerchantFilter, of_products
from catalog.admin.images import drawn
from catalog.models import Product, ProductImage
from classifier.admin.classify_again import ClassifiesAgain
from classifier.models import Classification
from core.admin.base import coloured, link_to
from core.admin.newest_first import NewestFirst, TimeFilter
from core.admin.theme import display
from core.ids import is_public_id

admin.site.unregister(DBTaskResult)  # the queue behind these jobs: nothing that people could use

STATE_COLOURS = coloured(
    {
        Classification.State.RUNNING.label: "info",
        Classification.State.DONE.label: "success",
        Classification.State.FAILED.label: "danger",
    }
)


@admin.register(Classification)
class ClassificationAdmin(NewestFirst[Classification], ReadOnlyAdmin[Classification], ClassifiesAgain[Classification]):
    """Jobs are the worker's to write; a person can only ask for a new one."""

    list_display = (
        "id",
        "product",
        "state_label",
        "error_code",
        "attempts",
        "took",
        "priority",
        "purpose",
        "queued_at",
    )
    list_filter = (
        "state",
        "error_code",
        "purpose",
        "priority",
        ("image__product__merchant", MerchantFilter),
        ("queued_at", TimeFilter),
    )
    list_select_related = ("image__product",)
    search_fields = ("image__product__name",)  # see get_search_results
    search_help_text = _("number of the photo, or name, SKU or number of the product")
    fields = (
        "preview",
        "image",
        "product_link",
        "purpose",
        "priority",
        "model_set",
        "state_label",
        "error_code",
        "error_message",
        "attempts",
        "timings",
        "queued_at",
        "started_at",
        "finished_at",
        "applied_at",
    )
    actions = ("classify_selected_again",)
    actions_detail = ("classify_again",)

    class Media:
        css = {"all": ("admin/images.css",)}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Classification], search_term: str
    ) -> tuple[QuerySet[Classification], bool]:
        """By photo or by product."""
        text = search_term.strip()
        if is_public_id(text) and (image := ProductImage.objects.filter(public_id=text).first()):
            return queryset.filter(image=image), False
        return (of_products(self, request, queryset, text, "image__product") if text else queryset), False

    @display(description=_("product"))
    def product(self, job: Classification) -> str:
        """What the image shows."""
        return str(job.image.product)

    @display(description=_("product"))
    def product_link(self, job: Classification) -> str:
        """The product, where a person can decide."""
        return link_to(job.image.product)

    @display(description=_("found"))
    def preview(self, job: Classification) -> str:
        """The image with the boxes that this job found."""
        return drawn(job.image, garments=job.garments.all(), large=True)

    @display(description=_("state"), label=STATE_COLOURS)
    def state_label(self, job: Classification) -> str:
        """Where the job is, by word and colour."""
        return job.get_state_display()

    @display(description=_("took"))
    def took(self, job: Classification) -> str:
        """From its beginning to its end, in seconds."""
        if job.started_at is None or job.finished_at is None:
            return ""
        return f"{(job.finished_at - job.started_at).total_seconds():.2f} s"

    def products_of(self, rows: QuerySet[Classification]) -> QuerySet[Product]:
        """What the jobs' images show."""
        return Product.objects.filter(images__classifications__in=rows).distinct()
