"""The WSGI entry point of the site."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from accounts.startup import require_sound_database  # noqa: E402  (needs the settings)

try:
    require_sound_database()
except ImproperlyConfigured as error:
    sys.stderr.write(f"Otjang cannot start: {error}\n")
    sys.exit(3)  # gunicorn ends at this status, and begins again at any other
