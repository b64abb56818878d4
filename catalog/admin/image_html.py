"""An image with its boxes, and what was found in it, as HTML.

Written here and not in templates because lists have them in each row: as templates these take a sixth of a page's time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from catalog.certainty import percent
from catalog.models import ProductImage

if TYPE_CHECKING:
    from catalog.models.of_classifier import Garment

_NOTHING = SafeString("")


def media_url(public_id: str, variant: str) -> str:
    """Return where an administrator's browser finds an image: the admin's own view, whichever merchant's it is."""
    return reverse("admin:catalog_productimage_media", args=[public_id, variant])


def drawn(image: ProductImage, *, garments: Iterable[Garment] | None = None, large: bool = False) -> SafeString:
    """Return the image as HTML with the boxes of garments drawn over it: of those given, or of all that stand.

    The thumbnail of an elongated image shows its beginning only, so nothing is drawn there.
    """
    if image.elongated and not large:
        garments = ()
    elif garments is None:
        garments = image.shown_garments
    name, variant, lazy = ("image image-large", "display", "") if large else ("image", "thumbnail", "lazy")
    written = format_html(
        '<span class="{}"><img src="{}" alt="{}"{}>{}</span>',
        name, media_url(image.public_id, variant), image.original_name,
        SafeString(' loading="lazy"') if lazy else _NOTHING, _boxes(garments),
    )  # fmt: skip
    return format_html('<span class="image-scroll">{}</span>', written) if large and image.elongated else written


def _boxes(garments: Iterable[Garment]) -> SafeString:
    sides = [(100 * one.x1, 100 * one.y1, 100 * (one.x2 - one.x1), 100 * (one.y2 - one.y1)) for one in garments]
    if not sides:
        return _NOTHING
    boxes = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}"/>',
        ([f"{side:.2f}" for side in of_box] for of_box in sides),
    )
    return format_html('<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">{}</svg>', boxes)


def found(image: ProductImage) -> SafeString:
    """Return as HTML what the models said of each garment with its confidence, and how the newest job stands."""
    newest = next((job for job in image.classifications.all() if job.purpose == "live"), None)
    garments = image.shown_garments
    seen = image.current_classification is not None or bool(garments)
    stands = _NOTHING
    if newest is not None and newest.state in ("failed", "cancelled"):
        said = f"{newest.get_state_display()}: {newest.get_error_code_display()}"
        stands = format_html('<p class="text-red-700 dark:text-red-400">{}</p>', said)
    elif newest is not None and newest.state != "done":
        stands = format_html("<p>{}</p>", newest.get_state_display())
    elif not seen:
        stands = format_html("<p>{}</p>", _("not classified yet"))
    if not seen:
        return stands
    lines = format_html_join("", "<li>{}{}</li>", ((_said(one), _hidden(one)) for one in garments))
    return stands + format_html(
        '<ol class="garments">{}</ol>', lines or format_html('<li class="none">{}</li>', _("no garment found"))
    )


def _said(garment: Garment) -> SafeString:
    said = ((one.value, percent(one.confidence)) for one in garment.predictions.all())
    return format_html_join(" · ", '{} <span class="text-base-500">{}</span>', said)


def _hidden(garment: Garment) -> SafeString:
    if not garment.hidden:
        return _NOTHING
    text = _("not visible in the photo: %(attributes)s") % {"attributes": ", ".join(garment.hidden)}
    return format_html(' <span class="text-base-500">({})</span>', text)
