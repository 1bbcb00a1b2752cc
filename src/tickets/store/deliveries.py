"""What providers report about what we sent: found by their id or by our key, applied in any order (P10, T28).

A report about something unknown waits: a status often overtakes the answer to the send.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import delete, func, select, update

from normalizer.message import Delivery
from tickets.model import TaskRow
from tickets.store import rows, schema
from tickets.store.standing import Part, Standing, advance, part_from, stand, standing_from
from tickets.store.times import from_micros, to_micros
from tickets.store.work import Work, chunks

#: Our key as a provider gives it back for the second part of a text and those behind it; the first has the row's own.
_PART = re.compile(r"(.+)\.([0-9]{1,3})")
#: What stands for the provider's id when a provider only gives our key back.
_BY_KEY = "key:"


def deliveries(work: Work, channel_id: str, reports: Sequence[Delivery]) -> None:
    """Applies the reports of one channel; those that name nothing we know are parked."""
    parts = parts_by_id(work, channel_id, [report.provider_id for report in reports if report.provider_id])
    keys = {part.outbox_key for part in parts.values()}
    keys.update(key for report in reports if report.outbox_key for key in _keys(report.outbox_key))
    before = standings(work, keys)
    after = dict(before)
    added: dict[str, Part] = {}
    moved: dict[str, Part] = {}
    parked: list[Delivery] = []
    for report in reports:
        provider_id = report.provider_id or f"{_BY_KEY}{report.outbox_key}"
        part = parts.get(provider_id)
        if part is None:
            found = _by_key(after, report)
            part = None if found is None else _part(found, channel_id, provider_id, report)
            if found is None or part is None:
                parked.append(report)
                continue
            parts[provider_id] = added[provider_id] = part
            after[part.outbox_key] = _taken(found, part, report)
        parts[provider_id] = changed = advance(part, report)
        if changed is not part:
            (added if provider_id in added else moved)[provider_id] = changed
    _park(work, channel_id, parked)
    admit(work, {(channel_id, id_): part for id_, part in added.items()}, moved.values())
    finish(work, before, after)


def admit(work: Work, added: Mapping[tuple[str, str], Part], moved: Iterable[Part] = ()) -> None:
    """Writes new parts, each as far as the reports that waited for it say, and those that were moved."""
    changed = dict(added)
    waiting = _waiting(work, [provider_id for _, provider_id in added])
    for channel_id, report in waiting:
        part = changed.get((channel_id, report.provider_id or ""))
        if part is not None:
            changed[channel_id, part.provider_id] = advance(part, report)
            _unpark(work, channel_id, part.provider_id)
    work.statements.sent_parts.run(work.connection, [part.row() for part in changed.values()])
    work.statements.update_parts.run(work.connection, [part.change() for part in moved])


def finish(
    work: Work, before: Mapping[str, Standing], after: Mapping[str, Standing], told: Collection[str] = ()
) -> None:
    """Writes where the rows stand now that their parts are written; keeps the task of an undeliverable one in step.

    Keys in `told` already have the task that their sender gave them.
    """
    parts = _parts_by_key(work, after)
    writes = []
    for key, standing in after.items():
        now = stand(standing, parts.get(key, ()))
        if now == before[key]:
            continue
        writes.append(now.columns())
        note(work, now)
        _keep_task(work, before[key], now, opened=key in told)
    work.statements.update_outbox.run(work.connection, writes)


def standings(work: Work, keys: Collection[str]) -> dict[str, Standing]:
    """The outbox rows with these keys."""
    found: dict[str, Standing] = {}
    for some in chunks(keys):
        for row in work.connection.execute(select(schema.outbox).where(schema.outbox.c.key.in_(some))):
            found[row.key] = standing_from(row)
    return found


def parts_by_id(work: Work, channel_id: str, provider_ids: Collection[str]) -> dict[str, Part]:
    """The parts of the channel with these ids of the provider."""
    column = schema.sent_parts.c
    found: dict[str, Part] = {}
    for some in chunks(provider_ids):
        statement = select(schema.sent_parts).where(column.channel_id == channel_id, column.provider_id.in_(some))
        for row in work.connection.execute(statement):
            found[row.provider_id] = part_from(row)
    return found


def _parts_by_key(work: Work, keys: Collection[str]) -> dict[str, list[Part]]:
    found: dict[str, list[Part]] = {}
    for some in chunks(keys):
        statement = select(schema.sent_parts).where(schema.sent_parts.c.outbox_key.in_(some))
        for row in work.connection.execute(statement):
            found.setdefault(row.outbox_key, []).append(part_from(row))
    return found


def _keys(given: str) -> list[str]:
    """The outbox keys that a key may mean: itself, or itself without the number of a part."""
    match = _PART.fullmatch(given)
    return [given, match[1]] if match else [given]


def _by_key(known: Mapping[str, Standing], report: Delivery) -> Standing | None:
    if report.outbox_key is None:
        return None
    return next((known[key] for key in _keys(report.outbox_key) if key in known), None)


def _part(standing: Standing, channel_id: str, provider_id: str, report: Delivery) -> Part | None:
    """The part that a report with our key reveals; None when our row has no route over this channel."""
    routes = standing.row.routes
    tried = [n for n, route in enumerate(routes) if route.channel_id == channel_id and n <= standing.row.route]
    if not tried:
        return None
    return Part(
        channel_id=channel_id,
        provider_id=provider_id,
        outbox_key=standing.row.key,
        route=tried[-1],
        state="sent",
        at=to_micros(report.at),
    )


def _taken(standing: Standing, part: Part, report: Delivery) -> Standing:
    """A row whose send had no answer yet is sent: the provider just spoke of it."""
    row = standing.row
    if part.route != row.route or not (row.state == "sending" or (row.state == "due" and row.ambiguous)):
        return standing
    match = _PART.fullmatch(report.outbox_key or "")
    number = int(match[2]) if match and report.outbox_key != row.key else 1
    if number <= row.parts_sent:
        return standing
    certain = msgspec.structs.replace(row, ambiguous=False, parts_sent=number, reason=None, error_class=None)
    if number < row.parts:
        # The doubt is gone, the rest of the text is still owed.
        return msgspec.structs.replace(standing, row=msgspec.structs.replace(certain, due_at=from_micros(part.at)))
    return msgspec.structs.replace(
        standing,
        row=msgspec.structs.replace(certain, state="sent"),
        receipt_state="sent",
        sent_routes=standing.sent_routes | 1 << part.route,
        provider_id=standing.provider_id or report.provider_id,
        sent_at=standing.sent_at or part.at,
    )


def _keep_task(work: Work, before: Standing, now: Standing, *, opened: bool) -> None:
    """Opens the task of a row that became undeliverable, closes it when the customer has it after all."""
    row = now.row
    if row.state == "failed" and before.row.state != "failed" and not opened:
        task = TaskRow(
            id=f"undeliverable-{row.key}",
            organisation=row.organisation,
            complaint_id=row.complaint_id,
            kind="undeliverable",
            reason=row.error_class or row.reason or "failed",
            opened_at=work.now,
        )
        work.statements.tasks.run(work.connection, [rows.task_row(task)])
    elif row.state == "sent" and before.row.state == "failed":
        _close_undeliverable(work, row.complaint_id, row.key)


def note(work: Work, standing: Standing) -> None:
    """Adds the audit event of where a row stands now: ids and states, no address."""
    row = standing.row
    work.note(
        f"receipt.{standing.receipt_state}",
        row.complaint_id,
        {
            "outbox": row.key,
            "template": row.template,
            "state": row.state,
            "channel_id": rows.route_columns(row)[0],
            "attempts": row.attempts,
            "error_class": row.error_class,
        },
    )


def _close_undeliverable(work: Work, complaint_id: str, key: str) -> None:
    outbox, tasks = schema.outbox.c, schema.tasks.c
    others = work.connection.execute(
        select(func.count()).where(outbox.complaint_id == complaint_id, outbox.state == "failed", outbox.key != key)
    ).scalar_one()
    if not others:
        work.connection.execute(
            update(schema.tasks)
            .where(tasks.complaint_id == complaint_id, tasks.kind == "undeliverable", tasks.closed_at.is_(None))
            .values(closed_at=work.now)
        )


def _park(work: Work, channel_id: str, reports: Sequence[Delivery]) -> None:
    work.statements.parked_deliveries.run(
        work.connection,
        [
            (
                channel_id, report.provider_id or "", report.outbox_key or "", report.state, to_micros(report.at),
                report.error_code, report.error_class, report.pricing,
            )
            for report in reports
        ],
    )  # fmt: skip


def _waiting(work: Work, provider_ids: Collection[str]) -> list[tuple[str, Delivery]]:
    column = schema.parked_deliveries.c
    found = []
    for some in chunks(provider_ids):
        for row in work.connection.execute(
            select(schema.parked_deliveries).where(column.provider_id.in_(some)).order_by(column.at)
        ):
            report = Delivery(
                state=row.state,
                at=row.at,
                provider_id=row.provider_id,
                error_code=row.error_code,
                error_class=row.error_class,
                pricing=row.pricing,
            )
            found.append((row.channel_id, report))
    return found


def _unpark(work: Work, channel_id: str, provider_id: str) -> None:
    column = schema.parked_deliveries.c
    work.connection.execute(
        delete(schema.parked_deliveries).where(column.channel_id == channel_id, column.provider_id == provider_id)
    )
