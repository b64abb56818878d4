"""Products, their images, the taxonomy, and what people and models said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor, Channel
from accounts.models import ApiKey, Merchant, Operation
from core.ids import PUBLIC_ID_LENGTH, public_id
from core.text import lookup_key

if TYPE_CHECKING:
    from classifier.models import Classification, ModelVersion, Prediction

CATEGORY = "category"
SLEEVE_LENGTH = "sleeve_length"
MATERIAL = "material"


class Named(models.Model):
    """Something with a Korean and an English name."""

    name_ko = models.CharField(_("Korean name"), max_length=60)
    name_en = models.CharField(_("English name"), max_length=60)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the active language."""
        return self.name_en if (get_language() or "").startswith("en") else self.name_ko


class Attribute(Named):
    """Something that a garment has one value of: its category, material, sleeve length, or whatever is added."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    applies_to: models.ManyToManyField[AttributeValue, Any] = models.ManyToManyField(
        "AttributeValue",
        verbose_name=_("applies to"),
        blank=True,
        related_name="+",
        limit_choices_to={"attribute__code": CATEGORY, "parent": None},
        help_text=_("Top-level categories that have this attribute; none chosen means all."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("attribute")
        verbose_name_plural = _("attributes")
        ordering = ("position", "id")


class AttributeValue(Named):
    """One value of an attribute. A category has two levels; only leaves are predicted or decided."""

    attribute = models.ForeignKey(Attribute, models.PROTECT, related_name="values", verbose_name=_("attribute"))
    code = models.CharField(_("code"), max_length=40)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("top-level category")
    )
    aliases = models.JSONField(_("aliases"), default=list, blank=True, help_text=_("Class names in models' files."))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    active = models.BooleanField(_("active"), default=True)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("merged into")
    )

    class Meta:
        verbose_name = _("value")
        verbose_name_plural = _("values")
        ordering = ("attribute", "position", "id")
        constraints = (models.UniqueConstraint(fields=("attribute", "code"), name="value_code"),)


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

    class RowSource(models.TextChoices):
        """Who chose the row."""

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
    row = models.ForeignKey(
        AttributeValue, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("chosen garment")
    )
    row_source = models.CharField(
        _("chosen by"), max_length=5, choices=RowSource.choices, default=RowSource.NONE, blank=True
    )
    # What the models propose over all images, one entry a top-level category; written whole, never queried into.
    # classifier.proposals documents the entries.
    proposal = models.JSONField(_("proposal"), default=list, editable=False)
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
                condition=Q(row=None, row_source__in=("", "human"))
                | Q(row__isnull=False, row_source__in=("auto", "human")),
                name="product_row_source",
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
    def is_none_of_the_rows(self) -> bool:
        """Whether a person said that none of the garments that the models found is the product."""
        return self.row_id is None and self.row_source == self.RowSource.HUMAN

    def may_become(self, status: str) -> bool:
        """Whether the table of moves allows that status from here."""
        return status == self.status or status in self.MOVES[self.status]


class ProductImageQuerySet(models.QuerySet["ProductImage"]):
    """Images, and who may see which."""

    def visible_to(self, actor: Actor) -> ProductImageQuerySet:
        """Images of products that the actor may know of; removed ones only for who may delete them for good."""
        visible = self.filter(product__in=Product.objects.visible_to(actor))
        return visible if actor.sees_all_merchants or actor.is_owner else visible.filter(archived_at=None)

    def current(self) -> ProductImageQuerySet:
        """Images that are not archived, in the merchant's order."""
        return self.filter(archived_at=None).order_by("position", "id")


class ProductImage(models.Model):
    """One image of a product: the file as uploaded, an upright copy without EXIF, and a thumbnail."""

    public_id = models.CharField(
        _("number"), max_length=PUBLIC_ID_LENGTH, unique=True, default=public_id, editable=False
    )
    product = models.ForeignKey(Product, models.CASCADE, related_name="images", verbose_name=_("product"))
    original = models.FileField(_("file"), max_length=200)
    display = models.FileField(_("display copy"), max_length=200, editable=False)
    thumbnail = models.FileField(_("thumbnail"), max_length=200, editable=False)
    original_name = models.CharField(_("original name"), max_length=255)
    sha256 = models.CharField("SHA-256", max_length=64, editable=False)
    size = models.PositiveIntegerField(_("bytes"), editable=False)
    width = models.PositiveIntegerField(_("width"), editable=False)
    height = models.PositiveIntegerField(_("height"), editable=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    current_classification: models.ForeignKey[Classification | None, Classification | None] = models.ForeignKey(
        "classifier.Classification", models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("uploaded by"),
    )
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)

    objects = ProductImageQuerySet.as_manager()

    bulk = False  # on the instance being saved only: many of the merchant wait, so it is queued behind other work

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        ordering = ("position", "id")
        constraints = (models.CheckConstraint(condition=Q(width__gt=0, height__gt=0, size__gt=0), name="image_size"),)
        indexes = (models.Index(fields=("product", "position", "id"), name="image_product"),)

    def __str__(self) -> str:
        return self.original_name


class PendingFile(models.Model):
    """A file in the storage that no image points to: not yet, or not any more. catalog.files writes these."""

    path = models.CharField(max_length=200, unique=True)
    image = models.CharField(max_length=PUBLIC_ID_LENGTH)  # its public id; there may be no row of it
    delete_after = models.DateTimeField(db_index=True)
    tries = models.PositiveIntegerField(default=0)  # above 0 a sweep has claimed it: whoever wrote it came too late

    class Meta:
        default_permissions = ()  # no page shows it

    def __str__(self) -> str:
        return self.path


class Decision(models.Model):
    """One answer to "what is this product's value?". Append-only: the one that counts has the highest id."""

    class Kind(models.TextChoices):
        """What was decided."""

        SET = "set", _("set")
        NOT_APPLICABLE = "not_applicable", _("not applicable")
        OPEN = "open", _("left open")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Source(models.TextChoices):
        """Who decides: people, imports and keys count before what was auto-accepted."""

        HUMAN = "human", _("person")
        AUTO = "auto", _("auto-accepted")
        IMPORT = "import", _("import")

    class Answers(models.TextChoices):
        """How the proposal stood that a decision answers. Figures of quality are counted from this."""

        NOTHING = "", _("no proposal")
        PROPOSAL = "proposal", _("a proposal")
        SAMPLE = "sample", _("a sample of what would have been auto-accepted")
        ACCEPTED = "accepted", _("what was auto-accepted")
        PUBLISHED = "published", _("published as it stood")

    product = models.ForeignKey(Product, models.CASCADE, related_name="decisions", verbose_name=_("product"))
    attribute = models.ForeignKey(Attribute, models.PROTECT, related_name="+", verbose_name=_("attribute"))
    kind = models.CharField(_("kind"), max_length=14, choices=Kind.choices)
    value = models.ForeignKey(
        AttributeValue, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("value")
    )
    source = models.CharField(_("source"), max_length=6, choices=Source.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    api_key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, blank=True, related_name="+")
    impersonator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("impersonator"),
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    prediction: models.ForeignKey[Prediction | None, Prediction | None] = models.ForeignKey(
        "classifier.Prediction",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="decisions",
        verbose_name=_("prediction"),
    )
    # What was proposed for the product as a whole. `prediction` is of the garment that was chosen in the end.
    answers = models.CharField(_("answers"), max_length=9, choices=Answers.choices, default=Answers.NOTHING, blank=True)
    proposed_value = models.ForeignKey(
        AttributeValue, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("proposed")
    )
    proposed_confidence = models.FloatField(_("confidence"), null=True, blank=True)
    proposed_by: models.ForeignKey[ModelVersion | None, ModelVersion | None] = models.ForeignKey(
        "classifier.ModelVersion", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("model")
    )
    operation = models.ForeignKey(
        Operation, models.SET_NULL, null=True, blank=True, related_name="decisions", verbose_name=_("operation")
    )
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(kind="set", value__isnull=False)
                | Q(kind__in=("not_applicable", "open", "withdrawn"), value=None),
                name="decision_value",
            ),
            models.CheckConstraint(condition=Q(source__in=("human", "auto", "import")), name="decision_source"),
            models.CheckConstraint(
                condition=Q(
                    answers__in=("", "published"), proposed_value=None, proposed_confidence=None, proposed_by=None
                )
                | Q(
                    answers__in=("proposal", "sample", "accepted", "published"),
                    proposed_value__isnull=False,
                    proposed_confidence__isnull=False,
                    proposed_by__isnull=False,
                ),
                name="decision_answers",
            ),
        )
        indexes = (models.Index(fields=("product", "attribute", "-id"), name="decision_product"),)

    def __str__(self) -> str:
        return f"{self.attribute}: {self.value or self.get_kind_display()}"

    @property
    def actor_name(self) -> str:
        """Whom pages name as the author."""
        if self.user is not None:
            return str(self.user)
        return self.api_key.name if self.api_key is not None else str(_("system"))


class ProductAttribute(models.Model):
    """A product's current value of an attribute, kept so that lists can filter on it; see catalog.values."""

    class State(models.TextChoices):
        """How the value came about."""

        UNSET = "unset", _("open")
        PROPOSED = "proposed", _("proposed")
        AUTO = "auto", _("auto-accepted")
        DECIDED = "decided", _("decided")
        NOT_APPLICABLE = "not_applicable", _("not applicable")

    product = models.ForeignKey(Product, models.CASCADE, related_name="attributes")
    attribute = models.ForeignKey(Attribute, models.PROTECT, related_name="+", verbose_name=_("attribute"))
    value = models.ForeignKey(
        AttributeValue, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("value")
    )
    state = models.CharField(_("state"), max_length=14, choices=State.choices, default=State.UNSET)
    confidence = models.FloatField(_("confidence"), null=True, blank=True)
    decision = models.ForeignKey(Decision, models.SET_NULL, null=True, blank=True, related_name="+")
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("current value")
        verbose_name_plural = _("current values")
        ordering = ("attribute__position", "attribute_id")
        constraints = (
            models.UniqueConstraint(fields=("product", "attribute"), name="current_value_once"),
            models.CheckConstraint(
                condition=Q(state__in=("proposed", "auto", "decided"), value__isnull=False)
                | Q(state__in=("unset", "not_applicable"), value=None),
                name="current_value_state",
            ),
            models.CheckConstraint(
                condition=Q(confidence=None) | Q(confidence__gte=0, confidence__lte=1), name="current_value_confidence"
            ),
        )
        indexes = (
            models.Index(fields=("attribute", "value", "product"), name="current_value_value"),
            models.Index(fields=("attribute", "state", "confidence"), name="current_value_doubt"),
        )

    def __str__(self) -> str:
        return f"{self.attribute_id}: {self.value_id or self.state}"
