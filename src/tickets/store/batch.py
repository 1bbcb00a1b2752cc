"""Statements that are compiled once and run for many rows of plain values.

SQLAlchemy's own executemany costs more than the inserts it makes; compiled from the same tables, the statement stays
portable and the values go straight to the driver.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, Dialect, Row, Select, String, bindparam
from sqlalchemy.sql.dml import Insert, Update

from tickets.store.dialect import IN_LIMIT

#: Values of one row to write.
Values = tuple[Any, ...]
#: One row that was read.
Found = Row[*tuple[Any, ...]]
#: Gives the SELECT for as many values as there are parameters.
ByValues = Callable[[Sequence[BindParameter[str]]], Select[Any]]


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

    def run(self, connection: Connection, rows: Sequence[Values]) -> int:
        """How many rows were written; Conflict when a unique key is taken."""
        if not rows:
            return 0
        if self._positional:
            return connection.exec_driver_sql(self._sql, list(rows)).rowcount
        return connection.exec_driver_sql(
            self._sql, [dict(zip(self._names, row, strict=True)) for row in rows]
        ).rowcount


class Lookup:
    """One SELECT by a set of values; rows come as the database stores them.

    Compiled once per power of two: a shorter set repeats its last value, which an IN does not mind.
    """

    def __init__(self, dialect: Dialect, by_values: ByValues) -> None:
        self._dialect = dialect
        self._by_values = by_values
        self._compiled: dict[int, tuple[str, Sequence[str]]] = {}

    def rows(self, connection: Connection, values: Collection[str], **fixed: str | int) -> list[Found]:
        """The rows for all of the values; `fixed` are the other parameters of the statement."""
        distinct = list(dict.fromkeys(values))
        found: list[Found] = []
        for start in range(0, len(distinct), IN_LIMIT):
            found += self._some(connection, distinct[start : start + IN_LIMIT], fixed)
        return found

    def _some(self, connection: Connection, values: Sequence[str], fixed: dict[str, str | int]) -> Sequence[Found]:
        size = 1 << (len(values) - 1).bit_length()
        sql, order = self._compiled.get(size) or self._compile(size)
        padded = [*values, *[values[-1]] * (size - len(values))]
        given = {**fixed, **{f"value_{n}": value for n, value in enumerate(padded)}}
        if self._dialect.positional:
            return connection.exec_driver_sql(sql, tuple(given[name] for name in order)).all()
        return connection.exec_driver_sql(sql, given).all()

    def _compile(self, size: int) -> tuple[str, Sequence[str]]:
        statement = self._by_values([bindparam(f"value_{n}", type_=String()) for n in range(size)])
        compiled = statement.compile(dialect=self._dialect)
        self._compiled[size] = str(compiled), tuple(compiled.positiontup or ())
        return self._compiled[size]
