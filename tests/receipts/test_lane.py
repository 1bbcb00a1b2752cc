"""One channel's pace: what it may hold, and when it rests (P13: back-off and circuit per channel)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from connectors.errors import Ambiguous, AuthFailed, Misconfigured, Refused, Throttled, Unavailable
from connectors.facts import Facts
from normalizer.message import Outgoing, Raw, Sent
from receipts.lane import Channel, Lane
from receipts.outcome import Patience

MakeFacts = Callable[..., Facts]
PATIENCE = Patience(first_wait=4.0, longest_wait=900.0)


class Quiet:
    """A connector that is never asked: these tests are about the lane alone."""

    def __init__(self, facts: Facts) -> None:
        self.channel_id = "c"
        self.facts = facts

    def parse(self, raw: Raw) -> tuple[()]:
        raise AssertionError(raw)

    async def send(self, out: Outgoing) -> Sent:
        raise AssertionError(out)

    async def check(self) -> None:
        raise AssertionError

    async def aclose(self) -> None:
        raise AssertionError


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


def lane(make_facts: MakeFacts, clock: Clock, *, rate: float | None = None, chosen: float | None = None) -> Lane:
    facts = make_facts(sends_per_second=rate)
    return Lane(Channel(connector=Quiet(facts), facts=facts, sends_per_second=chosen), most=200, clock=clock)


def fail(one: Lane, error: Exception, recipient: str = "a") -> bool:
    return one.learn(error, recipient, PATIENCE, 0.9999999)


@pytest.mark.parametrize(
    ("rate", "chosen", "room"),
    [(None, None, 200), (80.0, None, 160), (500.0, None, 200), (0.0167, None, 1), (80.0, 5.0, 10)],
)
async def test_a_limited_channel_holds_little(
    rate: float | None, chosen: float | None, room: int, make_facts: MakeFacts, clock: Clock
) -> None:
    assert lane(make_facts, clock, rate=rate, chosen=chosen).room == room


async def test_one_recipient_that_must_wait_does_not_hold_up_the_others(make_facts: MakeFacts, clock: Clock) -> None:
    one = lane(make_facts, clock)
    fail(one, Throttled("pair limit", after=900.0), "a")
    fail(one, Throttled("pair limit", after=900.0), "a")
    assert one.pause == 0
    fail(one, Throttled("account limit", after=60.0), "b")
    assert one.pause == pytest.approx(900.0)
    assert one.closed
    assert one.full
    clock.now += 901
    assert one.pause == 0
    assert not one.closed


async def test_a_provider_that_is_away_is_left_alone_and_then_tried_with_one(
    make_facts: MakeFacts, clock: Clock
) -> None:
    one = lane(make_facts, clock)
    for _ in range(7):
        fail(one, Unavailable("away"))
    assert not one.closed
    fail(one, Ambiguous("no answer"))
    assert one.pause == pytest.approx(4.0)
    assert one.room == 1
    for _ in range(20):
        clock.now += 61
        assert one.pause == 0
        fail(one, Unavailable("away"))
        # However long it lasts, the channel is tried every minute.
        assert one.pause <= 60.0
    clock.now += 61
    one.learn(None, "a", PATIENCE, 0.5)
    assert (one.pause, one.room) == (0.0, 200)


async def test_a_refused_text_says_that_the_provider_is_there(make_facts: MakeFacts, clock: Clock) -> None:
    one = lane(make_facts, clock)
    for _ in range(50):
        fail(one, Unavailable("away"))
        fail(one, Refused("1", "text"))
    assert not one.closed


@pytest.mark.parametrize("error", [AuthFailed("x"), Misconfigured("x")])
async def test_halted_is_said_once_and_lasts(error: Exception, make_facts: MakeFacts, clock: Clock) -> None:
    one = lane(make_facts, clock)
    assert fail(one, error)
    assert not fail(one, error)
    clock.now += 10**6
    assert one.closed
    assert one.halted == type(error).__name__
    one.resume()
    assert not one.closed


async def test_rows_without_room_come_back_one_after_the_other(make_facts: MakeFacts, clock: Clock) -> None:
    one = lane(make_facts, clock, rate=2.0)
    waits = [one.turn(excess).total_seconds() for excess in range(4)]
    assert waits == pytest.approx([2.0, 2.5, 3.0, 3.5])


async def test_the_rate_is_kept(make_facts: MakeFacts, clock: Clock) -> None:
    one = lane(make_facts, clock, rate=1.0)
    await one.pace()
    second = asyncio.create_task(one.pace())
    await asyncio.sleep(0.05)
    assert not second.done()
    second.cancel()
