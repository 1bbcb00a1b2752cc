"""What is owed: claimed once, settled in sets, taken up again after a crash (P11, A13)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from normalizer.message import Delivery
from store_values import Build
from tickets.model import Records, Route, Settled, TaskRow
from tickets.store import Store, TicketView
from tickets.told import brief_complaint, brief_ticket

ORGANISATION = "klikacc"


def owe(store: Store, build: Build, *rows: Mapping[str, object]) -> Records:
    """One complaint that owes several messages, named by their templates."""
    records = build.records(store)
    complaint_id = records.complaints[0].complaint_id
    owed = [build.owed(complaint_id, **row) for row in rows]
    with store.begin() as tx:
        tx.add(msgspec.structs.replace(records, outbox=owed))
    return records


def owe_one(store: Store, build: Build, key: str) -> Records:
    """One complaint with the message that is owed for it."""
    records = build.records(store, key, ref=key)
    with store.begin() as tx:
        tx.add(records)
    return records


@pytest.mark.parametrize("column", ["complaint", "ticket"])
@pytest.mark.parametrize("damage", [b"{", b"\xff", b""])
def test_p7_a_damaged_record_keeps_nobody_elses_message_back(
    store: Store, build: Build, url: str, column: str, damage: bytes
) -> None:
    broken = owe_one(store, build, "wa:1:m1").complaints[0].complaint_id
    whole = owe_one(store, build, "wa:1:m2").complaints[0].complaint_id
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute(f"UPDATE tickets SET {column} = ? WHERE complaint_id = ?", (damage, broken))
        connection.commit()
    with store.begin() as tx:
        assert [item.row.complaint_id for item in tx.claim_outbox(build.now, 10)] == [whole]
    with store.begin() as tx:
        assert tx.claim_outbox(build.now + timedelta(days=1), 10) == []
    assert [(task.kind, task.complaint_id) for task in store.open_tasks()] == [("undeliverable", broken)]
    assert store.verify_audit().intact


def test_what_is_due_longest_is_claimed_first_and_once(store: Store, build: Build) -> None:
    records = owe(
        store,
        build,
        {"template": "c", "due_at": build.now},
        {"template": "a", "due_at": build.now - timedelta(hours=2)},
        {"template": "later", "due_at": build.now + timedelta(seconds=1)},
        {"template": "b", "due_at": build.now - timedelta(hours=1)},
        {"template": "halted", "state": "halted"},
    )
    with store.begin() as tx:
        first = tx.claim_outbox(build.now, 2)
    with store.begin() as tx:
        second = tx.claim_outbox(build.now, 10)
        assert not tx.claim_outbox(build.now, 10)
    assert [item.row.template for item in first] == ["a", "b"]
    assert [item.row.template for item in second] == ["c"]
    (item,) = second
    assert (item.row.state, item.row.attempts, item.row.first_attempt_at) == ("sending", 1, build.now)
    assert item.complaint == brief_complaint(msgspec.json.encode(records.complaints[0]))
    assert item.ticket == brief_ticket(msgspec.json.encode(records.tickets[0]))
    assert store.counts()["outbox_sending"] == 3
    assert store.counts()["outbox_halted"] == 1
    assert store.counts()["outbox_due"] == 1


def test_channels_can_be_chosen_and_left_out(store: Store, build: Build) -> None:
    def over(channel_id: str) -> tuple[Route, ...]:
        return (Route(channel_id=channel_id, recipient="r"),)

    owe(store, build, *({"template": name, "routes": over(name)} for name in ("wa", "mail", "x")))
    with store.begin() as tx:
        assert [item.row.template for item in tx.claim_outbox(build.now, 10, ["wa", "sms"])] == ["wa"]
        assert not tx.claim_outbox(build.now, 10, [])
        assert [item.row.template for item in tx.claim_outbox(build.now, 10, exclude=["x"])] == ["mail"]


def test_an_attempt_counts_and_keeps_its_first_moment(store: Store, build: Build) -> None:
    owe(store, build, {})
    for attempt in (1, 2, 3):
        with store.begin() as tx:
            (item,) = tx.claim_outbox(build.now + timedelta(hours=attempt), 10)
            tx.settle_outbox([build.again(item)])
        assert item.row.attempts == attempt
        assert item.row.first_attempt_at == build.now + timedelta(hours=1)


def test_settling_writes_receipt_thread_task_and_log_at_once(store: Store, build: Build) -> None:
    records = owe(store, build, {})
    with store.begin() as tx:
        (item,) = tx.claim_outbox(build.now, 10)
        tx.settle_outbox([build.sent(item, "wamid.1", registers=("wa:1:wamid.1",))])
        known = tx.known(ORGANISATION, [], ["wa:1:wamid.1"])
    assert known.threads["wa:1:wamid.1"].complaint == records.complaints[0]
    view = store.ticket(records.tickets[0].ticket_number)
    assert view is not None
    (receipt,) = view.complaint.receipts
    assert (receipt.state, receipt.provider_id, receipt.body_hash, receipt.template_version, receipt.sent_at) == (
        "sent", "wamid.1", "hash", "7", build.now,
    )  # fmt: skip
    assert [event.type for event in view.audit] == ["complaint.received", "receipt.sent"]


def test_a_failed_attempt_with_a_task_of_its_own_opens_no_second(store: Store, build: Build) -> None:
    records = owe(store, build, {})
    complaint_id = records.complaints[0].complaint_id
    with store.begin() as tx:
        (item,) = tx.claim_outbox(build.now, 10)
        task = TaskRow(
            id="T1",
            organisation=ORGANISATION,
            complaint_id=complaint_id,
            kind="refused",
            reason="131009",
            opened_at=build.now,
        )
        row = msgspec.structs.replace(item.row, state="failed", error_class="Refused")
        tx.settle_outbox([Settled(row=row, receipt_state="failed", task=task)])
    assert list(store.open_tasks()) == [task]
    with store.begin() as tx:
        assert tx.close_tasks(["T1"], actor="siti") == 1
        assert tx.close_tasks(["T1"], actor="siti") == 0
    assert not store.open_tasks()


def test_what_was_told_on_the_spot_is_nobodys_task(store: Store, build: Build) -> None:
    """Section 8: a caller may hear the number after the receipt had found no way; any other task stays."""
    records = owe(store, build, {"state": "suppressed", "reason": "no_route"})
    complaint_id = records.complaints[0].complaint_id
    tasks = [
        TaskRow(
            id=kind, organisation=ORGANISATION, complaint_id=complaint_id, kind=kind, reason="x", opened_at=build.now
        )
        for kind in ("needs_agent", "no_route")
    ]
    with store.begin() as tx:
        tx.add(Records(tasks=tasks))
        tx.hand_over([])
        tx.hand_over([complaint_id, complaint_id])
        tx.hand_over([complaint_id])
    assert [task.kind for task in store.open_tasks()] == ["needs_agent"]
    view = store.ticket_of_complaint(complaint_id)
    assert view is not None
    assert [row.reason for row in view.outbox] == ["handed_over"]
    assert [event.type for event in view.audit].count("receipt.handed_over") == 1


def test_a_failed_attempt_without_a_task_becomes_one(store: Store, build: Build) -> None:
    owe(store, build, {})
    with store.begin() as tx:
        (item,) = tx.claim_outbox(build.now, 10)
        tx.settle_outbox([Settled(row=msgspec.structs.replace(item.row, state="failed"), receipt_state="failed")])
    assert [task.kind for task in store.open_tasks(organisation=ORGANISATION)] == ["undeliverable"]
    assert not store.open_tasks(organisation="akseleran")


def test_what_a_crash_left_is_due_again_and_flagged(store: Store, build: Build) -> None:
    routes = {name: (Route(channel_id=name, recipient="r"),) for name in ("wa", "mail")}
    owe(store, build, *({"template": name, "routes": route} for name, route in routes.items()))
    with store.begin() as tx:
        assert len(tx.claim_outbox(build.now, 10)) == 2
    with store.begin() as tx:
        assert tx.recover_outbox(build.now, {"wa": timedelta(seconds=60)}) == 2
        assert tx.recover_outbox(build.now, {}) == 0
        (item,) = tx.claim_outbox(build.now + timedelta(seconds=59), 10)
        assert (item.row.template, item.row.ambiguous, item.row.attempts) == ("mail", True, 2)
        (item,) = tx.claim_outbox(build.now + timedelta(seconds=60), 10)
        assert (item.row.template, item.row.ambiguous) == ("wa", True)


def test_halted_rows_of_a_channel_go_on(store: Store, build: Build) -> None:
    owe(store, build, {"state": "halted"})
    with store.begin() as tx:
        assert tx.resume_outbox("mail", build.now) == 0
        assert tx.resume_outbox("wa", build.now) == 1
        assert len(tx.claim_outbox(build.now, 10)) == 1


def test_settling_something_unknown_is_an_error(store: Store, build: Build) -> None:
    with pytest.raises(LookupError), store.begin() as tx:
        tx.settle_outbox([build.sent(build.owed("C1"), "wamid.1")])


def test_settling_twice_changes_nothing_more(store: Store, build: Build) -> None:
    records = owe(store, build, {})
    with store.begin() as tx:
        (item,) = tx.claim_outbox(build.now, 10)
        tx.settle_outbox([build.sent(item, "wamid.1")])
    before = store.ticket(records.tickets[0].ticket_number)
    with store.begin() as tx:
        tx.settle_outbox([build.sent(item, "wamid.1")])
    assert store.ticket(records.tickets[0].ticket_number) == before


def _settled_together(url: str, times: int) -> list[TicketView | None]:
    """What five rows end as that are settled in one set, each of them given `times`."""
    build = Build()
    store = Store.open(url, clock=lambda: build.now)
    owed = [owe_one(store, build, f"wa:1:m{n}") for n in range(5)]
    with store.begin() as tx:
        items = {item.row.complaint_id: item for item in tx.claim_outbox(build.now, 10)}
        plain, overtaken, proven, long, failed = (items[records.complaints[0].complaint_id] for records in owed)
        # Reports that overtake the answer: by the provider's id, and by our key.
        tx.deliveries("wa", [Delivery(state="read", at=build.now, provider_id="w.2")])
        tx.deliveries("wa", [Delivery(state="delivered", at=build.now, provider_id="w.3", outbox_key=proven.row.key)])
    with store.begin() as tx:
        settled = [
            build.sent(plain, "w.1", registers=("wa:1:w.1",)),
            build.sent(overtaken, "w.2", registers=("wa:1:w.2",)),
            build.sent(proven, "w.3"),
            build.sent(long, "w.4", "w.4.2"),
            build.again(failed),
        ]
        tx.settle_outbox(settled * times)
        # Later reports find what was sent.
        tx.deliveries("wa", [Delivery(state="delivered", at=build.now, provider_id=id_) for id_ in ("w.1", "w.4.2")])
    views = [store.ticket(records.tickets[0].ticket_number) for records in owed]
    assert store.verify_audit().intact
    store.close()
    return views


def test_rows_end_alike_whichever_way_they_are_settled(tmp_path: Path) -> None:
    alone = _settled_together(f"sqlite:///{tmp_path / 'short.db'}", 1)
    # A row that is given twice is read back and weighed against all reports, like one that is reported on.
    weighed = _settled_together(f"sqlite:///{tmp_path / 'long.db'}", 2)
    assert alone == weighed
    states = [view.complaint.receipts[0].state for view in alone if view is not None]
    assert states == ["delivered", "read", "delivered", "sent", "queued"]


def test_receipts_are_counted_per_recipient_and_day(store: Store, build: Build) -> None:
    """K2, P26: neither what the desk wrote nor a public line nor what was never sent takes a receipt away."""
    for key, state in (("wa:1:a", "due"), ("wa:1:b", "sent"), ("wa:1:c", "suppressed")):
        records = build.records(store, key, ref=key)
        complaint_id = records.complaints[0].complaint_id
        others = ("notice_answer:4", "notice_closing:5", "public_reply")
        owed = [build.owed(complaint_id, state=state), *(build.owed(complaint_id, template=name) for name in others)]
        with store.begin() as tx:
            tx.add(msgspec.structs.replace(records, outbox=owed))
    day_ago = build.now - timedelta(days=1)
    with store.begin() as tx:
        assert tx.receipt_counts(ORGANISATION, ["ID.1", "ID.2"], day_ago) == {"ID.1": 2}
        assert tx.receipt_counts("akseleran", ["ID.1"], day_ago) == {}
        assert tx.receipt_counts(ORGANISATION, ["ID.1"], build.now + timedelta(seconds=1)) == {}


def test_complaints_are_counted_per_sender_and_day(store: Store, build: Build) -> None:
    """For channels on which each message has an address of its own, as under comments (P26)."""
    for key in ("k1", "k2"):
        owe_one(store, build, key)
    (sender,) = {records.sender_key for records in (view.complaint for view in store.views())}
    assert sender is not None
    with store.begin() as tx:
        assert tx.complaint_counts(ORGANISATION, [sender, "wa:ID.2"], build.now - timedelta(days=1)) == {sender: 2}
        assert tx.complaint_counts("akseleran", [sender], build.now - timedelta(days=1)) == {}
        assert tx.complaint_counts(ORGANISATION, [sender], build.now + timedelta(seconds=1)) == {}
