"""Long operations."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.audit_labels import operation_label
from accounts.models.keys import ApiKey
from accounts.models.merchants import Merchant
from accounts.models.users import User
from core.ids import PUBLIC_ID_LENGTH, public_id


class Operation(models.Model):
    """A long job with progress that people can watch, pause and cancel."""

    class State(models.TextChoices):
        """Where the job is."""

        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    public_id = models.CharField(
        _("number"), max_length=PUBLIC_ID_LENGTH, unique=True, default=public_id, editable=False
    )
    kind = models.CharField(_("kind"), max_length=40)
    merchant = models.ForeignKey(
        Merchant, models.CASCADE, null=True, blank=True, related_name="operations", verbose_name=_("merchant")
    )
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    api_key = models.ForeignKey(
        ApiKey, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("API key")
    )
    impersonator = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("impersonator")
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    parameters = models.JSONField(_("parameters"), default=dict)
    total = models.PositiveIntegerField(_("total"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    error = models.TextField(_("error"), blank=True)
    result_file = models.CharField(max_length=200, blank=True)
    # What it does while it has not ended, NULL after: a unique index that lets the same be open only once.
    open_key = models.CharField(max_length=80, null=True, unique=True, editable=False)  # noqa: DJ001 - unique, and only NULLs don't collide
    # For work that one process does as a whole: the process with the token renews the lease, by the database's clock.
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, editable=False)
    lease_token = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("merchant", "-id"), name="operation_merchant"),
            # Workers look every few seconds for those that are alive, and hourly for files: few of all that ever were.
            models.Index(fields=("state",), name="operation_state_id"),
            models.Index(fields=("result_file",), name="operation_result_file"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=("queued", "running", "paused", "done", "failed", "cancelled")),
                name="operation_state",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("queued", "running", "paused")) | Q(open_key=None), name="operation_open_key"
            ),
        )

    def __str__(self) -> str:
        kind, name = operation_label(self.kind), self.parameters.get("name", "")
        return f"{kind}: {name}" if name else kind

    @property
    def started_by(self) -> User | ApiKey | None:
        """The person or key that started it; None if they are gone, or nobody did."""
        return self.api_key or self.created_by
