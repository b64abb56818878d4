"""Classification jobs: which wait, run or failed, why, and how long each part took."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter

from accounts.admin.base import MerchantData, ReadOnly, admin_actor, link_to
from accounts.admin.theme import Dialog, action, display
from catalog.admin.photographs import drawn
from catalog.models import Product
from classifier.models import Classification
from classifier.services import classify_again

STATE_COLOURS = {
    Classification.State.RUNNING.label: "info",
    Classification.State.DONE.label: "success",
    Classification.State.FAILED.label: "danger",
}


@admin.register(Classification)
class ClassificationAdmin(ReadOnly, MerchantData[Classification]):
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
    list_filter = ("state", "error_code", "purpose", "priority", ("queued_at", RangeDateTimeFilter))
    list_select_related = ("image__product",)
    search_fields = (
        "error_code",
        "error_message",
        "image__original_name",
        "image__public_id",
        "image__product__name",
        "image__product__sku",
    )
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
        css = {"all": ("admin/photographs.css",)}

    @display(description=_("product"), ordering="image__product__name")
    def product(self, job: Classification) -> str:
        """What the photograph shows."""
        return str(job.image.product)

    @display(description=_("product"))
    def product_link(self, job: Classification) -> str:
        """The product, where a person can decide."""
        return link_to(job.image.product)

    @display(description=_("found"))
    def preview(self, job: Classification) -> str:
        """The photograph with the boxes that this job found."""
        return drawn(job.image, garments=job.garments.all(), large=True)

    @display(description=_("state"), ordering="state", label=STATE_COLOURS)
    def state_label(self, job: Classification) -> str:
        """Where the job is, by word and colour."""
        return job.get_state_display()

    @display(description=_("took"))
    def took(self, job: Classification) -> str:
        """From its beginning to its end, in seconds."""
        if job.started_at is None or job.finished_at is None:
            return ""
        return f"{(job.finished_at - job.started_at).total_seconds():.2f} s"

    def has_classify_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Who may change products may have the models look again; the service asks again."""
        return self.has_view_permission(request) and request.user.has_perm("catalog.change_product")

    def _classify_again(self, request: HttpRequest, jobs: QuerySet[Classification]) -> None:
        actor = admin_actor(request)
        products = Product.objects.filter(images__classifications__in=jobs).distinct()
        self.each(
            request,
            products,
            lambda product: classify_again(actor=actor, product=product),
            _("%(count)d queued to be classified again."),
        )

    @action(description=_("Classify the products again"), permissions=["classify"])
    def classify_selected_again(self, request: HttpRequest, queryset: QuerySet[Classification]) -> None:
        """Queue all photographs of the jobs' products: a proposal is made of all of them."""
        self._classify_again(request, queryset)

    @action(
        description=_("Classify again"),
        permissions=["classify"],
        icon="replay",
        dialog={
            "title": _("Classify this product again?"),
            "description": _("The models look at every photograph once more. What people decided stays."),
            "form_submit_text": _("Classify again"),
        },
    )
    def classify_again(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Queue all photographs of the job's product."""
        self._classify_again(request, self.get_queryset(request).filter(pk=object_id))
        return self.back_to(object_id)
