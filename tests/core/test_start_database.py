"""What starts looks at the database first: a wrong charset, version or isolation is said, not met later."""

import os
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError, connection

from accounts.models import Merchant
from config import checks as site_checks
from core.startup import require_sound_database

only_mysql = pytest.mark.skipif(connection.vendor != "mysql", reason="a question of MySQL and MariaDB")

NAME = "Oversized jacket 🧥"


def _run(*arguments, schema):
    """Run a process of the site on another schema of the same server."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{schema}").geturl()
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url},
        capture_output=True,
        text=True,
    )


def _tables(schema):
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = %s", [schema])
        return cursor.fetchone()[0]


def _execute(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def schema(transactional_db):
    """Return a function that makes an empty schema with a charset."""
    name = f"otjang_charset_{os.getpid()}"

    def create(charset):
        _execute(f"CREATE DATABASE {name} CHARACTER SET {charset}")
        return name

    yield create
    _execute(f"DROP DATABASE IF EXISTS {name}")


@only_mysql
@pytest.mark.parametrize("charset", ["latin1", "utf8mb3"])
@pytest.mark.parametrize(
    "arguments", [("manage.py", "prepare"), ("manage.py", "worker", "--once"), ("-c", "import config.wsgi")]
)
def test_nothing_starts_on_a_database_of_another_charset(schema, charset, arguments):
    name = schema(charset)
    ended = _run(*arguments, schema=name)
    assert ended.returncode == 1
    assert f"The database {name} has the charset {charset}, not utf8mb4." in ended.stderr
    assert f"ALTER DATABASE `{name}` CHARACTER SET utf8mb4;" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert _tables(name) == 0


@only_mysql
def test_the_statements_that_it_names_mend_it(schema):
    name = schema("utf8mb4")
    assert _run("manage.py", "prepare", "--no-demo", schema=name).returncode == 0
    for table in ("catalog_product", "accounts_merchant"):
        _execute(f"ALTER TABLE {name}.{table} CONVERT TO CHARACTER SET utf8mb3")
    _execute(f"CREATE TABLE {name}.not_ours (text VARCHAR(10)) CHARACTER SET latin1")

    checked = _run("manage.py", "check", "--database", "default", schema=name)
    assert checked.returncode == 1
    assert checked.stderr.count("otjang.E005") == 2
    assert "Columns of the table catalog_product have the charset utf8mb3, not utf8mb4: public_id," in checked.stderr

    for statement in (line for line in checked.stderr.split("HINT: ")[1:]):
        _execute(statement.split(";")[0].replace("TABLE `", f"TABLE {name}.`"))
    assert _run("manage.py", "check", "--database", "default", schema=name).returncode == 0


@only_mysql
@pytest.mark.django_db
def test_it_takes_an_emoji_in_a_name():
    assert Merchant.objects.create(name=NAME).name == NAME
    require_sound_database()


@only_mysql
@pytest.mark.django_db
def test_an_old_server_is_refused_at_start(monkeypatch):
    monkeypatch.setattr(site_checks, "MINIMUM_VERSIONS", {True: (99, 1), False: (99, 1)})
    with pytest.raises(ImproperlyConfigured, match=r"^The database server is [\d.]+, older than 99\.1\."):
        call_command("prepare")


@only_mysql
@pytest.mark.django_db(transaction=True)
def test_another_isolation_is_refused_at_start():
    _execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    try:
        with pytest.raises(ImproperlyConfigured, match=r"^The database connection is REPEATABLE-READ"):
            call_command("prepare")
    finally:
        connection.close()


def test_a_database_that_cannot_be_reached_is_left_to_who_waits_for_it(monkeypatch):
    def unreachable(**_options):
        raise OperationalError(2002, "Can't connect")

    monkeypatch.setattr(checks, "run_checks", unreachable)
    require_sound_database()
