"""Classification jobs, and the work that one worker at a time does."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Merchant, Operation
from catalog.models import ProductImage
from classifier.models.registry import ModelSet


class Classification(models.Model):
    """The job of looking at one image. A failure is a state that people see and can retry."""

    class Purpose(models.TextChoices):
        """Whether the result counts for the product, or was only tried."""

        LIVE = "live", _("live")
        SHADOW = "shadow", _("shadow")
        AD_HOC = "ad_hoc", _("ad hoc")

    class State(models.TextChoices):
        """Where the job is."""

        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    class Error(models.TextChoices):
        """Why a job waits longer or failed, as people read it."""

        MODEL_NOT_AVAILABLE = (
            "model_not_available",
            _("Model not available. The photo is kept and will be classified when the model is there."),
        )
        MODEL_REFUSED = (
            "model_refused",
            _("Model not available: its file is not the one that was released. The photo is kept and waits."),
        )
        FILE_MISSING = "file_missing", _("The photo's file is missing. Upload it again.")
        UNREADABLE = "unreadable", _("The photo cannot be read. Upload it again.")
        STORAGE = (
            "storage_unavailable",
            _("The storage does not answer. The photo is kept and will be classified as soon as it does."),
        )
        GAVE_UP = "gave_up", _("The classification broke off several times and was given up. You can start it again.")
        CANCELLED = "cancelled", _("The classification was cancelled. You can start it again.")

    class Priority(models.IntegerChoices):
        """Somebody waits at a screen, or nobody does."""

        INTERACTIVE = 0, _("interactive")
        BULK = 10, _("bulk")

    image = models.ForeignKey(ProductImage, models.CASCADE, related_name="classifications", verbose_name=_("photo"))
    purpose = models.CharField(_("purpose"), max_length=6, choices=Purpose.choices, default=Purpose.LIVE)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority.choices, default=Priority.INTERACTIVE)
    # The image's, repeated for the queue; classifier.jobs.queue says what a turn is. NULL: queued before them.
    merchant = models.ForeignKey(Merchant, models.CASCADE, null=True, editable=False, related_name="+", db_index=False)
    turn = models.PositiveBigIntegerField(default=0, editable=False)
    # While it waits: not before the storage may answer again.
    not_before = models.DateTimeField(null=True, blank=True, editable=False)
    image_sha256 = models.CharField(max_length=64, editable=False)
    # The set that looked; while the job waits only if it must be that one, else whichever is active.
    model_set = models.ForeignKey(
        ModelSet, models.PROTECT, null=True, blank=True, related_name="classifications", verbose_name=_("model set")
    )
    operation = models.ForeignKey(
        Operation, models.SET_NULL, null=True, blank=True, related_name="classifications", verbose_name=_("operation")
    )
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.QUEUED)
    # "image:purpose" while the job is open, NULL after: a unique index that lets only one open job through. Shadow
    # jobs add their operation: candidates do not wait for each other.
    open_key = models.CharField(max_length=40, null=True, unique=True, editable=False)  # noqa: DJ001 - unique, and only NULLs don't collide
    # People drew boxes: only these are described, no garments are looked for, and those found before still count.
    drawn_only = models.BooleanField(_("only boxes that people drew"), default=False, db_default=False, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_token = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    error_code = models.CharField(_("error"), max_length=40, blank=True, choices=Error.choices)
    error_message = models.CharField(_("error in detail"), max_length=500, blank=True)
    timings = models.JSONField(_("timings (ms)"), default=dict)
    # Counted when it is done, because garments are pruned later. NULL: not done, or pruned before they were counted.
    garments_found = models.PositiveIntegerField(_("garments found"), null=True, blank=True, editable=False)
    queued_at = models.DateTimeField(_("queued"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    applied_at = models.DateTimeField(_("applied"), null=True, blank=True)

    class Meta:
        verbose_name = _("classification")
        verbose_name_plural = _("classifications")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=("queued", "running"), open_key__isnull=False)
                | Q(state__in=("done", "failed", "cancelled"), open_key=None),
                name="classification_open_key",
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=("live", "shadow", "ad_hoc")), name="classification_purpose"
            ),
            models.UniqueConstraint(fields=("operation", "image"), name="classification_operation_once"),
        )
        indexes = (
            models.Index(fields=("state", "priority", "turn", "id"), name="classification_turns"),
            models.Index(fields=("merchant", "state", "priority", "turn"), name="classification_merchant"),
            models.Index(fields=("merchant", "purpose", "-id"), name="classification_of_merchant"),
            models.Index(fields=("state", "lease_until"), name="classification_lease"),
            models.Index(fields=("image", "purpose", "-id"), name="classification_image"),
            models.Index(fields=("finished_at",), name="classification_finished"),
            models.Index(fields=("queued_at",), name="classification_queued_at"),
            models.Index(fields=("error_code",), name="classification_error"),
            models.Index(fields=("operation", "state"), name="classification_operation"),
            # What was never applied: shadow jobs never are, and must not be read again and again.
            models.Index(fields=("purpose", "applied_at", "state", "finished_at"), name="classification_unapplied"),
        )

    def __str__(self) -> str:
        return f"{self.image}: {self.get_state_display()}"


class Chore(models.Model):
    """Work that one worker at a time does now and then: its lease, and how far it is. See classifier.jobs.chores."""

    name = models.CharField(max_length=40, unique=True)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    # The last job that was looked at, in the order in which jobs were finished.
    done_until = models.DateTimeField(null=True, blank=True)
    done_id = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()  # no page shows it

    def __str__(self) -> str:
        return self.name
