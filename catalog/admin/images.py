"""Images with what was found in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import MerchantData, ReadOnlyAdmin, admin_actor
from catalog import services
from catalog.admin.deletion import DeletesArchived
from catalog.admin.finding import MerchantFilter, of_products
from catalog.admin.image_html import drawn, found
from catalog.models import Product, ProductImage
from catalog.selectors import shown_garments
from catalog.services import uploads
from catalog.views.media import VARIANTS, image_response
from core.admin.base import ReadOnly, dialog
from core.admin.newest_first import FEW, NewestFirst
from core.admin.theme import Dialog, TabularInline, action, display
from core.ids import is_public_id


def _seen() -> tuple[str | Prefetch[str], ...]:
    """What is drawn or named beside an image."""
    return "classifications", shown_garments()


class ImageColumns:
    """Mixin: the columns that lists and pages of images share."""

    class Media:
        css = {"all": ("admin/images.css",)}

    @display(description=_("photo"))
    def preview(self, image: ProductImage) -> str:
        """The thumbnail with boxes."""
        return drawn(image)

    @display(description=_("found"))
    def found(self, image: ProductImage) -> str:
        """Garments, values and confidences."""
        return found(image)


class ImageInline(ImageColumns, ReadOnly, TabularInline[ProductImage, Product]):
    """A product's images in the merchant's order; new ones come through the page's file field."""

    model = ProductImage
    template = "admin/catalog/images.html"
    fields = ("preview", "found")
    readonly_fields = fields
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may look at a product sees its photos."""
        return super().has_view_permission(request, obj) or request.user.has_perm("catalog.view_product")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProductImage]:
        """Those that are not archived, with everything drawn or named beside them: a fixed number of queries."""
        images = super().get_queryset(request).filter(archived_at=None)
        return images.select_related("current_classification").prefetch_related(*_seen())


@admin.register(ProductImage)
class ProductImageAdmin(
    ImageColumns,
    NewestFirst[ProductImage],
    DeletesArchived[ProductImage],
    ReadOnlyAdmin[ProductImage],
    MerchantData[ProductImage],
):
    """Images of all products, and the view that serves them to administrators."""

    list_display = ("preview", "original_name", "product", "merchant", "found", "created_at")
    list_display_links = ("preview", "original_name")
    list_filter = (
        ("product__merchant", MerchantFilter),
        "current_classification__state",
        ("archived_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("product__merchant", "current_classification")
    search_fields = ("original_name",)  # see get_search_results
    search_help_text = _("beginning of the file's name, its number, or name, SKU or number of the product")
    fields = (
        "large_preview",
        "found",
        "product",
        "merchant",
        "original_name",
        "dimensions",
        "size",
        "sha256",
        "position",
        "uploaded_by",
        "created_at",
        "archived_at",
    )
    readonly_fields = fields

    actions = ("archive_selected", "put_back_selected")
    actions_detail = ("archive", "put_back")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProductImage]:
        """With everything drawn or named beside them: a fixed number of queries."""
        return super().get_queryset(request).prefetch_related(*_seen())

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ProductImage], search_term: str
    ) -> tuple[QuerySet[ProductImage], bool]:
        """By the beginning of the file's name, by number, or by the product."""
        if not (text := search_term.strip()):
            return queryset, False
        if is_public_id(text):
            own = ProductImage.objects.filter(public_id=text).values_list("pk")
            of_product = ProductImage.objects.filter(product__public_id=text).values_list("pk")
            found = own.order_by().union(of_product.order_by(), all=True)[:FEW]
            return queryset.filter(pk__in=[pk for (pk,) in found]), False
        named = Q(original_name__istartswith=text)
        return of_products(self, request, queryset, text, "product", also=named), False

    def _may(self, request: HttpRequest, permission: str, object_id: str | None, *, archived: bool) -> bool:
        """Whether they have the permission, and the image of the page, if there is one, is in that state."""
        if not self.has_view_permission(request) or not request.user.has_perm(permission):
            return False
        return object_id is None or ProductImage.objects.filter(pk=object_id, archived_at=None).exists() != archived

    def has_archive_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Who may change products may take an image away; the service asks again."""
        return self._may(request, "catalog.change_product", object_id, archived=False)

    def has_put_back_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Who may change images may put back what was taken away; the service asks again."""
        return self._may(request, "catalog.change_productimage", object_id, archived=True)

    def _run(
        self, request: HttpRequest, images: QuerySet[ProductImage], service: Callable[..., object], done: Any
    ) -> None:
        actor = admin_actor(request)
        self.each(request, images, lambda image: service(actor=actor, image=image), done)

    def _run_one(self, request: HttpRequest, object_id: str, service: Callable[..., object], done: Any) -> HttpResponse:
        self._run(request, self.get_queryset(request).filter(pk=object_id), service, done)
        return self.back_to(object_id)

    @action(description=_("Archive"), permissions=["archive"])
    def archive_selected(self, request: HttpRequest, queryset: QuerySet[ProductImage]) -> None:
        """Take the chosen images away from their products."""
        self._run(request, queryset, services.archive_image, _("%(count)d archived."))

    @action(description=_("Put back"), permissions=["put_back"])
    def put_back_selected(self, request: HttpRequest, queryset: QuerySet[ProductImage]) -> None:
        """Let the chosen images count again."""
        self._run(request, queryset, uploads.put_back, _("%(count)d put back."))

    @action(
        description=_("Archive"),
        permissions=["archive"],
        icon="archive",
        dialog=dialog(
            _("Archive this photo?"),
            _("Its product no longer shows it, and what the models saw in it no longer counts."),
            _("Archive"),
        ),
    )
    def archive(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Take the image of the page away from its product."""
        return self._run_one(request, object_id, services.archive_image, _("%(count)d archived."))

    @action(
        description=_("Put back"),
        permissions=["put_back"],
        icon="unarchive",
        dialog=dialog(
            _("Put this photo back?"),
            _("Its product shows it again, where it was, and what the models saw in it counts."),
            _("Put back"),
        ),
    )
    def put_back(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Let the image of the page count again."""
        return self._run_one(request, object_id, uploads.put_back, _("%(count)d put back."))

    def _trail(self, row: ProductImage) -> dict[str, Any]:
        """That of its product: what befalls an image is written down there."""
        return super()._trail(row.product)

    def delete_model(self, request: HttpRequest, obj: ProductImage) -> None:
        """With its files and whatever models saw in it."""
        services.delete_image(actor=admin_actor(request), image=obj)

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses and the one of the files."""
        view = self.admin_site.admin_view(self.media_view, cacheable=True)
        return [
            path("<str:public_id>/<str:variant>/file", view, name="catalog_productimage_media"),
            *super().get_urls(),
        ]

    def media_view(self, request: HttpRequest, public_id: str, variant: str) -> HttpResponseBase:
        """Serve one file of an image to people who may see all merchants' products in the admin."""
        image = ProductImage.objects.visible_to(admin_actor(request)).filter(public_id=public_id).first()
        may_look = self.has_view_permission(request) or request.user.has_perm("catalog.view_product")
        if image is None or variant not in VARIANTS or not may_look:
            raise Http404
        return image_response(request, image, variant)

    @display(description=_("photo"))
    def large_preview(self, image: ProductImage) -> str:
        """The display copy with boxes."""
        return drawn(image, large=True)

    @display(description=_("merchant"))
    def merchant(self, image: ProductImage) -> str:
        """Whose image it is."""
        return str(image.product.merchant)

    @display(description=_("width × height"))
    def dimensions(self, image: ProductImage) -> str:
        """Pixels of the upright image."""
        return f"{image.width} × {image.height}"
