"""Headers of every response: Content-Security-Policy (Django has its own only from 6.0), and what programs get."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from catalog import storage
from core.api.problems import instead_of_page
from core.api.request_ids import is_api

STRICT = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob: data:",  # previews of images that are not uploaded yet
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
# No page has a script in it, ours or a package's. The admin's theme evaluates expressions in attributes (Alpine), and
# has styles there; Swagger UI and Redoc have styles in their pages, Redoc searches in a worker that it makes of a blob.
ADMIN = STRICT | {"script-src": "'self' 'unsafe-eval'", "style-src": "'self' 'unsafe-inline'"}
DOCS = STRICT | {"style-src": "'self' 'unsafe-inline'", "worker-src": "'self' blob:"}
OTHERS = {"/admin/": ADMIN, "/api/v1/docs": DOCS, "/api/v1/redoc": DOCS}


def _header(policy: dict[str, str]) -> str:
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())


class ContentSecurityPolicyMiddleware:
    """Sets the header unless the view has set its own (an image is answered with a still narrower one)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        images = STRICT["img-src"]
        if bucket := storage.origin():
            images = f"{images} {bucket}"
        self.strict = _header(STRICT | {"img-src": images})
        self.others = {path: _header(policy | {"img-src": images}) for path, policy in OTHERS.items()}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        other = (policy for path, policy in self.others.items() if request.path.startswith(path))
        response.headers.setdefault("Content-Security-Policy", next(other, self.strict))
        return response


class CacheControlMiddleware:
    """Lets nobody keep JSON: it is the caller's alone, and old a moment later. Views that know better say so.

    A page is its reader's: no cache between keeps it, and who goes back after the log-out is asked who they are.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        kind = response.headers.get("Content-Type", "")
        if kind.startswith("text/html"):
            response.headers.setdefault("Cache-Control", "private, no-cache")
        elif request.path_info.startswith("/api/") or "json" in kind:
            # What has an ETag may be kept to be asked for again; it is never shown without asking.
            kept = "private, no-cache" if "ETag" in response.headers else "no-store"
            response.headers.setdefault("Cache-Control", kept)
        return response


class ProgramsMiddleware:
    """Gives programs no page, whatever answers them; it comes early and so sees all."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if is_api(request):
            response = instead_of_page(request, response)
        return response
