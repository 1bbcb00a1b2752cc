"""What tests of forwarders share: a real store, a clock that they turn, and one lane to a target."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from gateway.forward_lane import Lane
from gateway.forward_settings import KINDS
from gateway.forward_targets import forwarder_of
from store_values import NOW, Build
from tickets.forwarders.contract import Forwarder
from tickets.forwarders.settings import TargetSettings
from tickets.forwarders.values import ForwardLine
from tickets.model import Records, TicketState
from tickets.store import Store, TicketView

T = TypeVar("T")


class Desk:
    """A store with tickets, and lanes to targets. Time stands still until `wait`."""

    def __init__(self, folder: Path, empty: Path) -> None:
        """`empty` is a store without tickets: copying it is faster than making one."""
        self.now = NOW
        shutil.copy(empty, folder / "tickets.db")
        self.url = f"sqlite:///{folder / 'tickets.db'}"
        self.store = Store.open(self.url, clock=lambda: self.now)
        self.build = Build()
        self._ids = itertools.count(1)
        self.lanes: list[Lane] = []

    def restart(self) -> None:
        """The process ends without a word and starts again: what was on its way is taken up."""
        self.store.close()
        self.store = Store.open(self.url, clock=lambda: self.now)
        lanes, self.lanes = self.lanes, []
        for lane in lanes:
            self.lane(lane.settings, lane.forwarder)
        for lane in self.lanes:
            lane.recover()

    async def close(self) -> None:
        """Gives everything back."""
        for lane in self.lanes:
            await lane.forwarder.aclose()
        self.store.close()

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    def lane(self, settings: TargetSettings, forwarder: Forwarder | None = None) -> Lane:
        """The way to a target, which is from now on owed everything; `forwarder` instead of that of its settings."""
        if forwarder is None:
            assert isinstance(settings, KINDS)
            forwarder = forwarder_of(settings, lambda: self.now)
        lane = Lane(
            forwarder,
            settings,
            store=self.store,
            run=self._run,
            now=lambda: self.now,
            new_id=lambda: f"T{next(self._ids):06d}",
            jitter=lambda: 0.5,
            links=lambda number: {"status": "https://aduan.example.co.id/status"},
        )
        self.lanes.append(lane)
        with self.store.begin() as tx:
            tx.forwards.configure({self.build.organisation: [each.name for each in self.lanes]})
        return lane

    def complaint(self, **values: Any) -> str:
        """A new complaint, owed to every target; its id."""
        records = self.build.records(self.store, self.build.id("wa:1:m"), ref=self.build.id("ref"), **values)
        return self.keep(records)

    def keep(self, records: Records) -> str:
        """Records a complaint with what is owed; its id."""
        (complaint,) = records.complaints
        with self.store.begin() as tx:
            tx.add(records)
            tx.forwards.changed(complaint.tenant, complaint.complaint_id, "complaint.received", complaint.received_at)
        return complaint.complaint_id

    def happens(self, complaint_id: str, type: str, text: str | None = None, state: TicketState | None = None) -> None:
        """Something happens to a ticket."""
        view = self.view(complaint_id)
        with self.store.begin() as tx:
            if state is not None:
                ticket = msgspec.structs.replace(view.ticket, state=state, updated_at=self.now)
                tx.add(Records(updated_tickets=[ticket]))
            tx.forwards.changed(view.ticket.organisation, complaint_id, type, self.now, text)

    def view(self, complaint_id: str) -> TicketView:
        """The ticket as it is shown."""
        view = self.store.ticket_of_complaint(complaint_id)
        assert view is not None
        return view

    def lines(self, **chosen: Any) -> Sequence[ForwardLine]:
        """Hand-overs, the oldest first."""
        return list(reversed(self.store.forwards.lines(limit=10_000, **chosen)))

    def states(self) -> Mapping[str, int]:
        """How many hand-overs are in which state."""
        found: dict[str, int] = {}
        for line in self.lines():
            found[line.state] = found.get(line.state, 0) + 1
        return found

    async def drain(self, lane: Lane, *, within: timedelta = timedelta(days=2)) -> datetime:
        """Turns until nothing is owed, letting time pass where it must; when that was."""
        end = self.now + within
        while True:
            if await lane.turn() == 0:
                if not self.lines(state="open"):
                    return self.now
                self.wait(5)
            assert self.now < end, self.states()

    async def _run(self, work: Callable[[], T], /) -> T:
        return work()
