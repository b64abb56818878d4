"""The site's settings, independent of this machine's; DATABASE_URL alone may name a server to test on."""

import atexit
import os
import re
import tempfile
from pathlib import Path

_example = (Path(__file__).parent.parent / ".env.example").read_text()
for _name in set(re.findall(r"^#(\w+)=", _example, re.MULTILINE)) - {"DATABASE_URL"}:
    os.environ.pop(_name, None)
os.environ.setdefault("DATABASE_URL", "sqlite://:memory:")
os.environ |= {
    "ENV_FILE": "tests/no.env",
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
    "OMP_NUM_THREADS": "1",  # the tests run in as many processes as there are cores; more threads only wait
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
}

from config.settings import *  # noqa: F403

TASKS["default"]["BACKEND"] = "django_tasks.backends.dummy.DummyBackend"  # keeps wake-ups to look at
if os.environ["DATABASE_URL"].startswith("sqlite"):
    # In a file, as on the site: in memory, all threads would share one connection and mix their transactions.
    _folder = tempfile.TemporaryDirectory(prefix="otjang-tests-")
    atexit.register(_folder.cleanup)
    DATABASES["default"]["TEST"] = {"NAME": f"{_folder.name}/test.sqlite3"}
    # Nothing here must survive a power cut, so nothing waits for the disk.
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
OTJANG_WAITING_CALLERS = 0  # no worker runs beside a test; those about waiting allow it
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast
WHITENOISE_AUTOREFRESH = True  # else each test client would read the folders of static files again
