"""Images, for those who may see their product. MEDIA_ROOT itself is served nowhere."""

from __future__ import annotations

import logging
import os

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from rest_framework.exceptions import APIException, AuthenticationFailed, ErrorDetail, Throttled

from accounts.authentication import BEARER_CHALLENGE, request_actor
from catalog.models import DraftImage, ProductImage
from catalog.storage import read_errors, silence
from core.api import is_api, plain_problem
from vision.engine import formats

logger = logging.getLogger(__name__)

VARIANTS = ("display", "thumbnail", "small", "original")
MAX_AGE = 3600  # seconds; a file's content never changes, but who may see it can


def _ask_who(request: HttpRequest) -> HttpResponseBase:
    """Send people to the log-in page; a program whose key is refused is told so."""
    if "authorization" in request.headers:
        sentence = _("This API key is unknown or revoked, or its shop is closed.")
        response: HttpResponse = plain_problem(request, "invalid_api_key", sentence, 401)
        response.headers["WWW-Authenticate"] = BEARER_CHALLENGE
        return response
    return redirect_to_login(request.get_full_path())


def _refused(request: HttpRequest, error: APIException) -> HttpResponse:
    """Say why a key gets no image, as the API does."""
    said = error.detail
    assert isinstance(said, ErrorDetail)  # none of these is about fields
    response = plain_problem(request, str(said.code), str(said), error.status_code)
    if isinstance(error, Throttled):
        response.headers["Retry-After"] = str(error.wait)  # type: ignore[attr-defined]  # the stubs lack it
    if isinstance(error, AuthenticationFailed):
        response.headers["WWW-Authenticate"] = BEARER_CHALLENGE
    return response


def image_response(request: HttpRequest, image: ProductImage | DraftImage, variant: str) -> HttpResponseBase:
    """Answer with one file of the image to a caller who was found to be allowed to see it.

    Either the file itself, 304 if the browser has it, 404 if it is gone and 503 if the storage does not answer; or,
    with MEDIA_SIGNED_URLS, a redirect to the bucket, by a URL that is good for a while.
    """
    response = _redirect(image, variant) if settings.MEDIA_SIGNED_URLS else _stream(request, image, variant)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _redirect(image: ProductImage | DraftImage, variant: str) -> HttpResponseBase:
    name = str(getattr(image, variant))
    expire: int = default_storage.querystring_expire  # type: ignore[attr-defined]  # S3's
    parameters = {"ResponseContentType": _content_type(name), "ResponseCacheControl": f"private, max-age={MAX_AGE}"}
    if variant == "original":
        parameters["ResponseContentDisposition"] = content_disposition_header(True, image.original_name) or "attachment"
    response = HttpResponseRedirect(default_storage.url(name, parameters=parameters))  # type: ignore[call-arg]  # S3's
    # A caller who is sent on by their browser's memory must find the URL still good.
    response.headers["Cache-Control"] = f"private, max-age={min(MAX_AGE, expire // 2)}"
    return response


def _content_type(name: str) -> str:
    ending = os.path.splitext(name)[1].lower()
    for known in formats.ACCEPTED.values():
        if ending in known.suffixes:
            return known.media_types[0]
    return "application/octet-stream"


def _unanswered(request: HttpRequest) -> HttpResponse:
    sentence = _("The site cannot reach its files at the moment. Try again in a few seconds.")
    response: HttpResponse = (
        plain_problem(request, "storage_away", sentence, 503) if is_api(request) else HttpResponse(status=503)
    )
    response.headers["Retry-After"] = str(silence.SECONDS)
    response.headers["Cache-Control"] = "no-store"
    return response


def _stream(request: HttpRequest, image: ProductImage | DraftImage, variant: str) -> HttpResponseBase:
    etag = quote_etag(f"{image.sha256[:32]}-{variant}")
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if response is None:
        if silence:
            return _unanswered(request)
        name = str(getattr(image, variant))
        try:
            response = FileResponse(
                default_storage.open(name, "rb"),  # S3 is read whole here, to know its length
                as_attachment=variant == "original",
                filename=image.original_name if variant == "original" else name.rsplit("/", 1)[-1],
                content_type=_content_type(name),
            )
        except FileNotFoundError as error:
            raise Http404 from error
        except read_errors() as error:
            logger.warning("the storage did not hand out %s: %s", name, error)
            silence.note(error)
            return _unanswered(request)
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = f"private, max-age={MAX_AGE}"
    return response


@require_safe
def media(request: HttpRequest, public_id: str, variant: str) -> HttpResponseBase:
    """One image as uploaded, as the page shows it, or small; for the portal's session and for API keys."""
    try:
        actor = request_actor(request)
    except APIException as error:
        return _refused(request, error)
    if actor is None:
        return _ask_who(request)
    image = ProductImage.objects.visible_to(actor).filter(public_id=public_id).first()
    if image is None or variant not in VARIANTS:
        raise Http404
    if variant == "small" and not image.small:
        variant = "thumbnail"
    return image_response(request, image, variant)
