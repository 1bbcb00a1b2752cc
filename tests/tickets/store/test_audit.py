"""The log cannot be changed without it showing (append-only, hash-chained)."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress

import pytest
from sqlalchemy.exc import DBAPIError

from store_values import Build
from tickets.model import AuditEvent
from tickets.store import Store


def note(store: Store, build: Build, *types: str) -> None:
    with store.begin() as tx:
        tx.note(
            [
                AuditEvent(at=build.now, actor="siti", type=type_, complaint_id="C1", data={"z": 1, "a": "é"})
                for type_ in types
            ]
        )


def test_an_empty_log_is_whole(store: Store) -> None:
    report = store.verify_audit()
    assert (report.intact, report.events, report.head) == (True, 0, "00" * 32)


def test_events_chain_over_transactions(store: Store, build: Build) -> None:
    note(store, build, "one", "two")
    head = store.verify_audit().head
    note(store, build, "three")
    report = store.verify_audit()
    assert (report.intact, report.events) == (True, 3)
    assert report.head != head


def test_the_hash_can_be_computed_by_anybody(store: Store, build: Build) -> None:
    """The canonical form, written out once without our code."""
    import hashlib

    note(store, build, "one")
    line = '{"actor":"siti","at":1767582245678901,"complaint_id":"C1","data":{"a":"é","z":1},"seq":1,"type":"one"}'
    assert store.verify_audit().head == hashlib.sha256(bytes(32) + line.encode()).hexdigest()


def test_a_savepoint_takes_its_events_away_again(store: Store, build: Build) -> None:
    event = AuditEvent(at=build.now, actor="a", type="t", complaint_id=None, data={})
    with store.begin() as tx:
        tx.note([event])
        with suppress(RuntimeError), tx.savepoint():
            tx.note([event, event])
            raise RuntimeError("one of many fails")
        with tx.savepoint():
            tx.note([event])
    report = store.verify_audit()
    assert (report.intact, report.events) == (True, 2)


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
def test_the_database_itself_refuses_changes(store: Store, build: Build, statement: str) -> None:
    note(store, build, "one")
    with pytest.raises(DBAPIError, match="append-only"), store._writer.begin() as connection:
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    ("statement", "first_broken"),
    [
        ("UPDATE audit SET actor = 'mallory' WHERE seq = 3", 3),
        ("UPDATE audit SET data = '{}' WHERE seq = 2", 2),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1", 1),
        ("UPDATE audit SET complaint_id = NULL WHERE seq = 4", 4),
        ("UPDATE audit SET hash = zeroblob(32) WHERE seq = 3", 3),
        ("UPDATE audit SET prev_hash = zeroblob(32) WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("UPDATE audit SET seq = seq + 1 WHERE seq = 5", 5),
        (
            "INSERT INTO audit SELECT 6, at, actor, type, complaint_id, data, prev_hash, hash FROM audit WHERE seq = 5",
            6,
        ),
    ],
)
def test_a_change_behind_our_back_shows(
    store: Store, url: str, build: Build, statement: str, first_broken: int
) -> None:
    note(store, build, "one", "two", "three", "four", "five")
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("DROP TRIGGER audit_no_delete")
        connection.execute(statement)
        connection.commit()
    report = store.verify_audit()
    assert not report.intact
    assert report.first_broken == first_broken
    assert report.reason


def test_a_cut_off_end_shows_in_the_head(store: Store, url: str, build: Build) -> None:
    note(store, build, "one", "two")
    head = store.verify_audit().head
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute("DROP TRIGGER audit_no_delete")
        connection.execute("DELETE FROM audit WHERE seq = 2")
        connection.commit()
    assert store.verify_audit().head != head


def test_a_long_chain_is_walked_in_pages(store: Store, build: Build) -> None:
    note(store, build, *(f"event {n}" for n in range(10_001)))
    report = store.verify_audit()
    assert (report.intact, report.events) == (True, 10_001)
