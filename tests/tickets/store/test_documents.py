"""How documents lie in a column: read back equal, whether empty fields were left out or not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta, Struct, structs

from normalizer.complaint import Complainant, Complaint
from normalizer.message import Message
from store_values import Build
from tickets.model import Ticket
from tickets.store import Store, schema
from tickets.store.documents import COMPLAINTS, MESSAGES, TICKETS, Document

SEVERAL = settings(max_examples=60)


def values(of: Any) -> st.SearchStrategy[Any]:
    """Values of an annotated type, empty ones and defaults often enough."""
    origin, inner = get_origin(of), get_args(of)
    if isinstance(of, type) and issubclass(of, Struct):
        return st.builds(of, **{field.name: field_values(field) for field in structs.fields(of)})
    if origin is Annotated:
        meta = next(each for each in inner if isinstance(each, Meta))
        return st.text(min_size=30) if meta.min_length else st.integers(min_value=0, max_value=2**53)
    if origin in (Union, UnionType):
        return st.one_of([values(each) for each in inner])
    if origin is tuple:
        return st.lists(values(inner[0]), max_size=2).map(tuple)
    if origin is Literal:
        return st.sampled_from(inner)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        type(None): st.none(),
        datetime: st.datetimes(timezones=st.just(UTC)),
        float: st.floats(allow_nan=False, allow_infinity=False),
        int: st.integers(-(2**53), 2**53),
        bytes: st.none(),
    }
    return simple[of] if of in simple else st.from_type(of)


def field_values(field: structs.FieldInfo) -> st.SearchStrategy[Any]:
    if field.name in ("deadlines", "fields"):
        return st.dictionaries(st.text(), st.text(), max_size=2)
    said = values(field.type)
    return said if field.default is msgspec.NODEFAULT else st.just(field.default) | said


def check(document: Document[Any], value: Struct) -> None:
    sparse = document.write(value)
    full = msgspec.json.encode(value)
    assert document.read(sparse) == document.read(full) == value
    assert len(sparse) <= len(full)


@SEVERAL
@given(value=values(Complaint))
def test_every_complaint_reads_back_equal(value: Complaint) -> None:
    check(COMPLAINTS, value)


@SEVERAL
@given(value=values(Ticket))
def test_every_ticket_reads_back_equal(value: Ticket) -> None:
    check(TICKETS, value)


@SEVERAL
@given(value=values(Message))
def test_every_message_reads_back_equal(value: Message) -> None:
    check(MESSAGES, value)


def test_what_is_empty_is_left_out_and_what_says_something_is_written(build: Build) -> None:
    complaint = msgspec.structs.replace(
        build.complaint("C1", "KLA-20260105-000001-8"), narrative="", complainant=Complainant(), sender_handle=None
    )
    written = msgspec.json.decode(COMPLAINTS.write(complaint))
    in_full = msgspec.json.decode(msgspec.json.encode(complaint))
    assert {name for name, value in written.items() if value in (None, "", False, [])} == set()
    left_out = {name for name in in_full if name not in written}
    assert {"narrative", "sender_handle", "closed_at", "flags", "receipts", "needs_agent"} <= left_out
    # A default that is a word is written: changing it later must not change what was recorded.
    for name in ("schema_version", "visibility", "form", "kind", "already_at"):
        assert written[name] == in_full[name]
    assert written["complainant"] == {"role": "unknown", "language": "id"}
    assert written["assessment"].items() >= {"urgency": "medium", "severity": "minor", "tier": "single_unit"}.items()
    assert written["outcome"] == {}


def test_every_field_that_may_be_left_out_has_an_empty_default() -> None:
    # Such a default is part of how documents lie in a database: it must stay empty.
    minimal = msgspec.json.decode(b"{}", type=Complainant)
    in_full = msgspec.json.decode(msgspec.json.encode(minimal))
    assert in_full == {
        "role": "unknown", "full_name": None, "id_address": None, "phone": None, "email": None, "customer_ref": None,
        "language": "id", "verified": False, "vulnerable_tags": [],
    }  # fmt: skip


def test_a_database_with_documents_as_text_in_full_is_read_alike(
    tmp_path: Path, store: Store, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = build.records(store)
    with store.begin() as tx:
        tx.add(records)
    number = records.tickets[0].ticket_number
    expected = store.ticket(number)
    assert expected is not None
    older = tmp_path / "older.db"
    monkeypatch.setattr(schema, "REVISION", "0001")
    Store.open(f"sqlite:///{older}").close()
    monkeypatch.undo()
    with closing(sqlite3.connect(older)) as connection:
        connection.execute("ATTACH ? AS newer", (str(tmp_path / "store.db"),))
        for table in ("raws", "tickets", "messages", "threads", "outbox", "audit", "sequences"):
            names = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM newer.{table}")
        connection.execute(
            "UPDATE tickets SET complaint = ?, ticket = ?",
            (
                msgspec.json.encode(records.complaints[0]).decode(),
                msgspec.json.encode(records.tickets[0]).decode(),
            ),
        )
        connection.execute(
            "UPDATE messages SET document = ?", (msgspec.json.encode(records.messages[0].message).decode(),)
        )
        connection.commit()
    opened = Store.open(f"sqlite:///{older}")
    assert opened.ticket(number) == expected
    assert opened.verify_audit().intact
    opened.close()
    with closing(sqlite3.connect(older)) as connection:
        types = "SELECT DISTINCT typeof(complaint), typeof(ticket), typeof(document) FROM tickets, messages"
        assert connection.execute(types).fetchall() == [("blob", "blob", "blob")]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT 1 FROM tickets WHERE open = 1 AND first_response_due <= '2026'", "ix_tickets_first_response_due"),
        ("SELECT 1 FROM tickets WHERE open = 1 AND resolve_due <= '2026'", "ix_tickets_resolve_due"),
        (
            "SELECT 1 FROM tickets WHERE open = 1 AND state = ? AND organisation = ? AND complaint_id > ? "
            "ORDER BY complaint_id LIMIT 5",
            "ix_tickets_open",
        ),
        ("SELECT 1 FROM message_changes WHERE message_id IS NULL", "ix_message_changes_"),
    ],
)
def test_partial_indexes_are_used(store: Store, url: str, query: str, index: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        steps = connection.execute(f"EXPLAIN QUERY PLAN {query}", ("",) * query.count("?")).fetchall()
    assert any(index in step[-1] for step in steps)
