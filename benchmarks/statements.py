"""What statements cost the database: how many rows they read, and whether that is most of a table. MariaDB's only."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

LARGE = 10_000  # rows of a table of which most should not be read
_EXPLAINED = ("SELECT", "UPDATE", "DELETE", "(SELECT")


@dataclass(frozen=True)
class Statement:
    """One statement: its text and parameters, ms, and the rows that the database read for it."""

    sql: str
    parameters: Any
    ms: float
    rows: int

    def plan(self) -> list[str]:
        """How the database finds the rows, a line for each table."""
        from django.db import connection

        if not self.sql.lstrip().startswith(_EXPLAINED):
            return []
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {self.sql}", self.parameters)
            names = [column[0] for column in cursor.description or ()]
            found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return [
            f"{row['table']}: {row['type']} by {row['key'] or 'nothing'}, about {row['rows']} rows; {row['Extra']}"
            for row in found
        ]

    def scans(self) -> bool:
        """Whether it read much, and that without a key or by a whole index."""
        walked = re.compile(r": (ALL|index) by ")
        return self.rows > LARGE and any(walked.search(line) and not line.startswith("<") for line in self.plan())


@dataclass
class Recorded:
    """The statements of a piece of work."""

    statements: list[Statement] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows were read in all."""
        return sum(one.rows for one in self.statements)

    @property
    def ms(self) -> float:
        """How long they took in all."""
        return sum(one.ms for one in self.statements)

    def scans(self) -> list[Statement]:
        """Those that read most of a large table."""
        return [one for one in self.statements if one.scans()]


def _read(cursor: Any) -> int:
    cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
    return sum(int(value) for _name, value in cursor.fetchall())


@contextmanager
def recorded() -> Iterator[Recorded]:
    """Look at every statement of the block; what looking itself reads is taken off."""
    from django.db import connection

    found, looking = Recorded(), False
    with connection.cursor() as cursor:
        own = -_read(cursor) + _read(cursor)

    def look(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        nonlocal looking
        if looking:
            return execute(sql, parameters, many, context)
        looking = True
        try:
            with connection.cursor() as cursor:
                before = _read(cursor)
                started = time.perf_counter()
                result = execute(sql, parameters, many, context)
                ms = 1000 * (time.perf_counter() - started)
                rows = max(0, _read(cursor) - before - own)
            found.statements.append(Statement(sql, parameters, ms, rows))
            return result
        finally:
            looking = False

    with connection.execute_wrapper(look):
        yield found


def shown(statements: Sequence[Statement], width: int = 200) -> Iterator[str]:
    """Lines that say what statements read and how."""
    for one in statements:
        yield f"  {one.rows} rows, {one.ms:.0f} ms: {one.sql.replace('`', '')[:width]}"
        yield from (f"    {line}" for line in one.plan())
