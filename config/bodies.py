"""What every request's body has to be before a view sees it: announced, not too large, and whole.

It holds under any server. `config.server` asks the same limits before it receives a body; others leave it to this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any, cast

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from accounts.authentication import BEARER_CHALLENGE
from accounts.portal import PortalRequest, ask_who
from config import limits
from config.views import refuse
from core.api import IncompleteBody, TooLarge, is_api, is_api_path
from core.multipart import read_forms_whole


class WholeBody:
    """A request's body that cannot end early unnoticed."""

    def __init__(self, stream: IO[bytes], length: int) -> None:
        self._stream = stream
        self._missing = length
        self.broke_off = False

    def _counted(self, data: bytes) -> bytes:
        if not data and self._missing > 0:
            self.broke_off = True
            raise ConnectionResetError("the body ended early")
        self._missing -= len(data)
        return data

    def read(self, size: int | None = -1) -> bytes:
        """Read that many bytes, or all that are left.

        Raises:
            OSError: fewer bytes came than Content-Length says.
        """
        wanted = self._missing if size is None or size < 0 else min(size, self._missing)
        data = b""
        while wanted > len(data):
            data += self._counted(self._stream.read(wanted - len(data)))
        return data

    def readline(self, size: int | None = -1) -> bytes:
        """Read a line; raises as `read` does."""
        return self._counted(self._stream.readline(-1 if size is None else size)) if self._missing and size else b""

    def close(self) -> None:
        """Close what is underneath."""
        self._stream.close()


def _length_of(request: HttpRequest) -> int:
    """Return the announced length of the body; 0 without one.

    Raises:
        BadRequest: it is not a number.
    """
    said = request.META.get("CONTENT_LENGTH") or "0"
    if not said.isascii() or not said.isdecimal():
        raise BadRequest("Content-Length is not a number.")
    return int(said)


def _no_length(request: HttpRequest) -> HttpResponse:
    message = _("The length of the body is missing. Send a Content-Length.")
    return refuse(request, "length_required", message, 411)


def _too_large(request: HttpRequest) -> HttpResponse:
    return refuse(request, TooLarge.default_code, str(TooLarge.default_detail), TooLarge.status_code)


def _incomplete(request: HttpRequest) -> HttpResponse:
    return refuse(request, IncompleteBody.default_code, str(IncompleteBody.default_detail), 400)


def _not_logged_in(request: HttpRequest) -> HttpResponse:
    if not is_api(request):
        return ask_who(cast(PortalRequest, request))
    message = _("Log in first, or send an API key: so much is taken only from callers who are known.")
    answer = refuse(request, "not_authenticated", message, 401)
    answer.headers["WWW-Authenticate"] = BEARER_CHALLENGE
    return answer


class BodyMiddleware:
    """Refuses bodies that may not come, and lets forms be read whole or not at all.

    It comes last: what it refuses is answered like anything else, and the check after that of the CSRF token, which
    reads forms and keeps quiet about what breaks off.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = _length_of(request)
        if not length and request.META.get("HTTP_TRANSFER_ENCODING"):
            return _no_length(request)
        refusal = self._refusal(request, length)
        if refusal is not None:
            return refusal
        read_forms_whole(request)
        if length:
            # Under ASGI and WSGI alike this is what the request reads from.
            request._stream = WholeBody(request._stream, length)  # type: ignore[assignment]
        return self.get_response(request)

    def _refusal(self, request: HttpRequest, length: int) -> HttpResponse | None:
        if length <= limits.form_limit():
            return None
        announced = limits.Announced(
            path=request.path_info,
            content_type=request.META.get("CONTENT_TYPE", ""),
            authorization=request.META.get("HTTP_AUTHORIZATION", ""),
            cookies=request.META.get("HTTP_COOKIE", ""),
        )
        verdict = limits.judge(announced, length)
        if verdict is limits.Verdict.TOO_LARGE:
            return _too_large(request)
        # The API looks at who asks before it reads; elsewhere the check of the CSRF token would read all of it first.
        stranger = not is_api_path(request) and not request.user.is_authenticated
        return _not_logged_in(request) if verdict is limits.Verdict.NOT_LOGGED_IN or stranger else None

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Stop a request of which part is missing."""
        stream = getattr(request, "_stream", None)
        return _incomplete(request) if isinstance(stream, WholeBody) and stream.broke_off else None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a view that met the missing part."""
        return _incomplete(request) if isinstance(exception, UnreadablePostError) else None
