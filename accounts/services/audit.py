"""The audit trail: who changed what, through which channel."""

from typing import Any

from accounts.actors import Actor
from accounts.models import AuditEvent


def event_of(
    *, actor: Actor, action: str, subject_type: str, subject_id: str, merchant_id: int | None, **details: Any
) -> AuditEvent:
    """Return one line of the audit trail, not stored yet."""
    return AuditEvent(
        merchant_id=merchant_id,
        user=actor.user,
        api_key=actor.api_key,
        impersonator=actor.impersonator,
        channel=actor.channel,
        action=action,
        subject_type=subject_type,
        subject_id=subject_id,
        details=details,
    )


def record(
    *, actor: Actor, action: str, subject_type: str, subject_id: str, merchant_id: int | None, **details: Any
) -> AuditEvent:
    """Append one line to the audit trail, within the caller's transaction."""
    event = event_of(
        actor=actor,
        action=action,
        subject_type=subject_type,
        subject_id=subject_id,
        merchant_id=merchant_id,
        **details,
    )
    event.save()
    return event
