"""Thresholds of what is auto-accepted, each with the curve that it is chosen from; and the page of quality."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from accounts.admin.base import AuditedAdmin, MerchantData, admin_actor
from classifier.admin.quality import quality_page
from classifier.models import AcceptanceThreshold
from classifier.quality import counting
from classifier.quality.curve_chart import draw_curve
from classifier.quality.thresholds import TARGET_PRECISION, curve_of
from core.admin.base import coloured, link_to
from core.admin.theme import Dialog, action, display
from core.errors import Refused


class CalibrationForm(Dialog):
    """What shall be promised."""

    precision = forms.FloatField(
        label=_("Required precision"),
        initial=TARGET_PRECISION,
        min_value=0.5,
        max_value=0.999,
        help_text=_("Share of the accepted values that shall be right, with 95 % certainty: 0.98 is 98 %."),
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "0.001"}),
    )


@admin.register(AcceptanceThreshold)
class AcceptanceThresholdAdmin(AuditedAdmin[AcceptanceThreshold], MerchantData[AcceptanceThreshold]):
    """Calibration writes them; a person can switch one off."""

    list_display = (
        "attribute",
        "value_name",
        "merchant_name",
        "model_version",
        "state",
        "threshold",
        "decisions",
        "proof",
        "share_covered",
    )
    sortable_by = ("threshold", "decisions", "share_covered")  # the rest is in the order of its scopes
    list_filter = ("attribute", "model_version", "merchant", "enabled")
    list_select_related = ("attribute", "value", "merchant", "model_version")
    search_fields = ("attribute__code", "value__code", "value__name_ko", "value__name_en", "merchant__name")
    fields = (
        ("attribute", "value_name"),
        ("merchant_name", "model_version"),
        "enabled",
        ("state", "precision"),
        ("threshold", "share_covered"),
        ("decisions", "proof"),
        "calibrated_at",
    )
    readonly_fields = (
        "attribute",
        "value_name",
        "merchant_name",
        "model_version",
        "state",
        "precision",
        "threshold",
        "decisions",
        "proof",
        "share_covered",
        "calibrated_at",
    )
    actions_list = ("calibrate",)
    change_form_after_template = "admin/classifier/threshold_curve.html"

    class Media:
        css = {
            "all": (
                "css/chart.css",
                "admin/quality.css",
            )
        }

    def get_urls(self) -> list[URLPattern]:
        """With the page of quality."""
        view = self.admin_site.admin_view(self.quality)
        return [path("quality/", view, name="classifier_acceptancethreshold_quality"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds: calibration does."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AcceptanceThreshold | None = None) -> bool:
        """Nobody deletes: they are switched off."""
        return False

    def has_calibrate_permission(self, request: HttpRequest) -> bool:
        """Who may change thresholds; the service asks again."""
        return self.has_change_permission(request)

    def merchant_id_of(self, obj: AcceptanceThreshold) -> int | None:
        """A merchant's own trail, if it is the merchant's own threshold."""
        return obj.merchant_id

    def quality(self, request: HttpRequest) -> HttpResponse:
        """How good the models are in service."""
        return quality_page(self, request)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: AcceptanceThreshold | None = None,
    ) -> HttpResponse:
        """Show the curve of today's decisions below the fields, which the theme asks for several times."""
        assert obj is not None  # nobody adds
        shown = context | {"curve": draw_curve(curve_of(obj), level=obj.precision, at=obj.threshold)}
        page: HttpResponse = super().render_change_form(
            request, shown, add=add, change=change, form_url=form_url, obj=obj
        )
        return page

    @action(
        description=_("Calibrate"),
        permissions=["calibrate"],
        icon="tune",
        dialog={
            "title": _("Calibrate all thresholds?"),
            "description": _(
                "On what people decided until now. They hold for proposals that are written from then on."
            ),
            "form_class": CalibrationForm,
            "form_submit_text": _("Calibrate"),
        },
    )
    def calibrate(self, request: HttpRequest, form: Dialog) -> HttpResponse:
        """Let a worker calibrate, and show the list again."""
        try:
            operation = counting.start_calibration(actor=admin_actor(request), precision=form.cleaned_data["precision"])
        except Refused as refused:
            self.message_user(request, refused.message, messages.ERROR)
        else:
            said = str(_("A worker calibrates them now. What came out of it: {}"))
            self.message_user(request, format_html(said, link_to(operation)), messages.SUCCESS)
        return HttpResponse(headers={"HX-Redirect": reverse("admin:classifier_acceptancethreshold_changelist")})

    @display(description=_("proposed value"), ordering="value__position")
    def value_name(self, row: AcceptanceThreshold) -> str:
        """The class, or what stands for those without a threshold of their own."""
        return str(row.value or _("all other classes"))

    @display(description=_("merchant"), ordering="merchant__name")
    def merchant_name(self, row: AcceptanceThreshold) -> str:
        """The merchant, or all."""
        return str(row.merchant or _("all shops"))

    @display(description=_("state"), label=coloured({_("accepts"): "success", _("switched off"): "warning"}))
    def state(self, row: AcceptanceThreshold) -> str:
        """Whether anything of the scope is accepted, and if not, why."""
        if not row.enabled:
            return str(_("switched off"))
        if not row.rules:
            return str(_("too few decisions"))
        return str(_("accepts") if row.threshold is not None else _("not precise enough"))

    @display(description=_("right"))
    def proof(self, row: AcceptanceThreshold) -> str:
        """What the promise rests on."""
        if row.lower_bound is None:
            return ""
        figures = {"right": row.right, "above": row.above, "bound": f"{row.lower_bound:.1%}"}
        return str(_("%(right)d of %(above)d, at least %(bound)s") % figures)

    @display(description=_("coverage"), ordering="coverage")
    def share_covered(self, row: AcceptanceThreshold) -> str:
        """The share of the scope's proposals that clear the threshold."""
        return "" if row.coverage is None else f"{row.coverage:.0%}"
