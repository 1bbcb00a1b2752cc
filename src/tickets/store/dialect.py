"""Everything that differs between databases: connections, locks, upserts, triggers, error codes.

SQLite now; each function names what another database does, so that no other module has to ask.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from tickets.store.errors import Conflict

#: How long a statement waits for another process that writes, in seconds.
BUSY_SECONDS = 10.0
#: Values in one IN list, a power of two; SQLite takes 32,766 parameters, PostgreSQL plans long lists slowly.
IN_LIMIT = 512
#: Page cache and memory map that keep look-ups flat up to a million complaints.
CACHE_KIB = 64 * 1024
MMAP_BYTES = 256 * 1024 * 1024
#: Pages of the write-ahead log (16 MiB) that are brought into the database at once. Every batch changes the last page
#: of each index: at SQLite's own 1,000, which is a batch and a half, they were copied again and again.
WAL_PAGES = 4_000
#: The write-ahead log shrinks back to this after a burst.
WAL_LIMIT_BYTES = 64 * 1024 * 1024

_UNIQUE = frozenset({"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID"})
#: Name of the lock under which PostgreSQL admits one writer, as the audit chain needs.
_WRITER_LOCK = 0x6164_7561_6E

Insert = sqlite.Insert | postgresql.Insert


def database_url(text: str) -> URL:
    """The address of a database that several connections can share; ValueError for any other."""
    url = make_url(text)
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise ValueError(f"the store runs on sqlite and postgresql, not on {url.get_backend_name()}")
    if url.get_backend_name() == "sqlite" and (not url.database or url.database == ":memory:"):
        raise ValueError("the store needs a file: sqlite:///path")
    return url


def writer(url: URL) -> Engine:
    """The engine of the one connection that writes; its transactions exclude every other writer from their start."""
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, pool_size=1, max_overflow=0, hide_parameters=True, **_sqlite_options())
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    else:
        engine = create_engine(url, pool_size=1, max_overflow=0, hide_parameters=True)
        event.listen(engine, "begin", _lock_writers)
    event.listen(engine, "handle_error", _translate)
    return engine


def reader(url: URL) -> Engine:
    """The engine of connections that only read, each transaction from one snapshot."""
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, pool_size=4, max_overflow=16, hide_parameters=True, **_sqlite_options())
        event.listen(engine, "connect", _configure_sqlite_reader)
        event.listen(engine, "begin", _begin_deferred)
    else:
        only_read = {"postgresql_readonly": True}
        engine = create_engine(
            url, hide_parameters=True, isolation_level="REPEATABLE READ", execution_options=only_read
        )
    event.listen(engine, "handle_error", _translate)
    return engine


def insert(connection: Connection, table: Table) -> Insert:
    """An INSERT that knows ON CONFLICT."""
    return insert_for(connection.dialect.name, table)


def insert_for(dialect: str, table: Table) -> Insert:
    """As `insert`, for statements that are compiled once."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def compact(engine: Engine) -> bool:
    """Rewrites the database without what was deleted, its log included; False when somebody kept it busy."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        if engine.dialect.name != "sqlite":
            return True
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy, *_ = cursor.fetchone() or (1,)
        return bool(busy == 0)
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()


def utf8(dialect: str, column: str) -> str:
    """The expression for the bytes of a text column."""
    return f"CAST({column} AS BLOB)" if dialect == "sqlite" else f"convert_to({column}, 'UTF8')"


def append_only(dialect: str, table: str) -> Sequence[str]:
    """The DDL that makes the database itself refuse to change or delete a row of `table`."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$",
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()",
    ]


def _sqlite_options() -> dict[str, Any]:
    # The writer's connection is opened in one thread and used in another, never in two at once.
    return {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}}


def _configure_sqlite(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    # The driver must not begin transactions by itself: ours begin with the lock they need.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # An acknowledged message survives a power cut (P1, P2).
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    cursor.execute(f"PRAGMA mmap_size={MMAP_BYTES}")
    cursor.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
    cursor.execute(f"PRAGMA journal_size_limit={WAL_LIMIT_BYTES}")
    cursor.close()


def _configure_sqlite_reader(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    _configure_sqlite(connection, record)
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # Taking the write lock first: a transaction that reads and then writes would fail on its first write instead.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN DEFERRED")


def _lock_writers(connection: Connection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")


def _translate(context: ExceptionContext) -> None:
    original = context.original_exception
    if isinstance(original, sqlite3.Error):
        if getattr(original, "sqlite_errorname", "") in _UNIQUE:
            raise Conflict(str(original).partition(": ")[2])
    elif (state := getattr(original, "sqlstate", None)) is not None:
        constraint = str(getattr(getattr(original, "diag", None), "constraint_name", None) or "")
        # PostgreSQL's DETAIL quotes the row: neither the error nor its cause may carry that into a log (P30).
        original.args = (f"{state} {constraint}",)
        if context.sqlalchemy_exception is not None:
            context.sqlalchemy_exception.args = original.args
        if state == "23505":
            raise Conflict(constraint)
