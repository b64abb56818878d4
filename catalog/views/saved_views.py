"""The views of the list that a person has saved: saving, renaming and deleting them."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.portal import PortalRequest, portal_view
from catalog.models import SavedView
from catalog.selectors import Taxonomy
from catalog.services.saved_views import delete_view, rename_view, save_view
from catalog.views.list_address import ListAddress
from core.errors import Refused
from core.portal import posted_from


@require_http_methods(["GET", "HEAD", "POST"])
@portal_view
def saved_views(request: PortalRequest) -> HttpResponseBase:
    """The person's views, for the list's menu or as a page; a form adds one with the list that it shows (`query`)."""
    if request.actor.merchant is None:
        return render(request, "catalog/no_merchant.html")
    if request.method == "POST":
        address = ListAddress.parse(QueryDict(request.POST.get("query", "").lstrip("?")), Taxonomy.load())
        query = address.query()
        try:
            view = save_view(actor=request.actor, name=request.POST.get("name", ""), query=query[1:])
        except Refused as refused:
            messages.error(request, refused.message)
        else:
            messages.success(request, _("Saved as “%(name)s”.") % {"name": view.name})
        return redirect(f"{reverse('catalog:products')}{query}")
    views = SavedView.objects.filter(user=request.user, merchant=request.actor.merchant)
    page = "catalog/saved_views_menu.html" if "menu" in request.GET else "catalog/saved_views.html"
    return render(request, page, {"views": views})


def _do(request: PortalRequest, operation: Callable[[], SavedView], sentence: str) -> HttpResponseBase:
    try:
        view = operation()
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, sentence % {"name": view.name})
    return redirect("catalog:saved_views")


@posted_from("catalog:saved_views")
@portal_view
def rename_saved_view(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """Give a view another name."""
    name = request.POST.get("name", "")
    return _do(
        request,
        lambda: rename_view(actor=request.actor, public_id=public_id, name=name),
        _("The view is called “%(name)s” now."),
    )


@posted_from("catalog:saved_views")
@portal_view
def delete_saved_view(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """Delete a view; the products that it showed stay."""
    return _do(
        request,
        lambda: delete_view(actor=request.actor, public_id=public_id),
        _("The view “%(name)s” was deleted. Its products stay."),
    )
