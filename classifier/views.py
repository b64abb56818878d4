"""The one page of the portal that is the classifier's: asking for another look."""

from django.contrib import messages
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.portal import PortalRequest, portal_view
from catalog.views.access import product_or_404, turned_away
from classifier.jobs import requests
from core.errors import Forbidden, Gone, Refused
from core.portal import posted_from


@posted_from("catalog:product", "public_id")
@portal_view
def classify_again(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """Queue all images of a product once more."""
    product = product_or_404(request, public_id)
    try:
        queued = requests.classify_again(actor=request.actor, product=product)
    except (Forbidden, Gone) as refused:
        return turned_away(request, refused)
    except Refused as refused:
        messages.error(request, refused.message)
        return redirect("catalog:product", public_id)
    if queued:
        text = ngettext(
            "%(count)d photo is classified once more.", "%(count)d photos are classified once more.", queued
        )
        messages.success(request, text % {"count": queued})
    else:
        messages.info(request, _("Every photo waits already."))
    return redirect("catalog:product", public_id)
