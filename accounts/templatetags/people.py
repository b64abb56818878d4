"""What pages about people say in words."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

register = template.Library()

# In this order: browsers also name those that they are like.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Whale", "Whale"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@register.filter
def device_name(user_agent: str) -> str:
    """Return browser and system of a browser's own long name, such as `Chrome, Windows`."""
    found = (next((name for mark, name in names if mark in user_agent), None) for names in (_BROWSERS, _SYSTEMS))
    return ", ".join(name for name in found if name) or _("unknown browser")
