"""Upload validation: what may come in as an image, and why the rest is turned away."""

from __future__ import annotations

import os
from typing import IO

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from core.errors import Invalid
from core.text import has_control_characters, looks_empty, tidied
from vision.engine import formats
from vision.engine.decode import Limits, inspect
from vision.engine.errors import DecodeError

_NAME_LENGTH = 255

SENTENCES = {
    "no_images": _("No photo was sent. Choose at least one."),
    "too_many_images": _("A product has at most %(limit)d photos. This one is too many; it was not stored."),
    "empty": _("The file is empty. Choose another one."),
    "too_large": _("The file has %(megabytes)s MB; at most %(limit)d MB are possible. Save it smaller first."),
    "not_an_image": _("This is not a photo. Send JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF."),
    "unsupported_format": _("%(format)s files cannot be stored. Save it as JPEG and send that."),
    "damaged": _("The photo is damaged or was cut off on the way. Send it again, or save it again first."),
    "too_many_pixels": _("The photo has more than %(limit)s megapixels. Save it smaller and send it again."),
    "too_many_pixels_for_format": _(
        "The photo has more than %(limit)s megapixels, too many for %(format)s. Save it as JPEG and send it again."
    ),
    "too_long": _(
        "The photo has %(width)d × %(height)d pixels: it is too long or too narrow. Cut it into several and send those."
    ),
    "duplicate": _("This product has the same photo already; it was not stored a second time."),
    "archived": _("This product is archived. Restore it before you add photos."),
}
# What helps where the format is refused depends on it.
_SENTENCES_BY_FORMAT = {
    formats.VIDEO: _("This is a video, not a photo. Save one frame of it as JPEG and send that."),
    "HEIC": _(
        "HEIC photos cannot be read here. Save it as JPEG and send that. An iPhone takes JPEG after Settings > Camera "
        "> Formats > Most Compatible."
    ),
    "PDF": _("PDF files cannot be stored. Save the page that shows the garment as JPEG and send that."),
    "ZIP": _("ZIP files cannot be stored. Unpack it and send the photos in it."),
}


def refusal(code: str, **params: object) -> Invalid:
    """Return, for raising, why a file or a request is turned away; `code` is one of SENTENCES."""
    by_format = _SENTENCES_BY_FORMAT.get(str(params.get("format"))) if code == "unsupported_format" else None
    return Invalid(code, by_format or SENTENCES[code], params)


def refusal_of(error: DecodeError) -> Invalid:
    """Return, for raising, why an image is turned away that the decoder does not take."""
    return refusal(error.code if error.code in SENTENCES else "damaged", **error.details)


def accepted_types() -> str:
    """Return what a file field of a page accepts: media types and endings, because browsers do not know all types."""
    known = formats.ACCEPTED.values()
    return ",".join([*(kind for each in known for kind in each.media_types), *sorted(formats.SUFFIXES)])


def image_limits() -> Limits:
    """Return how many pixels an image may have, by the settings."""
    by_format = {"PNG": settings.OTJANG_MAX_PNG_PIXELS, "WebP": settings.OTJANG_MAX_WEBP_PIXELS}
    return Limits(settings.OTJANG_MAX_IMAGE_PIXELS, by_format)


def file_name(name: str) -> str:
    """Return the name people know the file by, without folders and what would make a mess of a line."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    visible = tidied("".join(character for character in base if not has_control_characters(character)))
    stem, extension = os.path.splitext("image" if looks_empty(visible) else visible or "image")
    return (stem[: max(0, _NAME_LENGTH - len(extension))] + extension)[:_NAME_LENGTH]


def check_size(size: int) -> None:
    """Refuse a file of so many bytes by `empty` or `too_large`."""
    limit = settings.OTJANG_MAX_UPLOAD_BYTES
    if size == 0:
        raise refusal("empty")
    if size > limit:
        raise refusal("too_large", megabytes=f"{size / 2**20:.1f}", limit=limit // 2**20)


def check_format(file: IO[bytes]) -> str:
    """Return the ending for the format that the bytes really have, whatever the name says; decodes no pixels."""
    file.seek(0)
    try:
        return formats.ACCEPTED[inspect(file.read(), image_limits())].extension
    except DecodeError as error:
        raise refusal_of(error) from error
