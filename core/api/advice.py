"""What helps, where the framework's own sentence only says what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.request import Request


def one_of(choices: Iterable[object]) -> Any:
    """Return the lazy sentence that names what may be chosen."""
    return format_lazy(_("Choose one of these: {choices}."), choices=", ".join(str(choice) for choice in choices))


def _media_types(things: Iterable[Any]) -> str:
    return ", ".join(thing.media_type for thing in things)


def advice(error: Exception, context: dict[str, Any]) -> str | None:
    """Return the sentence for an exception of the framework; None where its own one, or ours, is good.

    Args:
        error: what was raised.
        context: of the framework's handler of exceptions.
    """
    request: Request = context["request"]
    if isinstance(error, exceptions.NotAuthenticated):
        return str(_("No key was sent. Send yours in the header “Authorization: Bearer otj_…”."))
    if isinstance(error, exceptions.NotFound) and error.detail == exceptions.NotFound.default_detail:
        return str(_("There is nothing here that this caller may see. /api/v1/docs lists the addresses."))
    if isinstance(error, exceptions.MethodNotAllowed):
        methods = ", ".join(context["view"].allowed_methods)
        return str(_("This address does not take %(method)s, but %(methods)s.")) % {
            "method": request.method,
            "methods": methods or "-",
        }
    if isinstance(error, exceptions.NotAcceptable):
        kinds = _media_types(context["view"].get_renderers())
        return str(_("The answer is %(kinds)s. Ask for that in the header Accept, or for nothing.")) % {"kinds": kinds}
    if isinstance(error, exceptions.UnsupportedMediaType):
        sentence = _("This address reads %(kinds)s. Say in the header Content-Type which one it is.")
        return str(sentence) % {"kinds": _media_types(request.parsers or ())}
    return None
