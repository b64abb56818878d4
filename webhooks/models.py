"""Endpoints of merchants, what happened that they are told of, and each telling."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Merchant
from core.ids import PUBLIC_ID_LENGTH, public_id
from core.outgoing import MOST_CHARACTERS
from core.outgoing import SENTENCES as WHY_NO_ANSWER


class EventType(models.TextChoices):
    """What endpoints can be told of."""

    PRODUCT_CLASSIFIED = "product.classified", _("a product was classified")
    PRODUCT_DECIDED = "product.decided", _("values of a product were decided")
    PRODUCT_PUBLISHED = "product.published", _("a product was published")
    CLASSIFICATION_FAILED = "classification.failed", _("a photo could not be classified")
    MODEL_PROMOTED = "model.promoted", _("other models serve")
    TEST = "webhook.test", _("a test")


SUBSCRIBABLE = [kind for kind in EventType if kind != EventType.TEST]
"""What an endpoint can choose; a test comes to whichever it is sent to."""
SUBSCRIBABLE_CHOICES = [(str(kind), kind.label) for kind in SUBSCRIBABLE]


class Endpoint(models.Model):
    """An address of a merchant that events are sent to, and how it has answered lately."""

    class OffReason(models.TextChoices):
        """Why it is switched off."""

        NONE = "", _("it is on")
        PERSON = "person", _("somebody switched it off")
        FAILING = "failing", _("it kept failing")
        GONE = "gone", _("it answered that it is gone")

    public_id = models.CharField(
        _("number"), max_length=PUBLIC_ID_LENGTH, unique=True, default=public_id, editable=False
    )
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="webhook_endpoints", verbose_name=_("merchant"))
    url = models.CharField(_("address"), max_length=MOST_CHARACTERS)
    description = models.CharField(_("description"), max_length=100, blank=True)
    types = models.JSONField(_("events"), default=list, help_text=_("None: all of them."))
    # Both sign while one takes the other's place. A signature needs the secret itself: a hash would not do.
    secret = models.CharField(max_length=80, editable=False)
    previous_secret = models.CharField(max_length=80, blank=True, editable=False)
    previous_until = models.DateTimeField(_("the secret before is good until"), null=True, blank=True, editable=False)
    is_active = models.BooleanField(_("on"), default=True)
    off_reason = models.CharField(
        _("why it is off"), max_length=10, choices=OffReason.choices, default=OffReason.NONE, blank=True
    )
    # Since it last took something: calls that failed, since when, and until when it is left alone.
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    paused_until = models.DateTimeField(_("left alone until"), null=True, blank=True, editable=False)
    last_delivered_at = models.DateTimeField(_("last delivery"), null=True, blank=True, editable=False)
    # One thread of one worker sends to it at a time, in order.
    lease_token = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ("-id",)
        indexes = (models.Index(fields=("is_active", "lease_until"), name="endpoint_turn"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(is_active=True, off_reason="")
                | Q(is_active=False, off_reason__in=("person", "failing", "gone")),
                name="endpoint_off_reason",
            ),
        )

    def __str__(self) -> str:
        return self.description or self.url

    def wants(self, kind: str) -> bool:
        """Whether it is told of such events."""
        return not self.types or kind in self.types

    @property
    def types_in_words(self) -> list[str]:
        """What it is told of, for pages."""
        return [str(EventType(kind).label) for kind in self.types if kind in EventType.values]

    @property
    def rotation(self) -> str:
        """Which secret it is at: another text after each rotation, which tells nothing of the secret."""
        return hashlib.sha256(self.secret.encode()).hexdigest()[:16]

    @property
    def secrets(self) -> list[str]:
        """Those that sign now."""
        good = self.previous_until is not None and self.previous_until > timezone.now()
        return [self.secret, *([self.previous_secret] if good else [])]


class Event(models.Model):
    """Something that happened, written in the transaction in which it did."""

    public_id = models.CharField(
        _("number"), max_length=PUBLIC_ID_LENGTH, unique=True, default=public_id, editable=False
    )
    merchant = models.ForeignKey(
        Merchant, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("merchant")
    )
    type = models.CharField(_("event"), max_length=40, choices=EventType.choices)
    data = models.JSONField(_("data"), default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("-id",)
        default_permissions = ()  # who sees its deliveries sees it
        indexes = (models.Index(fields=("created_at",), name="event_created_at"),)

    def __str__(self) -> str:
        return str(self.get_type_display())

    @property
    def message_id(self) -> str:
        """The same for all attempts, by which a receiver knows what it has."""
        return f"msg_{self.public_id}"


class Delivery(models.Model):
    """That an endpoint is told of an event: how far that is, and what it answered."""

    class State(models.TextChoices):
        """Where the delivery is."""

        PENDING = "pending", _("waiting")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("given up")

    public_id = models.CharField(
        _("number"), max_length=PUBLIC_ID_LENGTH, unique=True, default=public_id, editable=False
    )
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="deliveries", verbose_name=_("webhook"))
    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries", verbose_name=_("event"))
    # Of one product an endpoint is told in order.
    subject = models.CharField(_("product"), max_length=PUBLIC_ID_LENGTH, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    until = models.DateTimeField(_("tried until"))
    # Of the last attempts: time, status, error, milliseconds, and how the answer began.
    answers = models.JSONField(_("answers"), default=list)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("endpoint", "state", "id"), name="delivery_due"),
            models.Index(fields=("endpoint", "state", "until"), name="delivery_until"),
            models.Index(fields=("endpoint", "subject", "state", "id"), name="delivery_subject"),
            models.Index(fields=("endpoint", "-id"), name="delivery_newest"),
        )
        constraints = (
            models.UniqueConstraint(fields=("event", "endpoint"), name="delivery_once"),
            models.CheckConstraint(condition=Q(state__in=("pending", "delivered", "failed")), name="delivery_state"),
        )

    def __str__(self) -> str:
        return f"{self.event} · {self.get_state_display()}"

    @property
    def last_answer(self) -> dict[str, Any] | None:
        """What came of the last attempt."""
        answers: list[dict[str, Any]] = self.answers
        return answers[-1] if answers else None

    @property
    def last_answer_in_words(self) -> str:
        """The same for pages: a status, or why there was none."""
        if (last := self.last_answer) is None:
            return ""
        return str(last["status"] or WHY_NO_ANSWER.get(last["error"], last["error"]))
