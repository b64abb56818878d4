"""Tests of the package that knows neither Django's models nor a database: `make test` runs them once, on SQLite."""

import pytest

from tests.support.drawn_datasets import draw_garments

DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}


def pytest_collection_modifyitems(items):
    """Refuse a test here that needs a database, as it would never run on MariaDB."""
    for item in items:
        if item.path.parent.name == "vision" and (
            item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(item.fixturenames)
        ):
            raise pytest.UsageError(f"{item.nodeid} needs a database: it belongs into another folder.")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A small data set, drawn; tests leave it as it is."""
    return draw_garments(tmp_path_factory.mktemp("garments"))
