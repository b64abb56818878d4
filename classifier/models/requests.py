"""Requests to look at images that nobody stores."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Merchant
from core.clock import database_now
from core.ids import public_id

SPOOL = "spool"
"""The folder of the storage that holds the files until they were looked at."""


def end_of_request() -> Any:
    """When a request that comes in now is forgotten, with all that belongs to it; by the database's clock (a query)."""
    return database_now() + timedelta(seconds=settings.OTJANG_CLASSIFY_KEEP_SECONDS)


class ClassifyRequest(models.Model):
    """Some images that a program asks about without a product, and what was found in them.

    It is there for minutes only. The files lie in the spool until they were looked at; `results` has an entry for each
    of them, which is null until then.
    """

    class State(models.TextChoices):
        """Where the request is."""

        RECEIVING = "receiving", _("being received")
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    class Error(models.TextChoices):
        """Why a request waits longer or failed."""

        MODEL_NOT_AVAILABLE = "model_not_available", _("The models are not available at the moment.")
        STORAGE = "storage_unavailable", _("The storage does not answer at the moment.")
        FILE_MISSING = "file_missing", _("A photo was lost before it could be looked at. Send it again.")
        GAVE_UP = "gave_up", _("Looking at the photos broke off several times and was given up.")

    public_id = models.CharField(max_length=20, unique=True, default=public_id, editable=False)
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+", db_index=False)
    state = models.CharField(max_length=9, choices=State.choices, default=State.RECEIVING)
    # As in the queue of images: merchants take turns, whatever number of requests each has.
    turn = models.PositiveBigIntegerField(default=0)
    names = models.JSONField(default=list)
    results = models.JSONField(default=list)
    attempts = models.PositiveSmallIntegerField(default=0)  # at the images that are next
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=40, blank=True, choices=Error.choices)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(default=end_of_request)

    class Meta:
        default_permissions = ()  # no page shows it
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=("receiving", "queued", "running", "done", "failed")),
                name="classify_request_state",
            ),
        )
        indexes = (
            models.Index(fields=("state", "turn", "id"), name="classify_request_turns"),
            models.Index(fields=("merchant", "state", "turn"), name="classify_request_merchant"),
            models.Index(fields=("expires_at",), name="classify_request_expires"),
        )

    def __str__(self) -> str:
        return self.public_id

    @property
    def folder(self) -> str:
        """Where its files are in the storage."""
        return f"{SPOOL}/{self.public_id}"

    def path(self, place: int) -> str:
        """Where one of its files is in the storage.

        Args:
            place: of the file among those that were sent, from 0.
        """
        return f"{self.folder}/{place}"

    @property
    def done(self) -> int:
        """How many of its files are dealt with."""
        return sum(result is not None for result in self.results)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state in {self.State.DONE, self.State.FAILED}
