"""Where a person could stay behind after an erasure: beside the complaint, by its address, in words of other parts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from normalizer.message import Delivery, Message, Permission
from records_values import RECEIVED, SECRETS, Closed, found_in
from store_values import Build
from tickets import numbers
from tickets.model import QuarantineRow, Records
from tickets.store import Store

LATER = datetime(2031, 3, 1, tzinfo=UTC)
PHONE = "+6281298765432"
CHANNEL = "klikacc-whatsapp"


@pytest.fixture
def build() -> Build:
    return Build()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'tickets.db'}", clock=lambda: LATER)
    yield opened
    opened.close()


def said_stop(store: Store) -> None:
    with store.begin() as tx:
        tx.permit(CHANNEL, Permission(recipient=PHONE, allowed=False, at=RECEIVED))


def may_write(store: Store, build: Build) -> bool:
    """Whether something may be sent to the address."""
    number = numbers.make("KLA", build.day, 9)
    records = build.complaint_records(number, "wa:1:m9", ref="wa:9", sender_key="wa:other")
    owed = [
        replace(row, routes=(replace(row.routes[0], channel_id=CHANNEL, recipient=PHONE),)) for row in records.outbox
    ]
    with store.begin() as tx:
        tx.add(replace(records, outbox=owed))
    with store.begin() as tx:
        (item,) = tx.claim_outbox(LATER, 10)
    return not item.refused


def test_d6_nothing_beside_the_complaint_names_the_person(store: Store, build: Build, tmp_path: Path) -> None:
    """Reports of sends that we never knew, decided quarantine, what was said of an address, a ground in own words."""
    case = Closed(build)
    ticket = case.ticket()
    (extended,) = ticket.life.extensions
    own_words = replace(extended, ground="sakit keras ibu Siti Rahmawati")
    case.add(store, life=replace(ticket.life, extensions=(own_words,)))
    said_stop(store)
    key = "$[whatsapp_cloud:1:wamid.SITI2:siti]"
    item = QuarantineRow(
        id="Q1", raw_id=case.raw_ids[1], organisation="klikacc", channel_id=CHANNEL, path=key,
        reason="a text of Siti Rahmawati", at=RECEIVED,
    )  # fmt: skip
    with store.begin() as tx:
        tx.add(Records(quarantine=[item]))
        tx.resolve_quarantine(["Q1"], "replayed", "dewi")
        tx.deliveries(
            CHANNEL, [Delivery(state="read", at=RECEIVED, provider_id="wamid.KIRIM9x", outbox_key=case.outbox_key)]
        )
    with store.begin() as tx:
        tx.records.erase(case.number, "request", "dewi")
    assert store.compact()
    assert list(found_in(tmp_path, [*SECRETS, PHONE])) == []
    (kept,) = store.quarantine(state="replayed")
    assert (kept.id, kept.raw_id, kept.reason) == ("Q1", case.raw_ids[1], "erased")
    assert store.verify_audit().intact


@pytest.mark.parametrize(("erased", "allowed"), [(0, False), (1, False), (2, True)])
def test_a_stop_counts_while_we_know_the_address(store: Store, build: Build, erased: int, allowed: bool) -> None:
    """The wish not to be written to goes with the last complaint that knows the address, not before."""
    cases = Closed(build), Closed(build, 2, key="siti2")
    for case in cases:
        case.add(store)
    said_stop(store)
    with store.begin() as tx:
        for case in cases[:erased]:
            tx.records.erase(case.number, "request", "dewi")
    assert may_write(store, build) is allowed


def test_what_is_erased_is_not_owed_to_a_new_target(store: Store, build: Build) -> None:
    one, two = Closed(build), Closed(build, 2, key="siti2")
    one.add(store)
    two.add(store)
    with store.begin() as tx:
        tx.records.erase(one.number, "request", "dewi")
        tx.forwards.configure({"klikacc": ["new"]})
    with store.begin() as tx:
        assert tx.forwards.backfill("new", None, "", 10) == (1, None)
    assert [line.ticket_number for line in store.forwards.lines(target="new")] == [two.number]


def test_what_a_target_is_owed_that_is_gone_stands_in_nobodys_way(store: Store, build: Build) -> None:
    """A store that was taken out of the settings will never take its hand-over: the person need not wait for it."""
    case = Closed(build)
    case.add(store)
    with store.begin() as tx:
        tx.forwards.configure({"klikacc": ["old"]})
        tx.forwards.changed("klikacc", case.complaint_id, "ticket.accepted", RECEIVED, "kata-kata yang diteruskan")
    with store.begin() as tx:
        assert tx.records.obstacle(case.number) == "message_owed"
        tx.forwards.claim("old", LATER, 1)
        assert tx.records.obstacle(case.number, patient=False) == "message_owed"
        tx.forwards.configure({})
        assert tx.records.obstacle(case.number) is None
        tx.records.erase(case.number, "request", "dewi")
    assert [line.target for line in store.forwards.lines(state="open")] == ["old"]
    with store.begin() as tx:
        assert tx.forwards.recover(["old"]) == 1


def test_reports_of_what_was_erased_go_with_the_deliveries_of_their_time(
    store: Store, build: Build, tmp_path: Path
) -> None:
    """A customer reads a message after the erasure: the report names a number that nobody knows any more."""
    case = Closed(build)
    case.add(store)
    with store.begin() as tx:
        tx.records.erase(case.number, "request", "dewi")
    with store.begin() as tx:
        tx.deliveries(CHANNEL, [Delivery(state="read", at=RECEIVED, provider_id="wamid.KIRIM9:siti")])
    assert store.counts()["deliveries_parked"] == 1
    store.purge_raws(LATER)
    assert store.compact()
    assert list(found_in(tmp_path)) == []


class Chat(Closed):
    """A complaint by a provider that counts the messages of each chat."""

    def messages(self) -> tuple[Message, Message]:
        """The first has the number 7 in its chat."""
        first, second = super().messages()
        return replace(first, external_id="7"), second


def test_a_short_id_takes_nobody_elses_deliveries_along(store: Store, build: Build) -> None:
    """Telegram counts the messages of a chat: 7 stands in nearly every delivery, also in other people's."""
    case = Chat(build)
    case.add(store)
    bodies = {
        "edit": f'{{"edited_message": {{"message_id": 7, "chat": {{"id": "{PHONE}"}}, "text": "kutipan"}}}}',
        "other chat": '{"edited_message": {"message_id": 7, "chat": {"id": 4711}}}',
        "other message": f'{{"message": {{"message_id": 17, "chat": {{"id": "{PHONE}"}}}}}}',
    }
    raws = [build.raw(id_, RECEIVED + timedelta(minutes=3)) for id_ in bodies]
    kept = [
        replace(row, raw=replace(row.raw, channel_id=CHANNEL, body=body.encode()))
        for row, body in zip(raws, bodies.values(), strict=True)
    ]
    with store.begin() as tx:
        tx.add(Records(raws=kept))
    with store.begin() as tx:
        tx.records.erase(case.number, "request", "dewi")
    assert [id_ for id_ in bodies if store.raw(id_) is not None] == ["other chat", "other message"]


@pytest.mark.parametrize("written", ["wamid.HBgNNjI4MTI5ODc2NTQzMhUC/x==", r"wamid.HBgNNjI4MTI5ODc2NTQzMhUC\/x=="])
def test_a_long_id_is_found_however_it_is_written(store: Store, build: Build, written: str) -> None:
    """Meta's JSON may hold a slash of an id with a backslash before it."""
    case = Closed(build)
    first, second = case.messages()
    named = replace(first, external_id="wamid.HBgNNjI4MTI5ODc2NTQzMhUC/x==")
    case.messages = lambda: (named, second)  # type: ignore[method-assign]  # the values of this one case
    case.add(store)
    row = build.raw("R-edit", RECEIVED + timedelta(minutes=3))
    body = f'{{"edit": {{"id": "{written}"}}}}'.encode()
    with store.begin() as tx:
        tx.add(Records(raws=[replace(row, raw=replace(row.raw, channel_id=CHANNEL, body=body))]))
    with store.begin() as tx:
        tx.records.erase(case.number, "request", "dewi")
    assert store.raw("R-edit") is None
