"""Products: what every merchant sells, where it stands, and what it is. Everything is written by catalog.services."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import MerchantData, TrailHistory, admin_actor
from catalog import services
from catalog.admin import review_across
from catalog.admin.deletion import DeletesArchived
from catalog.admin.finding import Finding
from catalog.admin.image_html import media_url
from catalog.admin.images import ImageInline
from catalog.admin.product_form import PREFIX, ProductForm, for_product
from catalog.admin.product_list import DoubtFilter, ProductList, row_of, value_filters
from catalog.certainty import percent
from catalog.models import CATEGORY, Attribute, AttributeValue, Decision, Product, ProductAttribute, ProductImage
from catalog.selectors import Taxonomy, products_for_list
from catalog.services import uploads
from catalog.views.list_rows import Cell
from core.admin.base import ReadOnly, coloured, dialog
from core.admin.newest_first import KeyFilter, NewestFirst, TimeFilter
from core.admin.theme import Dialog, TabularInline, action, display
from core.errors import Refused

Service = Callable[..., object]
PUBLISH_NOW = partial(services.publish, while_classifying=True)

STATUS_COLOURS = coloured(
    {
        Product.Status.CLASSIFYING.label: "info",
        Product.Status.TO_REVIEW.label: "warning",
        Product.Status.READY.label: "primary",
        Product.Status.PUBLISHED.label: "success",
    }
)


class DecisionInline(ReadOnly, TabularInline[Decision, Product]):
    """The product's history of decisions, newest first."""

    model = Decision
    fk_name = "product"
    fields = ("created_at", "attribute", "kind", "value", "source", "author", "channel")
    readonly_fields = fields
    extra = 0
    per_page = 20
    hide_title = True  # the columns say it

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        """With everything that is named, in one query."""
        return super().get_queryset(request).select_related("attribute", "value", "user", "api_key", "impersonator")

    @display(description=_("author"))
    def author(self, decision: Decision) -> str:
        """The person, the key, or the system."""
        return decision.actor_name


def _dialog(title: Any, description: Any, button: Any) -> dict[str, Any]:
    # The dialog is above a form, of which it sends nothing: a move is of what is stored.
    unsaved = _("Changes on this page that are not saved yet are lost.")
    return dialog(title, format_lazy("{} {}", description, unsaved), button)


@admin.register(Product)
class ProductAdmin(NewestFirst[Product], DeletesArchived[Product], TrailHistory[Product], MerchantData[Product]):
    """Products of all merchants. They are archived first; only then can they be deleted."""

    change_form_template = "admin/catalog/product/change_form.html"

    list_display = ("header", "merchant", "status_label", "category", "others", "updated_at")
    list_filter = (
        "status",
        DoubtFilter,
        ("merchant", KeyFilter),
        ("created_at", TimeFilter),
    )
    search_fields = ("name", "sku", "public_id", "merchant__name")  # see get_search_results
    search_help_text = _("name, SKU, public id or merchant")
    autocomplete_fields = ("merchant",)
    actions: Sequence[Any] = ("publish_selected", "archive_selected", "restore_selected")
    actions_detail: Sequence[str] = ("publish", "publish_now", "unpublish", "archive", "restore")
    inlines = (ImageInline, DecisionInline)
    readonly_fields = (
        "merchant_name",
        "status_label",
        "values",
        "top_category_source",
        "public_id",
        "created_by",
        "created_at",
        "updated_at",
        "published_at",
        "archived_at",
    )

    class Media:
        css = {"all": ("admin/images.css",)}

    # -- Reading ---------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        """As the portal's list: thumbnails, values and garments in a fixed number of queries."""
        return products_for_list(admin_actor(request)).order_by("-id")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ProductList]:
        """The list that finds words and values together."""
        return ProductList

    def get_list_filter(self, request: HttpRequest) -> Any:
        """With a filter for each attribute of today's taxonomy behind the status."""
        first, *others = super().get_list_filter(request)
        return [first, *value_filters(request), *others]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Product], search_term: str
    ) -> tuple[QuerySet[Product], bool]:
        """By words of name and SKU, by number, or by merchant; the list does it with its filters' values."""
        if hasattr(request, "finding"):
            return queryset, False
        return Finding(search_term).narrow(queryset), False

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses and those of the review."""
        return [*review_across.urls(self.admin_site), *super().get_urls()]

    def get_inlines(self, request: HttpRequest, obj: Product | None) -> Any:
        """A product that is being added has nothing yet."""
        return self.inlines if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Product | None = None) -> Any:
        """Controls for those who may change the product, values to look at for others."""
        if obj is None:
            return [(None, {"fields": ("merchant", "name", "sku", "images")})]
        dates = ("created_at", "updated_at", "published_at", "archived_at")
        details = ("top_category_source", "public_id", "created_by", *dates)
        sets: list[tuple[Any, dict[str, Any]]] = [
            (None, {"fields": (("merchant_name", "status_label"), ("name", "sku"))}),
        ]
        if self.has_change_permission(request, obj):
            codes = Attribute.objects.filter(active=True).values_list("code", flat=True)
            overrides = tuple(PREFIX + code for code in codes)
            sets.append((_("What it is"), {"fields": ("seen_version", "garment", *overrides)}))
            sets.append((_("More photos"), {"fields": ("images",)}))
        else:
            sets.append((_("What it is"), {"fields": ("top_category", "values")}))
        return [*sets, (_("Details"), {"fields": details, "classes": ("collapse",)})]

    def get_form(self, request: HttpRequest, obj: Product | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The form with the attributes of today's taxonomy."""
        if obj is not None and self.has_change_permission(request, obj):
            kwargs["form"] = for_product(Taxonomy.load())
        elif obj is None:
            kwargs["form"] = ProductForm
        if "form" in kwargs:
            kwargs["form"] = type(
                kwargs["form"].__name__,
                (kwargs["form"],),
                {"actor": admin_actor(request), "prepared": getattr(request, "prepared", None)},
            )
        return super().get_form(request, obj, change=change, **kwargs)

    @display(description=_("product"), header=True)
    def header(self, product: Product) -> list[Any]:
        """Name and SKU beside the first image."""
        cover = row_of(product).cover
        image = {"path": media_url(cover, "thumbnail"), "squared": True} if cover else None
        return [str(product), product.sku or "", "", image]

    @display(description=_("merchant"))
    def merchant_name(self, product: Product) -> str:
        """Whose product it is."""
        return str(product.merchant)

    @display(description=_("status"), label=STATUS_COLOURS)
    def status_label(self, product: Product) -> str:
        """Where the product is, by word and colour."""
        return product.get_status_display()

    @display(description=_("category"))
    def category(self, product: Product) -> str:
        """The current category, with the model's confidence where a person has not decided."""
        return next((_listed(cell) for cell in row_of(product).cells if cell.attribute.code == CATEGORY), "")

    @display(description=_("other values"))
    def others(self, product: Product) -> str:
        """Every other current value."""
        cells = row_of(product).cells
        return " · ".join(_listed(cell) for cell in cells if cell.attribute.code != CATEGORY and cell.value)

    @display(description=_("values"))
    def values(self, product: Product) -> str:
        """Every current value with how it came about."""
        return "\n".join(
            f"{one.attribute}: {_written(one.value.today, one.confidence) if one.value else one.get_state_display()}"
            f" ({one.get_state_display()})"
            for one in product.attributes.all()
        )

    # -- Writing, through services ---------------------------------------------------------------------------------

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """Write the images of a new product before the page's transaction begins: decoding takes its time."""
        files = request.FILES.getlist("images") if object_id is None else []
        if not files or not self.has_add_permission(request):
            return super().changeform_view(request, object_id, *args, **kwargs)
        with uploads.prepared_product(files) as prepared:
            request.prepared = prepared  # type: ignore[attr-defined]  # for get_form
            return super().changeform_view(request, object_id, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        """The form has stored everything but further images, which are taken in after the commit."""
        files = form.cleaned_data["images"]
        if not change:
            self._name_refused(request, form.prepared.received() if form.prepared else [])
        elif files:
            # Decoding takes its time: no lock is held over it.
            transaction.on_commit(lambda: self._add_images(request, obj, files))

    def render_change_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Show the page; where it comes back from a form, nothing of that form stays, whatever part was wrong."""
        response = super().render_change_form(request, *args, **kwargs)
        if request.method == "POST":
            transaction.set_rollback(True)
        return response

    def _add_images(self, request: HttpRequest, product: Product, files: list[UploadedFile[Any]]) -> None:
        try:
            received = uploads.add_images(actor=admin_actor(request), product=product, files=files)
        except Refused as refused:
            self.message_user(request, refused.message, messages.ERROR)
        else:
            self._name_refused(request, received)

    def _name_refused(self, request: HttpRequest, received: Sequence[uploads.Received]) -> None:
        for entry in received:
            if entry.refusal:
                self.message_user(request, f"{entry.name}: {entry.refusal.message}", messages.ERROR)

    # -- Deleting ----------------------------------------------------------------------------------------------------

    def losses(self, objs: Sequence[Product]) -> dict[str, int]:
        """Products, their images and their decisions."""
        return super().losses(objs) | {
            str(model._meta.verbose_name_plural): model._default_manager.filter(product__in=objs).count()
            for model in (ProductImage, Decision)
        }

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        """With all that belongs to it."""
        services.delete_product(actor=admin_actor(request), product=obj)

    # -- Moves, and what other apps do with products ----------------------------------------------------------------

    @classmethod
    def offer(cls, *, of_many: Callable[..., None], of_one: Callable[..., HttpResponse]) -> None:
        """Add what another app does with products: an action over chosen ones, and a button on the page of one.

        Args:
            of_many: an `action` that takes this page, the request and the chosen products; called as it is named.
            of_one: an `action` that takes this page, the request, the dialog's form and the product's id.
        """
        for added in (of_many, of_one):
            setattr(cls, added.__name__, added)
        cls.actions = (*cls.actions, of_many.__name__)
        cls.actions_detail = (*cls.actions_detail, of_one.__name__)

    def move(self, request: HttpRequest, products: QuerySet[Product], service: Service, done: Any) -> None:
        """Run a service over products; say `done` with the number that it worked for, and each refusal."""
        actor = admin_actor(request)
        self.each(request, products, lambda product: service(actor=actor, product=product), done)

    def move_one(self, request: HttpRequest, object_id: str, service: Service, done: Any) -> HttpResponse:
        """Run a service over the product of a page, then load that page again."""
        self.move(request, self.get_queryset(request).filter(pk=object_id), service, done)
        return self.back_to(object_id)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> Any:
        """Offer the moves that the product's status allows."""
        status = Product.objects.filter(pk=object_id).values_list("status", flat=True).first()
        now = status == Product.Status.CLASSIFYING
        allowed = {
            "publish": not now and Product.Status.PUBLISHED in Product.MOVES.get(status or "", ()),
            "publish_now": now,
            "unpublish": status == Product.Status.PUBLISHED,
            "archive": Product.Status.ARCHIVED in Product.MOVES.get(status or "", ()),
            "restore": status == Product.Status.ARCHIVED,
        }
        offered = super().get_actions_detail(request, object_id)  # type: ignore[misc]  # the theme's
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        return [entry for entry in offered if allowed.get(entry.action_name.removeprefix(prefix), True)]

    @action(description=_("Publish"), permissions=["change"])
    def publish_selected(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        """Publish the chosen products."""
        self.move(request, queryset, services.publish, _("%(count)d published."))

    @action(description=_("Archive"), permissions=["change"])
    def archive_selected(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        """Archive the chosen products."""
        self.move(request, queryset, services.archive, _("%(count)d archived."))

    @action(description=_("Restore"), permissions=["change"])
    def restore_selected(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        """Restore the chosen products."""
        self.move(request, queryset, services.restore, _("%(count)d restored."))

    @action(
        description=_("Publish"),
        permissions=["change"],
        icon="publish",
        dialog=_dialog(
            _("Publish this product?"),
            _("It is published as it was last saved, and its values become decided in your name."),
            _("Publish"),
        ),
    )
    def publish(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Publish the product of the page."""
        return self.move_one(request, object_id, services.publish, _("%(count)d published."))

    @action(
        description=_("Publish without waiting"),
        permissions=["change"],
        icon="publish",
        dialog=_dialog(_("Publish this product?"), _("What is found later no longer counts."), _("Publish")),
    )
    def publish_now(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Publish the product of the page though images wait."""
        return self.move_one(request, object_id, PUBLISH_NOW, _("%(count)d published."))

    @action(
        description=_("Unpublish"),
        permissions=["change"],
        icon="unpublished",
        dialog=_dialog(_("Unpublish this product?"), _("It goes back to “ready”."), _("Unpublish")),
    )
    def unpublish(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Take the product of the page back."""
        return self.move_one(request, object_id, services.unpublish, _("%(count)d unpublished."))

    @action(
        description=_("Archive"),
        permissions=["change"],
        icon="archive",
        dialog=_dialog(_("Archive this product?"), _("Nothing is deleted; it can be restored."), _("Archive")),
    )
    def archive(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Archive the product of the page."""
        return self.move_one(request, object_id, services.archive, _("%(count)d archived."))

    @action(
        description=_("Restore"),
        permissions=["change"],
        icon="unarchive",
        dialog=_dialog(_("Restore this product?"), _("It goes back to where its values stand."), _("Restore")),
    )
    def restore(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Restore the product of the page."""
        return self.move_one(request, object_id, services.restore, _("%(count)d restored."))


def _listed(cell: Cell) -> str:
    if cell.value is not None:
        return _written(cell.value, cell.confidence)
    return "" if cell.state == ProductAttribute.State.UNSET else str(ProductAttribute.State(cell.state).label)


def _written(value: AttributeValue, confidence: float | None) -> str:
    return f"{value} {percent(confidence)}".strip()
