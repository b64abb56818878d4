"""The site's settings, independent of this machine's; DATABASE_URL alone may name a server to test on."""

import os

for _name in [name for name in os.environ if name.startswith("OTJANG_")]:
    del os.environ[_name]
os.environ.setdefault("DATABASE_URL", "sqlite://:memory:")
os.environ |= {
    "SECRET_KEY": "only-for-tests-" * 4,
    "DEBUG": "false",
    "HTTPS": "false",
    "BEHIND_PROXY": "false",
    "STATIC_COLLECTED": "false",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "CSRF_TRUSTED_ORIGINS": "",
    "MEDIA_STORAGE": "file",
    "TIME_ZONE": "Asia/Seoul",
    "LOG_LEVEL": "INFO",
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
}

from config.settings import *  # noqa: F403

TASKS["default"]["BACKEND"] = "django_tasks.backends.dummy.DummyBackend"  # keeps wake-ups to look at
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast
