"""What both clients are told: where the site is, and by which key."""

from __future__ import annotations

import os

from otjang._calls import ROOT
from otjang._version import __version__
from otjang.errors import OtjangError


def address(url: str | None) -> str:
    """Return the site's address, by default that in OTJANG_URL; with `/api/v1` behind it or without."""
    return (url or _variable("OTJANG_URL")).rstrip("/").removesuffix(ROOT)


def headers(key: str | None, language: str) -> dict[str, str]:
    """Return the headers of every request; the key is by default the one in OTJANG_KEY."""
    return {
        "Accept": "application/json, application/problem+json",
        "Accept-Language": language,
        "Authorization": f"Bearer {key or _variable('OTJANG_KEY')}",
        "User-Agent": f"otjang-python/{__version__}",
    }


def _variable(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise OtjangError(f"Name it, or set the variable {name}.") from None
