"""Answers that belong to no app: whether the site is well, and what it says when something goes wrong."""

import sys

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.csrf import csrf_failure as default_csrf_failure
from django.views.decorators.http import require_safe
from django.views.defaults import page_not_found
from django.views.defaults import server_error as default_server_error
from rest_framework.exceptions import NotFound

from config import readiness
from config.health import database_problem
from core.api import DatabaseAway, IncompleteBody, StorageAway, is_api, plain_problem
from core.outage import RETRY_AFTER, database_is_away, storage_is_away
from core.portal import wants_json


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Whether this process answers and reaches its database: 200 `ok`, or 503 with the reason's name."""
    problem = database_problem()
    if problem is not None:
        return HttpResponse(f"database: {problem}", status=503, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether the site can do its work: each part with its state and milliseconds; 503 where one of them fails."""
    answers = readiness.answers()
    failed = any(answer.state == readiness.FAILED for answer in answers.values())
    parts = {name: answer.shown() for name, answer in answers.items()}
    answer = JsonResponse({"status": readiness.FAILED if failed else readiness.OK, "parts": parts})
    answer.headers["Cache-Control"] = "no-store"
    if failed:
        answer.status_code = 503
        answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer


def _json(request: HttpRequest, code: str, message: str, status: int) -> JsonResponse:
    if is_api(request):
        return plain_problem(request, code, message, status)
    return JsonResponse({"code": code, "message": message}, status=status)


def refuse(request: HttpRequest, code: str, message: str, status: int) -> HttpResponse:
    """Turn a request down in the form that the caller reads: the API's, a script's or a page."""
    if is_api(request) or not request.accepts("text/html"):
        return _json(request, code, message, status)
    return render(request, "400.html", {"message": message, "status": status}, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose token is not this session's: Django's page, or a sentence for scripts."""
    if getattr(getattr(request, "_stream", None), "broke_off", False):  # the token is in the part that is missing
        return refuse(request, IncompleteBody.default_code, str(IncompleteBody.default_detail), 400)
    if not is_api(request) and not wants_json(request):
        return default_csrf_failure(request, reason)
    message = _("You logged in or out since the page was opened. Reload the page and try again.")
    return _json(request, "form_too_old", message, 403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself turns away: 413 with the limit for too large a form, else 400."""
    if isinstance(exception, TooManyFilesSent):
        code, status = "too_many_images", 413
        message = _(
            "Too many files at once; nothing was stored. A product has at most %(limit)d photos: send fewer files."
        ) % {"limit": settings.OTJANG_MAX_IMAGES_PER_PRODUCT}
    elif isinstance(exception, TooManyFieldsSent):
        code, status = "too_many_fields", 413
        message = _("The form has more than %(limit)d fields; nothing was stored. Choose fewer rows at a time.") % {
            "limit": settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        }
    elif isinstance(exception, RequestDataTooBig):
        code, status = "too_large", 413
        message = _("The form is too large; nothing was stored. Shorten its texts or send fewer files at a time.")
    else:
        code, status = "bad_request", 400
        message = _("The site could not understand this request. Go back and try again.")
    return refuse(request, code, message, status)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that leads nowhere."""
    if is_api(request):
        return _json(request, NotFound.default_code, str(NotFound.default_detail), NotFound.status_code)
    return page_not_found(request, exception)


def _away(request: HttpRequest, what: type[DatabaseAway | StorageAway]) -> HttpResponse:
    if is_api(request) or wants_json(request):
        answer: HttpResponse = _json(request, what.default_code, str(what.default_detail), what.status_code)
    else:  # without the request, of which a template would ask who is logged in
        answer = HttpResponse(render_to_string("503.html", {"code": what.default_code}), status=what.status_code)
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an exception that nobody caught, wherever it arose: 503 where database or storage are away, else 500."""
    error = sys.exc_info()[1]
    if database_is_away(error):
        return _away(request, DatabaseAway)
    if storage_is_away(error):
        return _away(request, StorageAway)
    if not is_api(request) and not wants_json(request):
        return default_server_error(request)
    message = _("Something broke on our side. It has been written to the log; try again in a moment.")
    return _json(request, "server_error", message, 500)
