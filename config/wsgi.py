"""The WSGI entry point of the site."""

import os
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from catalog.files import remove_stale_temporary_files  # noqa: E402 - apps must be loaded

remove_stale_temporary_files(Path(settings.FILE_UPLOAD_TEMP_DIR))
