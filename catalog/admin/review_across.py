"""The portal's review over the products of all merchants, for staff who may change them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import cast

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path

from accounts.admin.base import admin_actor
from accounts.portal import PortalRequest
from catalog.views import review_queue
from catalog.views.review_places import ACROSS


def may_review(request: HttpRequest) -> bool:
    """Whether the person may change products of all merchants, and see their photos."""
    user = request.user
    return admin_actor(request).sees_all_merchants and user.has_perms(
        ["catalog.view_product", "catalog.change_product"]
    )


def _across(view: Callable[..., HttpResponseBase], *, page: bool = False) -> Callable[..., HttpResponseBase]:
    """Let a view of the portal's review work on all merchants' products; what is not the page is only posted to."""

    @wraps(view)
    def wrapper(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        if not may_review(request):
            raise PermissionDenied
        if not page and request.method in {"GET", "HEAD"}:
            return redirect(ACROSS.page)
        portal = cast(PortalRequest, request)
        portal.actor = admin_actor(request)
        portal.review_places = ACROSS  # type: ignore[attr-defined]  # read by catalog.views.review_places
        return view(request, **kwargs)

    return wrapper


def urls(site: AdminSite) -> list[URLPattern]:
    """Return the addresses, each behind the site's own check of who may come in."""

    def at(address: str, view: Callable[..., HttpResponseBase], name: str, *, page: bool = False) -> URLPattern:
        return path(
            address, site.admin_view(_across(view, page=page), cacheable=True), name=name.removeprefix("admin:")
        )

    return [
        at("review/", review_queue.review_page, ACROSS.page, page=True),
        at("review/batch", review_queue.batch, ACROSS.batch),
        at("review/claims", review_queue.claims, ACROSS.claims),
        at("review/<slug:public_id>/answer", review_queue.answer, ACROSS.answer),
        at("review/<slug:public_id>/undo", review_queue.undo, ACROSS.undo),
    ]
