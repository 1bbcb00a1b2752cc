"""A desk without a server: the real rules, wording and store in one folder, a clock that the test moves."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace as replaced

from connectors.errors import Malformed
from gateway.clocks import document_rules
from gateway.config_load import load
from gateway.files import Files
from gateway.handling import Handling
from gateway.handling_notices import notices_of
from gateway.handling_values import Done, Refused
from gateway.ids import new_id
from gateway.installation import Installation
from gateway.journal import Kept
from gateway.letters import ways_of
from gateway.record import Arrival, record
from gateway.recording import Recording
from harness import write_config
from normalizer.message import Message, Raw, ReplyAddress, Sender
from receipts.access import access_code, code_hash
from tickets.lifecycle_events import Event
from tickets.model import Settled
from tickets.store import Store, TicketView

MONDAY = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
SECRET = b"s" * 32
CUSTOMER = "628123456789"
STORY = "Dana saya belum cair sejak tanggal 2 Januari, mohon bantuan"


class DeskAtWork:
    """One installation; `now` is what everything takes for the time."""

    def __init__(self, folder: Path, known: Installation | None = None) -> None:
        """`known` is an installation that was read before from the same files: reading it takes the longest."""
        self.config = write_config(folder)
        self.installation = load(self.config) if known is None else replace(known, data_dir=folder / "data")
        self.installation.data_dir.mkdir(exist_ok=True)
        self.now = MONDAY
        self.store = Store.open(f"sqlite:///{self.installation.data_dir / 'tickets.db'}", clock=lambda: self.now)
        self.handling = Handling(
            self.installation,
            store=self.store,
            new_id=self.new_id,
            now=lambda: self.now,
            owe=notices_of(self.installation, self.new_id),
        )
        self._count = itertools.count(1)
        self._recording = Recording(
            installation=self.installation,
            files=Files(folder / "attachments", max_bytes=1_000_000),
            rules={slug: document_rules(each.policy) for slug, each in self.installation.organisations.items()},
            ways=ways_of(self.installation),
            code_hash=lambda id_: code_hash(SECRET, id_, access_code(SECRET, id_)),
            accounts={},
            now=lambda: self.now,
        )

    def new_id(self) -> str:
        """A fresh id of the desk's time."""
        return new_id(self.now)

    def pass_time(self, **some: float) -> None:
        """Lets time go by; over whole days everything that is owed is sent."""
        if "days" in some:
            self.send()
        self.now += timedelta(**some)

    def send(self) -> None:
        """Every message that waits is taken by its provider."""
        with self.store.begin() as tx:
            owed = [item.row for item in tx.claim_outbox(self.now, 100)]
            tx.settle_outbox([Settled(row=replaced(row, state="sent"), receipt_state="sent") for row in owed])

    def whatsapp(self, slug: str, person: str, text: str, **fields: Any) -> str:
        """Somebody writes by WhatsApp; the number of the ticket it belongs to."""
        key = f"wa:{person}"
        thread = f"wa:{slug}:{key}"
        return self.hear(
            f"{slug}-whatsapp",
            channel="whatsapp",
            sender=Sender(key=key, phone=f"+{person}", verified=True),
            text=text,
            thread_refs=(thread,),
            registers=(thread,),
            reply=ReplyAddress(recipient=person, window_until=self.now + timedelta(hours=24)),
            **fields,
        )

    def email(self, slug: str, address: str, text: str, *, answers: str | None = None, **fields: Any) -> str:
        """Somebody writes by e-mail; `answers` is the id of the mail that it answers."""
        id_ = f"<{next(self._count)}@example.com>"
        own = f"email:{slug}:{id_}"
        return self.hear(
            f"{slug}-email",
            channel="email",
            sender=Sender(key=f"mailto:{address}", email=address, verified=True),
            text=text,
            subject="Pengaduan",
            thread_refs=(f"email:{slug}:{answers}",) if answers else (),
            registers=(own,),
            reply=ReplyAddress(recipient=address, in_reply_to=id_, references=(id_,)),
            external_id=id_,
            **fields,
        )

    def hear(self, channel_id: str, **fields: Any) -> str:
        """A message arrives at a channel and is recorded; the number of its ticket."""
        count = next(self._count)
        given = {"account": "1", "key": f"m:{count}", "external_id": f"m:{count}", "sent_at": self.now, **fields}
        raw = Raw(channel_id=channel_id, received_at=self.now, body=b"{}")
        arrival = Arrival(
            kept=Kept(id=f"k-{count}", raw=raw),
            channel=self.installation.channels[channel_id],
            events=[Message(**given)],
        )
        assert not isinstance(arrival.events, Malformed)
        with self.store.begin() as tx:
            ((message,),) = (outcome.messages for outcome in record(tx, self._recording, [arrival]))
        return message.ticket_number

    def do(self, number: str, event: Event, **how: Any) -> Done | Refused:
        """One event, by the person `siti` if nobody else is named."""
        return self.handling.once(number, event, **{"actor": "siti", **how})

    def done(self, number: str, event: Event, **how: Any) -> Done:
        """As `do`, for an event that must be allowed."""
        found = self.do(number, event, **how)
        assert isinstance(found, Done), found
        return found

    def refused(self, number: str, event: Event, **how: Any) -> str:
        """The code by which the event is refused; nothing may have been written."""
        before = self.view(number) if self.store.ticket(number) else None
        found = self.do(number, event, **how)
        assert isinstance(found, Refused), found
        assert (self.view(number) if before else None) == before
        return found.refusal.code

    def view(self, number: str) -> TicketView:
        """All that is kept under a number."""
        view = self.store.ticket(number)
        assert view is not None
        return view

    def open_tasks(self, number: str) -> list[str]:
        """Kinds of what people must still do for a ticket."""
        return [task.kind for task in self.view(number).tasks if task.closed_at is None]

    def close(self) -> None:
        """Closes the store."""
        self.store.close()
