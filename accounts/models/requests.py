"""Requests that callers may send again, and the answers that they then get."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.merchants import Merchant


class IdempotentRequest(models.Model):
    """A request to the API that had an Idempotency-Key. Without a status it is carried out now, or was broken off."""

    # Of merchant, caller and key: whatever the database compares alike, two keys are two.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+", verbose_name=_("merchant"))
    # What was asked for: method, address, fields and contents of files.
    fingerprint = models.CharField(max_length=64, editable=False)
    # The process with the token carries it out; once the lease is over, by the database's clock, another one may.
    lease_token = models.CharField(max_length=32, editable=False)
    lease_until = models.DateTimeField(editable=False)
    status = models.PositiveSmallIntegerField(_("answer"), null=True, editable=False)
    headers: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict, editable=False)
    body = models.TextField(editable=False)
    expires_at = models.DateTimeField(_("kept until"), db_index=True, editable=False)

    class Meta:
        verbose_name = _("repeatable request")
        verbose_name_plural = _("repeatable requests")
        default_permissions = ()  # the answers are the callers'

    def __str__(self) -> str:
        return self.digest
