"""Content-Security-Policy for every response (Django has its own only from 6.0)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from catalog import storage

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
# The admin's theme evaluates expressions in attributes and Swagger UI starts from an inline script: neither works under
# the strict policy. They load nothing from elsewhere all the same.
RELAXED = STRICT | {
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "worker-src": "'self' blob:",
}
RELAXED_PATHS = ("/admin/", "/api/v1/docs")


def _header(policy: dict[str, str]) -> str:
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())


class ContentSecurityPolicyMiddleware:
    """Sets the header unless the view has set its own (an image is answered with a still narrower one)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        images = STRICT["img-src"]
        if bucket := storage.origin():
            images = f"{images} {bucket}"
        self.strict, self.relaxed = (_header(policy | {"img-src": images}) for policy in (STRICT, RELAXED))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        relaxed = request.path.startswith(RELAXED_PATHS)
        response.headers.setdefault("Content-Security-Policy", self.relaxed if relaxed else self.strict)
        return response
