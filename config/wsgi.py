"""The WSGI entry point of the site, for `config.server` and for any other server."""

import os
import sys
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_DATABASE_WAIT = 30  # s


def _bound_waits(database: dict[str, Any]) -> None:
    """Let no request wait for ever for a server that hangs. Commands, such as a long migration, may wait."""
    if database["ENGINE"].endswith(".mysql"):
        for option in ("read_timeout", "write_timeout"):
            database["OPTIONS"].setdefault(option, _DATABASE_WAIT)


django.setup(set_prefix=False)

from catalog.files import remove_stale_temporary_files  # noqa: E402 - apps must be loaded
from config.handler import Handler  # noqa: E402 - apps must be loaded
from core import tracing  # noqa: E402 - apps must be loaded
from core.startup import require_sound_database  # noqa: E402 - apps must be loaded

application = Handler()
tracing.start("otjang-web")
_bound_waits(settings.DATABASES["default"])
try:
    require_sound_database()
except ImproperlyConfigured as error:
    sys.exit(f"Otjang cannot start: {error}")
remove_stale_temporary_files(Path(settings.FILE_UPLOAD_TEMP_DIR))
