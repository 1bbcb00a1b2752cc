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
        self._compiled: dict[int, _Compiled] = {}

    def rows(self, connection: Connection, values: Collection[str], **fixed: str | int) -> list[Found]:
        """The rows for all of the values; `fixed` are the other parameters of the statement."""
        distinct = list(dict.fromkeys(values))
        found: list[Found] = []
        for start in range(0, len(distinct), IN_LIMIT):
            found += self._some(connection, distinct[start : start + IN_LIMIT], fixed)
        return found

    def _some(self, connection: Connection, values: Sequence[str], fixed: dict[str, str | int]) -> Sequence[Found]:
        size = 1 << (len(values) - 1).bit_length()
        sql, before, after = self._compiled.get(size) or self._compile(size)
        padded = [*values, *[values[-1]] * (size - len(values))]
        if self._dialect.positional:
            given = (*(fixed[name] for name in before), *padded, *(fixed[name] for name in after))
            return connection.exec_driver_sql(sql, given).all()
        return connection.exec_driver_sql(sql, {**fixed, **dict(zip(_value_names(size), padded, strict=True))}).all()

    def _compile(self, size: int) -> _Compiled:
        names = _value_names(size)
        compiled = self._by_values([bindparam(name, type_=String()) for name in names]).compile(dialect=self._dialect)
        order = tuple(compiled.positiontup or ())
        start = order.index(names[0]) if order else 0
        if self._dialect.positional and order[start : start + size] != names:
            raise ValueError("the values must stand together in the statement")
        self._compiled[size] = str(compiled), order[:start], order[start + size :]
        return self._compiled[size]


#: The SQL, and where the database counts parameters the names of those before and behind the values.
_Compiled = tuple[str, tuple[str, ...], tuple[str, ...]]


def _value_names(size: int) -> tuple[str, ...]:
    return tuple(f"value_{n}" for n in range(size))


class Query:
    """One statement with a fixed set of values, compiled once; its rows come as the database stores them."""

    def __init__(self, dialect: Dialect, statement: Select[Any] | Insert) -> None:
        compiled = statement.compile(dialect=dialect)
        self._sql = str(compiled)
        self._order = tuple(compiled.positiontup or ())
        self._positional = dialect.positional
        #: Values that the statement came with, such as its LIMIT.
        self._own: dict[str, Any] = {name: value for name, value in compiled.params.items() if value is not None}

    def rows(self, connection: Connection, **given: str | int) -> Sequence[Found]:
        """All its rows."""
        values = {**self._own, **given}
        if self._positional:
            return connection.exec_driver_sql(self._sql, tuple(values[name] for name in self._order)).all()
        return connection.exec_driver_sql(self._sql, values).all()
