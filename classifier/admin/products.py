"""On products' pages, the one thing that the catalogue cannot do itself: have the models look again."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from catalog.admin.products import ProductAdmin
from catalog.models import Product
from classifier.admin.classify_again import DIALOG, DONE, OF_MANY, OF_ONE
from classifier.jobs.requests import classify_again as service
from core.admin.theme import Dialog, action


@action(description=OF_MANY, permissions=["change"])
def classify_selected_again(page: ProductAdmin, request: HttpRequest, queryset: QuerySet[Product]) -> None:
    """Queue all images of the chosen products."""
    page.move(request, queryset, service, DONE)


@action(description=OF_ONE, permissions=["change"], icon="replay", dialog=DIALOG)
def classify_again(page: ProductAdmin, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
    """Queue all images of the page's product."""
    return page.move_one(request, object_id, service, DONE)


ProductAdmin.offer(of_many=classify_selected_again, of_one=classify_again)
