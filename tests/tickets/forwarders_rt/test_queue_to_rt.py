"""What the queue owes reaches a real RT: also after it was away, and without writing over what people did there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from forward_values import Desk
from harness.request_tracker import QUEUE, RequestTrackerServer
from tickets.forwarders.request_tracker_settings import RequestTrackerSettings
from tickets.store import Store


async def test_an_hour_away_loses_nothing_and_a_change_there_waits_for_a_person(
    own_rt: RequestTrackerServer, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.db"
    Store.open(f"sqlite:///{empty}").close()
    (tmp_path / "desk").mkdir()
    desk = Desk(tmp_path / "desk", empty)
    given = {"kind": "request_tracker", "name": "rt", "url": own_rt.url, "token": own_rt.tokens["aduan"]}
    lane = desk.lane(RequestTrackerSettings.model_validate({**given, "queue": QUEUE, "inside": True}))
    try:
        first = desk.complaint()
        await desk.drain(lane)
        own_rt.crash()
        ids = [first, *(desk.complaint() for _ in range(3))]
        end = desk.now + timedelta(hours=1)
        while desk.now < end:
            await lane.turn()
            desk.wait(60)
        for number, id_ in enumerate(ids):
            desk.happens(id_, "message.added", f"pesan {number}")
        desk.happens(first, "ticket.first_response", "Kami periksa", "in_progress")
        assert desk.states() == {"done": 1, "due": 4, "waiting": 4}

        own_rt.start()
        desk.restart()
        (lane,) = desk.lanes
        await desk.drain(lane)
        assert set(desk.states()) == {"done"}
        refs = {}
        for number, id_ in enumerate(ids):
            (refs[id_],) = own_rt.tickets_of(id_)
            assert own_rt.messages_of(refs[id_], "Correspond")[0].endswith(f"pesan {number}")
        assert len(own_rt.all_tickets()) == 4
        ref = refs[first]
        assert own_rt.ask("petugas", "GET", f"ticket/{ref}")["Status"] == "open"
        assert await lane.look() == 0

        own_rt.ask("petugas", "PUT", f"ticket/{ref}", {"Status": "rejected"})
        assert await lane.look() == 1
        assert await lane.look() == 0
        (line,) = {each.changed_note for each in desk.lines() if each.complaint_id == first}
        assert line == "status open -> rejected"
        desk.happens(first, "ticket.documents_requested", None, "awaiting_documents")
        await desk.drain(lane)
        assert own_rt.ask("petugas", "GET", f"ticket/{ref}")["Status"] == "rejected"
        with desk.store.begin() as tx:
            assert tx.forwards.release("rt", first, "petugas")
        await desk.drain(lane)
        assert own_rt.ask("petugas", "GET", f"ticket/{ref}")["Status"] == "stalled"
        assert await lane.look() == 0
    finally:
        await desk.close()
