"""How allauth is used here: who may sign up, what it says, how it counts, and what it stores."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import attempts
from accounts.models import User
from accounts.services.people import change_password
from core.text import lookup_key

logger = logging.getLogger(__name__)

# What its messages are called, and what is said instead; of others nothing is said.
_MESSAGES = {
    "account/messages/email_confirmation_sent.txt": gettext_lazy("A mail is on its way to %(email)s: follow its link."),
    "account/messages/email_confirmed.txt": gettext_lazy("%(email)s is confirmed."),
    "account/messages/email_deleted.txt": gettext_lazy("%(email)s was taken out."),
    "account/messages/password_changed.txt": gettext_lazy("Your password was changed."),
    "mfa/messages/totp_activated.txt": gettext_lazy("From now on a code of your app is asked for when you log in."),
    "mfa/messages/totp_deactivated.txt": gettext_lazy("No code is asked for any more when you log in."),
    "mfa/messages/recovery_codes_generated.txt": gettext_lazy("There are new recovery codes. The old ones are void."),
    "mfa/messages/webauthn_added.txt": gettext_lazy("The passkey was added."),
    "mfa/messages/webauthn_removed.txt": gettext_lazy("The passkey was removed."),
    "usersessions/messages/sessions_logged_out.txt": gettext_lazy("The other devices are logged out."),
}
# Mails about what happened to an account, so that its owner notices what was not theirs to do.
_NOTICES = {
    "account/email/password_reset": gettext_lazy("Your password was set by a link in a mail."),
    "account/email/password_changed": gettext_lazy("Your password was changed."),
    "account/email/email_changed": gettext_lazy("Your e-mail was changed."),
    "mfa/email/totp_activated": gettext_lazy("An app for codes was added to your account."),
    "mfa/email/totp_deactivated": gettext_lazy("The app for codes was removed from your account."),
    "mfa/email/recovery_codes_generated": gettext_lazy("New recovery codes were made for your account."),
    "mfa/email/webauthn_added": gettext_lazy("A passkey was added to your account."),
    "mfa/email/webauthn_removed": gettext_lazy("A passkey was removed from your account."),
}


def language_of(email: str) -> str:
    """Return the language that the owner of an address reads, the site's own where nobody has it."""
    of_owner = User.objects.filter(email_key=lookup_key(email)).values_list("language", flat=True).first()
    return of_owner or translation.get_language() or settings.LANGUAGE_CODE


class AccountAdapter(DefaultAccountAdapter):
    """Accounts by e-mail, found by `email_key`."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_taken": gettext_lazy("Somebody has this e-mail already."),
        "duplicate_email": gettext_lazy("This is your e-mail already."),
        "enter_current_password": gettext_lazy("Type your present password."),
        "incorrect_code": gettext_lazy("This code is not right, or it is too old. Codes change every 30 seconds."),
        "incorrect_password": gettext_lazy("This is not your password."),
        "rate_limited": gettext_lazy("That was too often. Wait a few minutes."),
        "too_many_login_attempts": gettext_lazy("That was too often. Wait a few minutes."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """By a setting: otherwise administrators open merchants."""
        return settings.OTJANG_SIGN_UP

    def save_user(self, request: HttpRequest, user: AbstractBaseUser, form: Any, commit: bool = True) -> Any:
        """Store who signs up: the one whose address nobody has confirmed."""
        assert isinstance(user, User)
        user.is_unconfirmed = True
        user.name = form.cleaned_data.get("name", "").strip()
        user.language = "en" if translation.get_language() == "en" else "ko"
        return super().save_user(request, user, form, commit)

    def set_password(self, user: Any, password: str) -> None:
        """Store it, with a line in the audit trail."""
        change_password(user=user, password=password)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Confirm an address, unless somebody has it by now in another spelling."""
        taken = User.objects.filter(email_key=lookup_key(email_address.email)).exclude(pk=email_address.user_id)
        return not taken.exists() and bool(super().confirm_email(request, email_address))

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Nothing: our forms count, by `accounts/attempts.py`."""

    def reauthenticate(self, user: Any, password: str) -> bool:
        """Whether it is the person's password; the form has counted."""
        return bool(user.check_password(password))

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that the proxy saw, where there is one."""
        return attempts.address_of(request) or "::"  # unspecified

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """Say it in our words, or nothing."""
        if message is None:
            sentence = _MESSAGES.get(message_template or "")
            if sentence is None:
                return
            message = str(sentence) % (message_context or {})
        messages.add_message(request, level, message)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Write in the language of who reads it. A server that does not take the mail is the operator's to see."""
        try:
            with translation.override(language_of(email)):
                super().send_mail(template_prefix, email, context)
        except (SMTPException, OSError):
            logger.exception("a mail could not be sent: %s", template_prefix)

    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        """Render one of our mails, which are plain text; a notice if it is one of these."""
        notice = _NOTICES.get(template_prefix)
        if notice is None:
            return cast(EmailMessage, super().render_mail(template_prefix, email, context, headers))
        body = render_to_string("account/email/notice.txt", {**context, "notice": notice})
        to = [email] if isinstance(email, str) else email
        return EmailMessage(_("Your account at Otjang"), body, self.get_from_email(), to, headers=headers)

    def send_notification_mail(self, template_prefix: str, user: Any, context: Any = None, email: Any = None) -> None:
        """Send the notices that we have words for."""
        if template_prefix in _NOTICES:
            super().send_notification_mail(template_prefix, user, context, email)


class SecondStepAdapter(DefaultMFAAdapter):
    """Codes of an app, recovery codes and passkeys."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
        "unverified_email": gettext_lazy("Confirm your e-mail first."),
        "add_email_blocked": gettext_lazy("Confirm your e-mail first."),
        "cannot_generate_recovery_codes": gettext_lazy("Add an app or a passkey first."),
    }

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002 - allauth may name it
        """What a new passkey is called, unless the person says otherwise."""
        count = user.authenticator_set.filter(type=type).count()
        return _("Passkey %(number)d") % {"number": count + 1}
