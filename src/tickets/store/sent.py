"""Rows whose text the provider simply took: settled without reading them back and weighing every report.

That is nearly every row. What is written equals what `standing.stand` would conclude, for which nothing may have
happened since the claim; every other row goes the long way of `outbox.settle`.
"""

from __future__ import annotations

from collections.abc import Sequence

from tickets.model import Settled
from tickets.store import deliveries
from tickets.store.batch import Values
from tickets.store.standing import Part
from tickets.store.times import to_micros
from tickets.store.work import Work


def settle(work: Work, settled: Sequence[Settled]) -> Sequence[Settled]:
    """Writes the rows that were sent and that nobody reported on yet; gives back the others, untouched."""
    untouched = _untouched(work, settled)
    if not untouched:
        return settled
    parts: list[Values] = []
    refs: list[Values] = []
    changes: list[Values] = []
    for attempt in untouched.values():
        row = attempt.row
        at = to_micros(attempt.sent_at or work.now)
        channel_id = _channel(attempt)
        for provider_id in attempt.provider_ids:
            part = Part(
                channel_id=channel_id, provider_id=provider_id, outbox_key=row.key, route=row.route, state="sent", at=at
            )
            parts.append(part.row())
        refs += [(row.organisation, ref, row.complaint_id) for ref in attempt.registers]
        changes.append(
            (
                row.parts, row.parts_sent, int(row.possible_duplicate), 1 << row.route, attempt.provider_ids[-1],
                attempt.body_hash, attempt.template_version, at, row.key,
            )
        )  # fmt: skip
        deliveries.note(work, row, attempt.receipt_state)
    work.statements.sent_parts.run(work.connection, parts)
    work.statements.threads.run(work.connection, refs)
    work.statements.update_sent.run(work.connection, changes)
    return [attempt for attempt in settled if attempt.row.key not in untouched]


def _untouched(work: Work, settled: Sequence[Settled]) -> dict[str, Settled]:
    """The rows that were sent, by key, and that are as their claim left them."""
    found = {attempt.row.key: attempt for attempt in settled if _is_sent(attempt)}
    if not found or len({attempt.row.key for attempt in settled}) < len(settled):
        return {}  # a row that is settled twice goes the long way, in the given order
    claimed = {key: (route, attempts) for key, route, attempts in work.statements.claimed.rows(work.connection, found)}
    reported = {
        (row.channel_id, row.provider_id)
        for row in deliveries.parked(work, [(_channel(a), id_) for a in found.values() for id_ in a.provider_ids])
    }
    return {
        key: attempt
        for key, attempt in found.items()
        if claimed.get(key) == (attempt.row.route, attempt.row.attempts)
        and not (reported and any((_channel(attempt), id_) in reported for id_ in attempt.provider_ids))
    }


def _is_sent(attempt: Settled) -> bool:
    row = attempt.row
    return (
        row.state == attempt.receipt_state == "sent"
        and len(attempt.provider_ids) > 0
        and attempt.sent_at is not None
        and attempt.task is None
        and not row.ambiguous
        and row.reason is None
        and row.error_class is None
    )


def _channel(attempt: Settled) -> str:
    """The channel of the route that was used."""
    return attempt.row.routes[attempt.row.route].channel_id
