"""Values to put into a store: what tests share, kept out of the tests."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from normalizer.complaint import Complaint
from normalizer.message import Attachment, Message, Raw, Sender
from tickets import numbers
from tickets.model import (
    AttachmentRow,
    AuditEvent,
    MessageRow,
    OutboxItem,
    OutboxRow,
    QuarantineRow,
    RawRow,
    Records,
    Route,
    Settled,
    Ticket,
)
from tickets.store import Store

NOW = datetime(2026, 1, 5, 3, 4, 5, 678901, tzinfo=UTC)


class Build:
    """Makes values; ids count upwards, so that the same calls give the same values."""

    now = NOW
    day = date(2026, 1, 5)
    organisation = "klikacc"

    def __init__(self) -> None:
        self._count = itertools.count(1)

    def id(self, kind: str) -> str:
        return f"{kind}{next(self._count):06d}"

    def records(self, store: Store, key: str = "wa:1:m1", **kwargs: Any) -> Records:
        """One new complaint with everything that belongs to it; `store` only numbers it."""
        with store.begin() as tx:
            sequence = tx.next_numbers("KLA", self.day, 1).start
        return self.complaint_records(numbers.make("KLA", self.day, sequence), key, **kwargs)

    def complaint_records(
        self,
        number: str,
        key: str = "wa:1:m1",
        *,
        ref: str = "wa:1:budi",
        routes: tuple[Route, ...] = (Route(channel_id="wa", recipient="ID.1"),),
        sender_key: str = "wa:ID.1",
        **complaint: Any,
    ) -> Records:
        complaint_id, raw_id = self.id("C"), self.id("R")
        message = self.message(key)
        return Records(
            raws=[self.raw(raw_id)],
            complaints=[self.complaint(complaint_id, number, sender_key=sender_key, **complaint)],
            tickets=[self.ticket(complaint_id, number)],
            messages=[self.message_row(complaint_id, message, raw_id)],
            threads=[(self.organisation, ref, complaint_id)],
            outbox=[self.owed(complaint_id, routes=routes)],
            audit=[
                AuditEvent(at=NOW, actor="aduan", type="complaint.received", complaint_id=complaint_id, data={"n": 1})
            ],
        )

    def raw(self, raw_id: str, received_at: datetime = NOW) -> RawRow:
        raw = Raw(channel_id="wa", received_at=received_at, body=b"\x00\xff{}", headers={"h": "v"}, target="/in/wa")
        return RawRow(id=raw_id, organisation=self.organisation, raw=raw)

    def message(self, key: str, text: str = "saldo terpotong", **kwargs: Any) -> Message:
        return Message(
            channel="whatsapp",
            account="1",
            key=key,
            external_id=key,
            sent_at=NOW,
            sender=Sender(key="wa:ID.1"),
            text=text,
            **kwargs,
        )

    def message_row(self, complaint_id: str, message: Message, raw_id: str = "R0") -> MessageRow:
        return MessageRow(
            id=self.id("M"),
            organisation=self.organisation,
            complaint_id=complaint_id,
            raw_id=raw_id,
            channel_id="wa",
            digest=f"digest of {message.text}",
            message=message,
        )

    def complaint(self, complaint_id: str, number: str, **kwargs: Any) -> Complaint:
        values: dict[str, Any] = {
            "complaint_id": complaint_id,
            "ticket_number": number,
            "policy_id": "klikacc",
            "policy_version": "1",
            "calendar_version": "2026.1",
            "tenant": self.organisation,
            "channel": "whatsapp",
            "channel_account": "1",
            "channel_id": "wa",
            "received_at": NOW,
            "ingested_at": NOW,
            "effective_received_date": self.day,
            "narrative": "saldo terpotong",
        }
        return Complaint(**{**values, **kwargs})

    def ticket(self, complaint_id: str, number: str, **kwargs: Any) -> Ticket:
        values: dict[str, Any] = {
            "ticket_number": number,
            "complaint_id": complaint_id,
            "organisation": self.organisation,
            "opened_at": NOW,
            "updated_at": NOW,
            "first_response_due": date(2026, 1, 8),
            "resolve_due": date(2026, 2, 3),
            "deadlines": {"first_response": {"due": "2026-01-08"}},
            "policy_id": "klikacc",
            "policy_version": "1",
            "calendar_version": "2026.1",
            "access_code_hash": "right-hash",
        }
        return Ticket(**{**values, **kwargs})

    def owed(self, complaint_id: str, **kwargs: Any) -> OutboxRow:
        values: dict[str, Any] = {
            "key": self.id("O"),
            "organisation": self.organisation,
            "complaint_id": complaint_id,
            "template": "receipt",
            "language": "id",
            "routes": (Route(channel_id="wa", recipient="ID.1"),),
            "due_at": NOW,
        }
        return OutboxRow(**{**values, **kwargs})

    def attachment(self, complaint_id: str, message_id: str, **kwargs: Any) -> AttachmentRow:
        values: dict[str, Any] = {
            "id": self.id("A"),
            "complaint_id": complaint_id,
            "message_id": message_id,
            "channel_id": "wa",
            "name_safe": "bukti.jpg",
            "status": "pending",
            "attachment": Attachment(kind="image", ref="media-1"),
        }
        return AttachmentRow(**{**values, **kwargs})

    def quarantined(self, raw_id: str, **kwargs: Any) -> QuarantineRow:
        values: dict[str, Any] = {
            "id": self.id("Q"),
            "raw_id": raw_id,
            "organisation": self.organisation,
            "channel_id": "wa",
            "path": "$",
            "reason": "not JSON",
            "at": NOW,
        }
        return QuarantineRow(**{**values, **kwargs})

    def sent(self, item: OutboxItem | OutboxRow, *provider_ids: str, registers: tuple[str, ...] = ()) -> Settled:
        row = item.row if isinstance(item, OutboxItem) else item
        return Settled(
            row=msgspec.structs.replace(row, state="sent", parts=len(provider_ids), parts_sent=len(provider_ids)),
            receipt_state="sent",
            provider_ids=provider_ids,
            registers=registers,
            body_hash="hash",
            template_version="7",
            sent_at=NOW,
        )

    def again(self, item: OutboxItem, *, ambiguous: bool = False, after: float = 60.0, **changes: Any) -> Settled:
        row = msgspec.structs.replace(
            item.row,
            state="due",
            ambiguous=ambiguous,
            due_at=NOW + timedelta(seconds=after),
            error_class="Ambiguous" if ambiguous else "Unavailable",
            **changes,
        )
        return Settled(row=row, receipt_state="queued")
