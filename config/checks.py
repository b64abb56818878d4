"""System checks of an installation: what `manage.py check` says before anybody meets it as a failure."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage, storages
from django.db import connections

from vision.engine import Manifest, WeightsError
from vision.engine.precision import shortfalls

MINIMUM_VERSIONS: dict[bool, tuple[int, ...]] = {True: (10, 6), False: (8, 0)}  # by whether the server is MariaDB


@checks.register
def check_weights(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """otjang.W001: without weights the site runs, but every classification waits."""
    if (Path(settings.WEIGHTS_DIR) / "manifest.json").is_file():
        return []
    return [
        checks.Warning(
            f"WEIGHTS has no manifest.json ({settings.WEIGHTS_DIR}).",
            hint="Uploads are kept, and classified once the weights are there.",
            id="otjang.W001",
        )
    ]


@checks.register
def check_precision(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """otjang.W002: what PRECISION asks for by name, this CPU or the shipped models do not have."""
    try:
        specs = Manifest.load(Path(settings.WEIGHTS_DIR)).models
    except WeightsError:  # check_weights, and the worker, say so
        return []
    return [
        checks.Warning(
            f"PRECISION is {settings.PRECISION}. {shortfall}",
            hint="PRECISION=auto takes what this machine and these models have.",
            id="otjang.W002",
        )
        for shortfall in shortfalls(specs, settings.PRECISION)
    ]


@checks.register
def check_media(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """otjang.E001: the folder of the uploads, or the first existing one above it, must be writable."""
    if not isinstance(storages["default"], FileSystemStorage):
        return []
    folder = Path(settings.MEDIA_ROOT)
    while not folder.exists():
        folder = folder.parent
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return []
    return [Error(f"MEDIA_ROOT cannot be written ({settings.MEDIA_ROOT}).", id="otjang.E001")]


@checks.register
def check_static(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """otjang.E004: pages name static files by a list that `collectstatic` writes."""
    if settings.STATIC_ROOT is None or (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file():
        return []
    return [
        Error("STATIC_COLLECTED is true, but nothing was collected.", hint="manage.py collectstatic", id="otjang.E004")
    ]


@checks.register(checks.Tags.database)
def check_mysql(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: object
) -> list[CheckMessage]:
    """otjang.E002, E003 and E005: the server's version, the isolation of transactions, and what it stores texts in.

    `check --database default` runs it, and so does everything that starts (config.startup).
    """
    messages: list[CheckMessage] = []
    for alias in databases or []:
        connection: Any = connections[alias]
        if connection.vendor == "mysql":
            messages += [*_version(connection), *_isolation(connection), *_charset(connection)]
    return messages


def _version(connection: Any) -> list[CheckMessage]:
    minimum = MINIMUM_VERSIONS[connection.mysql_is_mariadb]
    if connection.mysql_version >= minimum:
        return []
    found, needed = (".".join(map(str, version)) for version in (connection.mysql_version, minimum))
    return [Error(f"The database server is {found}, older than {needed}.", hint="Upgrade it.", id="otjang.E002")]


def _isolation(connection: Any) -> list[CheckMessage]:
    """Claims of work rely on it: under REPEATABLE READ one claim locks hundreds of rows."""
    name = "tx_isolation" if connection.mysql_is_mariadb else "transaction_isolation"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT @@{name}")
        (found,) = cursor.fetchone()
    if found == "READ-COMMITTED":
        return []
    return [
        Error(
            f"The database connection is {found}, not READ-COMMITTED.",
            hint="Take isolation_level out of DATABASE_URL.",
            id="otjang.E003",
        )
    ]


def _charset(connection: Any) -> list[CheckMessage]:
    """Any other charset refuses an emoji in a name, or stores a question mark. New tables take the database's."""
    quote = connection.ops.quote_name
    own_tables = {*connection.introspection.django_table_names(), "django_migrations"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT DATABASE(), @@character_set_database, @@character_set_connection")
        database, of_database, of_connection = cursor.fetchone()
        cursor.execute(
            "SELECT table_name, character_set_name, GROUP_CONCAT(column_name ORDER BY ordinal_position SEPARATOR ', ')"
            " FROM information_schema.columns WHERE table_schema = DATABASE() AND character_set_name <> 'utf8mb4'"
            " GROUP BY table_name, character_set_name ORDER BY table_name"
        )
        columns = [row for row in cursor.fetchall() if row[0] in own_tables]
    messages: list[CheckMessage] = []
    if of_connection != "utf8mb4":
        messages.append(
            Error(
                f"The database connection has the charset {of_connection}, not utf8mb4.",
                hint="Take charset out of DATABASE_URL.",
                id="otjang.E005",
            )
        )
    if of_database != "utf8mb4":
        messages.append(
            Error(
                f"The database {database} has the charset {of_database}, not utf8mb4.",
                hint=f"ALTER DATABASE {quote(database)} CHARACTER SET utf8mb4;",
                id="otjang.E005",
            )
        )
    messages += [
        Error(
            f"Columns of the table {table} have the charset {charset}, not utf8mb4: {names}.",
            hint=f"ALTER TABLE {quote(table)} CONVERT TO CHARACTER SET utf8mb4;",
            id="otjang.E005",
        )
        for table, charset, names in columns
    ]
    return messages
