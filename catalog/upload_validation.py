"""Upload validation: what may come in as an image, and why the rest is turned away."""

from __future__ import annotations

import os
from typing import IO

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from PIL import Image

from core.errors import Invalid
from core.text import has_control_characters

EXTENSIONS = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp"}
_NAME_LENGTH = 255

SENTENCES = {
    "no_images": _("No photo was sent. Choose at least one."),
    "too_many_images": _("A product has at most %(limit)d photos. This one is too many; it was not stored."),
    "empty": _("The file is empty. Choose another one."),
    "too_large": _("The file has %(megabytes)s MB; at most %(limit)d MB are possible. Save it smaller first."),
    "not_an_image": _("This is not a photo. Send JPEG, PNG or WebP."),
    "unsupported_format": _("Photos of the kind %(format)s cannot be stored. Send JPEG, PNG or WebP."),
    "damaged": _("The photo is damaged or was cut off on the way. Send it again, or save it again first."),
    "too_many_pixels": _("The photo has more than %(limit)d megapixels. Save it smaller and send it again."),
    "too_many_pixels_for_format": _(
        "The photo has more than %(limit)s megapixels, too many for %(format)s. Save it as JPEG and send it again."
    ),
    "duplicate": _("This product has the same photo already; it was not stored a second time."),
    "archived": _("This product is archived. Restore it before you add photos."),
}


def refusal(code: str, **params: object) -> Invalid:
    """Return, for raising, why a file or a request is turned away; `code` is one of SENTENCES."""
    return Invalid(code, SENTENCES[code], params)


def file_name(name: str) -> str:
    """Return the name people know the file by, without folders and invisible characters."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(character for character in base if not has_control_characters(character)).strip()
    stem, extension = os.path.splitext(visible or "image")
    return (stem[: max(0, _NAME_LENGTH - len(extension))] + extension)[:_NAME_LENGTH]


def check_size(size: int) -> None:
    """Refuse a file of so many bytes by `empty` or `too_large`."""
    limit = settings.OTJANG_MAX_UPLOAD_BYTES
    if size == 0:
        raise refusal("empty")
    if size > limit:
        raise refusal("too_large", megabytes=f"{size / 2**20:.1f}", limit=limit // 2**20)


def check_format(file: IO[bytes]) -> str:
    """Return the format that the bytes really have, whatever the name says; reads the header only."""
    file.seek(0)
    limit = settings.OTJANG_MAX_IMAGE_PIXELS
    whole = {"PNG": settings.OTJANG_MAX_PNG_PIXELS, "WEBP": settings.OTJANG_MAX_WEBP_PIXELS}
    try:
        with Image.open(file) as image:
            kind, pixels = image.format or "", image.width * image.height
    except Image.DecompressionBombError as error:
        raise refusal("too_many_pixels", limit=limit // 10**6) from error
    except Exception as error:  # Pillow's readers answer broken headers with many unrelated types
        raise refusal("not_an_image") from error
    if kind not in EXTENSIONS:
        raise refusal("unsupported_format", format=kind)
    if pixels > limit:
        raise refusal("too_many_pixels", limit=limit // 10**6)
    if pixels > whole.get(kind, limit):
        raise refusal("too_many_pixels_for_format", limit=f"{whole[kind] / 1e6:g}", format=kind)
    return kind
