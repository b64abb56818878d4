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

MINIMUM_VERSIONS = {True: (10, 6), False: (8, 0)}  # by whether the server is MariaDB


@checks.register
def check_weights(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """otjang.W001: without weights the site runs, but every classification waits."""
    if (Path(settings.WEIGHTS_DIR) / "manifest.json").is_file():
        return []
    return [
        checks.Warning(
            f"WEIGHTS_DIR has no manifest.json ({settings.WEIGHTS_DIR}).",
            hint="Uploads are kept, and classified once the weights are there.",
            id="otjang.W001",
        )
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
    """otjang.E002 and E003: the server's version, and the isolation that claims of work rely on."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        connection: Any = connections[alias]
        if connection.vendor != "mysql":
            continue
        minimum = MINIMUM_VERSIONS[connection.mysql_is_mariadb]
        if connection.mysql_version < minimum:
            messages.append(
                Error(f"The database server is older than {'.'.join(map(str, minimum))}.", id="otjang.E002")
            )
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT @@{'tx_isolation' if connection.mysql_is_mariadb else 'transaction_isolation'}")
            if cursor.fetchone() != ("READ-COMMITTED",):
                messages.append(Error("The database connection is not READ COMMITTED.", id="otjang.E003"))
    return messages
