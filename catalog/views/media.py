"""Photographs, for those who may see their product. MEDIA_ROOT itself is served nowhere."""

from __future__ import annotations

import mimetypes

from django.contrib.auth.views import redirect_to_login
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from accounts.authentication import BEARER_CHALLENGE, request_actor
from catalog.models import ProductImage

VARIANTS = ("display", "thumbnail", "original")
MAX_AGE = 3600  # seconds; a file's content never changes, but who may see it can


def _ask_who(request: HttpRequest) -> HttpResponseBase:
    """Send people to the log-in page; a program whose key is refused is told so."""
    if "authorization" in request.headers:
        return HttpResponse(status=401, headers={"WWW-Authenticate": BEARER_CHALLENGE})
    return redirect_to_login(request.get_full_path())


def image_response(request: HttpRequest, image: ProductImage, variant: str) -> HttpResponseBase:
    """Stream one file of the photograph from the storage; 304 if the browser has it, 404 if the file is gone."""
    etag = quote_etag(f"{image.sha256[:32]}-{variant}")
    not_modified = get_conditional_response(request, etag=etag)
    response: HttpResponseBase
    if not_modified is not None:
        response = not_modified
    else:
        name = str(getattr(image, variant))
        try:
            stream = default_storage.open(name, "rb")
        except FileNotFoundError as error:
            raise Http404 from error
        response = FileResponse(
            stream,
            as_attachment=variant == "original",
            filename=image.original_name if variant == "original" else name.rsplit("/", 1)[-1],
            content_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
        )
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = f"private, max-age={MAX_AGE}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@require_safe
def media(request: HttpRequest, public_id: str, variant: str) -> HttpResponseBase:
    """One photograph as uploaded, as the page shows it, or small; for the portal's session and for API keys."""
    actor = request_actor(request)
    if actor is None:
        return _ask_who(request)
    image = ProductImage.objects.visible_to(actor).filter(public_id=public_id).first()
    if image is None or variant not in VARIANTS:
        raise Http404
    return image_response(request, image, variant)
