"""What the log says: lines for people or JSON for programs, what a line belongs to, and nothing that is secret."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from core.tracing import trace_id

_about: ContextVar[dict[str, Any]] = ContextVar("about", default={})  # noqa: B039 - is replaced, never changed

_HIDDEN = "[hidden]"
_SECRETS = (
    # keys of the API, whatever scheme of Authorization, and cookies
    (re.compile(r"\botj_[A-Za-z0-9_-]+"), _HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {_HIDDEN}"),
    (re.compile(r"(?i)\b(sessionid|csrftoken|cookie|set-cookie)(['\"]?\s*[=:]\s*)\S+"), rf"\1\2{_HIDDEN}"),
    # addresses that let in everybody who has them: invitations, and links in mails
    (re.compile(r"(/join/|/confirm-email/|/password/reset/(?=\w+-))[^\s/?'\"]+"), rf"\1{_HIDDEN}"),
    # secrets of webhooks, and scheme://user:password@host
    (re.compile(r"\bwhsec_[A-Za-z0-9+/=_-]+"), _HIDDEN),
    (re.compile(r"://[^/\s:@]*:[^/\s@]+@"), f"://{_HIDDEN}@"),
    # what signs a URL of S3
    (re.compile(r"(?i)(x-amz-signature|x-amz-credential|x-amz-security-token|signature)=[^&\s'\"]+"), rf"\1={_HIDDEN}"),
    # E-mail addresses, which are names of people, with what hangs on them. Each word is looked at once, from its
    # beginning: a path of strangers may be one of 200 KB, and from each of its letters that would take minutes.
    (re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+(?:[.+@]+[\w-]+)*"), _HIDDEN),
)


def hidden(text: str) -> str:
    """Return the text without keys, cookies, passwords in URLs and e-mail addresses."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def begin(**about: object) -> None:
    """Let all lines of this thread carry these fields from now on, and no others; without any, none."""
    _about.set(about)


@contextmanager
def about(**fields: object) -> Iterator[None]:
    """Let the lines within the block carry these fields, besides those around it."""
    token = _about.set({**_about.get(), **fields})
    try:
        yield
    finally:
        _about.reset(token)


def about_now() -> dict[str, Any]:
    """Return the fields that a line would carry here."""
    return dict(_about.get())


def fields(**values: object) -> dict[str, Any]:
    """Return the `extra` of a single line with these fields; None leaves one out."""
    return {"fields": {name: value for name, value in values.items() if value is not None}}


class Lines(logging.Formatter):
    """One line for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback below it."""
        return hidden(super().format(record))


class JsonLines(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `message`, and what the line is about.

    Only fields that were meant for the log get there: what Django puts into a record, such as the request, does not.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the object, with the traceback in `exception`."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": hidden(record.getMessage()),
            **({"trace": trace} if (trace := trace_id()) else {}),
            **_about.get(),
            **{
                name: hidden(one) if isinstance(one, str) else one
                for name, one in getattr(record, "fields", {}).items()
            },
        }
        if record.exc_info:
            entry["exception"] = hidden(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False, default=str)
