"""Whose doing a change in RT is, what its tickets say, and what an operator may give: without an RT."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic import ValidationError

from normalizer.complaint import Complainant, Representative, Transaction
from store_values import Build
from tickets.forwarders import request_tracker_text as words
from tickets.forwarders.contract import Handover
from tickets.forwarders.request_tracker_api import Ref, RtTransaction
from tickets.forwarders.request_tracker_history import (
    SYSTEM,
    accounted,
    by_others,
    conflicts,
    moves,
    note,
    tells,
    unsettled,
)
from tickets.forwarders.request_tracker_settings import STOCK, RequestTrackerSettings

HandOver = Callable[..., Handover]
AT = datetime(2026, 1, 5, tzinfo=UTC)


def entry(number: int, who: str, kind: str = "Status", **values: str) -> RtTransaction:
    """One entry of a history."""
    return RtTransaction(id=str(number), type=kind, creator=Ref(who), created=AT, **values)


@pytest.mark.parametrize(
    ("makers", "foreign"),
    [
        ("", ""),
        ("us", ""),
        ("us rt", ""),
        ("rt", "rt"),
        ("rt us rt", "rt"),
        ("agent", "agent"),
        ("us agent rt us rt", "agent rt"),
        ("agent rt us rt agent", "agent rt agent"),
    ],
)
def test_what_rt_does_by_itself_belongs_to_whoever_acted_before(makers: str, foreign: str) -> None:
    names = {"us": "aduan", "rt": SYSTEM, "agent": "petugas"}
    rows = [entry(number, names[who]) for number, who in enumerate(makers.split(), 1)]
    ours = {row.id for row in rows if row.creator.id == "aduan"}
    assert [row.creator.id for row in by_others(rows, ours)] == [names[who] for who in foreign.split()]


def test_mails_that_rt_recorded_change_nothing() -> None:
    rows = [entry(1, "petugas", "Correspond"), entry(2, SYSTEM, "EmailRecord"), entry(3, SYSTEM, "CommentEmailRecord")]
    assert by_others(rows, ()) == (rows[0],)


@pytest.mark.parametrize(
    ("row", "telling", "moving", "said"),
    [
        (entry(1, "p", "Status", old_value="new", new_value="open"), True, True, "status new -> open"),
        (entry(1, "p", "Set", changed="Queue"), True, True, "antrean / queue"),
        (entry(1, "p", "Set", changed="Due", new_value="2026-01-01"), True, False, "tenggat / due"),
        (entry(1, "p", "Comment"), True, False, "catatan / note"),
        (entry(1, "p", "AddLink", changed="MergedInto"), True, False, "digabung / merged"),
        (entry(1, "p", "AddLink", changed="RefersTo", new_value="https://x/?q=Budi"), False, False, "AddLink"),
        (entry(1, "p", "Set", changed="Priority"), False, False, "Set"),
        (entry(1, "p", "Take", new_value="petugas"), False, False, "Take"),
        (entry(1, "p", "CustomField", changed="12", new_value="Budi Santoso"), False, False, "CustomField"),
        (entry(1, "p", "AddReminder", new_value="telepon Budi"), False, False, "AddReminder"),
    ],
)
def test_a_change_is_named_without_what_was_written(row: RtTransaction, telling: bool, moving: bool, said: str) -> None:
    assert (tells(row), moves(row), note([row, row])) == (telling, moving, said)


def test_what_must_still_be_told_stays_behind_the_version() -> None:
    rows = [entry(4, "aduan"), entry(5, "petugas", "Take"), entry(6, "petugas", "Comment"), entry(7, "aduan")]
    assert accounted(rows, rows[2], "3") == "4"
    assert accounted(rows, rows[0], "3") == "3"
    assert accounted(rows, None, "3") == "7"
    assert accounted(rows[1:2], None, "3") == "3"


@pytest.mark.parametrize(
    ("rows", "conflict", "news"),
    [
        ([], False, None),
        (["Comment"], False, "1"),
        (["Status open"], True, "1"),
        (["Status resolved"], False, None),
        (["Status open", "Status resolved"], False, None),
        (["Status resolved", "Status open"], True, "1"),
        (["Status resolved", "Comment"], False, "2"),
        (["Status resolved", "Set Queue"], True, "1"),
    ],
)
def test_the_same_status_on_both_sides_is_no_conflict_and_no_news(
    rows: list[str], conflict: bool, news: str | None
) -> None:
    foreign = []
    for number, row in enumerate(rows, 1):
        kind, _, value = row.partition(" ")
        values = {"changed": value} if kind == "Set" else {"new_value": value}
        foreign.append(entry(number, "petugas", kind, **values))
    first = unsettled(foreign, "resolved")
    assert (conflicts(foreign, "resolved"), first and first.id) == (conflict, news)


@given(st.text(max_size=400), st.text(max_size=40))
def test_a_subject_is_one_short_line_that_begins_with_the_ticket_number(subject: str, category: str) -> None:
    made = words.subject(Build().complaint("C1", "KLA-20260105-000001-1", subject=subject, category=category))
    assert made.startswith("[KLA-20260105-000001-1] ")
    assert len(made) <= words.MOST_SUBJECT
    assert len(made.splitlines()) == 1


def test_the_first_message_says_who_complains_about_what(handover: HandOver) -> None:
    given_ = handover(
        complaint={
            "category": "withdrawal",
            "complainant": Complainant(full_name="Budi", customer_ref="P-1"),
            "representative": Representative(full_name="Sari", poa_status="received"),
            "transaction": Transaction(type="withdrawal", date=date(2026, 1, 2), reference="TX9", amount_idr=100_000),
        },
        ticket={"resolve_due": None},
    )
    said = words.content(given_).splitlines()
    assert "Jenis / Kind: complaint, withdrawal" in said
    assert "Pelapor / Complainant: Budi, P-1" in said
    assert "Wakil / Representative: Sari, surat kuasa / power of attorney received" in said
    assert "Transaksi / Transaction: withdrawal, 2026-01-02, TX9, IDR 100000" in said
    assert "Penyelesaian / Resolution: -" in said
    assert said[-2:] == ["", "saldo terpotong"]
    assert words.due(given_.ticket) is None


def test_an_event_without_words_says_state_level_and_date(handover: HandOver) -> None:
    event = handover(type="ticket.escalated", ticket={"state": "escalated", "level": 2})
    assert words.message(event).splitlines() == [
        "Aduan: ticket.escalated (2026-01-05 10:04 WIB)",
        "Keadaan / State: escalated; tingkat / level 2",
        "Tenggat / Due: 2026-02-03",
    ]
    without = replace(event, ticket=replace(event.ticket, resolve_due=None))
    assert len(words.message(without).splitlines()) == 2


def test_statuses_that_are_not_given_are_those_of_the_stock_lifecycle() -> None:
    found = settings(statuses={"responded": "menunggu pelanggan"})
    assert found.statuses == STOCK | {"responded": "menunggu pelanggan"}
    assert settings().statuses == STOCK


@pytest.mark.parametrize(
    "wrong",
    [
        {"queue": "Penga'duan"},
        {"queue": ""},
        {"statuses": {"selesai": "open"}},
        {"statuses": {"resolved": "o'pen"}},
        {"token": "****"},
        {"url": "https://rt.example/?token=1"},
        {"password": "x"},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as raised:
        settings(**wrong)
    assert "rahasia" not in repr(settings()) + str(raised.value)


def settings(**values: object) -> RequestTrackerSettings:
    """Settings that work, but for `values`."""
    good = {"name": "rt", "kind": "request_tracker", "url": "https://rt.example", "token": "1-2-rahasia", "queue": "P"}
    return RequestTrackerSettings.model_validate({**good, **values})
