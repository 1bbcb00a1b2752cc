"""The rows of one transaction while they are collected, and what earlier messages of the batch already decided."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from gateway.clocks import as_asked, dates_of, opened, promise, started
from gateway.desk_tasks import CALENDAR_MISSING, EMERGENCY, NO_TEXT
from gateway.forward_told import told
from gateway.ids import Ids
from gateway.installation import Channel, Organisation
from gateway.journal import Kept
from gateway.message_files import digest_of, file_row, store_files
from gateway.new_complaint import new_complaint
from gateway.owing import ANSWERED_IN_PUBLIC, line_beside, must_hide, owing
from gateway.receipt_counts import ReceiptCounts
from gateway.recording import MessageOutcome, Recording
from gateway.thread_events import Question, is_same_sender, of_addition, of_follow_up
from gateway.ticket_numbers import TicketNumbers
from normalizer.complaint import Complaint
from normalizer.message import Message
from normalizer.normalize import append, received_at
from tickets.forwarders.values import Owed
from tickets.model import (
    OPEN,
    AttachmentRow,
    AuditEvent,
    KnownThread,
    MessageRow,
    OutboxRow,
    QuarantineRow,
    RawRow,
    Records,
    SeenMessage,
    TaskRow,
    Ticket,
)
from tickets.store import Transaction

ACTOR = "intake"


class Batch:
    """Collects the rows of one transaction; `records` gives them."""

    def __init__(self, recording: Recording, tx: Transaction, raws: set[str]) -> None:
        """`raws` holds the ids of deliveries whose bytes an earlier batch of the transaction has; it grows here."""
        self._with = recording
        self._tx = tx
        self._now = recording.now()
        self._ids = Ids(self._now)
        self._threads: dict[tuple[str, str], KnownThread] = {}
        self._seen: dict[tuple[str, str], SeenMessage] = {}
        self._receipts = ReceiptCounts()
        self._numbers = TicketNumbers(tx)
        self._kept_raws = raws
        self._raws: dict[str, RawRow] = {}
        self._new: dict[str, tuple[Complaint, Ticket]] = {}
        self._updated: dict[str, Complaint] = {}
        self._moved: dict[str, Ticket] = {}
        self._quarantine: dict[str, QuarantineRow] = {}
        self._messages: list[MessageRow] = []
        self._told: list[Owed] = []
        self._attachments: list[AttachmentRow] = []
        self._thread_rows: list[tuple[str, str, str]] = []
        self._outbox: list[OutboxRow] = []
        self._tasks: list[TaskRow] = []
        #: (complaint id, kind of task) of what this batch has asked a person.
        self._asked: set[tuple[str, str]] = set()
        self._audit: list[AuditEvent] = []

    def prepare(self, slug: str, messages: Sequence[Message]) -> None:
        """Asks the store once what it knows of all messages of an organisation."""
        keys = {message.key for message in messages}
        refs = {ref for message in messages for ref in message.thread_refs}
        known = self._tx.known(slug, keys, refs)
        self._threads |= {(slug, ref): thread for ref, thread in known.threads.items()}
        self._seen |= {(slug, key): seen for key, seen in known.messages.items()}
        self._receipts.read(self._tx, slug, [m for m in messages if m.key not in known.messages], self._now)

    def keep_raw(self, kept: Kept, channel: Channel) -> None:
        """Keeps the bytes of a delivery for replay."""
        if kept.id not in self._kept_raws:
            self._kept_raws.add(kept.id)
            self._raws[kept.id] = RawRow(id=kept.id, organisation=channel.organisation, raw=kept.raw)

    def quarantine(self, kept: Kept, channel: Channel, path: str, reason: str) -> None:
        """Sets one item of a delivery aside for a person."""
        self.keep_raw(kept, channel)
        id_ = f"{kept.id}.{hashlib.sha256(path.encode('utf-8', 'replace')).hexdigest()[:16]}"
        self._quarantine[id_] = QuarantineRow(
            id=id_,
            raw_id=kept.id,
            organisation=channel.organisation,
            channel_id=channel.id,
            path=path,
            reason=reason,
            at=self._now,
        )

    def message(self, kept: Kept, channel: Channel, message: Message) -> MessageOutcome:
        """What becomes of one message: a new complaint, an addition to an open one, or nothing new."""
        organisation = self._with.installation.organisations[channel.organisation]
        digest = digest_of(message)
        seen = self._seen.get((organisation.slug, message.key))
        if seen is not None:
            return MessageOutcome(
                key=message.key,
                complaint_id=seen.complaint_id,
                ticket_number=seen.ticket_number,
                what="duplicate",
                conflict=seen.digest != digest,
            )
        self.keep_raw(kept, channel)
        message, sniffed = store_files(self._with.files, message)
        thread = self._thread(organisation, message)
        if thread is not None and thread.ticket.state in OPEN and self._may_continue(thread.complaint, message):
            complaint, ticket = self._add_to(organisation, thread, message)
            self._ask(organisation, complaint.complaint_id, of_addition(ticket, message))
            what = "added"
        else:
            complaint, ticket = self._create(organisation, channel, message, thread)
            what = "created"
        if must_hide(message):
            reason = "everybody can read personal data in it: hide or delete it on the platform"
            self._task(organisation, complaint.complaint_id, "hide_on_platform", reason)
        self._register(organisation, complaint, ticket, message)
        self._seen[(organisation.slug, message.key)] = SeenMessage(
            complaint_id=complaint.complaint_id, ticket_number=ticket.ticket_number, digest=digest
        )
        row = MessageRow(
            id=self._ids.new(),
            organisation=organisation.slug,
            complaint_id=complaint.complaint_id,
            raw_id=kept.id,
            channel_id=channel.id,
            digest=digest,
            message=message,
        )
        self._messages.append(row)
        if self._with.installation.config.forward:
            self._told.append(told(complaint, what, message, self._now))
        if message.attachments:
            stored = complaint.attachments[-len(message.attachments) :]
            self._attachments += [
                file_row(row, file, attachment, sniffed, self._now)
                for file, attachment in zip(stored, message.attachments, strict=True)
            ]
        return MessageOutcome(
            key=message.key, complaint_id=complaint.complaint_id, ticket_number=ticket.ticket_number, what=what
        )

    def records(self) -> Records:
        """All rows of the batch; the ticket numbers that were given out are taken from the store here."""
        self._numbers.take()
        return Records(
            raws=list(self._raws.values()),
            quarantine=list(self._quarantine.values()),
            complaints=[complaint for complaint, _ in self._new.values()],
            tickets=[ticket for _, ticket in self._new.values()],
            updated=list(self._updated.values()),
            updated_tickets=list(self._moved.values()),
            messages=self._messages,
            attachments=self._attachments,
            threads=self._thread_rows,
            outbox=self._outbox,
            tasks=self._tasks,
            audit=self._audit,
        )

    def told(self) -> list[Owed]:
        """What other ticket stores must hear of, in the order in which it came."""
        return self._told

    def _thread(self, organisation: Organisation, message: Message) -> KnownThread | None:
        """The first open complaint that the message's refs lead to, else the first one of any state."""
        refs = ((organisation.slug, ref) for ref in message.thread_refs)
        found = [self._threads[ref] for ref in refs if ref in self._threads]
        return next((thread for thread in found if thread.ticket.state in OPEN), found[0] if found else None)

    def _may_continue(self, complaint: Complaint, message: Message) -> bool:
        """Whether the sender may write to this complaint: it is theirs, or theirs was merged into it."""
        if is_same_sender(complaint, message):
            return True
        return bool(complaint.aliases) and message.sender.key in self._tx.casework.senders(complaint.complaint_id)

    def _ask(self, organisation: Organisation, complaint_id: str, question: Question | None) -> None:
        """Opens the task of a question, once while it is unanswered; such messages are rare, so the store is asked."""
        if question is None or (complaint_id, question.kind) in self._asked:
            return
        self._asked.add((complaint_id, question.kind))
        if all(task.kind != question.kind for task in self._tx.casework.open_tasks(complaint_id)):
            self._task(organisation, complaint_id, question.kind, question.reason)

    def _register(self, organisation: Organisation, complaint: Complaint, ticket: Ticket, message: Message) -> None:
        thread = KnownThread(complaint=complaint, ticket=ticket)
        for ref in message.registers:
            self._threads[(organisation.slug, ref)] = thread
            self._thread_rows.append((organisation.slug, ref, complaint.complaint_id))

    def _add_to(self, organisation: Organisation, thread: KnownThread, message: Message) -> tuple[Complaint, Ticket]:
        policy = organisation.policy
        complaint_id = thread.complaint.complaint_id
        before, ticket = self._new.get(complaint_id) or (
            self._updated.get(complaint_id, thread.complaint),
            self._moved.get(complaint_id, thread.ticket),
        )
        complaint = append(
            before,
            message,
            received=received_at(message, self._now)[0],
            documents=self._with.rules[organisation.slug],
            lexicon=self._with.installation.lexicon,
            categories=policy.categories,
            kinds=policy.intake.kinds if policy.intake else None,
            attachment_ids=tuple(self._ids.new() for _ in message.attachments),
        )
        line = line_beside(complaint, message, key=self._ids.new(), now=self._now)
        if line is not None:
            self._outbox.append(line)
            complaint = msgspec.structs.replace(complaint, flags=(*complaint.flags, ANSWERED_IN_PUBLIC))
        complaint = as_asked(before, complaint, ticket)
        # Documents that are complete now start the clocks that waited for them (A8).
        moved = started(organisation, complaint, ticket, self._now)
        if complaint_id in self._new:
            self._new[complaint_id] = (complaint, moved or ticket)
        else:
            self._updated[complaint_id] = complaint
            if moved is not None:
                self._moved[complaint_id] = moved
        self._note("message.added", complaint_id, {"channel": message.channel})
        if moved is not None:
            self._note("clocks.started", complaint_id, dates_of(moved))
        return complaint, moved or ticket

    def _create(
        self, organisation: Organisation, channel: Channel, message: Message, earlier: KnownThread | None
    ) -> tuple[Complaint, Ticket]:
        arrived, _ = received_at(message, self._now)
        complaint = new_complaint(
            organisation,
            channel,
            message,
            arrived=arrived,
            now=self._now,
            numbers=self._numbers,
            documents=self._with.rules[organisation.slug],
            lexicon=self._with.installation.lexicon,
            new_id=self._ids.new,
            earlier=earlier.complaint if earlier is not None else None,
        )
        complaint_id = complaint.complaint_id
        if earlier is not None and is_same_sender(earlier.complaint, message):
            question = of_follow_up(earlier, arrived, organisation.policy.reopen_days)
            self._ask(organisation, complaint_id, question)
        promised = promise(organisation, complaint)
        ticket = opened(complaint, promised, self._with.code_hash(complaint_id), self._now)
        self._new[complaint_id] = (complaint, ticket)
        told = {"ticket_number": complaint.ticket_number, "channel": message.channel}
        if complaint.entered_by is not None:
            told["entered_by"] = complaint.entered_by
        self._note("complaint.received", complaint_id, told)
        if promised.problem:
            self._task(organisation, complaint_id, CALENDAR_MISSING, promised.problem)
        if complaint.needs_agent:
            urgent = complaint.assessment.urgency == "emergency"
            self._task(organisation, complaint_id, "needs_agent", EMERGENCY if urgent else NO_TEXT)
        self._owe_receipt(organisation, complaint, message)
        return complaint, ticket

    def _owe_receipt(self, organisation: Organisation, complaint: Complaint, message: Message) -> None:
        """The receipt that every complaint is owed (K2), or why none may go out: then it is a person's task."""
        found = owing(
            complaint,
            message,
            self._with.ways[organisation.slug],
            new_id=self._ids.new,
            previous=self._receipts.of(organisation.slug, message),
            now=self._now,
            limit=self._with.installation.config.limits.receipts_per_sender_per_day,
        )
        self._outbox += found.rows
        self._tasks += found.tasks
        if found.sends_receipt:
            self._receipts.add(organisation.slug, message)

    def _task(self, organisation: Organisation, complaint_id: str, kind: str, reason: str) -> None:
        self._tasks.append(
            TaskRow(
                id=self._ids.new(),
                organisation=organisation.slug,
                complaint_id=complaint_id,
                kind=kind,
                reason=reason,
                opened_at=self._now,
            )
        )

    def _note(self, type_: str, complaint_id: str, data: Mapping[str, str]) -> None:
        self._audit.append(AuditEvent(at=self._now, actor=ACTOR, type=type_, complaint_id=complaint_id, data=data))
