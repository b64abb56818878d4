"""Typed reading of settings from the environment and `.env`, with errors that name the setting.

django-environ alone reads `DEBUG=yess` as false and fails at `PORT=x` without naming it; here one sentence says it.
"""

import importlib.util
import os
import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

from config import s3

BASE_DIR = Path(__file__).resolve().parent.parent

ENV_FILE = BASE_DIR / os.environ.get("ENV_FILE", ".env")

if ENV_FILE.is_file():
    environ.Env.read_env(ENV_FILE)  # what the environment already says wins

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})

SQL_MODE = "STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO"
# A page with fifty images is fifty requests at once where browsers speak HTTP/2 to a proxy; each takes milliseconds.
QUEUE_PER_THREAD = 16
DATABASE_ENGINES = {"sqlite": "django.db.backends.sqlite3", "mysql": "django.db.backends.mysql"}


def text(name: str, default: str = "") -> str:
    """The setting's text without surrounding blanks; `default` where it is not set."""
    return os.environ.get(name, default).strip()


def listing(name: str, default: str = "") -> list[str]:
    """The comma-separated setting as a list without empty entries."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def path(name: str, default: Path) -> Path:
    """The setting as a path, from the project's folder on."""
    return BASE_DIR / (text(name) or default)


def hosts(name: str, default: str) -> list[str]:
    """The setting as a list of host names, such as `.shop.example`; raises ImproperlyConfigured for URLs and ports."""
    names = listing(name, default)
    for host in names:
        if "/" in host or re.search(r"[^:]:\d+$|\]:", host):
            raise ImproperlyConfigured(f"{name} must hold host names such as shop.example, not {host!r}.")
    return names


def time_zone(name: str, default: str) -> str:
    """The setting as the name of a time zone; raises ImproperlyConfigured unless this machine knows it."""
    value = text(name, default)
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # unknown, no name at all, a folder of zones
        raise ImproperlyConfigured(f"{name} must be a time zone such as Asia/Seoul, not {value!r}.") from None
    return value


def rate(name: str, default: str) -> str:
    """The setting as requests in a time, such as 60/min; raises ImproperlyConfigured for anything else."""
    value = text(name, default)
    if not re.fullmatch(r"[1-9]\d*/(s|sec|second|m|min|minute|h|hour|d|day)", value):
        raise ImproperlyConfigured(f"{name} must be requests in a sec, min, hour or day such as 60/min, not {value!r}.")
    return value


def boolean(name: str, default: bool) -> bool:
    """The setting as a truth value; raises ImproperlyConfigured unless it is a usual spelling of true or false."""
    value = text(name, str(default)).lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")


def choice(name: str, *values: str) -> str:
    """The setting as one of these values, the first by default; raises ImproperlyConfigured for any other."""
    value = text(name) or values[0]
    if value not in values:
        raise ImproperlyConfigured(f"{name} must be {' or '.join(values)}, not {value!r}.")
    return value


def require(name: str, module: str) -> None:
    """Raise ImproperlyConfigured unless the package is installed that the setting needs."""
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # of the package above it
        found = None
    if found is None:
        raise ImproperlyConfigured(f"{name} needs a package: pip install -r requirements-production.txt.")


def integer(name: str, default: int, *, minimum: int = 1, maximum: int | None = None) -> int:
    """The setting as a whole number; raises ImproperlyConfigured outside of the bounds or for anything else."""
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None
    if number < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}, not {number}.")
    if maximum is not None and number > maximum:
        raise ImproperlyConfigured(f"{name} must be at most {maximum}, not {number}.")
    return number


def fraction(name: str, default: float) -> float:
    """The setting as a number from 0 to 1; raises ImproperlyConfigured for anything else."""
    value = text(name, str(default))
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not 0 <= number <= 1:
        raise ImproperlyConfigured(f"{name} must be a number from 0 to 1, not {value!r}.")
    return number


def database(name: str, default: str) -> dict[str, Any]:
    """Django's settings of the database that a URL names.

    The URL is `sqlite:///path` or `mysql://user:password@host:port/name?unix_socket=…`. Raises ImproperlyConfigured
    for another kind of database, for a MySQL URL without a database's name and for a file in a folder that is missing.
    """
    url = text(name) or default
    scheme = url.partition("://")[0]
    if scheme not in DATABASE_ENGINES:
        raise ImproperlyConfigured(f"{name} must begin with sqlite:// or mysql://, not with {scheme!r}.")
    try:
        config: dict[str, Any] = environ.Env.db_url_config(url, engine=DATABASE_ENGINES[scheme])
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not a database URL: {error}.") from None
    if not config["NAME"]:
        raise ImproperlyConfigured(f"{name} names no database: write mysql://user:password@host/name.")
    # Kept open, a connection saves MySQL a handshake a request, and SQLite a checkpoint when the last one closes.
    config |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    if scheme == "sqlite":
        if config["NAME"] != ":memory:":
            config["NAME"] = str(BASE_DIR / config["NAME"])
            folder = Path(config["NAME"]).parent
            if text(name) and not folder.is_dir():  # the default's is made by `make setup`
                raise ImproperlyConfigured(f"{name} names a file in a folder that does not exist: {folder}.")
        config["OPTIONS"] = {
            # A transaction that reads first and writes later cannot wait for SQLite's lock: take it at the start.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            **config.get("OPTIONS", {}),
        }
    else:
        config["OPTIONS"] = {
            "charset": "utf8mb4",
            # Under REPEATABLE READ a claim of one task locks hundreds of rows.
            "isolation_level": "read committed",
            # Leases run by the server's clock: in UTC, as everything that is stored, and without summer time.
            "init_command": f"SET sql_mode='{SQL_MODE}', time_zone='+00:00'",
            # A server that is away must not hold a request as long as TCP does: two minutes.
            "connect_timeout": 3,
            **config.get("OPTIONS", {}),
        }
        config["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_ci"}
    return config


def cache(name: str) -> dict[str, Any]:
    """Django's CACHES entry: this process's own memory, or a Redis that several processes share.

    The URL is redis://, rediss:// (TLS) or unix://. Raises ImproperlyConfigured for another one.
    """
    url = text(name)
    if not url:
        return {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss", "unix"} or not (parts.hostname or parts.path):
        raise ImproperlyConfigured(f"{name} must be redis://host:port/0, rediss://… or unix:///path, or empty.")
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": url,
        "KEY_PREFIX": "otjang",
        # Somebody waits for every answer: a Redis that is away must not hold them.
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }


def media_storage(name: str) -> dict[str, Any]:
    """Django's STORAGES entry for uploads: `file` (MEDIA_ROOT on this machine) or `s3://bucket/prefix?region_name=…`.

    The options after `?` are those of config.s3; credentials come from boto3's own chain (AWS_ACCESS_KEY_ID and so
    on). Raises ImproperlyConfigured for anything else.
    """
    url = text(name, "file")
    if url == "file":
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc:
        raise ImproperlyConfigured(f"{name} must be 'file' or s3://bucket, not {url.partition('?')[0]!r}.")
    try:
        options = s3.options(parts.query)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} {error}") from None
    place = {"bucket_name": parts.netloc, "location": parts.path.strip("/")}
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": place | options}


class Smtp(NamedTuple):
    """A mail server; without one, what Django has by default."""

    host: str = "localhost"
    port: int = 25
    user: str = ""
    password: str = ""
    tls: bool = False
    ssl: bool = False


def mail(name: str) -> tuple[str, Smtp]:
    """Django's e-mail backend, and its server: smtp://user:password@host:port/?tls=true, or smtps:// (TLS at once).

    Without the setting mails are written to the output. Raises ImproperlyConfigured for another URL.
    """
    url = text(name)
    if not url:
        return "django.core.mail.backends.console.EmailBackend", Smtp()
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    ssl, tls = parts.scheme == "smtps", options.pop("tls", "false").lower() in TRUE
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or port == 0 or options or (ssl and tls):
        raise ImproperlyConfigured(f"{name} must be smtp://user:password@host:port/?tls=true or smtps://…, or empty.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    port = port or (465 if ssl else 587 if tls else 25)
    return "django.core.mail.backends.smtp.EmailBackend", Smtp(parts.hostname, port, user, password, tls, ssl)


class Web(NamedTuple):
    """Where the web process listens, with how many threads, and what it waits for.

    Attributes:
        stop_seconds: how long requests that have begun may take when it stops.
        queue: how many requests may wait for a thread.
        queue_seconds: how long the first of them may before others are turned away; for twice as long it waits itself.
    """

    address: str
    port: int
    threads: int
    stop_seconds: int
    queue: int
    queue_seconds: int


def web() -> Web:
    """The settings of the web process. Raises ImproperlyConfigured for a wrong one."""
    if os.environ.get("WEB_CONCURRENCY", "1") not in {"", "1"}:  # an old setting, which gunicorn had
        raise ImproperlyConfigured(
            "WEB_CONCURRENCY must be 1 or not set: a web process is one process. "
            "Start several of them, each on a PORT of its own, behind a proxy (docs/operations.md)."
        )
    threads = integer("WEB_THREADS", default=8)
    return Web(
        address=text("BIND_ADDRESS") or "127.0.0.1",
        port=integer("PORT", default=8000, maximum=65535),
        threads=threads,
        stop_seconds=integer("WEB_STOP_SECONDS", default=30, minimum=0),
        queue=integer("WEB_QUEUE", default=QUEUE_PER_THREAD * threads, minimum=0),
        queue_seconds=integer("WEB_QUEUE_SECONDS", default=2),
    )
