"""Mails with the link of an invitation."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.core.mail import send_mail
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actors import Actor
from accounts.adapter import language_of
from accounts.models import Invitation, Merchant
from accounts.services import members
from core.errors import Conflict

logger = logging.getLogger(__name__)


def _send(request: HttpRequest, invitation: Invitation, secret: str) -> None:
    link = request.build_absolute_uri(reverse("accounts:join", args=[secret]))
    with translation.override(language_of(invitation.email)):
        subject = _("Join %(shop)s at Otjang") % {"shop": invitation.merchant.name}
        body = render_to_string("accounts/invitation_mail.txt", {"invitation": invitation, "link": link})
    send_mail(" ".join(subject.split()), body, None, [invitation.email])


def invite(request: HttpRequest, *, actor: Actor, merchant: Merchant, email: str, role: str) -> Invitation:
    """Make an invitation and send it. Nobody else is shown its link: following it proves whose the address is.

    Args:
        request: says at which address the site is.
        actor: see `members.invite`, as for the rest.
        merchant: to be joined.
        email: where the mail goes.
        role: what the person will be.

    Raises:
        Refused: as `members.invite`.
        Conflict: `mail_failed`; then there is no invitation.
    """
    invitation, secret = members.invite(actor=actor, merchant=merchant, email=email, role=role)
    try:
        _send(request, invitation, secret)
    except (SMTPException, OSError) as error:
        logger.warning("the invitation %d could not be sent: %s", invitation.pk, error)
        members.withdraw_invitation(actor=actor, invitation=invitation)
        sentence = gettext_lazy("The mail could not be sent, so nobody was invited. Check the address, or try later.")
        raise Conflict("mail_failed", sentence) from None
    return invitation
