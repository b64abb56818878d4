"""What the audit trail keeps of how people get in: log-ins, failed ones, second steps, and another e-mail.

Services write what people do; these are what Django and allauth do for us, and tell by signals. A line names the
account that it is about. Only somebody who has proved to be its owner is its author.
"""

from __future__ import annotations

from typing import Any

from allauth.account.signals import email_changed
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.http import HttpRequest

from accounts import attempts
from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import User
from accounts.services import record
from core.text import lookup_key

_UNKNOWN = "-"  # the account that was tried does not exist; what was typed may be a password, so it is not kept


def _channel(request: HttpRequest) -> Channel:
    match = request.resolver_match
    return Channel.ADMIN if match is not None and "admin" in match.namespaces else Channel.PORTAL


def note(request: HttpRequest, action: str, user: User | None, *, proved: bool = True, **details: str) -> None:
    """Append a line about an account.

    Args:
        request: that it came by; its address is kept until the person is erased.
        action: what happened.
        user: the account; None if nobody has it.
        proved: whether the person of the request is known to be its owner.
        details: what else is kept.
    """
    record(
        actor=Actor(channel=_channel(request), user=user if proved else None),
        action=action,
        subject_type="user",
        subject_id=str(user.pk) if user is not None else _UNKNOWN,
        merchant_id=None,
        address=attempts.address_of(request),
        **details,
    )


def _is_real(request: HttpRequest | None) -> bool:
    """Whether somebody asked for it: neither a command, nor staff who begin or end to work as another person."""
    if request is None or request.method is None:
        return False
    return request.resolver_match is None or "hijack" not in request.resolver_match.namespaces


def _logged_in(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    if request is not None and _is_real(request):
        note(request, "user.login", user)


def _account(email: str) -> User | None:
    return User.objects.filter(email_key=lookup_key(email)).first()


def _login_failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    if request is not None and _is_real(request):
        note(request, "user.login_failed", _account(str(credentials.get("username", ""))), proved=False)


def login_blocked(request: HttpRequest, email: str) -> None:
    """Note that passwords were tried too often, once in each stretch of time."""
    if attempts.is_first_refusal(request, email):
        note(request, "user.login_blocked", _account(email), proved=False)


def _code_failed(sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    note(request, "user.second_step_failed", user, proved=False, kind=authenticator.type)


def _step_added(sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    note(request, "user.second_step_add", user, kind=authenticator.type)


def _step_removed(sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    note(request, "user.second_step_remove", user, kind=authenticator.type)


def _step_reset(sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    note(request, "user.second_step_reset", user, kind=authenticator.type)


def _email_changed(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    note(request, "user.email", user)


def connect() -> None:
    """Connect the handlers; for `AppConfig.ready`."""
    for signal, handler in (
        (user_logged_in, _logged_in),
        (user_login_failed, _login_failed),
        (authentication_failed, _code_failed),
        (authenticator_added, _step_added),
        (authenticator_removed, _step_removed),
        (authenticator_reset, _step_reset),
        (email_changed, _email_changed),
    ):
        signal.connect(handler, dispatch_uid=f"accounts.security_events.{handler.__name__}")
