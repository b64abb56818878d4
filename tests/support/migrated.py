"""The test's database as it was before a migration."""

from contextlib import contextmanager

from django.db import connection
from django.db.migrations.executor import MigrationExecutor


@contextmanager
def database_at(*migrations):
    """Migrate the database back to these migrations, give their models, and migrate forward at the end.

    For transactional tests only: SQLite changes no table within a transaction.
    """
    executor = MigrationExecutor(connection)
    latest = executor.loader.graph.leaf_nodes()
    executor.migrate(migrations)
    try:
        yield executor.loader.project_state(list(migrations)).apps
    finally:
        MigrationExecutor(connection).migrate(latest)
