"""Tests of the package that knows neither Django's models nor a database: `make test` runs them once, on SQLite."""

import pytest

from tests.support.drawn_datasets import draw_garments
from tests.support.needs_database import needs_database


def pytest_collection_modifyitems(items):
    """Refuse a test here that needs a database, as it would never run on MariaDB."""
    for item in items:
        if item.path.parent.name == "vision" and needs_database(item):
            raise pytest.UsageError(f"{item.nodeid} needs a database: it belongs into another folder.")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A small data set, drawn; tests leave it as it is."""
    return draw_garments(tmp_path_factory.mktemp("garments"))
