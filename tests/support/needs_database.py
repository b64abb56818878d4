"""Telling tests that ask the database from those that do not."""

_FIXTURES = {"db", "transactional_db", "django_db_setup", "live_server"}


def needs_database(item):
    """Whether a collected test asks the database, by its marks and fixtures."""
    return bool(item.get_closest_marker("django_db") or _FIXTURES & set(item.fixturenames))
