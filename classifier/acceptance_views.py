"""The merchant's settings of what is auto-accepted, attribute by attribute, with the curve to choose from."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import Merchant
from accounts.portal import PortalRequest
from accounts.views.owners import for_owners
from catalog.models import Attribute
from classifier.quality import chosen
from classifier.quality.curve_chart import draw_curve
from core.errors import Refused
from core.portal import posted_from


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", ".")) / 100
    except ValueError:
        return None


@require_safe
@for_owners
def thresholds(request: PortalRequest, merchant: Merchant) -> HttpResponseBase:
    """Each attribute with what is accepted, and how right proposals were in this merchant."""
    found = []
    for choice in chosen.choices_of(merchant):
        own = choice.chosen.threshold if choice.mode == "own" and choice.chosen is not None else choice.calibrated
        found.append((choice, draw_curve(choice.points, at=own)))
    return render(request, "classifier/thresholds.html", {"choices": found})


@posted_from("classifier:thresholds")
@for_owners
def choose_threshold(request: PortalRequest, merchant: Merchant, code: str) -> HttpResponse:
    """Choose what is accepted of one attribute."""
    attribute = get_object_or_404(Attribute, code=code, active=True)
    mode, threshold = request.POST.get("mode", ""), _number(request.POST.get("percent", ""))
    try:
        chosen.choose(actor=request.actor, merchant=merchant, attribute=attribute, mode=mode, threshold=threshold)
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("Saved. It holds for proposals that are made from now on."))
    return redirect("classifier:thresholds")
