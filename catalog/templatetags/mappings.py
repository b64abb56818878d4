"""The table in which a mapping's entries are edited."""

from typing import Any

from django import template

register = template.Library()


@register.simple_tag
def typed(posted: Any, what: str, key: str, stored: str) -> str:
    """Return what was typed into a field, where the form comes back because of something else; else what is stored."""
    text: str = posted.get(f"{what}-{key}", stored)
    return text
