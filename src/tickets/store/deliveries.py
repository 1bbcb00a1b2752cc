"""What providers report about what we sent: found by their id or by our key, applied in any order (P10, T28).

A report about something unknown waits: a status often overtakes the answer to the send.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import delete, func, select, update

from normalizer.message import Delivery
from tickets.model import OutboxRow, TaskRow
from tickets.store import rows, schema
from tickets.store.batch import Found
from tickets.store.standing import RANK, Part, Standing, advance, part_from, stand, standing_from
from tickets.store.times import from_micros, to_micros
from tickets.store.work import Work

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
    known = parts_by_key(work, after)
    new = admit(work, {(channel_id, id_): part for id_, part in added.items()}, moved.values())
    finish(work, before, after, grouped(known, moved.values(), new))


def admit(work: Work, added: Mapping[tuple[str, str], Part], moved: Iterable[Part] = ()) -> list[Part]:
    """The new parts, each as far as the reports that waited for it say; written with those that were moved."""
    changed = dict(added)
    for row in parked(work, added):
        part = changed[row.channel_id, row.provider_id]
        changed[row.channel_id, row.provider_id] = advance(part, _report(row))
        _unpark(work, row.channel_id, row.provider_id)
    work.statements.sent_parts.run(work.connection, [part.row() for part in changed.values()])
    work.statements.update_parts.run(work.connection, [part.change() for part in moved])
    return list(changed.values())


def parked(work: Work, ids: Iterable[tuple[str, str]]) -> list[Found]:
    """The reports that wait for parts with these (channel, id of the provider), the earliest of a part first."""
    by_channel: dict[str, list[str]] = {}
    for channel_id, provider_id in ids:
        by_channel.setdefault(channel_id, []).append(provider_id)
    lookup = work.statements.parked_deliveries_by_id
    # Channel by channel: the table's key begins with it, and others may have left many thousand reports here.
    return [
        row
        for channel_id, ids in by_channel.items()
        for row in lookup.rows(work.connection, ids, channel_id=channel_id)
    ]


def finish(
    work: Work,
    before: Mapping[str, Standing],
    after: Mapping[str, Standing],
    parts: Mapping[str, Iterable[Part]],
    told: Collection[str] = (),
) -> None:
    """Writes where the rows stand with these parts; keeps the task of an undeliverable one in step.

    Keys in `told` already have the task that their sender gave them.
    """
    writes = []
    for key, standing in after.items():
        was, now = before[key], stand(standing, parts.get(key, ()))
        if now == was:
            continue
        writes.append(now.columns())
        if _is_news(was, now):
            note(work, now.row, now.receipt_state)
        _keep_task(work, was, now, opened=key in told)
    work.statements.update_outbox.run(work.connection, writes)


def standings(work: Work, keys: Collection[str]) -> dict[str, Standing]:
    """The outbox rows with these keys."""
    return {row.key: standing_from(row) for row in work.statements.outbox_by_key.rows(work.connection, keys)}


def parts_by_id(work: Work, channel_id: str, provider_ids: Collection[str]) -> dict[str, Part]:
    """The parts of the channel with these ids of the provider."""
    found = work.statements.parts_by_id.rows(work.connection, provider_ids, channel_id=channel_id)
    return {row.provider_id: part_from(row) for row in found}


def parts_by_key(work: Work, keys: Collection[str]) -> list[Part]:
    """The parts that went out for these outbox rows."""
    return [part_from(row) for row in work.statements.parts_by_key.rows(work.connection, keys)]


def grouped(known: Iterable[Part], *changed: Iterable[Part]) -> dict[str, list[Part]]:
    """The parts by outbox key; a changed one stands for what was known of it, unless that was already further."""
    latest: dict[tuple[str, str], Part] = {}
    for part in (*known, *(part for parts in changed for part in parts)):
        there = latest.get((part.channel_id, part.provider_id))
        if there is None or RANK[part.state] >= RANK[there.state]:
            latest[part.channel_id, part.provider_id] = part
    by_key: dict[str, list[Part]] = {}
    for part in latest.values():
        by_key.setdefault(part.outbox_key, []).append(part)
    return by_key


def _is_news(was: Standing, now: Standing) -> bool:
    """Whether the log should hear of it: a row given back, or failing once more in the same way, is none."""
    return now.row.state != "due" or (was.receipt_state, was.row.route, was.row.error_class) != (
        now.receipt_state,
        now.row.route,
        now.row.error_class,
    )


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


def note(work: Work, row: OutboxRow, receipt_state: str) -> None:
    """Adds the audit event of where a row stands now: ids and states, no address."""
    work.note(
        f"receipt.{receipt_state}",
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


def _report(row: Found) -> Delivery:
    """The report that a row of `parked_deliveries` keeps."""
    return Delivery(
        state=row.state,
        at=from_micros(row.at),
        provider_id=row.provider_id,
        error_code=row.error_code,
        error_class=row.error_class,
        pricing=row.pricing,
    )


def _unpark(work: Work, channel_id: str, provider_id: str) -> None:
    column = schema.parked_deliveries.c
    work.connection.execute(
        delete(schema.parked_deliveries).where(column.channel_id == channel_id, column.provider_id == provider_id)
    )
