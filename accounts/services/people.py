"""What people change about themselves."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import User
from accounts.services.audit import record
from core.db import atomic
from core.errors import Invalid
from core.text import require_name_length, tidied


@atomic
def change_password(*, user: User, password: str) -> None:
    """Give a person the password that they chose in the portal; the form has checked it."""
    user.set_password(password)
    user.save(update_fields=["password"])
    actor = Actor(channel=Channel.PORTAL, user=user)
    record(actor=actor, action="user.password", subject_type="user", subject_id=str(user.pk), merchant_id=None)


@atomic
def change_profile(*, user: User, name: str, language: str) -> None:
    """Store what a person is called and reads. Raises Invalid `name_too_long`, `bad_language`."""
    name = tidied(name)
    require_name_length(name, 100)
    if language not in dict(settings.LANGUAGES):
        raise Invalid("bad_language", _("There is no such language."))
    user.name, user.language = name, language
    user.save(update_fields=["name", "language"])
    actor = Actor(channel=Channel.PORTAL, user=user)
    record(actor=actor, action="user.profile", subject_type="user", subject_id=str(user.pk), merchant_id=None)
