"""What people change about themselves."""

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import User
from accounts.services.audit import record
from core.db import atomic


@atomic
def change_password(*, user: User, password: str) -> None:
    """Give a person the password that they chose in the portal; the form has checked it."""
    user.set_password(password)
    user.save(update_fields=["password"])
    actor = Actor(channel=Channel.PORTAL, user=user)
    record(actor=actor, action="user.password", subject_type="user", subject_id=str(user.pk), merchant_id=None)
