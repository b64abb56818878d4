"""A second, empty site in this process: another database on the same server, another folder of uploads."""

import tempfile
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connections
from django.test import override_settings

NAME = "otjang_other_site"


@contextmanager
def other_site():
    """Let everything in the block go to the other site, which is gone afterwards."""
    before = connections["default"]
    with tempfile.TemporaryDirectory(prefix="otjang-other-") as folder:
        other = before.copy()
        if before.vendor == "sqlite":
            other.settings_dict["NAME"] = str(Path(folder, "other.sqlite3"))
        else:
            _run(before, f"DROP DATABASE IF EXISTS {NAME}")
            _run(before, f"CREATE DATABASE {NAME} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
            other.settings_dict["NAME"] = NAME
        media = Path(folder, "media")
        connections["default"] = other
        try:
            with override_settings(MEDIA_ROOT=str(media)):
                assert Path(default_storage.location) == media
                yield
        finally:
            other.close()
            connections["default"] = before
            if before.vendor != "sqlite":
                _run(before, f"DROP DATABASE {NAME}")
    assert default_storage.location == settings.MEDIA_ROOT


def _run(connection, statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
