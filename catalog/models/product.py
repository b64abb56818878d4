"""Products: what is sold, which garment it is, and where it is on its way to the public."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import Merchant
from catalog.models.proposal_field import ProposalField
from catalog.models.taxonomy import AttributeValue
from catalog.proposal import Candidate, Proposal
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
        )

    def __str__(self) -> str:
        return self.name or self.sku or str(_("Without a name"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the lookup key in step with the SKU, and '' out of it."""
        self.sku = self.sku or None
        self.sku_key = lookup_key(self.sku) if self.sku else None
        changed = kwargs.get("update_fields")
        if changed is not None and "sku" in changed:
            kwargs["update_fields"] = {*changed, "sku_key"}
        super().save(*args, **kwargs)

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
