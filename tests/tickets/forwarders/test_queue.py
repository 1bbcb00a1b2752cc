"""The queue: nothing lost, nothing twice, each ticket in its order, whatever happens to the target or to us."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from forward_values import Desk
from normalizer.complaint import StoredAttachment
from simulator.ticket_stores import Receiver, Zammad
from store_values import NOW
from tickets.forwarders.contract import Handed, Remote
from tickets.forwarders.values import ForwardItem, Settled
from tickets.forwarders.webhook_settings import WebhookSettings
from tickets.forwarders.zammad_settings import ZammadSettings

TOKEN = "zammad-token-of-the-agent"


def webhook(url: str, name: str = "erp") -> WebhookSettings:
    secret = "whsec_" + "YWJj" * 8
    given = {"kind": "webhook", "name": name, "url": url, "secrets": [secret], "inside": True, "timeout_seconds": 0.5}
    return WebhookSettings.model_validate(given)


def zammad_settings(url: str) -> ZammadSettings:
    given = {"kind": "zammad", "name": "zammad", "url": url, "token": TOKEN, "group": "Pengaduan", "inside": True}
    return ZammadSettings.model_validate(given | {"timeout_seconds": 5})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def zammad() -> AsyncIterator[Zammad]:
    made = Zammad(TOKEN)
    await made.start()
    yield made
    await made.stop()


@pytest.mark.parametrize("away", [timedelta(hours=1), timedelta(days=1)])
async def test_a_target_that_is_away_loses_nothing(desk: Desk, receiver: Receiver, away: timedelta) -> None:
    """Down for an hour, or a day: all of it is handed over within minutes, in order, and it was not hammered."""
    lane = desk.lane(webhook(receiver.url))
    await receiver.stop()
    ids = [desk.complaint() for _ in range(20)]
    end = desk.now + away
    step = away.total_seconds() / 100
    while desk.now < end:
        if len(desk.lines()) < 80:
            desk.happens(ids[len(desk.lines()) % 20], "message.added", f"{len(desk.lines())}")
        await lane.turn()
        desk.wait(step)
    attempts = sum(line.attempts for line in desk.lines())
    assert attempts <= 1.5 * away.total_seconds() / 30 + 30
    assert desk.states().get("done", 0) == 0
    await receiver.start()
    back = desk.now
    await desk.drain(lane)
    # The longest wait of a single row (10 min), and the rest of the target (1 min).
    assert desk.now - back <= timedelta(minutes=12)
    assert sorted(receiver.ids()) == sorted(f"{line.complaint_id}-{line.seq}" for line in desk.lines())
    for id_ in ids:
        mine = [each for each in receiver.ids() if each.startswith(id_)]
        assert mine == [f"{id_}-{number}" for number in range(1, len(mine) + 1)]


async def test_a_target_that_is_away_does_not_hold_up_another(desk: Desk, receiver: Receiver) -> None:
    gone = desk.lane(webhook("http://127.0.0.1:9", "gone"))
    there = desk.lane(webhook(receiver.url, "there"))
    id_ = desk.complaint()
    await gone.turn()
    await there.turn()
    assert [(f.store, f.state) for f in desk.view(id_).complaint.forwards] == [("gone", "queued"), ("there", "done")]


async def test_a_row_waits_for_the_one_before_it(desk: Desk, receiver: Receiver) -> None:
    lane = desk.lane(webhook(receiver.url))
    first, second = desk.complaint(), desk.complaint()
    desk.happens(first, "ticket.responded")
    receiver.fail("fail", "fail")
    await lane.turn()
    assert [line.state for line in desk.lines(number=desk.view(first).ticket.ticket_number)] == ["due", "waiting"]
    await desk.drain(lane)
    mine = [each for each in receiver.ids() if each.startswith(first)]
    assert mine == [f"{first}-1", f"{first}-2"]
    assert f"{second}-1" in receiver.ids()


KILLED = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from gateway.forward_lane import Lane
from gateway.forward_targets import forwarder_of
from tickets.forwarders.zammad_settings import ZammadSettings
from tickets.store import Store

place, url, target = sys.argv[1:]
store = Store.open(url)
values = {"kind": "zammad", "name": "zammad", "url": target, "token": "zammad-token-of-the-agent"}
settings = ZammadSettings.model_validate(values | {"group": "Pengaduan", "inside": True})
now = lambda: datetime(2030, 1, 1, tzinfo=UTC)

async def run(work):
    result = work()
    if place == "claimed":
        os.kill(os.getpid(), signal.SIGKILL)
    return result

async def main():
    forwarder = forwarder_of(settings, now)
    lane = Lane(forwarder, settings, store=store, run=run, now=now, new_id=str, jitter=float, links=lambda n: {})
    lane._insist = lambda settle: os.kill(os.getpid(), signal.SIGKILL)
    await lane.turn()

asyncio.run(main())
"""


@pytest.mark.parametrize(("place", "made"), [("claimed", 0), ("handed over", 1)])
async def test_p1_killed_between_claim_and_settlement(desk: Desk, zammad: Zammad, place: str, made: int) -> None:
    """The real process dies by SIGKILL, before or after the target acted: the next one makes no second ticket."""
    lane = desk.lane(zammad_settings(zammad.url))
    id_ = desk.complaint()
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, place, desk.url, zammad.url)
    assert await child.wait() == -signal.SIGKILL
    assert desk.states() == {"sending": 1}
    assert len(zammad.tickets) == made
    assert await lane.turn() == 0
    desk.restart()
    await desk.drain(desk.lanes[0])
    assert len(zammad.tickets) == 1
    (forward,) = desk.view(id_).complaint.forwards
    assert (forward.state, forward.attempts, forward.store_ref) == ("done", 2, "1")


async def test_a_send_that_is_cut_off_by_a_stop_is_taken_up_again(desk: Desk, zammad: Zammad) -> None:
    lane = desk.lane(zammad_settings(zammad.url))
    id_ = desk.complaint()
    await desk.drain(lane)
    desk.happens(id_, "message.added", "Halo")
    zammad.fail("silent", method="PUT")
    turning = asyncio.create_task(lane.turn())
    while not any(article["body"] == "Halo" for article in zammad.articles):
        await asyncio.sleep(0.01)
    turning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turning
    desk.restart()
    await desk.drain(desk.lanes[0])
    assert [article["body"] for article in zammad.articles].count("Halo") == 1


async def test_without_a_target_nothing_is_kept(desk: Desk) -> None:
    id_ = desk.complaint()
    with desk.store.begin() as tx:
        assert tx.forwards.changed("klikacc", id_, "message.added", NOW, "Halo") == 0
    assert desk.lines() == []
    assert desk.view(id_).complaint.forwards == ()


async def test_a_file_that_was_fetched_after_the_hand_over_is_told_of(desk: Desk, receiver: Receiver) -> None:
    """What the target holds of it is its digest: it comes with the file, not with the ticket's next event."""
    lane = desk.lane(webhook(receiver.url))
    records = desk.build.records(desk.store)
    (message,) = records.messages
    files = [desk.build.attachment(message.complaint_id, message.id, id=f"A{n}", due_at=NOW) for n in (1, 2)]
    shown = tuple(StoredAttachment(id=each.id, name_safe=each.name_safe, provider_ref="media-1") for each in files)
    complaint = replace(records.complaints[0], attachments=shown)
    id_ = desk.keep(replace(records, complaints=[complaint], attachments=files))
    await desk.drain(lane)
    with desk.store.begin() as tx:
        first, second = tx.claim_attachments(desk.now, 4)
        stored = replace(first, status="stored", sha256="ab" * 32, size=7, due_at=None)
        tx.settle_attachments([stored, replace(second, due_at=desk.now + timedelta(seconds=2))])
    await desk.drain(lane)
    assert [got.json["type"] for got in receiver.received] == ["complaint.received", "attachment.stored"]
    told = receiver.received[-1].json["data"]
    assert [(file["status"], file["sha256"]) for file in told["complaint"]["attachments"]] == [
        ("stored", "ab" * 32), ("pending", None),
    ]  # fmt: skip
    # The provider's reference fetches the file: it stays here.
    assert b"media-1" not in b"".join(got.body for got in receiver.received)
    with desk.store.begin() as tx:
        tx.settle_attachments([replace(second, status="expired", reason="gone", due_at=None)])
    await desk.drain(lane)
    assert receiver.ids() == [f"{id_}-1", f"{id_}-2", f"{id_}-3"]
    assert receiver.received[-1].json["type"] == "attachment.expired"


async def test_only_the_organisations_of_a_target_are_told(desk: Desk, receiver: Receiver) -> None:
    desk.lane(webhook(receiver.url))
    with desk.store.begin() as tx:
        tx.forwards.configure({"akseleran": ["erp"]})
    desk.complaint()
    assert desk.lines() == []


async def test_a_target_that_was_taken_away_and_given_back_misses_nothing_it_was_owed(
    desk: Desk, receiver: Receiver
) -> None:
    lane = desk.lane(webhook(receiver.url))
    id_ = desk.complaint()
    with desk.store.begin() as tx:
        tx.forwards.configure({})
    desk.happens(id_, "ticket.responded")
    assert [line.seq for line in desk.lines()] == [1]
    assert desk.store.forwards.targets()["erp"].waiting == 1
    await desk.drain(lane)
    assert receiver.ids() == [f"{id_}-1"]


async def test_a_new_target_is_filled_page_by_page(desk: Desk, receiver: Receiver) -> None:
    ids = [desk.complaint(received_at=NOW + timedelta(hours=hour)) for hour in range(7)]
    lane = desk.lane(webhook(receiver.url))
    ids.append(desk.complaint())
    desk.happens(ids[0], "ticket.responded")
    counts, after = [], ""
    while True:
        with desk.store.begin() as tx:
            count, next_ = tx.forwards.backfill("erp", NOW + timedelta(hours=2), after, 2)
        counts.append(count)
        if next_ is None:
            break
        after = next_
    assert counts == [2, 2, 1]
    await desk.drain(lane)
    # Before the given time only what happens from now on; nobody is told twice.
    assert sorted(receiver.ids()) == sorted([f"{ids[0]}-1", *(f"{id_}-1" for id_ in ids[2:])])
    assert {got.json["type"] for got in receiver.received} == {"complaint.received", "ticket.responded"}


async def test_p15_a_clock_that_is_set_back_does_not_stop_a_target(desk: Desk, receiver: Receiver) -> None:
    lane = desk.lane(webhook(receiver.url))
    desk.complaint()
    receiver.fail("fail", "fail", "fail")
    for _ in range(3):
        await lane.turn()
        desk.wait(30)
    desk.wait(-3600)
    assert lane.rest <= 120


Step = st.sampled_from(["owe", "owe", "claim", "done", "again", "ambiguous", "refused", "replay", "crash"])


@given(steps=st.lists(st.tuples(Step, st.integers(0, 2)), max_size=40))
@settings(max_examples=25, deadline=None)
def test_a_ticket_never_has_two_rows_on_their_way(empty_store: Path, steps: list[tuple[str, int]]) -> None:
    """Whatever happens in whatever order: of each ticket one row at most moves, and none waits behind nothing."""
    with TemporaryDirectory() as folder:
        desk = Desk(Path(folder), empty_store)
        shutil.copymode(empty_store, Path(folder) / "tickets.db")
        try:
            drive(desk, steps)
        finally:
            desk.store.close()


def drive(desk: Desk, steps: list[tuple[str, int]]) -> None:
    with desk.store.begin() as tx:
        tx.forwards.configure({"klikacc": ["t"]})
    ids = [desk.complaint() for _ in range(3)]
    claimed: list[ForwardItem] = []
    for what, which in steps:
        desk.wait(1)
        with desk.store.begin() as tx:
            if what == "owe":
                tx.forwards.changed("klikacc", ids[which], "ticket.classified", desk.now)
            elif what == "claim":
                claimed += tx.forwards.claim("t", desk.now, 1)
            elif what == "replay":
                tx.forwards.replay("t", complaint_id=ids[which], seq=None, since=None)
            elif what == "crash":
                claimed.clear()
                tx.forwards.recover(["t"])
            elif claimed:
                tx.forwards.settle(settled(desk, claimed.pop(which % len(claimed)), what))
        check(desk)
    # And in the end everything comes through.
    with desk.store.begin() as tx:
        tx.forwards.recover(["t"])
    for _ in range(200):
        desk.wait(3600)
        with desk.store.begin() as tx:
            items = tx.forwards.claim("t", desk.now, 10)
            for item in items:
                tx.forwards.settle(settled(desk, item, "done"))
        if not items:
            break
    assert set(desk.states()) <= {"done", "refused"}


def settled(desk: Desk, item: ForwardItem, how: str) -> Settled:
    changes: dict[str, Any] = {
        "done": {"state": "done", "done_at": desk.now},
        "again": {"state": "due", "due_at": desk.now + timedelta(seconds=5)},
        "ambiguous": {"state": "due", "repeated": True, "due_at": desk.now},
        "refused": {"state": "refused", "reason": "no", "done_at": desk.now},
    }[how]
    handed = Handed(store_ref=item.row.complaint_id, remote=Remote(state="open")) if how == "done" else None
    return Settled(row=replace(item.row, **changes), handed=handed, task_id=desk.build.id("T"))


def check(desk: Desk) -> None:
    moving: dict[str, list[int]] = {}
    waiting: dict[str, list[int]] = {}
    for line in desk.lines(state="open"):
        (waiting if line.state == "waiting" else moving).setdefault(line.complaint_id, []).append(line.seq)
    assert all(len(rows) == 1 for rows in moving.values()), moving
    assert set(waiting) <= set(moving)
