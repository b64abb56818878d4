from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.csrf import csrf_failure as default_csrf_failure
from django.views.decorators.http import require_safe

from accounts.portal import wants_json


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Whether this process answers and reaches its database: 200 `ok`, or 503 with the reason's name."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return HttpResponse(f"database: {type(error).__name__}", status=503, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose token is not this session's: Django's page, or a sentence for scripts."""
    if not wants_json(request):
        return default_csrf_failure(request, reason)
    message = _("You logged in or out since the page was opened. Reload the page and try again.")
    return JsonResponse({"code": "form_too_old", "message": message}, status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself turns away: 413 with the limit for too large a form, else 400."""
    if isinstance(exception, TooManyFilesSent):
        code, status = "too_many_photographs", 413
        message = _(
            "Too many files at once; nothing was stored. A product has at most %(limit)d photographs: send fewer files."
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
    if not request.accepts("text/html"):
        return JsonResponse({"code": code, "message": message}, status=status)
    return render(request, "400.html", {"message": message, "status": status}, status=status)
