"""Products: what is sold, which garment it is, and where it is on its way to the public."""

from __future__ import annotations

from copy import copy
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import Merchant
from catalog.models.proposal_field import ProposalField
from catalog.models.taxonomy import AttributeValue
from catalog.proposal import Candidate, Proposal
from catalog.search import TEXT_LENGTH, normalized, search_text, terms_of
from core.ids import PUBLIC_ID_LENGTH, public_id
from core.text import lookup_key


class ProductQuerySet(models.QuerySet["Product"]):
    """Products, and who may see which."""

    def visible_to(self, actor: Actor) -> ProductQuerySet:
        """Products that the actor may know of: rule 2's one predicate."""
        if actor.sees_all_merchants:
            return self
        if actor.merchant is None:
            return self.none()
        return self.filter(merchant=actor.merchant)


# Fields that others follow from: `unclear`, and those for searching and sorting.
_TO_UNCLEAR = frozenset(("proposal", "status", "top_category", "top_category_source"))
_TO_WORDS = frozenset(("name", "sku"))
_FROM_WORDS = frozenset(("sku_key", "search_text", "name_order", "sku_order"))


class Product(models.Model):
    """One garment that a merchant sells. A set of two garments is two products."""

    class Status(models.TextChoices):
        """Where the product is on its way from images to the merchant."""

        DRAFT = "draft", _("draft")
        CLASSIFYING = "classifying", _("classifying")
        TO_REVIEW = "to_review", _("to review")
        READY = "ready", _("ready")
        PUBLISHED = "published", _("published")
        ARCHIVED = "archived", _("archived")

    class TopCategorySource(models.TextChoices):
        """Who chose the top-level category."""

        NONE = "", _("nobody")
        AUTO = "auto", _("model")
        HUMAN = "human", _("person")

    class Unclear(models.TextChoices):
        """What the models leave to a person beyond single values."""

        NO = "", _("clear")
        SEVERAL = "several", _("several garments")
        NOTHING = "nothing", _("nothing found")

    CERTAIN = 10_000  # of `certainty`: nothing is only proposed
    LAST = "\uffff"  # what has no name or no SKU comes after what has one

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.DRAFT: frozenset({Status.CLASSIFYING, Status.TO_REVIEW, Status.READY, Status.ARCHIVED}),
        Status.CLASSIFYING: frozenset(
            {Status.TO_REVIEW, Status.DRAFT, Status.READY, Status.PUBLISHED, Status.ARCHIVED}
        ),
        Status.TO_REVIEW: frozenset(
            {Status.CLASSIFYING, Status.DRAFT, Status.READY, Status.PUBLISHED, Status.ARCHIVED}
        ),
        Status.READY: frozenset({Status.CLASSIFYING, Status.TO_REVIEW, Status.PUBLISHED, Status.ARCHIVED}),
        Status.PUBLISHED: frozenset({Status.READY, Status.ARCHIVED}),
        Status.ARCHIVED: frozenset({Status.DRAFT, Status.CLASSIFYING, Status.TO_REVIEW, Status.READY}),
    }

    public_id = models.CharField(
        _("number"), max_length=PUBLIC_ID_LENGTH, unique=True, default=public_id, editable=False
    )
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="products", verbose_name=_("merchant"))
    sku = models.CharField("SKU", max_length=64, null=True, blank=True)  # noqa: DJ001 - NULL is "none yet"; '' is barred
    sku_key = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001 - NULLs don't collide
    name = models.CharField(_("name"), max_length=200, blank=True)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.DRAFT)
    # Which of the garments in the images the product is, by the garment's top-level category.
    top_category = models.ForeignKey(
        AttributeValue, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("chosen garment")
    )
    top_category_source = models.CharField(
        _("chosen by"), max_length=5, choices=TopCategorySource.choices, default=TopCategorySource.NONE, blank=True
    )
    # What the models propose over all images; written whole. classifier.proposals says how it comes about.
    proposal: models.Field[Proposal, Proposal] = ProposalField(_("proposal"), default=Proposal, editable=False)
    # For lists alone; kept in step by `save`, by catalog.values.recompute (certainty) and by write_proposal (failures).
    search_text = models.CharField(max_length=TEXT_LENGTH, editable=False, default="")
    name_order = models.CharField(max_length=80, editable=False, default=LAST)
    sku_order = models.CharField(max_length=64, editable=False, default=LAST)
    unclear = models.CharField(max_length=8, choices=Unclear.choices, editable=False, default="", blank=True)
    certainty = models.PositiveSmallIntegerField(editable=False, default=CERTAIN)  # the least one, in 1/10,000
    failed_images = models.PositiveSmallIntegerField(editable=False, default=0)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    published_at = models.DateTimeField(_("published"), null=True, blank=True, editable=False)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)

    objects = ProductQuerySet.as_manager()

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("merchant", "sku_key"), name="product_sku"),
            models.CheckConstraint(
                condition=Q(sku=None, sku_key=None) | (Q(sku__isnull=False, sku_key__isnull=False) & ~Q(sku="")),
                name="product_sku_key",
            ),
            models.CheckConstraint(
                condition=Q(status__in=("draft", "classifying", "to_review", "ready", "published", "archived")),
                name="product_status",
            ),
            models.CheckConstraint(
                # A person may also say that none of the garments found is the product.
                condition=Q(top_category=None, top_category_source__in=("", "human"))
                | Q(top_category__isnull=False, top_category_source__in=("auto", "human")),
                name="product_top_category_source",
            ),
        )
        indexes = (
            models.Index(fields=("merchant", "-id"), name="product_merchant"),
            models.Index(fields=("merchant", "status", "-id"), name="product_merchant_status"),
            models.Index(fields=("status", "-id"), name="product_status_id"),
            models.Index(fields=("status", "certainty", "id"), name="product_review"),  # of all merchants
            models.Index(fields=("created_at",), name="product_created_at"),
            # Lists walk one of these in its order; what else they ask of a product is in the index, so that its row,
            # which is wide, is not read.
            models.Index(
                fields=("merchant", "id", "status", "unclear", "failed_images", "certainty"), name="product_list"
            ),
            models.Index(fields=("merchant", "created_at", "id", "status"), name="product_created"),
            models.Index(fields=("merchant", "updated_at", "id", "status"), name="product_changed"),
            models.Index(fields=("merchant", "name_order", "id", "status"), name="product_name"),
            models.Index(fields=("merchant", "sku_order", "id", "status"), name="product_sku_order"),
            models.Index(fields=("merchant", "certainty", "id", "status"), name="product_certainty"),
            models.Index(fields=("merchant", "unclear", "id", "status"), name="product_unclear"),
            models.Index(fields=("merchant", "failed_images", "id", "status"), name="product_failed"),
        )

    def __str__(self) -> str:
        return self.name or self.sku or str(_("Without a name"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep what follows from other fields in step with them, and '' out of the SKU."""
        changed = kwargs.get("update_fields")
        if changed is not None:
            kwargs["update_fields"] = changed = {*changed, *(() if _TO_UNCLEAR.isdisjoint(changed) else ("unclear",))}
        self.unclear = self._unclear()
        if changed is not None and _TO_WORDS.isdisjoint(changed):
            super().save(*args, **kwargs)
            return
        before = self.search_text
        self._follow_words()
        if changed is not None:
            changed |= _FROM_WORDS
        with transaction.atomic():
            super().save(*args, **kwargs)
            ProductTerm.change(self, before, self.search_text)

    def _follow_words(self) -> None:
        self.sku = self.sku or None
        self.sku_key = lookup_key(self.sku) if self.sku else None
        self.search_text = search_text(self.name, self.sku)
        self.name_order = normalized(self.name)[:80] or self.LAST
        self.sku_order = normalized(self.sku or "")[:64] or self.LAST

    @property
    def following(self) -> dict[str, Any]:
        """The fields that follow from others alone, by name, as `save` would write them."""
        saved = copy(self)
        saved._follow_words()
        saved.unclear = saved._unclear()
        return {name: getattr(saved, name) for name in (*sorted(_FROM_WORDS), "unclear")}

    def _unclear(self) -> Product.Unclear:
        if self.top_category_source != self.TopCategorySource.NONE:
            return self.Unclear.NO
        if self.proposal.candidates:
            return self.Unclear.SEVERAL
        waits = self.status in {self.Status.DRAFT, self.Status.CLASSIFYING}
        return self.Unclear.NO if waits else self.Unclear.NOTHING

    @property
    def is_none_of_the_garments(self) -> bool:
        """Whether a person said that none of the garments that the models found is the product."""
        return self.top_category_id is None and self.top_category_source == self.TopCategorySource.HUMAN

    @property
    def candidate(self) -> Candidate | None:
        """What the models say of the garment that the product is; None where that is open, or they did not find it."""
        return self.proposal.candidate(self.top_category.code) if self.top_category else None

    def may_become(self, status: str) -> bool:
        """Whether the table of moves allows that status from here."""
        return status == self.status or status in self.MOVES[self.status]


class ProductTerm(models.Model):
    """A term of a product's name or SKU, see `catalog.search`.

    The key is the index: the products of a merchant that have a term lie together in their order. There is no second
    index by product, which would be as large again: who deletes a product's rows knows its terms.
    """

    pk = models.CompositePrimaryKey("merchant_id", "term", "product_id")
    merchant = models.ForeignKey(Merchant, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    term = models.PositiveIntegerField()
    product = models.ForeignKey(Product, models.DO_NOTHING, related_name="terms", db_constraint=False, db_index=False)

    class Meta:
        verbose_name = _("search term")
        verbose_name_plural = _("search terms")

    def __str__(self) -> str:
        return f"{self.term}: {self.product_id}"

    @staticmethod
    def change(product: Product, before: str, after: str) -> None:
        """Index a product by another `search_text` than before, in the caller's transaction."""
        old, new = terms_of(before), terms_of(after)
        if gone := old - new:
            ProductTerm.objects.filter(merchant=product.merchant_id, product=product.pk, term__in=gone).delete()
        if added := new - old:
            ProductTerm.objects.bulk_create(
                [ProductTerm(merchant_id=product.merchant_id, term=term, product=product) for term in sorted(added)],
                ignore_conflicts=True,
            )
