"""The class of an error decides what becomes of a row (docs/develop/architecture.md, A13, P11, P13, P14)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from connectors.errors import (
    Ambiguous,
    AuthFailed,
    Malformed,
    Misconfigured,
    Refused,
    Throttled,
    Unavailable,
    Unreachable,
    WindowClosed,
)
from connectors.facts import Facts
from normalizer.message import Sent
from receipts.outcome import Attempt, Judge, Patience, released, reroute, settle
from tickets.model import OutboxRow, Route

NOW = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
ONE = Route(channel_id="wa", recipient="+62811", window_until=NOW + timedelta(hours=1))
TWO = Route(channel_id="mail", recipient="b@x.id")
PAST = Route(channel_id="wa", recipient="+62811", window_until=NOW - timedelta(hours=1))
GONE = Route(channel_id="removed", recipient="r")
OLD = {"first_attempt_at": NOW - timedelta(hours=2)}
SENT = Sent(provider_id="p1", at=NOW, registers=("wa:p1",))
MakeFacts = Callable[..., Facts]


@pytest.fixture(name="judge")
def _judge(make_facts: MakeFacts) -> Judge:
    return Judge(
        facts={"wa": make_facts(), "mail": make_facts()},
        evidence_wait={"wa": timedelta(seconds=60), "mail": timedelta()},
        patience=Patience(first_wait=2.0, longest_wait=100.0, give_up=3600.0),
        new_id=lambda: "T",
    )


def row(**changes: Any) -> OutboxRow:
    """A row as it was claimed for its first attempt."""
    given: dict[str, Any] = {
        "key": "K",
        "organisation": "o",
        "complaint_id": "c",
        "template": "receipt",
        "language": "id",
        "routes": (ONE, TWO),
        "state": "sending",
        "due_at": NOW,
        "attempts": 1,
        "first_attempt_at": NOW,
        **changes,
    }
    return OutboxRow(**given)


@pytest.mark.parametrize(
    ("error", "changes", "state", "due_in", "route", "task"),
    [
        (None, {}, "sent", None, 0, None),
        (Unavailable("x"), {}, "due", 2.0, 0, None),
        (Unavailable("x"), {"attempts": 4}, "due", 16.0, 0, None),
        (Unavailable("x"), {"attempts": 40}, "due", 100.0, 0, None),
        (Unavailable("x"), OLD, "due", 0.0, 1, None),
        (Unavailable("x"), {**OLD, "routes": (ONE,)}, "failed", None, 0, "undeliverable"),
        (Throttled("x", after=77.0), {}, "due", 77.0, 0, None),
        (AuthFailed("x"), {}, "due", 0.0, 0, None),
        (Misconfigured("x"), {}, "due", 0.0, 0, None),
        (WindowClosed("x"), {}, "due", 0.0, 1, None),
        (WindowClosed("x"), {"routes": (ONE,)}, "failed", None, 0, "no_route"),
        (WindowClosed("x"), {"routes": (ONE, PAST, GONE, TWO)}, "due", 0.0, 3, None),
        (Unreachable("x"), {}, "due", 0.0, 1, None),
        (Unreachable("x"), {"route": 1}, "failed", None, 1, "undeliverable"),
        (Refused("131", "x"), {}, "failed", None, 0, "refused"),
        (Ambiguous("x"), {}, "due", 60.0, 0, None),
        (Ambiguous("x"), {"route": 1}, "due", 2.0, 1, None),
        (Ambiguous("x"), {"ambiguous": True}, "failed", None, 0, "check_possible_duplicate"),
        (Malformed("x"), {}, "halted", None, 0, "needs_agent"),
        (ZeroDivisionError("secret"), {}, "halted", None, 0, "needs_agent"),
    ],
)  # fmt: skip
def test_what_follows(
    error: Exception | None, changes: dict[str, Any], state: str, due_in: float | None, route: int, task: str | None,
    judge: Judge,
) -> None:  # fmt: skip
    sent = (SENT,) if error is None else ()
    found = settle(Attempt(row=row(**changes), at=NOW, parts=1, sent=sent, error=error), judge, 0.9999999)
    assert (found.row.state, found.row.route) == (state, route)
    assert (found.task.kind if found.task else None) == task
    assert found.receipt_state == {"sent": "sent", "failed": "failed"}.get(state, "queued")
    if due_in is not None:
        assert (found.row.due_at - NOW).total_seconds() == pytest.approx(due_in, abs=0.01)
    if error is not None:
        assert found.row.error_class == type(error).__name__
        assert "secret" not in f"{found.row.reason} {found.task and found.task.reason}"


def test_p11_the_doubt_ends_with_the_part_that_went_out(judge: Judge) -> None:
    claimed = row(ambiguous=True, possible_duplicate=True, parts_sent=1, parts=3)
    attempt = Attempt(
        row=claimed, at=NOW, parts=3, sent=(SENT,), error=Ambiguous("x"), body_hash="h", template_version="v"
    )
    found = settle(attempt, judge, 0.5)
    # A new doubt about the next part, not the second about the same one.
    assert (found.row.state, found.row.parts_sent, found.row.ambiguous) == ("due", 2, True)
    assert (found.provider_ids, found.registers, found.body_hash) == (("p1",), ("wa:p1",), "h")


def test_p11_a_doubtful_message_on_another_route_is_flagged(judge: Judge) -> None:
    found = settle(Attempt(row=row(ambiguous=True, parts_sent=1), at=NOW, error=Unreachable("x")), judge, 0.5)
    assert (found.row.route, found.row.parts_sent, found.row.ambiguous) == (1, 0, False)
    assert found.row.possible_duplicate
    assert (found.row.attempts, found.row.first_attempt_at) == (0, None)


@pytest.mark.parametrize(
    ("routes", "route", "wanted"),
    [
        ((ONE,), 0, None),
        ((PAST, TWO), 0, ("due", 1)),
        ((GONE, TWO), 0, ("due", 1)),
        ((PAST,), 0, ("failed", 0)),
        ((), 0, ("failed", 0)),
        ((ONE, GONE), 1, ("failed", 1)),
    ],
)
def test_p14_a_closed_window_is_never_tried(
    routes: tuple[Route, ...], route: int, wanted: tuple[str, int] | None, judge: Judge
) -> None:
    found = reroute(row(routes=routes, route=route), judge, NOW)
    assert (found and (found.row.state, found.row.route)) == wanted
    assert bool(found and found.task) == (wanted is not None and wanted[0] == "failed")


def test_an_address_that_the_customer_refused_is_never_written_to(judge: Judge) -> None:
    """STOP: the next way is taken; without one it is a person's task."""
    moved = reroute(row(routes=(ONE, TWO)), judge, NOW, refused=True)
    assert moved is not None
    assert (moved.row.state, moved.row.route, moved.row.error_class) == ("due", 1, "Unreachable")
    left = reroute(row(routes=(ONE,)), judge, NOW, refused=True)
    assert left is not None
    assert (left.row.state, left.task and left.task.kind) == ("failed", "undeliverable")


def test_a_row_given_back_counts_no_attempt() -> None:
    later = NOW + timedelta(seconds=5)
    found = released(row(), later).row
    assert (found.state, found.due_at, found.attempts, found.first_attempt_at) == ("due", later, 0, None)
    again = released(row(attempts=3), later).row
    assert (again.attempts, again.first_attempt_at) == (2, NOW)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_waits_grow_to_a_limit_and_spread(attempts: int, one: float, other: float) -> None:
    patience = Patience(first_wait=2.0, longest_wait=900.0)
    wait = patience.wait(attempts, one).total_seconds()
    assert 1.0 <= wait <= 900.0
    assert patience.wait(attempts + 1, other).total_seconds() >= wait / 2.000001


@given(
    st.sampled_from([None, Unavailable("x"), Throttled("x", 1), AuthFailed("x"), WindowClosed("x"), Unreachable("x"),
                     Refused("1", "x"), Ambiguous("x"), ValueError("x")]),
    st.booleans(), st.integers(0, 2), st.integers(0, 1), st.integers(1, 60),
)  # fmt: skip
def test_no_outcome_loses_a_row(
    error: Exception | None, ambiguous: bool, taken: int, route: int, attempts: int
) -> None:
    judge = Judge(facts={}, evidence_wait={}, patience=Patience(), new_id=lambda: "T")
    claimed = row(ambiguous=ambiguous, route=route, attempts=attempts)
    found = settle(Attempt(row=claimed, at=NOW, parts=3, sent=(SENT,) * taken, error=error), judge, 0.5)
    assert found.row.state in {"due", "sent", "failed", "halted"}
    # Whatever does not go on by itself is somebody's task.
    assert (found.task is not None) == (found.row.state in {"failed", "halted"})
    assert replace(found.row, key="", state="due").organisation == "o"
    assert len(found.provider_ids) == taken
