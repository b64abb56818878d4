import subprocess

import pytest
from django.conf import settings

CATALOGUES = sorted((settings.BASE_DIR / "locale").rglob("*.po"))


def entries(catalogue, *options):
    return subprocess.run(
        ["msgattrib", "--no-obsolete", "--no-location", *options, str(catalogue)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_it_has_a_korean_catalogue():
    assert "ko" in {path.parent.parent.name for path in CATALOGUES}


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
@pytest.mark.parametrize("kind", ["--untranslated", "--only-fuzzy"])
def test_it_translates_every_text(catalogue, kind):
    assert entries(catalogue, kind) == ""
