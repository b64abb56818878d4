"""Who may say which models serve, and who may bring new ones in."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import User
from core.errors import Forbidden


def _administrator(actor: Actor) -> User | None:
    """Who acts in the admin, if they may still enter it: work that they asked for may begin much later."""
    user = actor.user if actor.channel == Channel.ADMIN else None
    return user if user is not None and user.is_active and user.is_staff else None


def require_models(actor: Actor) -> None:
    """Raise Forbidden unless the actor may say which models serve: commands, and staff with that right."""
    user = _administrator(actor)
    if not (actor.is_system or (user is not None and user.has_perm("classifier.change_deployment"))):
        raise Forbidden("forbidden", _("Only administrators of the models may do this."))


def may_stop_operations(user: User | AnonymousUser) -> bool:
    """Whether somebody of the staff may pause and cancel long operations: operators, and who keeps the models."""
    return user.has_perm("accounts.change_operation") or user.has_perm("classifier.change_deployment")


def require_operations(actor: Actor) -> None:
    """Raise Forbidden unless the actor may stop long operations and let them go on: commands, and such staff."""
    user = _administrator(actor)
    if not (actor.is_system or (user is not None and may_stop_operations(user))):
        raise Forbidden("forbidden", _("Only operators may do this."))


def require_retries(actor: Actor) -> None:
    """Raise Forbidden unless the actor may have failed jobs of all merchants tried again."""
    user = _administrator(actor)
    if not (actor.is_system or (user is not None and user.has_perm("classifier.change_classification"))):
        raise Forbidden("forbidden", _("Only operators may do this."))


def require_superuser(actor: Actor) -> None:
    """Raise Forbidden unless the actor may bring weights in: commands and superusers."""
    user = _administrator(actor)
    if not (actor.is_system or (user is not None and user.is_superuser)):
        raise Forbidden("forbidden", _("Only superusers may bring in weights."))
