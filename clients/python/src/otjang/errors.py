"""What can go wrong: an exception class for each kind of refusal, with the API's own code and sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx


class OtjangError(Exception):
    """Base of everything that this package raises on purpose."""


class Unreachable(OtjangError):
    """No answer came, however often the request was sent."""


class WaitedTooLong(OtjangError):
    """What was waited for had not happened when the time was over. It may still happen."""


class ClassificationFailed(OtjangError):
    """Images could not be looked at; the sentence says why."""


class InvalidWebhook(OtjangError):
    """A webhook's signature is wrong, or it is too old."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; `pointer` is a JSON pointer such as `/sku`, "" for the whole body."""

    pointer: str
    code: str
    detail: str


def field_errors(body: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return the fields at fault that an answer names."""
    return tuple(
        FieldError(str(one.get("pointer", "")), str(one.get("code", "")), str(one.get("detail", "")))
        for one in body.get("errors") or ()
    )


class ApiError(OtjangError):
    """The site refused a request (RFC 9457).

    Attributes:
        status: of the answer.
        code: stable, for programs.
        detail: a sentence for people, in the client's language.
        errors: the fields at fault.
        request_id: name it when you ask for help.
        body: everything that the answer said.
        retry_after: seconds after which to try again, if the site said so.
    """

    def __init__(self, response: httpx.Response) -> None:
        body = _object(response)
        self.status = response.status_code
        self.code = str(body.get("code", "unknown"))
        self.detail = str(body.get("detail") or response.reason_phrase)
        self.request_id = str(body.get("request_id") or response.headers.get("X-Request-ID", ""))
        self.errors = field_errors(body)
        self.body = body
        self.retry_after = seconds_in(response)
        super().__init__(f"{self.status} {self.code}: {self.detail}")


class BadRequest(ApiError):
    """400: a field or parameter is wrong; `code` and `errors` say which."""


class NotAuthenticated(ApiError):
    """401: no key, or one that is unknown, expired or revoked."""


class NotAllowed(ApiError):
    """403: the key lacks the scope."""


class NotFound(ApiError):
    """404: there is no such thing in the key's merchant."""


class Conflict(ApiError):
    """409: the state of the thing forbids it."""


class PreconditionFailed(ApiError):
    """412: it was changed meanwhile, and `if_match` named what it was before."""


class TooLarge(ApiError):
    """413: more than the site reads."""


class Unprocessable(ApiError):
    """422: the request contradicts one before it."""


class RateLimited(ApiError):
    """429: too many requests, or the day's quota is used up."""


class ServerError(ApiError):
    """5xx: the site's fault, or it is busy."""


_CLASSES: Mapping[int, type[ApiError]] = {
    400: BadRequest,
    401: NotAuthenticated,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    412: PreconditionFailed,
    413: TooLarge,
    422: Unprocessable,
    429: RateLimited,
}


def error_of(response: httpx.Response) -> ApiError:
    """Return the exception for an answer from 400 up, whose body has been read."""
    usual = ServerError if response.status_code >= 500 else ApiError
    return _CLASSES.get(response.status_code, usual)(response)


def seconds_in(response: httpx.Response) -> float | None:
    """Return what Retry-After says, in seconds; None if it says nothing that is a number."""
    said = response.headers.get("Retry-After", "")
    return float(said) if said.isascii() and said.isdecimal() else None


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:  # a proxy's page
        return {}
    return body if isinstance(body, dict) else {}
