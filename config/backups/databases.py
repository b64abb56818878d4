"""Dumps of the site's database as it is at one moment, while it is written to."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.backends.mysql.client import DatabaseClient

from config.backups.records import BackupError

_CHUNK = 1 << 20
_LEVEL = 4  # of compression: half the time of the usual 6, for a twentieth more bytes
_DUMP = (
    # One snapshot of all tables, without locking any; rows are sent as they are read.
    "--single-transaction",
    "--quick",
    "--hex-blob",
    "--no-tablespaces",  # asks for no right beyond those on the database itself
    "--skip-comments",
    "--default-character-set=utf8mb4",
)


def engine() -> str:
    """Return the kind of the site's database: "sqlite" or "mysql", which MariaDB is as well."""
    return "sqlite" if connection.vendor == "sqlite" else "mysql"


def dump(path: Path, goes_on: Callable[[], None]) -> None:
    """Write a compressed dump.

    Args:
        path: of the dump; it must not exist.
        goes_on: called every MiB.

    Raises:
        BackupError: the database's own program is missing, or failed.
    """
    with gzip.open(path, "wb", compresslevel=_LEVEL) as target:
        if engine() == "sqlite":
            _dump_sqlite(target, goes_on)
        else:
            _dump_mysql(target, goes_on)


def load(path: Path) -> None:
    """Fill the site's database, which is empty, with a dump.

    Raises:
        BackupError: the database's own program is missing, or failed.
    """
    with gzip.open(path, "rb") as source:
        if engine() == "sqlite":
            _load_sqlite(source)
        else:
            _load_mysql(source)


def is_empty() -> bool:
    """Whether the site's database has no table."""
    return not connection.introspection.table_names(include_views=True)


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _dump_sqlite(target: Any, goes_on: Callable[[], None]) -> None:
    connection.ensure_connection()
    with tempfile.TemporaryDirectory(prefix="otjang-backup-") as folder:
        name = Path(folder, "copy.sqlite3")
        copy = sqlite3.connect(name)
        try:
            # In one step: between several, each change by another connection would start it again.
            connection.connection.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file without a log beside it
        finally:
            copy.close()
        with name.open("rb") as source:
            _pump(source, target, goes_on)


def _load_sqlite(source: Any) -> None:
    connection.ensure_connection()
    with tempfile.TemporaryDirectory(prefix="otjang-restore-") as folder:
        name = Path(folder, "copy.sqlite3")
        with name.open("wb") as target:
            shutil.copyfileobj(source, target, _CHUNK)
        copy = sqlite3.connect(name)
        try:
            copy.backup(connection.connection)
        finally:
            copy.close()
    connection.close()  # the next one sets the journal again


def _dump_mysql(target: Any, goes_on: Callable[[], None]) -> None:
    command, environment = _command(("mariadb-dump", "mysqldump"), _DUMP)
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors) as program,
    ):
        try:
            _pump(program.stdout, target, goes_on)
        except BaseException:
            program.kill()
            raise
        if program.wait():
            raise BackupError(f"{command[0]} failed: {_said(errors)}")


def _load_mysql(source: Any) -> None:
    command, environment = _command(("mariadb", "mysql"), ())
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stderr=errors) as program,
    ):
        assert program.stdin is not None
        with suppress(BrokenPipeError), program.stdin:  # it has ended, and said why
            shutil.copyfileobj(source, program.stdin, _CHUNK)
        if program.wait():
            raise BackupError(f"{command[0]} failed: {_said(errors)}")


def _pump(source: Any, target: Any, goes_on: Callable[[], None]) -> None:
    while chunk := source.read(_CHUNK):
        target.write(chunk)
        goes_on()


def _said(errors: Any) -> str:
    errors.seek(0)
    return str(errors.read().decode(errors="replace").strip()[-1000:])


def _command(names: Sequence[str], options: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The database's own program with all that it needs to connect; the password goes by the environment."""
    program = next((found for name in names if (found := shutil.which(name))), None)
    if program is None:
        raise BackupError(f"{names[0]} is not installed on this machine (Debian: mariadb-client).")
    settings = {**connection.settings_dict}
    if socket := settings["OPTIONS"].get("unix_socket"):
        settings["HOST"] = socket
    arguments, environment = DatabaseClient.settings_to_cmd_args_env(settings, list(options))
    return [program, *arguments[1:]], {**os.environ, **(environment or {})}
