"""Imports of products: what was sent, what each line of it says, and what became of it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Merchant, Operation
from catalog.models.product import Product
from core.ids import PUBLIC_ID_LENGTH, public_id


class ProductImport(models.Model):
    """Files that were sent to become products. Nothing else exists before somebody says "import".

    An operation looks through them first (`import_check`), another one imports (`import_products`): the last one is
    `operation`.
    """

    class Phase(models.TextChoices):
        """How far it is."""

        OPEN = "open", _("being sent")
        CHECKED = "checked", _("checked")
        IMPORTED = "imported", _("imported")

    public_id = models.CharField(
        _("number"), max_length=PUBLIC_ID_LENGTH, unique=True, default=public_id, editable=False
    )
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="imports", verbose_name=_("merchant"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    operation = models.ForeignKey(Operation, models.SET_NULL, null=True, blank=True, related_name="+")
    phase = models.CharField(_("phase"), max_length=8, choices=Phase.choices, default=Phase.OPEN)
    columns = models.JSONField(default=list)  # of the table: head, samples, and which column of ours it is
    counts = models.JSONField(default=dict)  # how many lines of each action
    refusal = models.JSONField(default=dict)  # why the files cannot be imported, see catalog.imports.refusals
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField()  # then the files are deleted, and the lines later

    class Meta:
        verbose_name = _("import of products")
        verbose_name_plural = _("imports of products")
        ordering = ("-id",)
        default_permissions = ("view",)
        indexes = (
            models.Index(fields=("merchant", "-id"), name="import_merchant"),
            models.Index(fields=("expires_at",), name="import_expires"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(phase__in=("open", "checked", "imported")), name="import_phase"),
        )

    def __str__(self) -> str:
        return self.public_id


class ImportFile(models.Model):
    """One file of an import. Its row comes before the file is stored, so that no file is forgotten."""

    class Kind(models.TextChoices):
        """What it is."""

        TABLE = "table", _("table")
        ARCHIVE = "archive", _("ZIP file")
        IMAGE = "image", _("photo")

    of = models.ForeignKey(ProductImport, models.CASCADE, related_name="files")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    name = models.CharField(max_length=255)  # with the folders that it came in
    stored = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()

    class Meta:
        default_permissions: ClassVar[tuple[str, ...]] = ()
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name


class ImportLine(models.Model):
    """One line of an import: a line of the table, or the images of one SKU where there is no table."""

    class Action(models.TextChoices):
        """What the line would do, as it was when the import was checked."""

        NEW = "new", _("new")
        CHANGE = "change", pgettext_lazy("product", "changed")
        SAME = "same", _("unchanged")
        WRONG = "wrong", _("wrong")

    class Outcome(models.TextChoices):
        """What became of it."""

        PENDING = "pending", _("waiting")
        CREATED = "created", pgettext_lazy("product", "created")
        CHANGED = "changed", pgettext_lazy("product", "changed")
        UNCHANGED = "unchanged", _("unchanged")
        REFUSED = "refused", _("not possible")
        FAILED = "failed", _("failed")

    of = models.ForeignKey(ProductImport, models.CASCADE, related_name="lines")
    number = models.PositiveIntegerField(_("line"))
    sku = models.CharField("SKU", max_length=64, blank=True)
    sku_key = models.CharField(max_length=64, blank=True)
    cells = models.JSONField(default=dict)  # what the line says, by column
    images = models.JSONField(default=list)  # see catalog.services.imports.sources.Found
    action = models.CharField(_("action"), max_length=6, choices=Action.choices)
    changes = models.JSONField(default=list)  # what it would change: column, before, after
    problems = models.JSONField(default=list)
    outcome = models.CharField(_("outcome"), max_length=9, choices=Outcome.choices, default=Outcome.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    product = models.ForeignKey(
        Product, models.SET_NULL, null=True, blank=True, related_name="import_lines", verbose_name=_("product")
    )

    class Meta:
        default_permissions: ClassVar[tuple[str, ...]] = ()
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(fields=("of", "number"), name="import_line_number"),
            models.CheckConstraint(
                condition=Q(action__in=("new", "change", "same", "wrong")), name="import_line_action"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=("pending", "created", "changed", "unchanged", "refused", "failed")),
                name="import_line_outcome",
            ),
        )
        indexes = (
            models.Index(fields=("of", "outcome", "number"), name="import_line_outcome_number"),
            models.Index(fields=("of", "action", "number"), name="import_line_action_number"),
            models.Index(fields=("of", "sku_key"), name="import_line_sku"),
        )

    def __str__(self) -> str:
        return f"{self.number}: {self.sku}"
