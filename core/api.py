"""What every endpoint of the API shares: one shape of errors, bodies without unknown fields, and pages of lists."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from json import JSONDecodeError
from typing import IO, Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ErrorDetail, NotFound, ParseError, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler as default_exception_handler

from core.errors import Conflict, Forbidden, Gone, Refused
from core.multipart import MalformedForm
from core.outage import RETRY_AFTER, database_is_away

logger = logging.getLogger(__name__)

_MOST_NAMED = 5  # unknown fields that an answer names
_LONGEST_NAME = 40


class ErrorBodySerializer(serializers.Serializer[Any]):
    """A stable code for programs, and a sentence for people in the language of Accept-Language."""

    code = serializers.CharField()
    message = serializers.CharField()


class ErrorSerializer(serializers.Serializer[Any]):
    """The body of every answer from 400 up."""

    error = ErrorBodySerializer()


def _shown(name: str) -> str:
    """Return a field's name as a sentence may repeat it: short, and without what cannot be printed or encoded."""
    return "".join(character if character.isprintable() else "?" for character in name[:_LONGEST_NAME])


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know: a misspelled one must not look as if it had been stored."""

    def to_internal_value(self, data: Any) -> Any:
        """Check the names of the fields, then the fields.

        Raises:
            ValidationError: also with the code `unknown_field`.
        """
        if isinstance(data, Mapping):
            unknown = [name for name in data if name not in self.fields]
            if unknown:
                refusal = ErrorDetail(str(_("There is no such field.")), code="unknown_field")
                raise ValidationError({_shown(name): [refusal] for name in unknown[:_MOST_NAMED]})
        return super().to_internal_value(data)


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


def body_of(request: Request) -> Any:
    """Return what the request's body holds.

    Raises:
        EmptyBody: it has none.
        APIException: it cannot be read; see the parsers.
    """
    if not request.META.get("CONTENT_LENGTH") or request.META["CONTENT_LENGTH"] == "0":
        raise EmptyBody
    return request.data


class SentenceJSONParser(JSONParser):
    """JSON whose mistakes are named in the caller's language."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Read the body.

        Raises:
            ParseError: it is not valid JSON, or nested deeper than anything that the API takes.
        """
        try:
            return super().parse(stream, media_type, parser_context)
        except (RecursionError, ParseError) as error:  # whose own sentence is English
            broken = error.__context__
            if not isinstance(broken, JSONDecodeError):
                raise ParseError from error
            place = {"line": broken.lineno, "column": broken.colno}
            raise ParseError(
                _("This is not valid JSON: it goes wrong at line %(line)d, column %(column)d.") % place
            ) from error


class Pages(PageNumberPagination):
    """`?page=2&page_size=100`."""

    page_size_query_param = "page_size"
    max_page_size = 200


def status_of(refusal: Refused) -> int:
    """Return the HTTP status that says what kind of refusal it is."""
    if refusal.code == TooLarge.default_code:
        return status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    if isinstance(refusal, Forbidden):
        return status.HTTP_403_FORBIDDEN
    if isinstance(refusal, Gone):
        return status.HTTP_404_NOT_FOUND
    return status.HTTP_409_CONFLICT if isinstance(refusal, Conflict) else status.HTTP_400_BAD_REQUEST


def error_body(code: str, message: str) -> dict[str, dict[str, str]]:
    """Return the one shape of an error."""
    return {"error": {"code": code, "message": message}}


def _leaves(detail: Any, path: str = "") -> Iterator[tuple[str, ErrorDetail]]:
    """Walk a validation error's nested lists and objects to its sentences, each with the field's path."""
    if isinstance(detail, Mapping):
        for name, below in detail.items():
            here = "" if name == "non_field_errors" else str(name)
            yield from _leaves(below, f"{path}.{here}" if path and here else path or here)
    elif isinstance(detail, list):
        for below in detail:
            yield from _leaves(below, path)
    else:
        yield path, detail


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an exception in the one shape of errors; our own mistakes stay exceptions."""
    if isinstance(error, Refused):
        return Response(error_body(error.code, error.message), status_of(error))
    if database_is_away(error):
        logger.error("the database is away: %s", error)
        error = DatabaseAway()
    elif isinstance(error, Http404):
        error = NotFound()  # Django's own sentence names a class, in English
    elif isinstance(error, RequestDataTooBig):
        error = TooLarge()
    elif isinstance(error, TooManyFilesSent | TooManyFieldsSent):
        error = TooManyParts()
    elif isinstance(error, MultiPartParserError):
        error = MalformedForm()
    elif isinstance(error, UnreadablePostError):
        error = IncompleteBody()
    response = default_exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, DatabaseAway):
        response.headers["Retry-After"] = str(RETRY_AFTER)
    # The default handler leaves the sentences in `data`: {"detail": …} or a validation error's tree.
    found = list(_leaves(response.data))
    sentences = [f"{path}: {sentence}" if path and path != "detail" else str(sentence) for path, sentence in found]
    response.data = error_body(str(found[0][1].code or "invalid"), " ".join(sentences))
    return response
