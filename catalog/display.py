"""How pages write what is neither a text nor a share: moments and statuses."""

from datetime import datetime

from django.utils.timezone import localdate, localtime

from catalog.models import Product

# A shape that fills up on the way from images to the merchant, so that the state is not told by colour alone.
STATUS_SHAPES = {
    Product.Status.DRAFT: "○",
    Product.Status.CLASSIFYING: "◔",
    Product.Status.TO_REVIEW: "◐",
    Product.Status.READY: "◕",
    Product.Status.PUBLISHED: "●",
    Product.Status.ARCHIVED: "⊘",
}


def moment(when: datetime | None) -> str:
    """Write the local time, with the date unless it is today's; the same digits in every language."""
    if when is None:
        return ""
    local = localtime(when)
    return f"{local:%H:%M}" if local.date() == localdate() else f"{local:%Y-%m-%d %H:%M}"


def status_shape(status: str) -> str:
    """Return the shape that is shown beside a status's word."""
    return STATUS_SHAPES.get(Product.Status(status), "")
