"""What one attempt to send means for its outbox row: sent, again later, another route, or a person's task. Pure.

The class of the error decides (docs/develop/architecture.md); the ambiguous ones follow sheet A13.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from connectors.errors import (
    CLASSES,
    Ambiguous,
    AuthFailed,
    Misconfigured,
    Refused,
    Throttled,
    Unavailable,
    Unreachable,
    WindowClosed,
)
from connectors.facts import Facts
from normalizer.message import Sent
from receipts.route import usable
from tickets.model import OutboxRow, ReceiptState, Settled, TaskRow


class Patience(Struct, frozen=True, kw_only=True):
    """How long and how often a failing send is tried again; seconds."""

    first_wait: float = 2.0
    longest_wait: float = 900.0
    #: Since the first attempt; then another route or a person (A11: 48 h).
    give_up: float = 172_800.0

    def wait(self, attempts: int, jitter: float) -> timedelta:
        """The pause after the attempt number `attempts` (from 1): doubling, with `jitter` in [0, 1) spreading it."""
        longest = min(self.longest_wait, self.first_wait * 2.0 ** min(attempts - 1, 30))
        return timedelta(seconds=longest * (0.5 + jitter / 2))


class Attempt(Struct, frozen=True, kw_only=True):
    """What one attempt did: what the provider took, and the error that ended it. `row` is the row as it was claimed."""

    row: OutboxRow
    at: datetime
    #: Parts of the text; 0 when it could not be composed.
    parts: int = 0
    sent: tuple[Sent, ...] = ()
    error: BaseException | None = None
    body_hash: str | None = None
    template_version: str | None = None


class Judge(Struct, frozen=True, kw_only=True):
    """What the outcome depends on besides the attempt."""

    #: Facts of every channel that can send, by channel id.
    facts: Mapping[str, Facts]
    #: How long to wait for evidence after an ambiguous send, by channel id.
    evidence_wait: Mapping[str, timedelta]
    patience: Patience
    #: A fresh id for a task.
    new_id: Callable[[], str]


def settle(attempt: Attempt, judge: Judge, jitter: float) -> Settled:
    """The next state of the row after an attempt; `jitter` in [0, 1)."""
    before = attempt.row
    row = replace(before, parts=attempt.parts or before.parts, parts_sent=before.parts_sent + len(attempt.sent))
    if attempt.sent:
        # The doubt was about the part that has now gone out.
        row = replace(row, ambiguous=False)
    error = attempt.error
    if error is None:
        return _settled(attempt, replace(row, state="sent", reason=None, error_class=None), "sent")
    row = replace(row, state="due", reason=_reason(error), error_class=type(error).__name__)
    match error:
        case Throttled():
            return _again(attempt, row, judge, timedelta(seconds=max(0.0, error.after)))
        case AuthFailed() | Misconfigured():
            # The channel halts and keeps its rows: a refused credential is no attempt to reach this customer.
            return _settled(attempt, replace(_unclaimed(row), due_at=attempt.at), "queued")
        case Ambiguous():
            return _ambiguous(attempt, row, judge, jitter)
        case Unavailable():
            return _again(attempt, row, judge, judge.patience.wait(row.attempts, jitter))
        case WindowClosed():
            return _next_route(attempt, row, judge, "no_route")
        case Unreachable():
            return _next_route(attempt, row, judge, "undeliverable")
        case Refused():
            return _failed(attempt, row, judge, "refused")
        case _:
            # A bug of ours: the row stays as it is, for a person, and nobody else waits for it.
            task = _task(row, judge, "needs_agent", attempt.at)
            return _settled(attempt, replace(row, state="halted"), "queued", task)


def reroute(row: OutboxRow, judge: Judge, now: datetime, *, refused: bool = False) -> Settled | None:
    """The row on its next usable route when the present one has closed, is gone or was refused; None when it is good.

    `refused`: the customer forbade us to write to its address.
    """
    if refused:
        said = replace(row, reason="the customer asked not to be written to there", error_class="Unreachable")
        return _next_route(Attempt(row=row, at=now), said, judge, "undeliverable")
    if row.route < len(row.routes) and _open(row, row.route, judge, now):
        return None
    closed = replace(row, reason="the reply window has closed or the channel is gone", error_class="WindowClosed")
    return _next_route(Attempt(row=row, at=now), closed, judge, "no_route")


def released(row: OutboxRow, due_at: datetime) -> Settled:
    """A claimed row given back untouched, to be claimed again at `due_at`."""
    return Settled(row=replace(_unclaimed(row), state="due", due_at=due_at), receipt_state="queued")


def _unclaimed(row: OutboxRow) -> OutboxRow:
    """The row without the attempt that its claim counted."""
    attempts = max(0, row.attempts - 1)
    return replace(row, attempts=attempts, first_attempt_at=row.first_attempt_at if attempts else None)


def _ambiguous(attempt: Attempt, row: OutboxRow, judge: Judge, jitter: float) -> Settled:
    if row.ambiguous:
        return _failed(attempt, row, judge, "check_possible_duplicate")
    channel = row.routes[row.route].channel_id
    wait = judge.evidence_wait.get(channel, timedelta())
    due = attempt.at + max(wait, judge.patience.wait(row.attempts, jitter))
    return _settled(attempt, replace(row, ambiguous=True, due_at=due), "queued")


def _again(attempt: Attempt, row: OutboxRow, judge: Judge, wait: timedelta) -> Settled:
    due = attempt.at + wait
    if (due - (row.first_attempt_at or attempt.at)).total_seconds() > judge.patience.give_up:
        return _next_route(attempt, row, judge, "undeliverable")
    return _settled(attempt, replace(row, due_at=due), "queued")


def _next_route(attempt: Attempt, row: OutboxRow, judge: Judge, kind: str) -> Settled:
    for index in range(row.route + 1, len(row.routes)):
        if _open(row, index, judge, attempt.at):
            moved = replace(
                row,
                state="due",
                due_at=attempt.at,
                route=index,
                parts=0,
                parts_sent=0,
                attempts=0,
                first_attempt_at=None,
                ambiguous=False,
                # What had no answer on the old route may have arrived there (P11).
                possible_duplicate=row.possible_duplicate or row.ambiguous,
            )
            return _settled(attempt, moved, "queued")
    return _failed(attempt, row, judge, kind)


def _open(row: OutboxRow, index: int, judge: Judge, now: datetime) -> bool:
    route = row.routes[index]
    facts = judge.facts.get(route.channel_id)
    return facts is not None and usable(route, now)


def _failed(attempt: Attempt, row: OutboxRow, judge: Judge, kind: str) -> Settled:
    return _settled(attempt, replace(row, state="failed"), "failed", _task(row, judge, kind, attempt.at))


def _settled(attempt: Attempt, row: OutboxRow, state: ReceiptState, task: TaskRow | None = None) -> Settled:
    sent: Sequence[Sent] = attempt.sent
    return Settled(
        row=row,
        receipt_state=state,
        provider_ids=tuple(s.provider_id for s in sent),
        registers=tuple(ref for s in sent for ref in s.registers),
        body_hash=attempt.body_hash if sent else None,
        template_version=attempt.template_version if sent else None,
        sent_at=sent[-1].at if sent else None,
        task=task,
    )


def _task(row: OutboxRow, judge: Judge, kind: str, now: datetime) -> TaskRow:
    return TaskRow(
        id=judge.new_id(),
        organisation=row.organisation,
        complaint_id=row.complaint_id,
        kind=kind,
        reason=f"{row.template}: {row.error_class or 'unknown'}",
        opened_at=now,
    )


def _reason(error: BaseException) -> str:
    # Texts of our own error classes name no person and no secret; those of a bug might.
    return str(error)[:200] if type(error).__name__ in CLASSES else f"unexpected {type(error).__name__}"
