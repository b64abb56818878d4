"""What the theme works out for each row of a list is worked out once: headers, the markup of labels and names, links.

As templates these take longer than all else of a page of twenty rows together with its queries. In the place of the
theme's functions are some that call them for what is not known yet, or not before it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.db.models.options import Options
from django.http import HttpRequest
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from unfold.sites import UnfoldAdminSite
from unfold.templatetags import unfold_list

_theirs_headers = unfold_list.result_headers
_theirs_header = unfold_list.display_for_header
_theirs_label = unfold_list.display_for_label
_theirs_kept = unfold_list.add_preserved_filters
_theirs_apps = UnfoldAdminSite.get_app_list
_KEPT = "headers of the page"
_ROW = re.compile(r"/[^/?#]+/change/\Z")
_TITLE, _SUBTITLE, _PATH = "-TITLE-", "-SUBTITLE-", "-PATH-"


def quicken_lists() -> None:
    """Put the functions below in the place of the theme's."""
    unfold_list.result_headers = _headers
    unfold_list.display_for_header = _header
    unfold_list.display_for_label = _label
    unfold_list.add_preserved_filters = _kept
    UnfoldAdminSite.get_app_list = _apps


def _headers(changelist: ChangeList) -> Iterator[dict[str, Any]]:
    """The heads of the columns: the theme asks for them with each row."""
    kept = changelist.__dict__
    if _KEPT not in kept:
        kept[_KEPT] = list(_theirs_headers(changelist))
    return iter(kept[_KEPT])


@lru_cache(maxsize=100)
def _filters_behind(url: str, filters: str, opts: Options[Any]) -> str:
    """What the list's filters add to the address of a row's page."""
    return str(_theirs_kept({"preserved_filters": filters, "opts": opts}, url)).removeprefix(url)


def _kept(context: dict[str, Any], url: str) -> str:
    """The address of a row's page, with the list's filters for the way back: the key is all that differs by row."""
    page, changed = _ROW.subn("/0/change/", url)
    if not changed:
        return str(_theirs_kept(context, url))
    return url + _filters_behind(page, context["preserved_filters"], context["opts"])


def _apps(site: UnfoldAdminSite, request: HttpRequest, app_label: str | None = None) -> Any:
    """The applications with their models, which no page that has a sidebar shows."""
    return SimpleLazyObject(lambda: _theirs_apps(site, request, app_label))


@lru_cache(maxsize=1_000)
def _label_of(text: str, colour: str | None, language: str | None) -> Any:
    return _theirs_label(text, "", {text: colour} if colour is not None else None)


def _label(value: Any, empty: str, label: Any) -> Any:
    """A word on a colour. Of anything but a text the theme's own: markup equals a text that is none."""
    text = str(value) if isinstance(value, Promise) else value
    if type(text) is not str:
        return _theirs_label(value, empty, label)
    return _label_of(text, label.get(text) if isinstance(label, dict) else None, get_language())


@lru_cache(maxsize=100)
def _header_of(shape: tuple[Any, ...], language: str | None) -> tuple[str, ...]:
    """The markup in pieces: those between which something belongs, and marks that say what."""
    has_title, has_subtitle, initials, image = shape
    value = [_TITLE if has_title else "", _SUBTITLE if has_subtitle else "", initials]
    written = _theirs_header([*value, {**dict(image), "path": _PATH}] if image is not None else value, "")
    return tuple(re.split(f"({_TITLE}|{_SUBTITLE}|{_PATH})", str(written)))


def _header(value: Any, empty: str) -> SafeString:
    """A name with what is below and beside it: only these differ from row to row, not the markup."""
    title, subtitle, initials, image = (*value, *("", "", "", None)[len(value) :])[:4]
    given = dict(image) if image and image.get("path") else None
    path = given.pop("path") if given is not None else ""
    shape = (bool(title), bool(subtitle), initials or "", tuple(given.items()) if given is not None else None)
    parts = {_TITLE: title, _SUBTITLE: subtitle, _PATH: path}
    pieces = (
        conditional_escape(parts[piece]) if piece in parts else piece for piece in _header_of(shape, get_language())
    )
    return mark_safe("".join(pieces))  # noqa: S308 - the theme's markup, and escaped texts
