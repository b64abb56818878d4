import shutil
import subprocess
import sys

import pytest
from django.conf import settings
from django.utils import translation

FOLDERS = ["core", "accounts", "webhooks", "catalog", "classifier", "config", "templates", "locale"]


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """Return the Korean catalogue after the texts of today's sources were extracted into a copy of it."""
    copy = tmp_path_factory.mktemp("sources")
    for folder in FOLDERS:
        shutil.copytree(settings.BASE_DIR / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    command = [
        sys.executable,
        "-m",
        "django",
        "makemessages",
        "--locale",
        "ko",
        "--no-obsolete",
        "--add-location",
        "file",
    ]
    subprocess.run(command, cwd=copy, env={"PATH": "/usr/bin:/bin"}, check=True, capture_output=True)
    return copy / "locale" / "ko" / "LC_MESSAGES" / "django.po"


@pytest.mark.parametrize("kind", ["--untranslated", "--only-fuzzy"])
def test_it_translates_every_text_into_korean(catalogue, kind):
    missing = subprocess.run(["msgattrib", kind, str(catalogue)], capture_output=True, text=True, check=True).stdout
    assert missing == ""


@pytest.mark.parametrize("number", [1, 27])
def test_korean_has_one_form_for_any_number(number):
    with translation.override("ko"):
        said = translation.ngettext("%(count)d photo", "%(count)d photos", number)
    assert said == "사진 %(count)d장"
