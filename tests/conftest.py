import os

# Before Django reads them: tests depend on no machine's settings, and are fast. DATABASE_URL may name a server to test on.
os.environ.setdefault("DATABASE_URL", "sqlite://:memory:")
os.environ["SECRET_KEY"] = "tests-" * 10
os.environ["DEBUG"] = os.environ["HTTPS"] = os.environ["STATIC_COLLECTED"] = "false"
os.environ["ALLOWED_HOSTS"] = "testserver,localhost,127.0.0.1"
os.environ["MEDIA_STORAGE"] = "file"
os.environ["YOLO_OFFLINE"] = "true"
os.environ["YOLO_AUTOINSTALL"] = "false"

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _isolated(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()  # the API's throttles count in it
