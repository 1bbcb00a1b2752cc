"""Statements that are compiled once and run for many rows of plain values.

SQLAlchemy's own executemany costs more than the inserts it makes; compiled from the same tables, the statement stays
portable and the values go straight to the driver.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.sql.dml import Insert, Update

Row = tuple[Any, ...]


class Batch:
    """One INSERT or UPDATE; rows carry the values of `names` in that order, as the database stores them."""

    def __init__(self, dialect: Dialect, statement: Insert | Update, names: Sequence[str]) -> None:
        compiled = statement.compile(
            dialect=dialect, column_keys=list(names) if isinstance(statement, Insert) else None
        )
        self._sql = str(compiled)
        self._names = tuple(names)
        self._positional = dialect.positional
        order = tuple(compiled.positiontup or ())
        if self._positional and order != self._names:
            raise ValueError(f"the statement takes {order}, the rows give {self._names}")

    def run(self, connection: Connection, rows: Sequence[Row]) -> int:
        """How many rows were written; Conflict when a unique key is taken."""
        if not rows:
            return 0
        if self._positional:
            return connection.exec_driver_sql(self._sql, list(rows)).rowcount
        return connection.exec_driver_sql(
            self._sql, [dict(zip(self._names, row, strict=True)) for row in rows]
        ).rowcount
