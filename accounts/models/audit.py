"""The audit trail."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.audit_labels import action_label, in_name_of
from accounts.channels import Channel
from accounts.models.keys import ApiKey
from accounts.models.merchants import Merchant
from accounts.models.users import User


class AuditEvent(models.Model):
    """Who did what to which thing, when and by which channel. Append-only."""

    merchant = models.ForeignKey(
        Merchant, models.CASCADE, null=True, blank=True, related_name="audit_events", verbose_name=_("merchant")
    )
    user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("user"))
    api_key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, blank=True, related_name="+")
    impersonator = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("impersonator")
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    action = models.CharField(_("action"), max_length=60)
    subject_type = models.CharField(_("subject"), max_length=40)
    subject_id = models.CharField(max_length=40)
    details = models.JSONField(_("details"), default=dict)
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("merchant", "-id"), name="audit_merchant"),
            models.Index(
                fields=("merchant", "action", "created_at", "user"), name="audit_work"
            ),  # counted without rows
            models.Index(fields=("subject_type", "subject_id", "-id"), name="audit_subject"),
            models.Index(fields=("action", "created_at"), name="audit_action"),  # of all merchants
            models.Index(fields=("created_at",), name="audit_created_at"),
            models.Index(fields=("channel",), name="audit_channel"),
        )

    def __str__(self) -> str:
        return action_label(self.action)

    @property
    def author(self) -> str:
        """Whom pages name: the person, who worked as them if somebody did, the key, or the system."""
        if self.user is not None:
            return in_name_of(self.user, self.impersonator)
        return self.api_key.name if self.api_key is not None else str(_("system"))
