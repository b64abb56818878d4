"""How the portal's pages write what models and products say: shares, certainty, states."""

from collections.abc import Mapping
from datetime import datetime

from django import template
from django.utils.timezone import localdate, localtime

from catalog.certainty import CERTAINTY, percent
from catalog.models import Product
from catalog.upload_validation import accepted_types

register = template.Library()
register.filter(percent)
register.simple_tag(accepted_types)

# A shape that fills up on the way from images to the merchant, so that the state is not told by colour alone.
STATUS_SHAPES = {
    Product.Status.DRAFT: "○",
    Product.Status.CLASSIFYING: "◔",
    Product.Status.TO_REVIEW: "◐",
    Product.Status.READY: "◕",
    Product.Status.PUBLISHED: "●",
    Product.Status.ARCHIVED: "⊘",
}


@register.filter
def certainty(fraction: float | None) -> str:
    """Name the class of certainty for style sheets: sure, likely, unsure."""
    return next((code for least, code, _word in CERTAINTY if (fraction or 0) >= least), "unsure")


@register.filter
def certainty_word(fraction: float | None) -> str:
    """Say in a word how sure a model is."""
    return next((str(word) for least, _code, word in CERTAINTY if (fraction or 0) >= least), "")


@register.filter
def moment(when: datetime | None) -> str:
    """Write the local time, with the date unless it is today's; the same digits in every language."""
    if when is None:
        return ""
    local = localtime(when)
    return f"{local:%H:%M}" if local.date() == localdate() else f"{local:%Y-%m-%d %H:%M}"


@register.filter
def status_shape(status: str) -> str:
    """Return the shape that is shown beside a status's word."""
    return STATUS_SHAPES.get(Product.Status(status), "")


@register.filter
def of(named: Mapping[str, str], name: str) -> str:
    """Look up what has that name; empty for nothing."""
    return named.get(name, "")


@register.simple_tag(takes_context=True)
def page_query(context: template.Context, **changes: object) -> str:
    """Return the present query string with some parameters changed; empty ones are left out."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = str(value)
    encoded: str = query.urlencode()
    return f"?{encoded}" if encoded else "?"
