"""Who may say which models serve, and who may bring new ones in."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor, Via
from accounts.errors import Forbidden


def require_models(actor: Actor) -> None:
    """Raise Forbidden unless the actor may say which models serve: commands, and staff with that right."""
    user = actor.user
    staff = user is not None and user.is_staff and actor.via == Via.ADMIN
    if not (actor.is_system or (staff and user is not None and user.has_perm("classifier.change_deployment"))):
        raise Forbidden("forbidden", _("Only administrators of the models may do this."))


def require_superuser(actor: Actor) -> None:
    """Raise Forbidden unless the actor may bring weights in: commands and superusers."""
    if not (actor.is_system or (actor.via == Via.ADMIN and actor.user is not None and actor.user.is_superuser)):
        raise Forbidden("forbidden", _("Only superusers may bring in weights."))
