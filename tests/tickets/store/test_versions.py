"""The schema of a database: created, kept, and refused when it is not ours (T36)."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import warnings
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateTable

import tickets.migrations
from store_values import Build
from tickets.model import Records
from tickets.store import SchemaMismatch, Store, schema
from tickets.store.dialect import append_only
from tickets.store.statements import Statements


def test_the_migrations_make_the_tables_of_the_code(store: Store, url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), schema.metadata)
    engine.dispose()
    assert differences == []


def test_the_code_names_the_newest_migration() -> None:
    script = ScriptDirectory(str(Path(tickets.migrations.__file__).parent))
    assert script.get_current_head() == schema.REVISION


def test_a_store_is_opened_again_with_what_it_kept(store: Store, url: str, build: Build) -> None:
    records = build.records(store)
    with store.begin() as tx:
        tx.add(records)
    again = Store.open(url)
    view = again.ticket(records.tickets[0].ticket_number)
    again.close()
    assert view is not None
    assert view.ticket == records.tickets[0]


def change(url: str, *statements: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize("version", ["9999", "not ours"])
def test_a_newer_or_unknown_schema_is_refused_and_left_alone(url: str, version: str) -> None:
    Store.open(url).close()
    change(url, f"UPDATE alembic_version SET version_num = '{version}'")
    with pytest.raises(SchemaMismatch, match=version):
        Store.open(url)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(version,)]


def test_tables_without_a_version_are_refused(url: str) -> None:
    change(url, "CREATE TABLE tickets (id INTEGER)")
    with pytest.raises(SchemaMismatch, match="no schema version"):
        Store.open(url)


def test_a_schema_that_changes_under_a_running_process_stops_its_writes(store: Store, url: str, build: Build) -> None:
    records = build.records(store)
    change(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaMismatch), store.begin() as tx:
        tx.add(records)
    change(url, f"UPDATE alembic_version SET version_num = '{schema.REVISION}'")
    assert not store.tickets()


def test_a_migration_that_fails_leaves_nothing_behind(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(dialect: str, table: str) -> list[str]:
        return [*append_only(dialect, table), "SELECT no_such_function()"]

    # The script is loaded anew by Alembic: the change has to lie where it imports from.
    monkeypatch.setattr("tickets.store.dialect.append_only", fail)
    with pytest.raises(OperationalError):
        Store.open(url)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    monkeypatch.undo()
    Store.open(url).close()


def test_two_processes_may_open_an_empty_database_at_once(url: str) -> None:
    code = "import sys; from tickets.store import Store; Store.open(sys.argv[1]).close()"
    started = [subprocess.Popen([sys.executable, "-c", code, url], env=_environment()) for _ in range(2)]
    assert [process.wait(60) for process in started] == [0, 0]
    Store.open(url).close()


def _environment() -> dict[str, str]:
    """That of this process, with the packages under test to be found."""
    source = str(Path(tickets.migrations.__file__).parents[2])
    return {**os.environ, "PYTHONPATH": source}


@pytest.mark.parametrize("bad", ["sqlite://", "sqlite:///:memory:", "mysql://h/db"])
def test_an_address_that_cannot_work_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"needs a file|runs on"):
        Store.open(bad)


def test_the_database_is_set_up_to_survive_a_power_cut(store: Store) -> None:
    with store._writer.begin() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "cache_size", "mmap_size", "busy_timeout")
        }
    assert settings == {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "cache_size": -65536, "mmap_size": 268435456,
        "busy_timeout": 10_000,
    }  # fmt: skip


def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises(OperationalError), store._reader.begin() as connection:
        connection.exec_driver_sql("DELETE FROM tickets")


def test_an_error_of_the_database_names_no_value(store: Store, build: Build) -> None:
    with pytest.raises(Exception, match="FOREIGN KEY") as caught, store.begin() as tx:
        tx.add(Records(outbox=[build.owed("nobody", data={"name": "Budi Rahasia"})]))
    assert "Rahasia" not in str(caught.value)


def test_every_statement_compiles_for_postgresql() -> None:
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    statements = Statements(dialect)
    assert "ON CONFLICT (organisation, ref) DO UPDATE" in statements.threads._sql
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for table in schema.metadata.sorted_tables:
            assert str(CreateTable(table).compile(dialect=dialect))
