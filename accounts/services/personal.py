"""What is stored about a person: handing it out, and erasing it.

Other applications say what they have with `provide`. Decisions and the audit trail stay, with a number in place of the
person: merchants and models rest on them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import AuditEvent, Invitation, Membership, Merchant, User
from accounts.services.audit import record
from core.db import atomic
from core.errors import Conflict, Forbidden

# Of somebody who did not prove to be the person: they are about the account, and nobody is their author.
FAILED_ATTEMPTS = ("user.login_failed", "user.login_blocked", "user.second_step_failed")
_ERASED_HOST = "erased.invalid"  # no mail can ever go there


@dataclass(frozen=True, slots=True)
class _Part:
    export: Callable[[User], Any]
    erase: Callable[[User], None]


_parts: dict[str, _Part] = {}


def provide(name: str, export: Callable[[User], Any], erase: Callable[[User], None]) -> None:
    """Say what another application stores about people; for `AppConfig.ready`.

    Args:
        name: the key in the exported file.
        export: returns what JSON can hold.
        erase: deletes what is the person's alone, within the transaction that erases them.
    """
    _parts[name] = _Part(export, erase)


def export_person(user: User) -> dict[str, Any]:
    """Return everything that is stored about a person, for a JSON file. No secrets: neither password nor keys."""
    return {
        "account": {
            "email": user.email,
            "name": user.name,
            "language": user.language,
            "joined": user.date_joined.isoformat(),
            "last_login": user.last_login.isoformat() if user.last_login else None,
        },
        "addresses": [
            {"email": address.email, "confirmed": address.verified}
            for address in EmailAddress.objects.filter(user=user).order_by("pk")
        ],
        "second_steps": [
            {"kind": step.type, "added": step.created_at.isoformat()}
            for step in Authenticator.objects.filter(user=user).order_by("pk")
        ],
        "devices": [
            {"address": one.ip, "browser": one.user_agent, "logged_in": one.created_at.isoformat()}
            for one in UserSession.objects.filter(user=user).order_by("pk")
        ],
        "merchants": [
            {"merchant": one.merchant.name, "role": one.role, "since": one.created_at.isoformat()}
            for one in user.memberships.select_related("merchant").order_by("pk")
        ],
        "activity": [
            {"time": at.isoformat(), "action": action, "subject": subject, "number": number, "merchant": merchant}
            for at, action, subject, number, merchant in AuditEvent.objects.filter(user=user)
            .order_by("pk")
            .values_list("created_at", "action", "subject_type", "subject_id", "merchant__name")
            .iterator(2000)
        ],
        "attempts": [
            {"time": at.isoformat(), "action": action, "address": details.get("address", "")}
            for at, action, details in AuditEvent.objects.filter(
                user=None, subject_type="user", subject_id=str(user.pk), action__in=FAILED_ATTEMPTS
            )
            .order_by("pk")
            .values_list("created_at", "action", "details")
        ],
        **{name: part.export(user) for name, part in _parts.items()},
    }


def owned_alone(user: User) -> list[str]:
    """Return the names of the merchants that would be left without an owner."""
    names = []
    for membership in user.memberships.filter(role=Membership.Role.OWNER, merchant__is_active=True).select_related(
        "merchant"
    ):
        owners = membership.merchant.memberships.filter(role=Membership.Role.OWNER, user__is_active=True)
        if not owners.exclude(user=user).exists():
            names.append(membership.merchant.name)
    return names


def _without(said: Any, user: User, *, own: bool) -> Any:
    """Put a number in the place of the person in what the trail keeps.

    A person chooses their name: it may be a word that the trail says of others. So it is only replaced where the trail
    names people, as what something is about or before the ` · ` of a membership. An e-mail is only theirs.

    Args:
        said: texts, in lists and by keys.
        user: the person.
        own: whether it is about the person themselves.
    """
    if isinstance(said, dict):
        return {key: _without(one, user, own=own) for key, one in said.items()}
    if isinstance(said, list):
        return [_without(one, user, own=own) for one in said]
    if not isinstance(said, str):
        return said
    number = f"#{user.pk}"
    for name in {user.name, str(user)} - {""}:
        if (own and said == name) or said.startswith(f"{name} · "):
            said = number + said.removeprefix(name)
    return re.sub(rf"(?<![\w.+-]){re.escape(user.email)}(?![\w-])", number, said)


def _forget_in_trail(user: User, merchants: list[int]) -> None:
    """Replace e-mail and name where the admin's forms wrote them: in lines about the person or their merchants.

    Lines about the person lose the address that they, or who tried to be them, came from.
    """
    about = Q(subject_type="user", subject_id=str(user.pk)) | Q(
        subject_type__in=("merchant", "membership"), merchant__in=merchants
    )
    if merchants:
        about |= Q(subject_type="merchant", subject_id__in=[str(pk) for pk in merchants])
    for event in AuditEvent.objects.filter(about).exclude(details={}).iterator(500):
        own = event.subject_type == "user"
        details = _without(event.details, user, own=own)
        if own:
            details.pop("address", None)
        if details != event.details:
            AuditEvent.objects.filter(pk=event.pk).update(details=details)
    users = ContentType.objects.get_for_model(User)
    LogEntry.objects.filter(content_type=users, object_id=str(user.pk)).update(
        object_repr=f"#{user.pk}", change_message=""
    )
    of_merchants = ContentType.objects.get_by_natural_key("accounts", "merchant")
    for entry in LogEntry.objects.filter(content_type=of_merchants, object_id__in=[str(pk) for pk in merchants]):
        message = _logged_without(entry.change_message, user)
        if message != entry.change_message:
            LogEntry.objects.filter(pk=entry.pk).update(change_message=message)


def _logged_without(message: str, user: User) -> str:
    """The same of a message of Django's log: JSON, or a text."""
    try:
        said = json.loads(message)
    except ValueError:
        return str(_without(message, user, own=False))
    without = _without(said, user, own=False)
    return message if without == said else json.dumps(without)


def _may_erase(actor: Actor, user: User) -> bool:
    if actor.is_system or (actor.user is not None and actor.user.pk == user.pk):
        return True
    if not actor.sees_all_merchants or actor.user is None or not actor.user.has_perm("accounts.change_user"):
        return False
    return actor.user.is_superuser or not (user.is_staff or user.is_superuser)


@atomic
def erase_person(*, actor: Actor, user: User) -> None:
    """Erase a person for good: what they decided stays, by a number instead of a name.

    Raises:
        Forbidden: the actor is neither the person nor an administrator who may change them.
        Conflict: `last_owner` of a merchant, which must be handed over or closed before; `last_superuser`; `erased`.
    """
    if not _may_erase(actor, user):
        raise Forbidden("forbidden", _("You may not erase this person."))
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.erased_at is not None:
        raise Conflict("erased", _("This person is erased already."))
    # Two owners who are erased at once must not leave a merchant without one: members change under these locks, too.
    list(Merchant.objects.select_for_update().filter(memberships__user=user).order_by("pk"))
    alone = owned_alone(user)
    if alone:
        sentence = _("Nobody else owns %(merchants)s. Make somebody else an owner, or close the shop, first.")
        raise Conflict("last_owner", sentence, {"merchants": ", ".join(alone)})
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    if user.is_superuser and not others.exists():
        raise Conflict("last_superuser", _("There is no other administrator with all permissions."))
    worked_in = AuditEvent.objects.filter(user=user).exclude(merchant=None).order_by()
    merchants = {*user.memberships.values_list("merchant", flat=True), *worked_in.values_list("merchant", flat=True)}
    _forget_in_trail(user, sorted(pk for pk in merchants if pk is not None))
    for part in _parts.values():
        part.erase(user)
    Invitation.objects.filter(accepted_by=user).delete()
    Invitation.objects.filter(open_key__endswith=f":{user.email_key}").delete()
    user.memberships.all().delete()
    Authenticator.objects.filter(user=user).delete()
    EmailAddress.objects.filter(user=user).delete()
    for session in UserSession.objects.filter(user=user):
        session.end()
    user.groups.clear()
    user.user_permissions.clear()
    user.email, user.name, user.last_login = f"{user.pk}@{_ERASED_HOST}", "", None
    user.is_active = user.is_staff = user.is_superuser = False
    user.erased_at = timezone.now()
    user.is_unconfirmed = True  # no address is to be kept
    user.set_unusable_password()
    user.save()
    record(actor=actor, action="user.erase", subject_type="user", subject_id=str(user.pk), merchant_id=None)
