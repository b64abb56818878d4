"""How the portal's pages write what models and products say: shares, certainty, states."""

from collections.abc import Mapping

from django import template

from catalog.certainty import CERTAINTY, percent
from catalog.display import moment, status_shape
from catalog.upload_validation import accepted_types

register = template.Library()
register.filter(percent)
register.filter(moment)
register.filter(status_shape)
register.simple_tag(accepted_types)


@register.filter
def certainty(fraction: float | None) -> str:
    """Name the class of certainty for style sheets: sure, likely, unsure."""
    return next((code for least, code, _word in CERTAINTY if (fraction or 0) >= least), "unsure")


@register.filter
def certainty_word(fraction: float | None) -> str:
    """Say in a word how sure a model is."""
    return next((str(word) for least, _code, word in CERTAINTY if (fraction or 0) >= least), "")


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
