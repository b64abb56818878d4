"""What docs/security.md promises by name is there."""

import re

import pytest
from django.conf import settings

TEXT = (settings.BASE_DIR / "docs" / "security.md").read_text()
NAMED = sorted(set(re.findall(r"`((?:tests|accounts|catalog|classifier|config|core)/[\w/.]+?)(?:::(\w+))?`", TEXT)))


def test_it_names_tests():
    assert len(NAMED) > 40


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_it_is_there(path, name):
    file = settings.BASE_DIR / path
    assert file.exists()
    assert not name or f"def {name}(" in file.read_text()
