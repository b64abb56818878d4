"""What each answer tells browsers to keep, to guess and to load: the same on every address."""

import pytest

from tests.support.addresses import LET_IN, table, without_operations
from tests.support.everything import taken_back

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_is_enough]

ADDRESSES = without_operations()


@pytest.mark.parametrize("who", ["anonymous", "owner", "superuser"])
def test_every_answer_says_how_it_is_to_be_read(who, world, browsers):
    for one in ADDRESSES.values():
        path = one.path(world.values(one))
        with taken_back():
            answer = browsers[who].get(path)
        heads, kind = answer.headers, answer.headers.get("Content-Type", "")
        assert heads["X-Content-Type-Options"] == "nosniff", path
        assert heads["Referrer-Policy"] == "same-origin", path
        assert heads["X-Frame-Options"] == "DENY", path
        assert heads["Cross-Origin-Opener-Policy"] == "same-origin", path
        assert "default-src 'none'" in heads["Content-Security-Policy"], path
        if not heads.get("Content-Disposition", "").startswith("inline") and "image/" not in kind:
            assert "frame-ancestors 'none'" in heads["Content-Security-Policy"], path
        if table()[one.route, "GET"][who] in LET_IN and "html" in kind:
            assert any(word in heads["Cache-Control"] for word in ("no-cache", "no-store")), path
        assert "Server" not in heads
        assert "X-Powered-By" not in heads
