"""What the portal's views share that has nothing to do with accounts."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, cast

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def wants_json(request: HttpRequest) -> bool:
    """Whether a script asks, which reads no pages."""
    return request.accepts("application/json") and not request.accepts("text/html")


def posted_from(page: str, *arguments: str) -> Callable[[View], View]:
    """Let only POST change something; a browser that opens the address gets the page whose form sends there.

    The address bar shows it after a refusal, so people reload it, change the language there and log in to it.

    Args:
        page: name of that page's address.
        arguments: names of the view's own arguments that the page takes, too.
    """

    def decorate(view: View) -> View:
        post_only = require_POST(view)

        @wraps(view)
        def wrapper(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
            if request.method in {"GET", "HEAD"}:
                return redirect(page, *(kwargs[name] for name in arguments))
            return post_only(request, **kwargs)

        return cast(View, wrapper)

    return decorate


def toast(request: HttpRequest, text: str, *, undo: str = "") -> None:
    """Say on the next page, over it, what was done.

    Args:
        request: whose person reads it.
        text: a sentence in their language.
        undo: an address that takes it back when it is posted to; the toast then offers that for ten seconds.
    """
    messages.success(request, text, extra_tags=undo)
