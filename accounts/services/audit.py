"""The audit trail: who changed what, through which channel."""

from typing import Any

from accounts.actors import Actor
from accounts.models import AuditEvent


def record(
    *, actor: Actor, action: str, subject_type: str, subject_id: str, merchant_id: int | None, **details: Any
) -> AuditEvent:
    """Append one line to the audit trail, within the caller's transaction."""
    return AuditEvent.objects.create(
        merchant_id=merchant_id,
        user=actor.user,
        api_key=actor.api_key,
        channel=actor.channel,
        action=action,
        subject_type=subject_type,
        subject_id=subject_id,
        details=details,
    )
