"""Products, with the one thing that the catalogue cannot do itself: have the models look again."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import admin_actor
from accounts.admin.theme import Dialog, action
from catalog.admin.products import ProductAdmin
from catalog.models import Product
from classifier.services import classify_again

admin.site.unregister(Product)


@admin.register(Product)
class ClassifiedProductAdmin(ProductAdmin):
    """The catalogue's pages and the action."""

    actions = (*ProductAdmin.actions, "classify_selected_again")
    actions_detail = (*ProductAdmin.actions_detail, "classify_again")

    def _classify_again(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        actor = admin_actor(request)
        self.each(
            request,
            products,
            lambda product: classify_again(actor=actor, product=product),
            _("%(count)d queued to be classified again."),
        )

    @action(description=_("Classify again"), permissions=["change"])
    def classify_selected_again(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        """Queue the photographs of the chosen products."""
        self._classify_again(request, queryset)

    @action(
        description=_("Classify again"),
        permissions=["change"],
        icon="replay",
        dialog={
            "title": _("Classify this product again?"),
            "description": _("The models look at every photograph once more. What people decided stays."),
            "form_submit_text": _("Classify again"),
        },
    )
    def classify_again(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Queue the photographs of the page's product."""
        self._classify_again(request, self.get_queryset(request).filter(pk=object_id))
        return self.back_to(object_id)
