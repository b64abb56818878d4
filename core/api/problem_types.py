"""Which codes the API's errors have. Every app registers its own; /api/v1/problems/CODE explains each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ADDRESS = "/api/v1/problems/"
MEDIA_TYPE = "application/problem+json"

_TITLES: Mapping[int, str | Promise] = {
    400: _("The request is wrong"),
    401: _("Nobody is logged in"),
    403: _("This is not allowed"),
    404: _("There is no such thing"),
    405: _("The address has no such method"),
    406: _("The answer has no such format"),
    409: _("The state of the thing forbids it"),
    411: _("The length of the body is missing"),
    412: _("It was changed meanwhile"),
    413: _("The request is too large"),
    415: _("The body has another format than those that are read"),
    422: _("The request contradicts an earlier one"),
    429: _("Too many requests"),
    431: _("The headers are too large"),
    500: _("The site broke"),
    501: _("The site does not do this"),
    503: _("The site cannot answer now"),
}


def title_of(status: int) -> str:
    """Return the short name of what kind of problem a status stands for."""
    return str(_TITLES.get(status) or HTTPStatus(status).phrase)


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A code of errors.

    `explanation`: what it means and what helps, for the page of the code and for the schema. `pointer`: the field of
    the body that it is about, where it is always the same one.
    """

    code: str
    status: int
    explanation: str | Promise
    pointer: str = ""


_known: dict[str, ProblemType] = {}


def register(*types: ProblemType) -> None:
    """Make codes known: to `refusals`, to the page of each code, and to the errors that point to a field."""
    for problem_type in types:
        _known[problem_type.code] = problem_type


def problem_type(code: str) -> ProblemType | None:
    """Return what is registered of a code."""
    return _known.get(code)


def all_problem_types() -> list[ProblemType]:
    """Return all of them by status and code."""
    return sorted(_known.values(), key=lambda one: (one.status, one.code))


register(
    ProblemType("invalid", 400, _("A field has another type or form than it must have.")),
    ProblemType("required", 400, _("A field is missing that has to be there.")),
    ProblemType("null", 400, _("A field is null that must not be.")),
    ProblemType("blank", 400, _("A text is empty that must not be.")),
    ProblemType("max_length", 400, _("A text or list is longer than it may be.")),
    ProblemType("min_length", 400, _("A list is shorter than it must be.")),
    ProblemType("max_value", 400, _("A number is larger than it may be.")),
    ProblemType("min_value", 400, _("A number is smaller than it must be.")),
    ProblemType("empty", 400, _("A file is empty, or a list that must not be.")),
    ProblemType("invalid_choice", 400, _("The value is none of those that the schema lists.")),
    ProblemType("not_a_list", 400, _("A list has to be there.")),
    ProblemType("not_a_dict", 400, _("An object has to be there.")),
    ProblemType("null_characters_not_allowed", 400, _("A text has a null character in it.")),
    ProblemType("surrogate_characters_not_allowed", 400, _("A text has half a character in it.")),
    ProblemType("unknown_field", 400, _("A field or parameter has a name that the operation does not know.")),
    ProblemType("parse_error", 400, _("The body is not valid JSON.")),
    ProblemType("malformed_form", 400, _("The form has a wrong boundary, or ends in the middle.")),
    ProblemType("too_many_parts", 400, _("The form has more files or fields than the site reads at once.")),
    ProblemType("empty_body", 400, _("The request has no body.")),
    ProblemType("incomplete_body", 400, _("The connection ended in the middle of the body; nothing was stored.")),
    ProblemType("bad_request", 400, _("The request cannot be understood.")),
    ProblemType("invalid_cursor", 400, _("The cursor is none that this list gave out, in this order."), "/cursor"),
    ProblemType("invalid_page_size", 400, _("The page size is not a number, or over the limit."), "/page_size"),
    ProblemType("url_invalid", 400, _("The address does not begin with https:// or http://, or names no server.")),
    ProblemType("url_credentials", 400, _("The address must not hold a user name or password.")),
    ProblemType("url_forbidden", 400, _("The address leads into a network that is not public.")),
    ProblemType("not_authenticated", 401, _("No key was sent, and nobody is logged in.")),
    ProblemType("authentication_failed", 401, _("The login is wrong.")),
    ProblemType("invalid_api_key", 401, _("The API key is unknown, revoked or over, or its shop is closed.")),
    ProblemType("permission_denied", 403, _("The caller may not do this, or its CSRF token is missing.")),
    ProblemType("form_too_old", 403, _("The page's CSRF token is of another session. Load the page again.")),
    ProblemType("forbidden", 403, _("The key or person may look at this but not change it.")),
    ProblemType("not_found", 404, _("There is none, it was deleted meanwhile, or it belongs to another shop.")),
    ProblemType("method_not_allowed", 405, _("The header Allow names the methods that the address has.")),
    ProblemType("not_acceptable", 406, _("Answers are JSON: ask for application/json.")),
    ProblemType("length_required", 411, _("Send a Content-Length.")),
    ProblemType("precondition_failed", 412, _("If-Match names another version than the stored one. Read again.")),
    ProblemType("too_large", 413, _("The body, or a file in it, is larger than the site takes.")),
    ProblemType("unsupported_media_type", 415, _("The Content-Type is none of those that the operation reads.")),
    ProblemType("throttled", 429, _("The header Retry-After says for how many seconds to wait.")),
    ProblemType("request_header_fields_too_large", 431, _("The headers of the request are too large.")),
    ProblemType("server_error", 500, _("The site made a mistake; its log has the request's id.")),
    ProblemType("not_implemented", 501, _("The request asks for something that the site does not do.")),
    ProblemType("database_away", 503, _("The site cannot reach its database. Retry-After says when to try again.")),
    ProblemType("storage_away", 503, _("The site cannot reach its files. Retry-After says when to try again.")),
    ProblemType("service_unavailable", 503, _("Too many requests come at once. Retry-After says when to try again.")),
)
