"""Webhooks of all merchants, and what was sent to them: for staff who help where something does not arrive."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import MerchantData, ReadOnlyAdmin, admin_actor
from core.admin.base import coloured, dialog, link_to
from core.admin.newest_first import KeyFilter, NewestFirst
from core.admin.theme import Dialog, action, display
from webhooks import services
from webhooks.delivery import body_of
from webhooks.models import Delivery, Endpoint

State = Delivery.State
_COLOURS = {State.PENDING.label: "info", State.DELIVERED.label: "success", State.FAILED.label: "danger"}


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin[Endpoint], MerchantData[Endpoint]):
    """Owners and keys make and change them; staff switch them on and off, and send tests."""

    list_display = ("__str__", "merchant", "is_active", "off_reason", "failing_since", "last_delivered_at")
    list_filter = ("is_active", "off_reason", ("merchant", KeyFilter))
    list_select_related = ("merchant",)
    search_fields = ("public_id", "url", "description", "merchant__name")
    fields = (
        "public_id",
        "merchant",
        "url",
        "description",
        "told_of",
        "is_active",
        "off_reason",
        "failures",
        "failing_since",
        "paused_until",
        "last_delivered_at",
        "previous_until",
        "created_at",
    )
    actions_detail = ("switch_on", "switch_off", "send_test")

    @display(description=_("events"))
    def told_of(self, endpoint: Endpoint) -> str:
        """What it is told of."""
        return ", ".join(endpoint.types_in_words) or str(_("all"))

    def _may(self, request: HttpRequest, object_id: str | None, **state: bool) -> bool:
        if not self.has_view_permission(request) or not request.user.has_perm("webhooks.change_endpoint"):
            return False
        return object_id is None or Endpoint.objects.filter(pk=object_id, **state).exists()

    def has_switch_on_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Of what is off; the service asks again."""
        return self._may(request, object_id, is_active=False)

    def has_switch_off_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Of what is on; the service asks again."""
        return self._may(request, object_id, is_active=True)

    def _switch(self, request: HttpRequest, object_id: str, done: Any, *, on: bool) -> HttpResponse:
        actor = admin_actor(request)
        self.each(
            request,
            self.get_queryset(request).filter(pk=object_id),
            lambda endpoint: services.change_endpoint(actor=actor, endpoint=endpoint, is_active=on),
            done,
        )
        return self.back_to(object_id)

    @action(
        description=_("Switch on"),
        permissions=["switch_on"],
        icon="power",
        dialog=dialog(_("Switch this webhook on?"), _("What happens from now on is sent to it."), _("Switch on")),
    )
    def switch_on(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Let it be sent to again."""
        return self._switch(request, object_id, _("%(count)d switched on."), on=True)

    @action(
        description=_("Switch off"),
        permissions=["switch_off"],
        icon="power_off",
        dialog=dialog(_("Switch this webhook off?"), _("What waits for it is given up."), _("Switch off")),
    )
    def switch_off(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Send it nothing any more."""
        return self._switch(request, object_id, _("%(count)d switched off."), on=False)

    @action(
        description=_("Send a test"),
        permissions=["switch_off"],
        icon="send",
        dialog=dialog(_("Send a test?"), _("The webhook gets an event of the kind webhook.test."), _("Send a test")),
    )
    def send_test(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Send it an event that says nothing."""
        actor = admin_actor(request)
        self.each(
            request,
            self.get_queryset(request).filter(pk=object_id),
            lambda endpoint: services.send_test(actor=actor, endpoint=endpoint),
            _("%(count)d sent."),
        )
        return self.back_to(object_id)


@admin.register(Delivery)
class DeliveryAdmin(NewestFirst[Delivery], ReadOnlyAdmin[Delivery], MerchantData[Delivery]):
    """What was sent, and what was answered."""

    list_display = (
        "created_at",
        "event",
        "of_endpoint",
        "subject",
        "shown_state",
        "attempts",
        "answer",
        "next_attempt",
    )
    list_filter = (("endpoint", KeyFilter), "state")
    list_select_related = ("event", "endpoint")
    search_fields = ("public_id", "subject", "endpoint__url")
    fields = (
        "public_id",
        "event",
        "of_endpoint",
        "subject",
        "shown_state",
        "attempts",
        "next_attempt",
        "until",
        "created_at",
        "finished_at",
        "body",
        "all_answers",
    )
    actions_detail = ("replay",)

    @display(description=_("webhook"))
    def of_endpoint(self, delivery: Delivery) -> str:
        """To which it goes."""
        return link_to(delivery.endpoint)

    @display(description=_("state"), label=coloured(_COLOURS))
    def shown_state(self, delivery: Delivery) -> str:
        """Where it is."""
        return delivery.get_state_display()

    @display(description=_("answer"))
    def answer(self, delivery: Delivery) -> str:
        """What came of the last attempt."""
        return delivery.last_answer_in_words or "–"

    @display(description=_("next attempt"))
    def next_attempt(self, delivery: Delivery) -> datetime | None:
        """When it is tried again; nothing where it is not."""
        return delivery.next_at if delivery.state == State.PENDING else None

    @display(description=_("body"))
    def body(self, delivery: Delivery) -> str:
        """What is sent."""
        return format_html("<pre>{}</pre>", json.dumps(json.loads(body_of(delivery)), indent=2, ensure_ascii=False))

    @display(description=_("answers"))
    def all_answers(self, delivery: Delivery) -> str:
        """What came of the last attempts."""
        return format_html("<pre>{}</pre>", json.dumps(delivery.answers, indent=2, ensure_ascii=False))

    def has_replay_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Of what no longer waits, at a webhook that is on; the service asks again."""
        if not self.has_view_permission(request) or not request.user.has_perm("webhooks.change_endpoint"):
            return False
        ended = Delivery.objects.exclude(state=State.PENDING).filter(endpoint__is_active=True)
        return object_id is None or ended.filter(pk=object_id).exists()

    @action(
        description=_("Send again"),
        permissions=["replay"],
        icon="replay",
        dialog=dialog(_("Send it again?"), _("The receiver gets the same message once more."), _("Send again")),
    )
    def replay(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Send it once more."""
        actor = admin_actor(request)
        rows: QuerySet[Delivery] = self.get_queryset(request).filter(pk=object_id).select_related("endpoint")
        self.each(
            request, rows, lambda delivery: services.replay(actor=actor, delivery=delivery), _("%(count)d sent again.")
        )
        return self.back_to(object_id)
