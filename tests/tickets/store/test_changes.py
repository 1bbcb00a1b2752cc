"""Edits, deletions and new sender identities, in whatever order they come (P10; T22, T35)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from normalizer.message import Deletion, Edit, Rekey
from store_values import Build
from tickets.model import Records
from tickets.store import Store

ORGANISATION = "klikacc"
STEPS = ("message", "edit 1", "edit 2", "deletion")


@pytest.mark.parametrize("order", list(itertools.permutations(STEPS)), ids="-".join)
def test_every_order_ends_alike(store: Store, build: Build, order: Sequence[str]) -> None:
    records = build.records(store)
    now = build.now
    changes = {
        "edit 1": Edit(key="e1", message_key="wa:1:m1", edited_at=now + timedelta(minutes=1), text="satu"),
        "edit 2": Edit(key="e2", message_key="wa:1:m1", edited_at=now + timedelta(minutes=2), text="dua", subject="s"),
    }
    deletion = Deletion(key="d1", message_key="wa:1:m1", deleted_at=now + timedelta(minutes=3))
    came = False
    for step in order:
        with store.begin() as tx:
            expected = "applied" if came else "parked"
            if step == "message":
                tx.add(records)
                came = True
            elif step == "deletion":
                assert tx.delete(ORGANISATION, deletion) == expected
            else:
                assert tx.edit(ORGANISATION, changes[step]) == expected
                # The provider sends it once more.
                assert tx.edit(ORGANISATION, changes[step]) == expected
    view = store.ticket(records.tickets[0].ticket_number)
    assert view is not None
    (message,) = view.messages
    assert [version.text for version in message.versions] == ["saldo terpotong", "satu", "dua"]
    assert message.text == "dua"
    assert message.withdrawn_at == deletion.deleted_at
    # The evidence stays as it came.
    assert message.row.message.text == "saldo terpotong"
    assert sorted(event.type for event in view.audit) == [
        "complaint.received", "message.edited", "message.edited", "message.withdrawn",
    ]  # fmt: skip


def test_a_change_of_another_organisation_touches_nothing(store: Store, build: Build) -> None:
    records = build.records(store)
    with store.begin() as tx:
        assert tx.edit("akseleran", Edit(key="e", message_key="wa:1:m1", edited_at=build.now, text="x")) == "parked"
        tx.add(records)
    view = store.ticket(records.tickets[0].ticket_number)
    assert view is not None
    assert len(view.messages[0].versions) == 1


def test_a_new_identity_takes_its_old_threads_along(store: Store, build: Build) -> None:
    records = build.complaint_records("KLA-20260105-000001-8", ref="whatsapp_cloud:99:wa:ID.1", sender_key="wa:ID.1")
    other = build.complaint_records(
        "KLA-20260105-000002-6", "k2", ref="whatsapp_cloud:99:wa:ID.12", sender_key="wa:ID.12"
    )
    rekey = Rekey(old="wa:ID.1", new="wa:ID.7", at=build.now)
    with store.begin() as tx:
        tx.add(records)
        tx.add(other)
        assert tx.rekey(ORGANISATION, rekey) == 1
        assert tx.rekey(ORGANISATION, rekey) == 0
        assert tx.rekey("akseleran", rekey) == 0
        refs = ["whatsapp_cloud:99:wa:ID.1", "whatsapp_cloud:99:wa:ID.7", "whatsapp_cloud:99:wa:ID.72"]
        known = tx.known(ORGANISATION, [], refs)
    assert set(known.threads) == {"whatsapp_cloud:99:wa:ID.1", "whatsapp_cloud:99:wa:ID.7"}
    expected = msgspec.structs.replace(records.complaints[0], sender_key="wa:ID.7")
    assert {thread.complaint for thread in map(known.threads.__getitem__, known.threads)} == {expected}


def test_a_ref_that_is_the_old_key_itself_is_found_under_the_new_one(store: Store, build: Build) -> None:
    records = build.complaint_records("KLA-20260105-000001-8", ref="tg:5", sender_key="someone")
    with store.begin() as tx:
        tx.add(records)
        tx.rekey(ORGANISATION, Rekey(old="tg:5", new="tg:6", at=build.now))
        known = tx.known(ORGANISATION, [], ["tg:6"])
    assert known.threads["tg:6"].ticket == records.tickets[0]


def test_many_parked_changes_find_their_messages_in_one_batch(store: Store, build: Build) -> None:
    batch = [build.complaint_records(f"KLA-20260105-{n:06d}-0", f"k{n}") for n in range(1, 41)]
    with store.begin() as tx:
        for n in range(1, 41):
            tx.edit(ORGANISATION, Edit(key=f"e{n}", message_key=f"k{n}", edited_at=build.now, text=f"edit {n}"))
        tx.add(
            Records(
                complaints=[records.complaints[0] for records in batch],
                tickets=[records.tickets[0] for records in batch],
                messages=[records.messages[0] for records in batch],
            )
        )
    for n, records in enumerate(batch, start=1):
        view = store.ticket(records.tickets[0].ticket_number)
        assert view is not None
        assert view.messages[0].text == f"edit {n}"
