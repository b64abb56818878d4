"""How large a request's body may be, judged by its headers alone: before any of it is read or stored.

Forms and JSON are small. Only where images or weights are uploaded a body may be large, and only from callers who
show a key or a session; whether those are good is found out afterwards, with the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from django.conf import settings
from django.http import parse_cookie
from django.urls import Resolver404, resolve

_IMAGES = frozenset(
    {
        "catalog:new_product",
        "catalog:draft_images",
        "catalog:add_images",
        "api:products",
        "api:images",
        "admin:catalog_product_add",
        "admin:catalog_product_change",
    }
)
_IMPORTS = frozenset({"catalog:import_products", "catalog:import_files", "api:start_import"})
_CLASSIFY = "api:classify"
_WEIGHTS = "admin:classifier_modelversion_upload"


class Verdict(Enum):
    """What becomes of a body."""

    FITS = auto()
    TOO_LARGE = auto()
    NOT_LOGGED_IN = auto()  # and too large for callers who are nobody


@dataclass(frozen=True, slots=True)
class Announced:
    """What a request's headers say, as in a WSGI environment: no text is None."""

    path: str
    content_type: str
    authorization: str
    cookies: str

    @property
    def shows_credentials(self) -> bool:
        """Whether the caller claims to be somebody: a bearer key, or the cookie of a session."""
        if self.authorization[:7].lower() == "bearer ":
            return True
        return settings.SESSION_COOKIE_NAME in parse_cookie(self.cookies)


def form_limit() -> int:
    """Return how many bytes a form or JSON may have."""
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 2**20


def _upload_limit(announced: Announced) -> int | None:
    """Return the limit of an upload to this address, in bytes; None where nothing is uploaded."""
    if not announced.content_type.lower().startswith("multipart/form-data"):
        return None
    try:
        view = resolve(announced.path).view_name
    except Resolver404:
        return None
    if view in _IMAGES:
        return form_limit() + settings.OTJANG_MAX_IMAGES_PER_PRODUCT * settings.OTJANG_MAX_UPLOAD_BYTES
    if view == _CLASSIFY:
        return form_limit() + settings.OTJANG_CLASSIFY_MAX_BYTES
    if view in _IMPORTS:
        return form_limit() + settings.OTJANG_IMPORT_MAX_BYTES
    return form_limit() + settings.OTJANG_MAX_MODEL_BYTES if view == _WEIGHTS else None


def judge(announced: Announced, length: int) -> Verdict:
    """Say whether a body of `length` bytes may come."""
    if length <= form_limit():
        return Verdict.FITS
    limit = _upload_limit(announced)
    if limit is not None and not announced.shows_credentials:
        return Verdict.NOT_LOGGED_IN
    return Verdict.FITS if limit is not None and length <= limit else Verdict.TOO_LARGE
