"""Every address that the URL configuration has, and the table of who may ask it: addresses.txt beside this file."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.urls import URLPattern, get_resolver
from drf_spectacular.generators import SchemaGenerator

PERSONAS = (
    "anonymous",
    "outsider",
    "viewer",
    "editor",
    "owner",
    "staff",
    "support",
    "superuser",
    "impersonated",
)
LET_IN = frozenset({"did", "in", "on", "form", "again"})
METHODS = ("GET", "POST")
_ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")
TABLE = Path(__file__).with_name("addresses.txt")


@dataclass(frozen=True)
class Address:
    """One pattern of the configuration, by its whole route."""

    route: str

    @property
    def arguments(self):
        """The names of its arguments."""
        return [one[1] or one[2] for one in _ARGUMENT.finditer(self.route)]

    @property
    def group(self):
        """Those of one group are asked in one world: a part of the portal, or an app in the admin."""
        parts = self.route.split("/")
        if parts[0] == "admin" and len(parts) > 3 and parts[1] not in {"r", "password_change"}:
            return f"admin/{parts[1]}"
        return parts[0] if parts[0] in {"admin", "merchants", "products", "settings"} else "others"

    def path(self, values):
        """The path with what `values` has for each argument."""
        plain = self.route.replace("^", "").replace("$", "")
        return "/" + _ARGUMENT.sub(lambda name: str(values[name[1] or name[2]]), plain)


def _walk(resolver, before=""):
    for entry in resolver.url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route
        else:
            yield from _walk(entry, route)


def of_the_configuration():
    """All addresses by their route; names that share one are one address."""
    return {route: Address(route) for route in _walk(get_resolver())}


@cache
def _schema():
    return SchemaGenerator().get_schema(request=None, public=True)


def of_the_api(method):
    """The path and the operation's name of all that the API's description has by that method."""
    return [(path, methods[method]["operationId"]) for path, methods in _schema()["paths"].items() if method in methods]


def operations_of_the_api():
    """The routes that the API's description has operations for: tests/support/access_table.py has their rows."""
    return {path.lstrip("/") for path in _schema()["paths"]}


def without_operations():
    """All addresses but those of the API's operations."""
    operations = operations_of_the_api()
    found = of_the_configuration()
    return {route: one for route, one in found.items() if re.sub(r"<\w+:(\w+)>", r"{\1}", route) not in operations}


@cache
def table():
    """What everybody is answered: words by persona, by (route, method)."""
    rows = {}
    for line in TABLE.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        route, method, *words = re.split(r"  +", line.strip())
        key = ("" if route == "(home)" else route, method)
        assert key not in rows, f"two rows: {line}"
        assert len(words) == len(PERSONAS), f"a word for each of {PERSONAS}: {line}"
        rows[key] = dict(zip(PERSONAS, words, strict=True))
    return rows


def row(route, method, words):
    """The line of the table that says this."""
    return "  ".join([f"{route or '(home)':<96}", f"{method:<4}", *(f"{words[who]:<5}" for who in PERSONAS)]).rstrip()


def word(response, stored=False):
    """What an answer is called in the table.

    `did`: the person is let in, and something is stored; `in`: nothing is. `on`: the address shows nothing and leads to
    another one. `form`: they are let in, and what they sent is refused. `login`: they are asked who they are; `again`:
    for their password once more. Else the status: 403, 404, 405.
    """
    status = response.status_code
    if status == 401 or (status == 302 and re.match(r"/(admin/)?login/?\?next=", response.url)):
        return "login"
    if status == 302 and response.url.startswith("/settings/password-again"):
        return "again"
    if response.wsgi_request.method == "GET" and 300 <= status < 400:
        return "on"
    if status < 400:
        return "did" if stored else "in"
    return "form" if status in {400, 409, 410, 413, 415, 422, 428} else str(status)
