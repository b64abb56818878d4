from contextlib import suppress
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings


class SiteConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import (
            checks,  # noqa: F401  (importing registers them)
            reporting,
        )
        from core.particles import mend_catalogue

        reporting.start()
        mend_catalogue()

        with suppress(OSError):  # Django's check of the setting says it
            Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(parents=True, exist_ok=True)
