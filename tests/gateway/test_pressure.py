"""When recording and sending give way to acknowledging, and for how long at most."""

from __future__ import annotations

import asyncio
import time

import pytest

from gateway.pressure import Pressure


class Clock:
    """Time that stands until somebody moves it, or that a busy processor fills."""

    def __init__(self, share: float) -> None:
        self.now = 100.0
        #: For how much of every second that passes the processor is busy.
        self.share = share
        self.busy = 0.0

    def __call__(self) -> float:
        return self.now

    def used(self) -> float:
        return self.busy

    def go(self, seconds: float) -> None:
        self.now += seconds
        self.busy += seconds * self.share


def crowded(clock: Clock, waiting: int = 16) -> Pressure:
    pressure = Pressure(clock, clock.used)
    for _ in range(waiting):
        pressure.enter()
    return pressure


async def seconds(clock: Clock, pressure: Pressure, waits: asyncio.Future[None]) -> float:
    """How many seconds of the clock somebody waits while new requests keep coming; at most ten."""
    began = clock.now
    while not waits.done() and clock.now - began < 10:
        clock.go(0.08)
        pressure.enter()
        pressure.leave()
        # The loop's own time passes as it likes; what counts is the clock.
        until = time.monotonic() + 0.025
        while time.monotonic() < until and not waits.done():
            await asyncio.sleep(0.005)
    await waits
    return clock.now - began


def test_a_crowd_is_one_from_sixteen_on_and_is_remembered_for_a_moment() -> None:
    clock = Clock(1.0)
    pressure = Pressure(clock, clock.used)
    seen: list[bool] = []
    for _ in range(16):
        seen.append(pressure.is_crowd)
        pressure.enter()
    assert seen == [False] * 16
    seen = [pressure.is_crowd]
    for _ in range(16):
        pressure.leave()
    for moment in (100.2, 100.35):
        clock.now = moment
        seen.append(pressure.is_crowd)
    assert seen == [True, True, False]


@pytest.mark.parametrize(("worked", "rest"), [(0.005, 0.1), (0.02, 0.4), (0.1, 2.0), (5.0, 2.0)])
async def test_a_rest_is_twenty_times_the_work_and_two_seconds_at_most(worked: float, rest: float) -> None:
    clock = Clock(1.0)
    pressure = crowded(clock)
    waits = asyncio.ensure_future(pressure.rest(worked, unless=bool))
    assert await seconds(clock, pressure, waits) == pytest.approx(rest, abs=0.17)


async def test_old_work_rests_no_longer_than_it_works() -> None:
    """Ten minutes to a receipt: who has waited for four is given half of the time, however many come."""
    clock = Clock(1.0)
    pressure = crowded(clock)
    pressure.behind = 241.0
    waits = asyncio.ensure_future(pressure.rest(0.2, unless=bool))
    assert await seconds(clock, pressure, waits) == pytest.approx(0.2, abs=0.17)
    await asyncio.wait_for(pressure.calm(), 0.01)


@pytest.mark.parametrize("alone", [True, False])
async def test_a_crowd_that_waits_for_the_disk_holds_up_nobody(alone: bool) -> None:
    """A slow disk leaves the processor idle: resting would win nothing."""
    clock = Clock(0.2)
    pressure = crowded(clock)
    waits = pressure.rest(1.0, unless=bool) if alone else pressure.calm()
    assert await seconds(clock, pressure, asyncio.ensure_future(waits)) <= 0.4
    assert not pressure.is_crowd
    clock.share = 1.0
    clock.go(0.28)
    pressure.enter()
    assert pressure.is_crowd


async def test_whoever_is_waited_for_does_not_rest() -> None:
    clock = Clock(1.0)
    waits = asyncio.ensure_future(crowded(clock).rest(1.0, unless=lambda: True))
    await asyncio.sleep(0)
    assert waits.done()


async def test_nobody_rests_without_a_crowd() -> None:
    clock = Clock(1.0)
    pressure = crowded(clock, waiting=15)
    waits = [asyncio.ensure_future(each) for each in (pressure.rest(1.0, unless=bool), pressure.calm())]
    await asyncio.sleep(0)
    assert [each.done() for each in waits] == [True, True]


async def test_all_who_send_wait_for_the_same_calm_and_for_two_seconds_at_most() -> None:
    clock = Clock(1.0)
    pressure = crowded(clock)
    waiting = [asyncio.ensure_future(pressure.calm()) for _ in range(100)]
    before = len(asyncio.all_tasks())
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == before + 1  # one task looks for all of them
    assert await seconds(clock, pressure, waiting[0]) == pytest.approx(2.0, abs=0.17)
    await asyncio.gather(*waiting)


async def test_one_who_gives_up_waiting_takes_nobody_along() -> None:
    clock = Clock(1.0)
    pressure = crowded(clock)
    first, second = asyncio.ensure_future(pressure.calm()), asyncio.ensure_future(pressure.calm())
    await asyncio.sleep(0)
    first.cancel()
    assert await seconds(clock, pressure, second) == pytest.approx(2.0, abs=0.17)
