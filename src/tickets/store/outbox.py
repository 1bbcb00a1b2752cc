"""What is owed to customers: claimed by the sender, settled after each attempt, taken up again after a crash."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import literal_column, select, update

from tickets.model import OutboxItem, OutboxRow, Settled, TaskRow
from tickets.store import deliveries, permissions, rows, schema, sent
from tickets.store.standing import Part, Standing
from tickets.store.times import micros_or_none, to_micros
from tickets.store.work import Work, chunks
from tickets.told import brief_complaint, brief_ticket

# Written out in the statement, so that the partial indexes are used.
_SENDING = schema.outbox.c.state == literal_column("'sending'")
_HALTED = schema.outbox.c.state == literal_column("'halted'")


def claim(
    work: Work, now: datetime, limit: int, channel_ids: Collection[str] | None, exclude: Collection[str]
) -> list[OutboxItem]:
    """The rows that are due, longest due first, now `sending` with one attempt more."""
    claimed = work.statements.claim.rows(work.connection, to_micros(now), limit, channel_ids, exclude)
    owed = sorted(map(rows.outbox_claimed, claimed), key=lambda row: (row.due_at, row.key))
    return _with_complaints(work, owed)


def _with_complaints(work: Work, owed: Sequence[OutboxRow]) -> list[OutboxItem]:
    documents = {
        complaint_id: (complaint, ticket)
        for complaint_id, complaint, ticket in work.statements.tickets_by_id.rows(
            work.connection, [row.complaint_id for row in owed]
        )
    }
    refused = permissions.refused(work, [_address(row) for row in owed])
    items: list[OutboxItem] = []
    for row in owed:
        complaint, ticket = documents[row.complaint_id]
        try:
            item = OutboxItem(
                row=row,
                complaint=brief_complaint(complaint),
                ticket=brief_ticket(ticket),
                refused=bool(refused) and _address(row) in refused,
            )
        except (msgspec.DecodeError, UnicodeDecodeError):
            _give_up(work, row)
        else:
            items.append(item)
    return items


def _give_up(work: Work, row: OutboxRow) -> None:
    """One complaint whose record is damaged: a person's task, and no other customer waits for it (P7)."""
    outbox = schema.outbox
    work.connection.execute(
        update(outbox).where(outbox.c.key == row.key).values(state="failed", error_class="Damaged", reason="damaged")
    )
    task = TaskRow(
        id=f"damaged-{row.key}",
        organisation=row.organisation,
        complaint_id=row.complaint_id,
        kind="undeliverable",
        reason=f"{row.template}: the record of this complaint cannot be read; restore it from a backup",
        opened_at=work.now,
    )
    work.statements.tasks.run(work.connection, [rows.task_row(task)])
    work.note("outbox.damaged", row.complaint_id, {"key": row.key})


def _address(row: OutboxRow) -> permissions.Address:
    route = row.routes[row.route] if row.route < len(row.routes) else None
    return ("", "") if route is None else (route.channel_id, route.recipient)


def settle(work: Work, settled: Sequence[Settled]) -> None:
    """Writes what became of the attempts, with what providers reported about them in the meantime."""
    settled = sent.settle(work, settled)
    if not settled:
        return
    before = deliveries.standings(work, [attempt.row.key for attempt in settled])
    missing = [attempt.row.key for attempt in settled if attempt.row.key not in before]
    if missing:
        raise LookupError(f"{len(missing)} settled outbox rows are not recorded")
    after: dict[str, Standing] = {}
    parts: dict[tuple[str, str], Part] = {}
    for attempt in settled:
        was = before[attempt.row.key]
        after[attempt.row.key] = _after(was, attempt)
        at = micros_or_none(attempt.sent_at) or to_micros(work.now)
        # The route of the attempt is the one that was claimed: the settled row may already name the next.
        channel_id = rows.route_columns(was.row)[0]
        for provider_id in attempt.provider_ids:
            parts[channel_id, provider_id] = Part(
                channel_id=channel_id,
                provider_id=provider_id,
                outbox_key=attempt.row.key,
                route=was.row.route,
                state="sent",
                at=at,
            )
    known = deliveries.parts_by_key(work, before)
    added = deliveries.admit(work, parts)
    work.statements.threads.run(
        work.connection,
        [(attempt.row.organisation, ref, attempt.row.complaint_id) for attempt in settled for ref in attempt.registers],
    )
    work.statements.tasks.run(work.connection, [rows.task_row(row.task) for row in settled if row.task is not None])
    told = {attempt.row.key for attempt in settled if attempt.task is not None}
    deliveries.finish(work, before, after, deliveries.grouped(known, added), told)


def _after(was: Standing, attempt: Settled) -> Standing:
    """Where the row stands after the attempt; what a provider's report proved meanwhile is not taken back."""
    row = attempt.row
    bit = 1 << was.row.route
    proved = was.row.parts_sent if was.row.state == "sent" and was.row.route == row.route else 0
    state = attempt.receipt_state
    if row.state != "sent" and proved > row.parts_sent:
        if proved >= row.parts:
            row, state = was.row, "sent"
        else:
            row = msgspec.structs.replace(row, ambiguous=False, parts_sent=proved)
    return msgspec.structs.replace(
        was,
        row=row,
        receipt_state=state,
        sent_routes=was.sent_routes | bit if row.state == "sent" else was.sent_routes & ~bit,
        provider_id=attempt.provider_ids[-1] if attempt.provider_ids else was.provider_id,
        body_hash=attempt.body_hash or was.body_hash,
        template_version=attempt.template_version or was.template_version,
        sent_at=micros_or_none(attempt.sent_at) or was.sent_at,
    )


def recover(work: Work, now: datetime, wait: Mapping[str, timedelta]) -> int:
    """How many rows a crash left in `sending`; each is due again once its channel's evidence had time to come."""
    outbox = schema.outbox
    found = work.connection.execute(select(outbox.c.channel_id).where(_SENDING).distinct()).scalars().all()
    count = 0
    for channel_id in found:
        due_at = now + wait.get(channel_id, timedelta())
        count += work.connection.execute(
            update(outbox)
            .where(_SENDING, outbox.c.channel_id == channel_id)
            .values(state="due", due_at=due_at, ambiguous=1)
        ).rowcount
        work.note("outbox.recovered", None, {"channel_id": channel_id})
    return count


def resume(work: Work, channel_id: str, now: datetime) -> int:
    """How many rows of a halted channel are due again."""
    outbox = schema.outbox
    return work.connection.execute(
        update(outbox).where(_HALTED, outbox.c.channel_id == channel_id).values(state="due", due_at=now)
    ).rowcount


def hand_over(work: Work, complaint_ids: Collection[str]) -> None:
    """Receipts without a way that the customer was told on the spot: no person need bring them any more."""
    row, task = schema.outbox.c, schema.tasks.c
    without_way = (row.template == "receipt", row.state == "suppressed", row.reason == "no_route")
    for some in chunks(complaint_ids):
        found = work.connection.scalars(select(row.complaint_id).where(row.complaint_id.in_(some), *without_way)).all()
        work.connection.execute(
            update(schema.outbox).where(row.complaint_id.in_(found), *without_way).values(reason="handed_over")
        )
        work.connection.execute(
            update(schema.tasks)
            .where(task.complaint_id.in_(found), task.kind == "no_route", task.closed_at.is_(None))
            .values(closed_at=work.now)
        )
        for complaint_id in found:
            work.note("receipt.handed_over", complaint_id, {})


def receipt_counts(work: Work, organisation: str, recipients: Collection[str], since: datetime) -> dict[str, int]:
    """How many receipts each of the recipients was owed since then; suppressed ones do not count (P26)."""
    found = work.statements.receipt_counts.rows(
        work.connection, recipients, organisation=organisation, since=to_micros(since)
    )
    return {recipient: count for recipient, count in found}  # noqa: C416  # rows are no pairs to the type checker
