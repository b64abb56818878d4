"""Who may see the figures: who shows METRICS_TOKEN, or, where there is none, programs of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

from django.conf import settings
from django.utils.crypto import constant_time_compare


def may_see(environ: Mapping[str, str]) -> bool:
    """Say whether the caller of this WSGI environment may see them.

    What a proxy passes on comes from the proxy's address, which may be this machine's: it does not count as that.
    """
    if settings.METRICS_TOKEN:
        scheme, _blank, token = environ.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        return scheme.lower() == "bearer" and constant_time_compare(token.strip(), settings.METRICS_TOKEN)
    if settings.BEHIND_PROXY or any(f"HTTP_{name}" in environ for name in ("X_FORWARDED_FOR", "FORWARDED")):
        return False
    try:
        return ip_address(environ.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
