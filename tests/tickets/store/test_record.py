"""Recording a batch: all of it or nothing, and a second time is harmless (P8, P10; T1-T5)."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest

from normalizer.complaint import ReceiptRecord
from store_values import Build
from tickets.model import Records, TicketState
from tickets.store import Conflict, Store

ORGANISATION = "klikacc"


def test_what_was_added_comes_back_equal(store: Store, build: Build) -> None:
    records = build.records(store)
    with store.begin() as tx:
        tx.add(records)
    view = store.ticket(records.tickets[0].ticket_number)
    assert view is not None
    assert msgspec.structs.replace(view.complaint, receipts=()) == records.complaints[0]
    assert view.ticket == records.tickets[0]
    assert [message.row for message in view.messages] == list(records.messages)
    assert list(view.outbox) == list(records.outbox)
    assert list(view.audit) == list(records.audit)
    assert store.raw(records.raws[0].id) == records.raws[0]


def test_an_unknown_number_is_none(store: Store) -> None:
    assert store.ticket("KLA-20260105-000009-1") is None
    assert store.raw("nothing") is None


def test_known_finds_messages_and_threads_of_its_organisation_alone(store: Store, build: Build) -> None:
    records = build.records(store)
    with store.begin() as tx:
        tx.add(records)
    with store.begin() as tx:
        known = tx.known(ORGANISATION, ["wa:1:m1", "wa:1:other"], ["wa:1:budi", "wa:1:nobody"])
        elsewhere = tx.known("akseleran", ["wa:1:m1"], ["wa:1:budi"])
    seen = known.messages["wa:1:m1"]
    assert (seen.complaint_id, seen.ticket_number, seen.digest) == (
        records.complaints[0].complaint_id,
        records.tickets[0].ticket_number,
        records.messages[0].digest,
    )
    assert set(known.messages) == {"wa:1:m1"}
    assert set(known.threads) == {"wa:1:budi"}
    assert known.threads["wa:1:budi"].complaint == records.complaints[0]
    assert known.threads["wa:1:budi"].ticket == records.tickets[0]
    assert not elsewhere.messages
    assert not elsewhere.threads


def test_known_takes_more_keys_than_one_statement(store: Store, build: Build) -> None:
    with store.begin() as tx:
        tx.add(build.complaint_records("KLA-20260105-000001-8", "m700"))
        known = tx.known(ORGANISATION, [f"m{n}" for n in range(1_400)], [f"r{n}" for n in range(1_400)])
    assert set(known.messages) == {"m700"}


def test_the_same_batch_twice_is_refused_whole_and_changes_nothing(store: Store, build: Build) -> None:
    records = build.records(store)
    with store.begin() as tx:
        tx.add(records)
    before = (store.counts(), store.verify_audit(), store.ticket(records.tickets[0].ticket_number))
    with pytest.raises(Conflict) as caught, store.begin() as tx:
        tx.add(records)
    assert "wa:1:m1" not in str(caught.value)
    assert (store.counts(), store.verify_audit(), store.ticket(records.tickets[0].ticket_number)) == before


@pytest.mark.parametrize("kind", ["message", "number", "receipt"])
def test_every_unique_key_holds(store: Store, build: Build, kind: str) -> None:
    first = build.complaint_records("KLA-20260105-000001-8", "k1")
    second = build.complaint_records(
        "KLA-20260105-000001-8" if kind == "number" else "KLA-20260105-000002-6", "k1" if kind == "message" else "k2"
    )
    if kind == "receipt":
        twice = build.owed(first.complaints[0].complaint_id)
        second = msgspec.structs.replace(second, outbox=[twice])
    with store.begin() as tx:
        tx.add(first)
    with pytest.raises(Conflict), store.begin() as tx:
        tx.add(second)
    assert len(store.tickets()) == 1


def test_the_same_key_in_another_organisation_is_another_message(store: Store, build: Build) -> None:
    first = build.complaint_records("KLA-20260105-000001-8", "k1")
    second = build.complaint_records("KLA-20260105-000002-6", "k1")
    row = msgspec.structs.replace(second.messages[0], organisation="akseleran")
    with store.begin() as tx:
        tx.add(first)
        tx.add(msgspec.structs.replace(second, messages=[row]))
    assert len(store.tickets()) == 2


def test_an_exception_anywhere_leaves_nothing(store: Store, build: Build) -> None:
    records = build.complaint_records("KLA-20260105-000001-8")
    with suppress(RuntimeError), store.begin() as tx:
        assert tx.next_numbers("KLA", build.day, 5) == range(1, 6)
        tx.add(records)
        assert len(tx.claim_outbox(build.now, 10)) == 1
        raise RuntimeError("the process is told to stop")
    assert not store.tickets()
    assert store.verify_audit().events == 0
    assert store.raw(records.raws[0].id) is None
    with store.begin() as tx:
        assert tx.next_numbers("KLA", build.day, 1) == range(1, 2)


def test_one_bad_item_costs_only_its_savepoint(store: Store, build: Build) -> None:
    first = build.complaint_records("KLA-20260105-000001-8", "k1")
    again = build.complaint_records("KLA-20260105-000002-6", "k1")
    third = build.complaint_records("KLA-20260105-000003-4", "k3")
    with store.begin() as tx:
        for records in (first, again, third):
            try:
                with tx.savepoint():
                    tx.add(records)
            except Conflict:
                assert records is again
    assert {line.ticket_number for line in store.tickets()} == {"KLA-20260105-000001-8", "KLA-20260105-000003-4"}
    report = store.verify_audit()
    assert (report.intact, report.events) == (True, 2)


def test_numbers_count_by_prefix_and_day_without_gaps(store: Store, build: Build) -> None:
    with store.begin() as tx:
        assert tx.next_numbers("KLA", build.day, 0) == range(1, 1)
        assert tx.next_numbers("KLA", build.day, 3) == range(1, 4)
        assert tx.next_numbers("AKS", build.day, 1) == range(1, 2)
        assert tx.next_numbers("KLA", build.day.replace(day=6), 1) == range(1, 2)
        assert tx.next_numbers("KLA", build.day, 0).stop == 4
    with suppress(RuntimeError), store.begin() as tx:
        assert tx.next_numbers("KLA", build.day, 2) == range(4, 6)
        raise RuntimeError
    with store.begin() as tx:
        assert tx.next_numbers("KLA", build.day, 1) == range(4, 5)
        with pytest.raises(ValueError, match="negative"):
            tx.next_numbers("KLA", build.day, -1)


@pytest.mark.parametrize(
    ("state", "leads_to"), [("in_progress", "first"), ("resolved", "second"), ("merged", "second")]
)
def test_the_first_complaint_keeps_a_thread_until_it_is_closed(
    store: Store, build: Build, state: TicketState, leads_to: str
) -> None:
    first = build.complaint_records("KLA-20260105-000001-8", "k1")
    second = build.complaint_records("KLA-20260105-000002-6", "k2")
    with store.begin() as tx:
        tx.add(first)
        tx.add(Records(updated_tickets=[msgspec.structs.replace(first.tickets[0], state=state)]))
        tx.add(second)
        known = tx.known(ORGANISATION, [], ["wa:1:budi"])
    assert known.threads["wa:1:budi"].complaint == {"first": first, "second": second}[leads_to].complaints[0]


def test_a_further_message_replaces_the_complaint(store: Store, build: Build) -> None:
    records = build.records(store)
    complaint = msgspec.structs.replace(records.complaints[0], narrative="lebih lengkap", needs_agent=True)
    more = build.message_row(complaint.complaint_id, build.message("wa:1:m2", "lebih lengkap"))
    ticket = msgspec.structs.replace(records.tickets[0], state="in_progress")
    with store.begin() as tx:
        tx.add(records)
        tx.add(Records(updated=[complaint], updated_tickets=[ticket], messages=[more]))
    view = store.ticket(ticket.ticket_number)
    assert view is not None
    assert view.complaint.narrative == "lebih lengkap"
    assert view.ticket == ticket
    assert [message.text for message in view.messages] == ["saldo terpotong", "lebih lengkap"]
    assert [line.state for line in store.tickets()] == ["in_progress"]


def test_replacing_what_was_never_recorded_is_an_error(store: Store, build: Build) -> None:
    with pytest.raises(LookupError), store.begin() as tx:
        tx.add(Records(updated=[build.complaint("nobody", "KLA-20260105-000001-8")]))


def test_a_complaint_without_its_ticket_is_an_error(store: Store, build: Build) -> None:
    records = build.complaint_records("KLA-20260105-000001-8")
    with pytest.raises(ValueError, match="exactly one ticket"), store.begin() as tx:
        tx.add(msgspec.structs.replace(records, tickets=[]))
    other = build.ticket(records.complaints[0].complaint_id, "KLA-20260105-000002-6")
    with pytest.raises(ValueError, match="name each other differently"), store.begin() as tx:
        tx.add(msgspec.structs.replace(records, tickets=[other]))


def test_receipts_in_the_document_are_never_a_stale_copy(store: Store, build: Build) -> None:
    stale = ReceiptRecord(
        id="x", channel="whatsapp", recipient="r", template="receipt", template_version="0", language="id"
    )
    records = build.records(store, receipts=(stale,))
    with store.begin() as tx:
        tx.add(records)
    view = store.ticket(records.tickets[0].ticket_number)
    assert view is not None
    assert [(receipt.id, receipt.state) for receipt in view.complaint.receipts] == [(records.outbox[0].key, "queued")]


def test_a_suppressed_receipt_is_still_a_receipt(store: Store, build: Build) -> None:
    records = build.records(store)
    suppressed = build.owed(
        records.complaints[0].complaint_id, state="suppressed", reason="precedence: list", routes=()
    )
    with store.begin() as tx:
        tx.add(msgspec.structs.replace(records, outbox=[suppressed]))
        assert not tx.claim_outbox(build.now, 10)
    view = store.ticket(records.tickets[0].ticket_number)
    assert view is not None
    (receipt,) = view.complaint.receipts
    assert (receipt.state, receipt.reason, receipt.recipient) == ("suppressed", "precedence: list", "")


def test_an_alias_leads_to_the_ticket_that_goes_on(store: Store, build: Build) -> None:
    merged = build.complaint_records("KLA-20260105-000001-8", "k1")
    kept = build.complaint_records("KLA-20260105-000002-6", "k2")
    survivor = msgspec.structs.replace(kept.complaints[0], aliases=("KLA-20260105-000001-8",))
    with store.begin() as tx:
        tx.add(merged)
        tx.add(kept)
        tx.add(Records(updated=[survivor]))
        found = tx.find("KLA-20260105-000001-8")
    assert found is not None
    assert found.ticket == kept.tickets[0]
    view = store.ticket("KLA-20260105-000001-8")
    assert view is not None
    assert view.complaint.complaint_id == survivor.complaint_id
    assert list(view.aliases) == ["KLA-20260105-000001-8"]


def test_the_bytes_of_a_file_are_not_copied_into_the_message(store: Store, build: Build) -> None:
    records = build.records(store)
    attachment = build.attachment("c", "m").attachment
    message = build.message(
        "wa:1:m1", attachments=(msgspec.structs.replace(attachment, content=b"x" * 1000, sha256="ab"),)
    )
    row = build.message_row(records.complaints[0].complaint_id, message)
    with store.begin() as tx:
        tx.add(msgspec.structs.replace(records, messages=[row]))
    view = store.ticket(records.tickets[0].ticket_number)
    assert view is not None
    (kept,) = view.messages[0].row.message.attachments
    assert (kept.content, kept.sha256) == (None, "ab")
