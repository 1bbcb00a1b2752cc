"""The rows that erasing touches, and what of them stands in the way of a message or a file that comes later."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ScalarSelect, Table, delete, func, insert, literal, select, union, update

from normalizer.message import Attachment, Message
from tickets import records
from tickets.model import AttachmentRow, MessageRow, SeenMessage, Ticket
from tickets.records import ERASED
from tickets.store import dialect, rows, schema, schema_forwards, schema_proposals, schema_records
from tickets.store.documents import MESSAGES
from tickets.store.work import Work, chunks

#: Tables of other parts with a complaint's id in which a person can have written: what is set when it is erased.
#: A test holds that no table with a complaint's id is forgotten.
SCRUBBED: tuple[tuple[Table, dict[str, Any]], ...] = (
    (schema_forwards.forwards, {"text": None, "reason": None}),
    (schema_forwards.forward_links, {"changed_note": None}),
)
#: A change reaches us at most so long before its provider's clock says that it was made, and so long after it:
#: providers repeat what we did not take for up to seven days.
_SKEW = timedelta(hours=1)
_REPEATED = timedelta(days=8)
_GONE = "erased"
#: Ids of this length are given once by their provider; shorter ones may count the messages of one chat (Telegram).
_TELLING = 16
#: Tables of other parts whose rows are made of what a person said, with their columns for a complaint's id.
REMOVED: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (schema_proposals.identities, ("complaint_id",)),
    (schema_proposals.proposals, ("complaint_id", "other_id")),
)


def erased_key(key: str) -> str:
    """What the identity of an erased message becomes: a repeat is still known, the person is not."""
    return ERASED + hashlib.sha256(key.encode()).hexdigest()


def gone_files(work: Work, ids: Collection[str]) -> frozenset[str]:
    """Those of the files (attachment ids) that were erased."""
    found: set[str] = set()
    column = schema.attachments.c
    for some in chunks(ids):
        for row in work.connection.execute(
            select(schema.attachments).where(column.id.in_(some), column.status == "refused")
        ):
            if rows.attachment_from(row).reason == _GONE:
                found.add(row.id)
    return frozenset(found)


def follow_holds(work: Work, tickets: Sequence[Ticket]) -> None:
    """Keeps the list of legal holds in step with what these changed tickets say."""
    holds = schema_records.holds
    held = {ticket.complaint_id for ticket in tickets if ticket.life.hold is not None}
    listed: set[str] = set()
    for ids in chunks([ticket.complaint_id for ticket in tickets]):
        listed.update(work.connection.scalars(select(holds.c.complaint_id).where(holds.c.complaint_id.in_(ids))))
    for complaint_id in sorted(held - listed):
        work.connection.execute(insert(holds).values(complaint_id=complaint_id))
    if listed - held:
        work.connection.execute(delete(holds).where(holds.c.complaint_id.in_(sorted(listed - held))))


def seen_erased(work: Work, organisation: str, keys: Collection[str]) -> dict[str, SeenMessage]:
    """Those of the message keys that belong to erased complaints: what comes again opens nothing."""
    erasures = schema_records.erasures.c
    if not keys or work.connection.scalar(select(erasures.complaint_id).limit(1)) is None:
        return {}
    by_erased = {erased_key(key): key for key in keys}
    found = work.statements.known_messages.rows(work.connection, by_erased, organisation=organisation)
    return {
        by_erased[key]: SeenMessage(complaint_id=complaint_id, ticket_number=number, digest=digest)
        for key, complaint_id, number, digest in found
    }


def held_raws() -> ScalarSelect[str]:
    """The deliveries of all complaints under a legal hold, as a subquery."""
    messages, holds, aliases, tickets = schema.messages.c, schema_records.holds.c, schema.aliases.c, schema.tickets.c
    # What was merged gave its messages to the complaint that goes on.
    carrying = (
        select(aliases.complaint_id)
        .join_from(schema.aliases, schema.tickets, aliases.ticket_number == tickets.ticket_number)
        .where(tickets.complaint_id.in_(select(holds.complaint_id)))
    )
    held = union(select(holds.complaint_id), carrying)
    return select(messages.raw_id).where(messages.complaint_id.in_(held)).scalar_subquery()


def messages(work: Work, ids: Sequence[str]) -> list[MessageRow]:
    found = work.connection.execute(
        select(schema.messages).where(schema.messages.c.complaint_id.in_(ids)).order_by(schema.messages.c.id)
    )
    return [rows.message_from(row) for row in found]


def erase_messages(work: Work, messages: Sequence[MessageRow]) -> None:
    connection, changes = work.connection, schema.message_changes
    for row in messages:
        key = erased_key(row.message.key)
        connection.execute(
            update(schema.messages)
            .where(schema.messages.c.id == row.id)
            .values(key=key, digest="", document=MESSAGES.write(records.erased_message(row.message, key)))
        )
        for change_key in connection.scalars(select(changes.c.key).where(changes.c.message_id == row.id)).all():
            connection.execute(
                update(changes)
                .where(changes.c.organisation == row.organisation, changes.c.key == change_key)
                .values(key=erased_key(change_key), message_key=key, text=None, subject=None)
            )
    waiting = schema_records.withdrawn_messages
    for some in chunks([row.id for row in messages]):
        connection.execute(
            update(waiting)
            .where(waiting.c.message_id.in_(some), waiting.c.erased_at.is_(None))
            .values(erased_at=work.now)
        )


def erase_files(work: Work, ids: Sequence[str], message_id: str | None = None) -> int:
    """How many files lost their complaint, or only those of one message."""
    column = schema.attachments.c
    found = [
        rows.attachment_from(row)
        for row in work.connection.execute(select(schema.attachments).where(column.complaint_id.in_(ids)))
    ]
    chosen = [row for row in found if message_id is None or row.message_id == message_id]
    for row in chosen:
        bare = AttachmentRow(
            id=row.id,
            complaint_id=row.complaint_id,
            message_id=row.message_id,
            channel_id=row.channel_id,
            name_safe=_GONE,
            status="refused",
            attachment=Attachment(kind=row.attachment.kind),
            reason=_GONE,
            attempts=row.attempts,
        )
        work.connection.execute(
            update(schema.attachments)
            .where(column.id == row.id)
            .values(status=bare.status, due_at=None, document=rows.document(bare))
        )
    doom(work, [row.sha256 for row in chosen if row.sha256 is not None])
    return len(chosen)


def files_of(work: Work, message_id: str, complaint_id: str) -> frozenset[str]:
    """Ids of the files that came with one message of a complaint."""
    found = work.connection.execute(select(schema.attachments).where(schema.attachments.c.complaint_id == complaint_id))
    return frozenset(row.id for row in map(rows.attachment_from, found) if row.message_id == message_id)


def forget_text(work: Work, row: MessageRow, ids: Sequence[str]) -> None:
    """Takes what a message said, in any version, out of what other parts keep of these complaints."""
    connection, changes = work.connection, schema.message_changes.c
    texts = {row.message.text, *connection.scalars(select(changes.text).where(changes.message_id == row.id))}
    forwards, proposals = schema_forwards.forwards, schema_proposals.proposals
    connection.execute(
        update(forwards)
        .where(forwards.c.complaint_id.in_(ids), forwards.c.text.in_([text for text in texts if text]))
        .values(text=None)
    )
    # Its words may be among those that made two complaints look alike.
    own = proposals.c.complaint_id.in_(ids) | proposals.c.other_id.in_(ids)
    connection.execute(update(proposals).where(own).values(reasons="{}"))


def erase_around(work: Work, ids: Sequence[str]) -> None:
    """Threads, what was sent, tasks, and what other parts keep of a complaint."""
    connection, outbox = work.connection, schema.outbox
    connection.execute(delete(schema.threads).where(schema.threads.c.complaint_id.in_(ids)))
    keys = select(outbox.c.key).where(outbox.c.complaint_id.in_(ids))
    # A provider's ids of messages may hold the number that they went to, as WhatsApp's do.
    for reports in (schema.sent_parts, schema.parked_deliveries):
        connection.execute(delete(reports).where(reports.c.outbox_key.in_(keys)))
    connection.execute(
        update(outbox)
        .where(outbox.c.complaint_id.in_(ids), outbox.c.state.in_(("due", "halted")))
        .values(state="suppressed", receipt_state="suppressed")
    )
    connection.execute(
        update(outbox)
        .where(outbox.c.complaint_id.in_(ids))
        .values(recipient="", routes="[]", data="{}", provider_id=None, reason=None, body_hash=None)
    )
    tasks = schema.tasks
    closed_at = func.coalesce(tasks.c.closed_at, literal(work.now, tasks.c.closed_at.type))
    connection.execute(update(tasks).where(tasks.c.complaint_id.in_(ids)).values(reason="", closed_at=closed_at))
    forwards = schema_forwards.forwards
    unfinished = forwards.c.state.in_(("waiting", "due"))
    connection.execute(delete(forwards).where(forwards.c.complaint_id.in_(ids), unfinished))
    for table, columns in REMOVED:
        for column in columns:
            connection.execute(delete(table).where(table.c[column].in_(ids)))
    for table, values in SCRUBBED:
        connection.execute(update(table).where(table.c.complaint_id.in_(ids)).values(**values))


def forget_addresses(work: Work, ids: Sequence[str], messages: Sequence[MessageRow]) -> None:
    """Takes back what was said of writing to the addresses of these complaints, unless another one knows them too.

    Who is known by no complaint is written to only when they write first; a STOP that a provider heard, it keeps.
    Called while the rows of the outbox still have their addresses.
    """
    connection, outbox, permissions = work.connection, schema.outbox.c, schema.permissions
    known = {(row.channel_id, row.message.reply.recipient) for row in messages if row.message.reply is not None}
    for row in connection.execute(select(outbox.routes).where(outbox.complaint_id.in_(ids))):
        known.update((route.channel_id, route.recipient) for route in rows.routes_from(row.routes))
    for channel_id, recipient in sorted(known):
        others = select(outbox.key).where(
            outbox.recipient == recipient, outbox.channel_id == channel_id, outbox.complaint_id.not_in(ids)
        )
        if connection.scalar(others.limit(1)) is None:
            connection.execute(
                delete(permissions).where(permissions.c.channel_id == channel_id, permissions.c.recipient == recipient)
            )


def raws_of(work: Work, messages: Sequence[MessageRow]) -> set[str]:
    """The deliveries that these messages, their edits and their deletions came in."""
    found = {row.raw_id for row in messages}
    changes, raws = schema.message_changes.c, schema.raws.c
    for row in messages:
        last = work.connection.scalar(select(func.max(changes.at)).where(changes.message_id == row.id))
        if last is None or not row.message.external_id:
            continue
        # Changes carry no delivery's id: theirs are those of the channel that name the message.
        near = select(schema.raws.c.id, schema.raws.c.body).where(
            raws.received_at.between(row.message.sent_at - _SKEW, last + _REPEATED),
            raws.channel_id == row.channel_id,
        )
        found.update(raw.id for raw in work.connection.execute(near) if _names(bytes(raw.body), row.message))
    return found


def _names(body: bytes, message: Message) -> bool:
    """Whether a delivery is about the message: by its id, where that is short and not its alone by its sender too."""
    # Some write the slash of an id in JSON with a backslash before it.
    body = body.replace(b"\\/", b"/")
    if not _stands_in(body, message.external_id):
        return False
    if len(message.external_id) >= _TELLING:
        return True
    sender = message.sender.key.rpartition(":")[2]
    recipient = message.reply.recipient if message.reply is not None else sender
    return _stands_in(body, sender) or _stands_in(body, recipient)


def _stands_in(body: bytes, word: str) -> bool:
    """Whether the bytes hold the word as a whole, as JSON or as text."""
    return (
        bool(word)
        and re.search(rb"(?<![0-9A-Za-z])" + re.escape(word.encode()) + rb"(?![0-9A-Za-z])", body) is not None
    )


def erase_raws(work: Work, raw_ids: Collection[str]) -> tuple[int, int]:
    """How many deliveries were deleted, and how many stay: in open quarantine, or held with another complaint."""
    connection = work.connection
    quarantine = schema.quarantine.c
    gone = left = 0
    for some in chunks(raw_ids):
        kept = set(
            connection.scalars(select(quarantine.raw_id).where(quarantine.raw_id.in_(some), quarantine.state == "open"))
        )
        kept |= set(
            connection.scalars(
                select(schema.raws.c.id).where(schema.raws.c.id.in_(some), schema.raws.c.id.in_(held_raws()))
            )
        )
        free = [each for each in some if each not in kept]
        # What was decided stays; where in the delivery it was may hold an address, and why it was set aside a word.
        connection.execute(
            update(schema.quarantine)
            .where(quarantine.raw_id.in_(free))
            .values(path=literal(ERASED) + quarantine.id, reason=_GONE)
        )
        gone += connection.execute(delete(schema.raws).where(schema.raws.c.id.in_(free))).rowcount
        left += len(kept)
    return gone, left


def elsewhere(work: Work, ids: Sequence[str]) -> tuple[str, ...]:
    links = schema_forwards.forward_links.c
    found = work.connection.execute(
        select(links.target, links.store_ref)
        .where(links.complaint_id.in_(ids), links.store_ref.is_not(None))
        .order_by(links.target, links.store_ref)
    )
    return tuple(f"{row.target} {row.store_ref}" for row in found)


def doom(work: Work, digests: Collection[str]) -> None:
    """Puts contents on the list of those that go unless another complaint has them."""
    doomed = schema_records.doomed_files
    for sha256 in sorted(set(digests)):
        statement = dialect.insert(work.connection, doomed).values(sha256=sha256, since=work.now)
        work.connection.execute(statement.on_conflict_do_update(index_elements=["sha256"], set_={"since": work.now}))
