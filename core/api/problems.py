"""Errors as RFC 9457 has them: `application/problem+json`, with a stable code and the request's id."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import Http404, HttpRequest, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ErrorDetail, NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.advice import advice
from core.api.problem_types import ADDRESS, MEDIA_TYPE, problem_type, title_of
from core.api.request_ids import request_id_of
from core.errors import Conflict, Forbidden, Gone, Refused, TooMuch
from core.multipart import MalformedForm
from core.outage import RETRY_AFTER, database_is_away, storage_is_away

logger = logging.getLogger(__name__)

_MOST_ERRORS = 20  # that an answer names; their sentences are short

# By status the usual code, and what the schema says of it.
USUAL = {
    400: ("invalid", "A parameter or field is wrong; `code` and `errors` say in what."),
    401: ("not_authenticated", "No key, or one that may not be used."),
    403: ("forbidden", "The key or person may not do this."),
    404: ("not_found", "There is no such thing in this merchant."),
    405: ("method_not_allowed", "The address has no such method; Allow names those that it has."),
    406: ("not_acceptable", "Accept asks for something else than JSON."),
    409: ("conflict", "The state of the thing forbids it."),
    411: ("length_required", "The length of the body is not known."),
    412: ("precondition_failed", "If-Match names another version than the one that is stored."),
    413: ("too_large", "The body is larger than the site reads; nothing was stored."),
    415: ("unsupported_media_type", "The body has another format than those listed."),
    422: ("unprocessable", "The request contradicts an earlier one."),
    429: ("throttled", "Too many requests; Retry-After says when to go on."),
    500: ("server_error", "The site broke."),
    503: ("database_away", "The site cannot answer now; Retry-After says when to try again."),
}


class TooLarge(APIException):
    """The body is larger than the site reads."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = _("The request is too large.")


class TooManyParts(APIException):
    """A form with more files or fields than the site reads."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "too_many_parts"
    default_detail = _("The form has too many files or fields. Send the photos in several requests.")


class EmptyBody(APIException):
    """Nothing came where something has to."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "empty_body"
    default_detail = _("The request has no body. Say in it what to store.")


class IncompleteBody(APIException):
    """The connection ended in the middle of the body."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "incomplete_body"
    default_detail = _("The request was cut off on the way; nothing was stored. Send it again.")


class DatabaseAway(APIException):
    """The database cannot be reached or used now."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "database_away"
    default_detail = _("The site cannot reach its database at the moment. Try again in a few seconds.")


class StorageAway(APIException):
    """Files cannot be written or read now."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "storage_away"
    default_detail = _("The site cannot reach its files at the moment. Try again in a few seconds.")


class PreconditionFailed(APIException):
    """The thing is not in the state any more that the caller knows."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "precondition_failed"
    default_detail = _("This was changed in the meantime. Read what it says now, then try again.")


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of the body, or with one parameter; `pointer` is a JSON pointer such as `/sku`."""

    pointer: str
    code: str
    detail: str


class FieldErrorSerializer(serializers.Serializer[Any]):
    """What is wrong with one field of the body, or with one parameter of the address."""

    pointer = serializers.CharField(help_text="JSON pointer to the field, such as `/sku`; empty for the whole body.")
    code = serializers.CharField(help_text="Stable, for programs.")
    detail = serializers.CharField(help_text="A sentence in the language of Accept-Language.")


class ErrorBodySerializer(serializers.Serializer[Any]):
    """Why one thing of several failed: a stable code for programs, and a sentence for people."""

    code = serializers.CharField(help_text="Stable, for programs.")
    detail = serializers.CharField(source="message", help_text="A sentence in the language of Accept-Language.")


class ProblemSerializer(serializers.Serializer[Any]):
    """The body of every answer from 400 up (RFC 9457)."""

    type = serializers.CharField(help_text="Address of the page that explains the code.")
    title = serializers.CharField(help_text="What kind of problem it is, in the language of Accept-Language.")
    status = serializers.IntegerField(help_text="The HTTP status once more.")
    detail = serializers.CharField(help_text="What happened and what helps, in the language of Accept-Language.")
    code = serializers.CharField(help_text="Stable, for programs.")
    request_id = serializers.CharField(help_text="The answer's X-Request-ID; name it when you ask for help.")
    # The metaclass takes declared fields off the class, so they do not hide the framework's own attributes.
    errors = FieldErrorSerializer(  # type: ignore[assignment]  # serializers have one of their own
        many=True, help_text="The fields that are wrong; empty where no field is at fault."
    )


def status_of(refusal: Refused) -> int:
    """Return the HTTP status that says what kind of refusal it is."""
    if refusal.code == TooLarge.default_code:
        return status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    if isinstance(refusal, Forbidden):
        return status.HTTP_403_FORBIDDEN
    if isinstance(refusal, Gone):
        return status.HTTP_404_NOT_FOUND
    if isinstance(refusal, TooMuch):
        return status.HTTP_429_TOO_MANY_REQUESTS
    return status.HTTP_409_CONFLICT if isinstance(refusal, Conflict) else status.HTTP_400_BAD_REQUEST


def problem_body(
    request: HttpRequest, code: str, detail: str, http_status: int, errors: Sequence[FieldError] | None = None
) -> dict[str, Any]:
    """Return the one shape of an error.

    Args:
        request: whose id the error bears.
        code: the stable code.
        detail: the sentence, in the caller's language.
        http_status: of the answer.
        errors: the fields at fault; without any the field that the code is always about, if it is about one.
    """
    known = problem_type(code)
    if errors is None:
        errors = [FieldError(known.pointer, code, detail)] if known is not None and known.pointer else []
    return {
        "type": f"{ADDRESS}{code}",
        "title": title_of(http_status),
        "status": http_status,
        "detail": detail,
        "code": code,
        "request_id": request_id_of(request),
        "errors": [asdict(error) for error in errors[:_MOST_ERRORS]],
    }


def problem(request: Request, code: str, detail: str, http_status: int, **more: Any) -> Response:
    """Answer an error from a view; `more` are further members of the body."""
    body = problem_body(request._request, code, detail, http_status)
    return Response({**body, **more}, http_status, content_type=MEDIA_TYPE)


def plain_problem(request: HttpRequest, code: str, detail: str, http_status: int) -> JsonResponse:
    """Answer an error outside of the API's views: from middleware, or from a view of files."""
    body = problem_body(request, code, detail, http_status)
    return JsonResponse(body, status=http_status, content_type=MEDIA_TYPE, json_dumps_params={"ensure_ascii": False})


_KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate", "Content-Language")


def instead_of_page(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return an answer that a program can read: problems instead of pages, everything else as it is."""
    if response.status_code < 400 or response.headers.get("Content-Type", "").startswith(MEDIA_TYPE):
        return response
    code, sentence = USUAL.get(response.status_code, USUAL[400])
    known = problem_type(code)
    answer = plain_problem(request, code, str(known.explanation if known else sentence), response.status_code)
    for header in _KEPT_HEADERS:
        if header in response.headers:
            answer.headers[header] = response.headers[header]
    return answer


def escaped(name: str) -> str:
    """Return a name as JSON pointers write it."""
    return name.replace("~", "~0").replace("/", "~1")


def _leaves(detail: Any, path: str = "") -> Iterator[tuple[str, ErrorDetail]]:
    """Walk a validation error's nested lists and objects to its sentences, each with a JSON pointer to the field."""
    if isinstance(detail, Mapping):
        for name, below in detail.items():
            yield from _leaves(below, path if name == "non_field_errors" else f"{path}/{escaped(str(name))}")
    elif isinstance(detail, list):
        of_entries = any(isinstance(below, Mapping | list) for below in detail)
        for number, below in enumerate(detail):
            yield from _leaves(below, f"{path}/{number}" if of_entries else path)
    else:
        yield path, detail


def _translated(error: Exception) -> Exception:
    """Return what the API says instead of Django's own exceptions."""
    if database_is_away(error):
        logger.error("the database is away: %s", error)
        return DatabaseAway()
    if storage_is_away(error):
        logger.error("the storage is away: %r", error)
        return StorageAway()
    if isinstance(error, Http404):
        return NotFound()  # Django's own sentence names a class, in English
    if isinstance(error, RequestDataTooBig):
        return TooLarge()
    if isinstance(error, TooManyFilesSent | TooManyFieldsSent):
        return TooManyParts()
    if isinstance(error, MultiPartParserError):
        return MalformedForm()
    return IncompleteBody() if isinstance(error, UnreadablePostError) else error


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an exception in the one shape of errors; our own mistakes stay exceptions."""
    from rest_framework.views import exception_handler as default_exception_handler  # which reads the settings first

    request: Request = context["request"]
    if isinstance(error, Refused):
        answer = problem(request, error.code, error.message, status_of(error))
        if isinstance(error, TooMuch):
            answer.headers["Retry-After"] = str(error.seconds)
        return answer
    error = _translated(error)
    response = default_exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, DatabaseAway | StorageAway):
        response.headers["Retry-After"] = str(RETRY_AFTER)
    # The default handler leaves the sentences in `data`: {"detail": …} or a validation error's tree.
    if isinstance(error, APIException) and isinstance(error.detail, ErrorDetail):
        code, detail, errors = str(error.detail.code), advice(error, context) or str(error.detail), None
    else:
        found = [(pointer, str(said.code or "invalid"), str(said)) for pointer, said in _leaves(response.data)]
        errors = [FieldError(*one) for one in found]
        code = found[0][1]
        detail = " ".join(
            f"{pointer[1:]}: {said}" if pointer else said for pointer, _code, said in found[:_MOST_ERRORS]
        )
    response.data = problem_body(request._request, code, detail, response.status_code, errors)
    response.content_type = MEDIA_TYPE
    return response


def example_body(code: str, http_status: int) -> dict[str, Any]:
    """Return what a problem with that code looks like, for the schema."""
    known = problem_type(code)
    detail = known.explanation if known is not None else title_of(http_status)
    pointer = known.pointer if known is not None else ""
    return {
        "type": f"{ADDRESS}{code}",
        "title": title_of(http_status),
        "status": http_status,
        "detail": str(detail),
        "code": code,
        "request_id": "70pf28xnx4hv0vm239at",
        "errors": [{"pointer": pointer, "code": code, "detail": str(detail)}] if pointer else [],
    }


def _describe(http_status: int, codes: Sequence[str]) -> str:
    lines = [f"- `{code}`: {known.explanation}" for code in codes if (known := problem_type(code)) is not None]
    return "\n".join([USUAL[http_status][1], *(["", *lines] if lines else [])])


# When the schema is written, in its language.
_described: Any = lazy(_describe, str)


def refusal_of(http_status: int, codes: Sequence[str] = (), serializer: Any = ProblemSerializer) -> OpenApiResponse:
    """Describe the answers of one status, with what each of the codes means; the schema adds an example for each."""
    return OpenApiResponse(serializer, description=_described(http_status, tuple(codes)))


def refusals(*codes: str | int) -> dict[tuple[int, str], OpenApiResponse]:
    """Return the refusals of an operation for `extend_schema(responses=…)`.

    What every operation may answer (401, 403, 406, 429, 500, 503; with a body 400, 411, 413, 415; with an id 404) is in
    the schema without being named, see `core.api.schema`.

    Args:
        codes: codes that are registered (`core.api.problem_types`), or statuses whose codes are not worth naming.

    Raises:
        KeyError: a code is not registered.
    """
    by_status: dict[int, list[str]] = {}
    for code in codes:
        if isinstance(code, int):
            by_status.setdefault(code, [])
            continue
        known = problem_type(code)
        if known is None:
            raise KeyError(code)
        by_status.setdefault(known.status, []).append(code)
    return {(status_code, MEDIA_TYPE): refusal_of(status_code, named) for status_code, named in by_status.items()}
