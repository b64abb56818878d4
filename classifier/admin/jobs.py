"""Classification jobs: which wait, run or failed, why, and how long each part took."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django_tasks_db.models import DBTaskResult

from accounts.admin.base import ReadOnlyAdmin, admin_actor
from accounts.models import Operation
from catalog.admin.finding import MerchantFilter, of_products
from catalog.admin.image_html import drawn
from catalog.models import Product, ProductImage
from classifier.admin.classify_again import ClassifiesAgain
from classifier.jobs import failures
from classifier.models import Classification
from core.admin.base import coloured, link_to
from core.admin.newest_first import NewestFirst, TimeFilter
from core.admin.theme import DropdownFilter, action, display
from core.errors import Refused
from core.ids import is_public_id

admin.site.unregister(DBTaskResult)  # the queue behind these jobs: nothing that people could use

TRIED_AGAIN = _("failed, tried again since")
PHASES = {"decode": _("reading the photo"), "detect": _("finding garments"), "classify": _("describing them")}
STATE_COLOURS = coloured(
    {
        Classification.State.RUNNING.label: "info",
        Classification.State.DONE.label: "success",
        Classification.State.FAILED.label: "danger",
        Classification.State.CANCELLED.label: "warning",
    }
)


class StateFilter(DropdownFilter):
    """By state; unless asked for, failures that were tried again since are left out: nobody has to do anything."""

    title = _("state")
    parameter_name = "state"
    _EVERYTHING, _UNSOLVED = "everything", "unsolved"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Unsolved failures, each state, and everything there is."""
        return [
            (self._UNSOLVED, _("failed, not tried again")),
            *Classification.State.choices,
            (self._EVERYTHING, _("everything, with failures that were tried again since")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Classification]) -> QuerySet[Classification]:
        """Keep what was asked for."""
        value = self.value()
        if value == self._EVERYTHING:
            return queryset
        if value == self._UNSOLVED:
            return queryset.filter(pk__in=failures.unsolved().order_by().values("pk"))
        if value in Classification.State.values:
            return queryset.filter(state=value)
        return queryset.exclude(failures.later_job(), state=Classification.State.FAILED)


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
        StateFilter,
        ("image__product__merchant", MerchantFilter),
        "error_code",
        "purpose",
        "priority",
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
        "phases",
        "queued_at",
        "started_at",
        "finished_at",
        "applied_at",
    )
    actions = ("classify_selected_again",)
    actions_detail = ("classify_again",)
    actions_list = ("retry_failed",)

    class Media:
        css = {"all": ("admin/images.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Classification]:
        """With whether the image was tried again since."""
        return super().get_queryset(request).annotate(tried_again=failures.later_job())

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
        again = job.state == Classification.State.FAILED and job.tried_again  # type: ignore[attr-defined]  # annotated
        return str(TRIED_AGAIN) if again else job.get_state_display()

    @display(description=_("time taken (ms)"))
    def phases(self, job: Classification) -> str:
        """How long each phase took."""
        return " · ".join(f"{PHASES.get(phase, phase)} {time:.1f}" for phase, time in job.timings.items()) or "–"

    @display(description=_("took"))
    def took(self, job: Classification) -> str:
        """From its beginning to its end, in seconds."""
        if job.started_at is None or job.finished_at is None:
            return ""
        return f"{(job.finished_at - job.started_at).total_seconds():.2f} s"

    def has_retry_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Operators; the service asks again."""
        return self.has_view_permission(request) and request.user.has_perm("classifier.change_classification")

    @action(description=_("Try again what failed"), permissions=["retry"], icon="replay")
    def retry_failed(self, request: HttpRequest) -> HttpResponse:
        """Say what failed, by its reason, and start an operation that tries all of one reason again."""
        if not self.has_retry_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            try:
                operation = failures.start_retry(actor=admin_actor(request), error=request.POST.get("error", ""))
            except Refused as refused:
                self.message_user(request, refused.message, messages.ERROR)
            else:
                said = format_html(str(_("It has begun: {}")), link_to(operation))
                self.message_user(request, said, messages.SUCCESS)
            return redirect("admin:classifier_classification_retry_failed")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Try again what failed"),
            "opts": self.opts,
            "failures": failures.by_error(),
            "under_way": Operation.objects.filter(kind=failures.KIND, finished_at=None),
        }
        return TemplateResponse(request, "admin/classifier/classification/retry_failed.html", context)

    def products_of(self, rows: QuerySet[Classification]) -> QuerySet[Product]:
        """What the jobs' images show."""
        return Product.objects.filter(images__classifications__in=rows).distinct()
