"""Lists, quarantine, raws, counts, files and access codes."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import msgspec
import pytest

from store_values import Build
from tickets.model import Records
from tickets.store import Store

LOCK = timedelta(minutes=15)


def test_lists_are_filtered_and_go_on_where_they_ended(store: Store, build: Build) -> None:
    for n in range(7):
        records = build.records(store, f"k{n}", channel="email" if n % 2 else "whatsapp")
        if n == 6:
            closed = msgspec.structs.replace(records.tickets[0], state="resolved", organisation="akseleran")
            records = msgspec.structs.replace(records, tickets=[closed])
        with store.begin() as tx:
            tx.add(records)
    everything = [line.complaint_id for line in store.tickets()]
    assert everything == sorted(everything, reverse=True)
    assert len(everything) == 7
    paged: list[str] = []
    while page := store.tickets(limit=3, after=paged[-1] if paged else None):
        paged += [line.complaint_id for line in page]
    assert paged == everything
    assert len(store.tickets(channel="email")) == 3
    assert len(store.tickets(organisation="klikacc")) == 6
    assert len(store.tickets(state="open")) == 6
    assert [line.state for line in store.tickets(state="resolved")] == ["resolved"]
    assert store.counts()["tickets_open"] == 6


def test_due_lists_open_tickets_by_their_earliest_date(store: Store, build: Build) -> None:
    dates = [(date(2026, 1, 9), date(2026, 1, 20)), (None, date(2026, 1, 8)), (date(2026, 1, 7), None), (None, None)]
    numbers = []
    for n, (first, resolve) in enumerate(dates):
        records = build.records(store, f"k{n}")
        ticket = msgspec.structs.replace(records.tickets[0], first_response_due=first, resolve_due=resolve)
        numbers.append(ticket.ticket_number)
        with store.begin() as tx:
            tx.add(msgspec.structs.replace(records, tickets=[ticket]))
    assert [line.ticket_number for line in store.due(date(2026, 1, 9))] == [numbers[2], numbers[1], numbers[0]]
    assert [line.ticket_number for line in store.due(date(2026, 1, 7))] == [numbers[2]]
    assert len(store.due(date(2026, 1, 9), limit=1)) == 1


def test_quarantine_waits_is_decided_and_opens_again(store: Store, build: Build) -> None:
    first, second = build.quarantined("R1"), build.quarantined("R1", path="$.entry[1]")
    with store.begin() as tx:
        tx.add(Records(raws=[build.raw("R1")], quarantine=[first, second]))
    assert list(store.quarantine()) == [first, second]
    with store.begin() as tx:
        assert tx.resolve_quarantine([first.id, "unknown"], "replayed", actor="siti") == 1
    assert list(store.quarantine()) == [second]
    (done,) = store.quarantine(state="replayed", raw_id="R1")
    assert done.resolved_at == build.now
    # The replay fails again, under an id of its own.
    with store.begin() as tx:
        tx.add(Records(raws=[build.raw("R1")], quarantine=[build.quarantined("R1", reason="still not JSON")]))
    assert [(item.id, item.reason) for item in store.quarantine()] == [
        (first.id, "still not JSON"), (second.id, "not JSON"),
    ]  # fmt: skip
    assert len(store.quarantine(state=None)) == 2
    assert store.counts()["quarantine_open"] == 2


def test_raws_are_read_in_order_over_many_pages(store: Store, build: Build) -> None:
    raws = [build.raw(f"R{n:05d}", build.now + timedelta(microseconds=n // 3)) for n in range(1_203)]
    with store.begin() as tx:
        tx.add(Records(raws=raws))
    assert list(store.raws_since(build.now)) == raws
    assert [row.id for row in store.raws_since(build.now + timedelta(microseconds=400))] == [
        "R01200",
        "R01201",
        "R01202",
    ]


def test_retention_spares_what_a_person_has_not_decided(store: Store, build: Build) -> None:
    old = build.now - timedelta(days=91)
    raws = [build.raw(f"R{n:04d}", old) for n in range(1_100)] + [build.raw("new")]
    with store.begin() as tx:
        tx.add(Records(raws=raws, quarantine=[build.quarantined("R0007")]))
    assert store.purge_raws(build.now - timedelta(days=90)) == 1_099
    assert [row.id for row in store.raws_since(old)] == ["R0007", "new"]
    with store.begin() as tx:
        tx.resolve_quarantine([item.id for item in store.quarantine()], "dismissed", actor="siti")
    assert store.purge_raws(build.now - timedelta(days=90)) == 1


def test_hours_in_which_a_channel_was_heard(store: Store, build: Build) -> None:
    """What the watchdog judges a silence by: each hour once, whatever came in it."""
    hour = build.now.replace(minute=0, second=0, microsecond=0)
    moments = [hour - timedelta(hours=30), hour, hour + timedelta(minutes=59), hour + timedelta(hours=2)]
    with store.begin() as tx:
        tx.add(Records(raws=[build.raw(f"R{n}", moment) for n, moment in enumerate(moments)]))
    (channel,) = {row.raw.channel_id for row in store.raws_since(hour)}
    assert set(store.hours_heard(hour - timedelta(hours=29))) == {
        (channel, hour),
        (channel, hour + timedelta(hours=2)),
    }


def test_reading_goes_on_while_a_transaction_writes(store: Store, build: Build) -> None:
    seen: list[int] = []
    with store.begin() as tx:
        tx.add(build.complaint_records("KLA-20260105-000001-8"))
        reader = threading.Thread(target=lambda: seen.append(len(store.tickets())))
        reader.start()
        reader.join()
    assert seen == [0]
    assert len(store.tickets()) == 1


def test_a_file_is_claimed_leased_and_settled(store: Store, build: Build) -> None:
    records = build.records(store)
    message = records.messages[0]
    now_due = build.attachment(message.complaint_id, message.id)
    later = build.attachment(message.complaint_id, message.id, due_at=build.now + timedelta(hours=1))
    stored = build.attachment(message.complaint_id, message.id, status="stored", sha256="ab")
    with store.begin() as tx:
        tx.add(msgspec.structs.replace(records, attachments=[now_due, later, stored]))
        (claimed,) = tx.claim_attachments(build.now, 10, timedelta(minutes=10))
        assert (claimed.id, claimed.attempts) == (now_due.id, 1)
        assert not tx.claim_attachments(build.now + timedelta(minutes=9), 10)
        # The job died: its lease runs out.
        (claimed,) = tx.claim_attachments(build.now + timedelta(minutes=10), 10)
        assert claimed.attempts == 2
    assert store.counts()["attachments_pending"] == 2
    done = msgspec.structs.replace(
        claimed, status="stored", sha256="cd", mime_sniffed="image/jpeg", size=3, due_at=None
    )
    with store.begin() as tx:
        tx.settle_attachments([done])
    view = store.ticket(records.tickets[0].ticket_number)
    assert view is not None
    assert [(file.id, file.status, file.sha256) for file in view.complaint.attachments] == [
        (now_due.id, "stored", "cd"), (later.id, "pending", None), (stored.id, "stored", "ab"),
    ]  # fmt: skip
    assert view.attachments[0] == done
    assert "attachment.stored" in [event.type for event in view.audit]
    with pytest.raises(LookupError), store.begin() as tx:
        tx.settle_attachments([build.attachment(message.complaint_id, message.id)])


@pytest.mark.parametrize("number", ["KLA-20260105-000001-8", "KLA-20260105-000404-8"], ids=["known", "unknown"])
def test_three_wrong_codes_lock_for_a_while_also_a_number_that_nobody_has(
    store: Store, build: Build, number: str
) -> None:
    def answer(given: str, minutes: float) -> str:
        with store.begin() as tx:
            return tx.try_code(number, given, build.now + timedelta(minutes=minutes), limit=3, lock=LOCK)

    with store.begin() as tx:
        tx.add(build.complaint_records("KLA-20260105-000001-8"))
    assert [answer("wrong", 0), answer("", 1), answer("wrong", 2)] == ["wrong"] * 3
    assert [answer("wrong", 3), answer("right-hash", 16.9)] == ["locked"] * 2
    assert [answer("wrong", 17), answer("wrong", 18)] == ["wrong"] * 2
    assert answer("right-hash", 19) == ("right" if number.endswith("000001-8") else "wrong")


def test_a_right_code_and_a_long_pause_forget_the_wrong_ones(store: Store, build: Build) -> None:
    def answer(given: str, minutes: float) -> str:
        with store.begin() as tx:
            at = build.now + timedelta(minutes=minutes)
            return tx.try_code("KLA-20260105-000001-8", given, at, limit=3, lock=LOCK)

    with store.begin() as tx:
        tx.add(build.complaint_records("KLA-20260105-000001-8"))
    given = ["wrong", "wrong", "right-hash", "wrong", "wrong"]
    assert [answer(one, n) for n, one in enumerate(given)] == ["wrong", "wrong", "right", "wrong", "wrong"]
    assert answer("wrong", 19) == "wrong"
    assert answer("right-hash", 20) == "right"


def test_a_ticket_without_a_code_opens_to_nothing(store: Store, build: Build) -> None:
    records = build.records(store)
    ticket = msgspec.structs.replace(records.tickets[0], access_code_hash=None)
    with store.begin() as tx:
        tx.add(msgspec.structs.replace(records, tickets=[ticket]))
        assert tx.try_code(ticket.ticket_number, "", build.now, limit=3, lock=LOCK) == "wrong"
