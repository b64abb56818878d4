"""Telling a merchant's owners that a webhook was switched off."""

from __future__ import annotations

import logging
from functools import partial
from smtplib import SMTPException

from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Membership
from webhooks.models import Endpoint

logger = logging.getLogger(__name__)


def tell_owners_on_commit(endpoint: Endpoint) -> None:
    """Send the mails once the caller's transaction holds; one that cannot be sent is logged."""
    transaction.on_commit(partial(_tell_owners, endpoint), robust=True)


def _tell_owners(endpoint: Endpoint) -> None:
    owners = Membership.objects.filter(
        merchant=endpoint.merchant_id, role=Membership.Role.OWNER, user__is_active=True
    ).select_related("user", "merchant")
    for owner in owners:
        with translation.override(owner.user.language):
            subject = _("A webhook of %(shop)s was switched off") % {"shop": owner.merchant.name}
            body = render_to_string("webhooks/off_mail.txt", {"endpoint": endpoint, "merchant": owner.merchant})
        try:
            send_mail(" ".join(subject.split()), body, None, [owner.user.email])
        except (SMTPException, OSError) as error:
            logger.warning("a notice of the webhook %s could not be sent: %s", endpoint.public_id, error)
