"""Who belongs to a merchant: invitations, roles, leaving, and handing the merchant over."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import AuditEvent, Invitation, Membership, Merchant, User
from accounts.services.audit import record
from core.db import atomic
from core.errors import Conflict, Forbidden, Gone, Invalid
from core.text import lookup_key

Role = Membership.Role
PERMISSION = "accounts.change_membership"
MOST_A_DAY = 50  # invitations of a merchant


def _lock(merchant_id: int) -> None:
    """One change of a merchant's members at a time: two owners must not leave at once."""
    Merchant.objects.select_for_update().get(pk=merchant_id)


def _lock_as_owner(actor: Actor, merchant_id: int) -> None:
    """The same for what is an owner's to do. Raises Forbidden if the actor is none by now: their turn may come late."""
    _lock(merchant_id)
    if actor.is_owner and not Membership.objects.filter(user=actor.user, merchant=merchant_id, role=Role.OWNER):
        raise Forbidden("forbidden", _("Only an owner of the shop may do this."))


def _present(membership: Membership) -> Membership:
    """Read a membership again under the lock. Raises Gone."""
    found = Membership.objects.select_related("user").filter(pk=membership.pk).first()
    if found is None:
        raise Gone("not_found", _("This person does not belong to the shop any more."))
    return found


def _require_few_invitations(actor: Actor, merchant: Merchant) -> None:
    """Nobody has us write to strangers without end: withdrawn invitations count as well."""
    since = timezone.now() - timedelta(days=1)
    invited = AuditEvent.objects.filter(merchant=merchant, action="membership.invite", created_at__gt=since)
    if not actor.sees_all_merchants and invited.count() >= MOST_A_DAY:
        sentence = _("%(limit)d people were invited within a day. Try again tomorrow.")
        raise Conflict("too_many_invitations", sentence, {"limit": MOST_A_DAY})


def _note(actor: Actor, what: str, merchant_id: int, user: User | None, **details: object) -> None:
    record(
        actor=actor,
        action=f"membership.{what}",
        subject_type="user" if user is not None else "merchant",
        subject_id=str(user.pk if user is not None else merchant_id),
        merchant_id=merchant_id,
        **details,
    )


def _role(text: str) -> Membership.Role:
    if text not in Role.values:
        raise Invalid("bad_role", _("There is no such role."))
    return Role(text)


def _require_other_owner(membership: Membership) -> None:
    if membership.role != Role.OWNER:
        return
    others = Membership.objects.filter(merchant=membership.merchant_id, role=Role.OWNER, user__is_active=True)
    if not others.exclude(pk=membership.pk).exists():
        raise Conflict("last_owner", _("A shop needs an owner. Make somebody else an owner first."))


def _secret_hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@atomic
def invite(*, actor: Actor, merchant: Merchant, email: str, role: str) -> tuple[Invitation, str]:
    """Make an invitation, in place of one that waits for the same address.

    The secret must reach nobody but the address: who follows the link has proved to own it.

    Returns:
        The invitation and the secret of its link, which is kept nowhere.

    Raises:
        Forbidden: the actor does not own the merchant.
        Invalid: `bad_email`, `bad_role`.
        Conflict: `member` already, `too_many_invitations` of the merchant within a day.
    """
    actor.require_manage(merchant.pk, PERMISSION)
    email, role = email.strip(), _role(role)
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid("bad_email", _("That is not an e-mail address.")) from None
    _lock_as_owner(actor, merchant.pk)
    _require_few_invitations(actor, merchant)
    email_key = lookup_key(email)
    if Membership.objects.filter(merchant=merchant, user__email_key=email_key).exists():
        raise Conflict("member", _("This person belongs to the shop already."))
    open_key = f"{merchant.pk}:{email_key}"
    Invitation.objects.filter(open_key=open_key).delete()
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        merchant=merchant,
        email=email,
        role=role,
        secret_hash=_secret_hash(secret),
        open_key=open_key,
        invited_by=actor.user,
        expires_at=timezone.now() + timedelta(days=settings.OTJANG_INVITATION_DAYS),
    )
    _note(actor, "invite", merchant.pk, None, role=role)
    return invitation, secret


@atomic
def withdraw_invitation(*, actor: Actor, invitation: Invitation) -> None:
    """Make an invitation's link useless. Raises Forbidden."""
    actor.require_manage(invitation.merchant_id, PERMISSION)
    if Invitation.objects.filter(pk=invitation.pk).exclude(open_key=None).delete()[0]:
        _note(actor, "withdraw_invitation", invitation.merchant_id, None, role=invitation.role)


def invitation_of(secret: str) -> Invitation | None:
    """Return the invitation of a link, if it waits and its time is not over and its merchant is open."""
    found = Invitation.objects.select_related("merchant", "invited_by").filter(secret_hash=_secret_hash(secret)).first()
    if found is None or not found.is_open or not found.merchant.is_active:
        return None
    return found


@atomic
def join(*, user: User, invitation: Invitation) -> Membership:
    """Let a person in who followed the link of an invitation to their own e-mail.

    Raises:
        Forbidden: it is for another e-mail.
        Conflict: `invitation_over`: withdrawn, accepted or too old by now.
    """
    if user.email_key != lookup_key(invitation.email):
        raise Forbidden("other_person", _("This invitation is for another e-mail."))
    _lock(invitation.merchant_id)
    waits = Invitation.objects.filter(pk=invitation.pk, expires_at__gt=timezone.now()).exclude(open_key=None)
    if not waits.update(open_key=None, accepted_by=user):
        raise Conflict("invitation_over", _("This invitation is not good any more. Ask for another one."))
    membership, _created = Membership.objects.get_or_create(
        user=user, merchant_id=invitation.merchant_id, defaults={"role": invitation.role}
    )
    actor = Actor(channel=Channel.PORTAL, user=user, merchant=invitation.merchant, role=membership.role)
    _note(actor, "join", invitation.merchant_id, user, role=membership.role)
    return membership


@atomic
def join_as_new(*, invitation: Invitation, name: str, password: str, language: str) -> User:
    """Make the account that an invitation is for, and let it in; the link has confirmed the e-mail.

    Raises:
        Conflict: `email_taken` by somebody meanwhile, `invitation_over`.
    """
    if User.objects.filter(email_key=lookup_key(invitation.email)).exists():
        raise Conflict("email_taken", _("There is an account with this e-mail. Log in to it."))
    user = User.objects.create_user(invitation.email, password, name=name.strip(), language=language)
    join(user=user, invitation=invitation)
    return user


@atomic
def change_role(*, actor: Actor, membership: Membership, role: str) -> None:
    """Give a member another role. Raises Forbidden, Gone, Invalid `bad_role`, Conflict `last_owner`."""
    actor.require_manage(membership.merchant_id, PERMISSION)
    after = _role(role)
    _lock_as_owner(actor, membership.merchant_id)
    membership = _present(membership)
    before = membership.role
    if before == after:
        return
    _require_other_owner(membership)
    membership.role = after
    membership.save(update_fields=["role"])
    _note(actor, "change_role", membership.merchant_id, membership.user, before={"role": before}, after={"role": after})


@atomic
def remove_member(*, actor: Actor, membership: Membership) -> None:
    """Take somebody out of the merchant: an owner anybody, everybody themselves.

    Raises:
        Forbidden: the actor neither owns the merchant nor is the member.
        Conflict: `last_owner`.
    """
    if actor.user is not None and actor.user.pk == membership.user_id:
        _lock(membership.merchant_id)
    else:
        actor.require_manage(membership.merchant_id, PERMISSION)
        _lock_as_owner(actor, membership.merchant_id)
    found = Membership.objects.select_related("user").filter(pk=membership.pk).first()
    if found is None:
        return
    _require_other_owner(found)
    found.delete()
    _note(actor, "remove", found.merchant_id, found.user, role=found.role)


@atomic
def hand_over(*, actor: Actor, membership: Membership) -> None:
    """Make another member the owner in the actor's place, who goes on as an editor.

    Raises:
        Forbidden: the actor does not own the merchant.
        Gone: the member left meanwhile.
        Conflict: `own_membership`, `inactive`.
    """
    if not actor.is_owner or actor.merchant is None or actor.merchant.pk != membership.merchant_id:
        raise Forbidden("forbidden", _("Only an owner of the shop may do this."))
    _lock_as_owner(actor, membership.merchant_id)
    membership = _present(membership)
    if membership.user == actor.user:
        raise Conflict("own_membership", _("You own the shop already."))
    if not membership.user.is_active:
        raise Conflict("inactive", _("This account is switched off."))
    Membership.objects.filter(pk=membership.pk).update(role=Role.OWNER)
    Membership.objects.filter(merchant=membership.merchant_id, user=actor.user).update(role=Role.EDITOR)
    _note(actor, "hand_over", membership.merchant_id, membership.user)
