"""What owners and keys do with a merchant's webhooks."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import Merchant
from accounts.services import record
from core.db import atomic
from core.errors import Conflict, Forbidden, Gone, Invalid
from core.outgoing import check_url
from core.text import require_name_length, tidied
from webhooks import events
from webhooks.models import SUBSCRIBABLE, Delivery, Endpoint, EventType
from webhooks.signing import new_secret

MOST_ENDPOINTS = 10
DESCRIPTION_LENGTH = 100
OVERLAP_HOURS = 24
MOST_OVERLAP_HOURS = 7 * 24

State = Delivery.State


def _owners_only() -> Forbidden:
    return Forbidden("forbidden", _("Only an owner of the shop may manage its webhooks."))


def require_look(actor: Actor, merchant_id: int) -> None:
    """Raise Forbidden unless the actor may see the merchant's webhooks: one of its keys, an owner, or staff."""
    actor.require_self()
    of_key = actor.api_key is not None and actor.api_key.merchant_id == merchant_id
    if not (of_key or actor.can_manage(merchant_id, "webhooks.view_endpoint")):
        raise _owners_only()


def require_manage(actor: Actor, merchant_id: int) -> None:
    """Raise Forbidden unless the actor may change them: a key that may write, an owner, or staff."""
    actor.require_self()
    if actor.api_key is not None:
        actor.require_edit(merchant_id)
    elif not actor.can_manage(merchant_id, "webhooks.change_endpoint"):
        raise _owners_only()


def _record(actor: Actor, action: str, endpoint: Endpoint, **details: object) -> None:
    record(
        actor=actor,
        action=action,
        subject_type="endpoint",
        subject_id=endpoint.public_id,
        merchant_id=endpoint.merchant_id,
        **details,
    )


def _checked_types(types: Collection[str]) -> list[str]:
    unknown = sorted(set(types) - set(SUBSCRIBABLE))
    if unknown:
        raise Invalid("unknown_event", _("There is no event “%(event)s”."), {"event": unknown[0][:40]})
    return [str(kind) for kind in SUBSCRIBABLE if kind in types]


def _checked_description(description: str) -> str:
    description = tidied(description)
    require_name_length(description, DESCRIPTION_LENGTH)
    return description


def _locked(endpoint: Endpoint) -> Endpoint:
    locked = Endpoint.objects.select_for_update().filter(pk=endpoint.pk).first()
    if locked is None:
        raise Gone("not_found", _("This webhook was deleted meanwhile."))
    return locked


@atomic
def create_endpoint(
    *,
    actor: Actor,
    merchant: Merchant,
    url: str,
    description: str = "",
    types: Collection[str] = (),
    seen: str | None = None,
) -> Endpoint:
    """Add an endpoint; its secret is to be shown once.

    Args:
        actor: who adds it.
        merchant: whose events it gets.
        url: http or https.
        description: for people.
        types: of events; none for all.
        seen: the newest endpoint's public id as the caller saw it, "" for none. A form that is sent twice must not add
            the same address twice; None does not look.

    Raises:
        Forbidden: the actor may not.
        Invalid: as `core.outgoing.check_url`; `unknown_event`, `name_too_long`.
        Conflict: `too_many_endpoints`, `added_meanwhile`.
    """
    require_manage(actor, merchant.pk)
    url, kinds, description = check_url(url), _checked_types(types), _checked_description(description)
    Merchant.objects.select_for_update().get(pk=merchant.pk)  # so that nobody counts beside this
    newest = Endpoint.objects.filter(merchant=merchant).order_by("pk").last()
    if seen is not None and newest is not None and newest.public_id != seen and newest.url == url:
        raise Conflict(
            "added_meanwhile", _("A webhook with this address was added meanwhile. Its secret is replaced on its page.")
        )
    if Endpoint.objects.filter(merchant=merchant).count() >= MOST_ENDPOINTS:
        raise Conflict(
            "too_many_endpoints",
            _("A shop has at most %(count)d webhooks. Delete one that is not needed."),
            {"count": MOST_ENDPOINTS},
        )
    endpoint = Endpoint.objects.create(
        merchant=merchant, url=url, description=description, types=kinds, secret=new_secret(), created_by=actor.user
    )
    _record(actor, "endpoint.create", endpoint, url=url)
    return endpoint


@atomic
def change_endpoint(
    *,
    actor: Actor,
    endpoint: Endpoint,
    url: str | None = None,
    description: str | None = None,
    types: Collection[str] | None = None,
    is_active: bool | None = None,
) -> Endpoint:
    """Change what is given of an endpoint; None leaves it. Raises as `create_endpoint`, and Gone."""
    require_manage(actor, endpoint.merchant_id)
    endpoint = _locked(endpoint)
    before = {"url": endpoint.url, "types": endpoint.types, "is_active": endpoint.is_active}
    if url is not None:
        endpoint.url = check_url(url)
    if description is not None:
        endpoint.description = _checked_description(description)
    if types is not None:
        endpoint.types = _checked_types(types)
    if is_active is not None and is_active != endpoint.is_active:
        endpoint.is_active = is_active
        endpoint.off_reason = Endpoint.OffReason.NONE if is_active else Endpoint.OffReason.PERSON
    if is_active or endpoint.url != before["url"]:  # how the one before answered says nothing of this one
        endpoint.failures, endpoint.failing_since, endpoint.paused_until = 0, None, None
    endpoint.save()
    if before["is_active"] and not endpoint.is_active:
        give_up(endpoint)
    after = {"url": endpoint.url, "types": endpoint.types, "is_active": endpoint.is_active}
    names = [name for name in after if after[name] != before[name]]
    _record(
        actor,
        "endpoint.change",
        endpoint,
        before={name: before[name] for name in names},
        after={name: after[name] for name in names},
    )
    return endpoint


def switched_off(merchant: Merchant) -> list[Endpoint]:
    """Return the merchant's endpoints that the site itself switched off: somebody should know."""
    reasons = (Endpoint.OffReason.FAILING, Endpoint.OffReason.GONE)
    return list(Endpoint.objects.filter(merchant=merchant, is_active=False, off_reason__in=reasons).order_by("pk"))


def give_up(endpoint: Endpoint) -> None:
    """End what waits for an endpoint that is switched off; it can be replayed."""
    waiting = Delivery.objects.filter(endpoint=endpoint, state=State.PENDING)
    waiting.update(state=State.FAILED, finished_at=timezone.now())


@atomic
def delete_endpoint(*, actor: Actor, endpoint: Endpoint) -> None:
    """Delete an endpoint with the list of its deliveries. Idempotent. Raises Forbidden."""
    require_manage(actor, endpoint.merchant_id)
    if Endpoint.objects.select_for_update().filter(pk=endpoint.pk).exists():
        _record(actor, "endpoint.delete", endpoint, url=endpoint.url)
        Endpoint.objects.filter(pk=endpoint.pk).delete()


@atomic
def rotate_secret(
    *, actor: Actor, endpoint: Endpoint, overlap_hours: int = OVERLAP_HOURS, seen: str | None = None
) -> Endpoint:
    """Give an endpoint another secret; for some hours both sign, so that nothing is refused while it is put in.

    Args:
        actor: an owner, or a key that may write.
        endpoint: whose secret is replaced.
        overlap_hours: for how long the secret that it has now signs too; one from before that ends at once.
        seen: the endpoint's `rotation` as the caller saw it. A form that is sent twice must not replace the secret
            that the first one has shown; None does not look.

    Raises:
        Forbidden: the actor may not.
        Gone: it was deleted.
        Invalid: `overlap`.
        Conflict: `rotated_meanwhile`.
    """
    require_manage(actor, endpoint.merchant_id)
    if not 0 <= overlap_hours <= MOST_OVERLAP_HOURS:
        raise Invalid(
            "overlap",
            _("The secret before can stay good for at most %(hours)d hours."),
            {"hours": MOST_OVERLAP_HOURS},
        )
    endpoint = _locked(endpoint)
    if seen is not None and seen != endpoint.rotation:
        raise Conflict(
            "rotated_meanwhile", _("The secret of this webhook was replaced meanwhile. Look at the webhook again.")
        )
    endpoint.previous_secret = endpoint.secret if overlap_hours else ""
    endpoint.previous_until = timezone.now() + timedelta(hours=overlap_hours) if overlap_hours else None
    endpoint.secret = new_secret()
    endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
    _record(actor, "endpoint.rotate", endpoint, overlap_hours=overlap_hours)
    return endpoint


def _require_on(endpoint: Endpoint) -> None:
    if not endpoint.is_active:
        raise Conflict("endpoint_off", _("This webhook is switched off. Switch it on first."))


@atomic
def send_test(*, actor: Actor, endpoint: Endpoint) -> Delivery:
    """Send an endpoint a test. Raises Forbidden, Gone, and Conflict `endpoint_off`."""
    require_manage(actor, endpoint.merchant_id)
    endpoint = _locked(endpoint)
    _require_on(endpoint)
    told = events.Told(EventType.TEST, {"webhook": endpoint.public_id})
    events.add(told, [endpoint], endpoint.merchant_id)
    _try_at_once(endpoint)
    # A bulk insert says no ids on MySQL; another test may come later, never before.
    return Delivery.objects.select_related("event").filter(endpoint=endpoint, event__type=EventType.TEST).latest("pk")


@atomic
def replay(*, actor: Actor, delivery: Delivery) -> Delivery:
    """Send once more what was delivered or given up, for a day from now on. Idempotent while it waits.

    Raises:
        Forbidden: the actor may not.
        Gone: the webhook was deleted.
        Conflict: `endpoint_off`.
    """
    require_manage(actor, delivery.endpoint.merchant_id)
    endpoint = _locked(delivery.endpoint)
    _require_on(endpoint)
    now = timezone.now()
    again = Delivery.objects.filter(pk=delivery.pk).exclude(state=State.PENDING)
    if again.update(state=State.PENDING, next_at=now, until=now + events.TRIED_FOR, attempts=0, finished_at=None):
        _record(actor, "endpoint.replay", endpoint, delivery=delivery.public_id)
    _try_at_once(endpoint)
    return Delivery.objects.select_related("event", "endpoint").get(pk=delivery.pk)


def _try_at_once(endpoint: Endpoint) -> None:
    """Somebody waits for the outcome, so the endpoint is no longer left alone."""
    Endpoint.objects.filter(pk=endpoint.pk).update(paused_until=None)
