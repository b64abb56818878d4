"""The action that has the models look again, on every page whose rows belong to products."""

from __future__ import annotations

from typing import Generic

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import M, MerchantData, admin_actor
from catalog.models import Product
from classifier.jobs.requests import classify_again
from core.admin.base import dialog
from core.admin.theme import Dialog, action

OF_MANY = _("Classify the products again")
OF_ONE = _("Classify again")
DONE = _("%(count)d queued to be classified again.")
DIALOG = dialog(
    _("Classify this product again?"),
    _("The models look at every photo once more. What people decided stays."),
    OF_ONE,
)


class ClassifiesAgain(MerchantData[M], Generic[M]):
    """A list action and a button. People's decisions stay, whatever the models find."""

    def products_of(self, rows: QuerySet[M]) -> QuerySet[Product]:
        """The products that the rows belong to, each once."""
        raise NotImplementedError

    def has_classify_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Who may change products may have the models look again; the service asks again."""
        return self.has_view_permission(request) and request.user.has_perm("catalog.change_product")

    def _classify_again(self, request: HttpRequest, rows: QuerySet[M]) -> None:
        actor = admin_actor(request)
        self.each(
            request,
            self.products_of(rows),
            lambda product: classify_again(actor=actor, product=product),
            DONE,
        )

    @action(description=OF_MANY, permissions=["classify"])
    def classify_selected_again(self, request: HttpRequest, queryset: QuerySet[M]) -> None:
        """Queue all images of the rows' products: a proposal is made of all of them."""
        self._classify_again(request, queryset)

    @action(description=OF_ONE, permissions=["classify"], icon="replay", dialog=DIALOG)
    def classify_again(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Queue all images of the page's product."""
        self._classify_again(request, self.get_queryset(request).filter(pk=object_id))
        return self.back_to(object_id)
