"""Exceptions and lines of errors for Sentry: nothing, and without its package, unless SENTRY_DSN is set."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from core import logs

_KEPT_OF_REQUESTS = ("method", "url")


def start(transport: Any = None) -> None:
    """Report what breaks in this process, if SENTRY_DSN is set. Prepared for one call, when Django has set up.

    Neither bodies, cookies, headers, queries, users nor local variables are sent: they hold people's words and secrets.

    Args:
        transport: takes the reports in the place of the network.
    """
    if not settings.SENTRY_DSN:
        return
    import sentry_sdk
    from sentry_sdk.integrations.django import DjangoIntegration

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        environment=settings.SENTRY_ENVIRONMENT,
        transport=transport,
        integrations=[DjangoIntegration()],
        auto_enabling_integrations=False,
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=20,
        before_send=_cleaned,
        before_breadcrumb=_cleaned_breadcrumb,
    )


def _cleaned(event: Any, _hint: Any) -> Any:
    """Return the report without people and secrets, and with what the log would say it is about."""
    about = logs.about_now()
    event["tags"] = {**event.get("tags", {}), **{name: _short(value) for name, value in about.items()}}
    request = event.get("request", {})
    event["request"] = {name: request[name] for name in _KEPT_OF_REQUESTS if name in request}
    event.pop("user", None)
    event.pop("extra", None)
    return _hidden(event)


def _cleaned_breadcrumb(crumb: Any, _hint: Any) -> Any:
    crumb.pop("data", None)
    return _hidden(crumb)


def _short(value: object) -> str:
    """Return it as a tag, which has 200 characters at most."""
    return (", ".join(map(str, value)) if isinstance(value, list) else str(value))[:200]


def _hidden(value: Any) -> Any:
    """Return the same without what `core.logs` hides, however deep it lies."""
    if isinstance(value, str):
        return logs.hidden(value)
    if isinstance(value, dict):
        return {name: _hidden(inner) for name, inner in value.items()}
    return [_hidden(inner) for inner in value] if isinstance(value, list | tuple) else value
