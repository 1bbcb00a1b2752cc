"""Every channel in every weather: nothing is lost, nothing doubled unless the row says so, a person knows (K5, A5).

One installation with all of them for each climate: what troubles one channel must not hold up another.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from harness import Aduan, start_aduan, until
from harness.customer import drained
from harness.lines import LINES, everybody_complains, weather_channels
from harness.weather import Line, all_answered_for, judge, set_weather
from simulator.weather import CLIMATES

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: An installation after everybody complained, the name of its weather, and the ids of what was written by line.
Storm = tuple[Aduan, str, Mapping[str, Sequence[object]]]
#: Climates that end by themselves; the others have tests of their own below.
PASSING = sorted(set(CLIMATES) - {"expired-token", "window-closed", "unsubscribed"})


async def _all_done(aduan: Aduan, lines: Sequence[Line], name: str) -> None:
    """Returns when every complaint of these lines is recorded and answered for, and nothing is under way."""
    count = sum(len(line.people) for line in lines)
    await until(lambda: len(aduan.ticket_numbers()) >= count, seconds=60)
    await until(lambda: not all_answered_for(aduan, lines, name), seconds=60)
    await aduan.simulation.settled()
    await drained(aduan)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=PASSING)
async def storm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Storm]:
    """All channels after everybody complained in one weather, with its name."""
    name: str = request.param
    async with start_aduan(tmp_path_factory.mktemp(name), weather_channels) as aduan:
        set_weather(aduan, LINES, name, seed=5)
        said = await everybody_complains(aduan, LINES)
        await _all_done(aduan, LINES, name)
        yield aduan, name, said


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
async def test_nothing_is_lost_or_doubled(storm: Storm, line: Line) -> None:
    """P8, P10, P11, P13: each customer one complaint and its receipt on the right way, or a person knows."""
    aduan, name, said = storm
    judge(aduan, line, name, said[line.name])


async def test_nothing_is_left_over(storm: Storm) -> None:
    """P3: nothing was made that nobody said, and nothing set aside."""
    aduan, name, _ = storm
    assert len(aduan.ticket_numbers()) == sum(len(line.people) for line in LINES)
    assert not aduan.running.store.quarantine()
    again = [row.key for line in LINES for view in line.views(aduan) for row in view.outbox if row.attempts > 1]
    assert again or CLIMATES[name].trouble is None, "the weather was not what it is called"


async def test_refused_credentials_halt_sending_and_nothing_else(tmp_path: Path) -> None:
    """P13, T7: complaints go on being recorded, what is owed waits; it goes out, once, when the login is good again."""
    lines = [line for line in LINES if line.sends_by is not None and line.meets("expired-token")]
    halted = dict.fromkeys((line.sends_by for line in lines), "AuthFailed")
    async with start_aduan(tmp_path, weather_channels) as aduan:
        set_weather(aduan, LINES, "expired-token", seed=5)
        said = await everybody_complains(aduan, lines)
        count = sum(len(line.people) for line in lines)
        await until(lambda: len(aduan.ticket_numbers()) == count, seconds=60)
        await until(lambda: aduan.running.outbox.halted == halted, seconds=60)
        assert not [line.name for line in lines if line.got(aduan) or line.public(aduan)]
        set_weather(aduan, LINES, "calm", seed=5)

        def mended() -> bool:
            # A send that was under way when the channel halted may halt it once more.
            for channel in aduan.running.outbox.halted:
                aduan.running.outbox.resume(channel)
            return not all_answered_for(aduan, lines, "calm")

        await until(mended, seconds=60)
        await drained(aduan)
        for line in lines:
            judge(aduan, line, "calm", said[line.name])


async def test_a_closed_window_is_a_persons_task(tmp_path: Path) -> None:
    """P14, A8: never silently "sent": the receipt failed, and somebody has the task to reach the customer otherwise."""
    lines = [line for line in LINES if line.window]
    async with start_aduan(tmp_path, weather_channels) as aduan:
        set_weather(aduan, LINES, "window-closed", seed=5)
        await everybody_complains(aduan, lines)
        count = sum(len(line.people) for line in lines)
        await until(lambda: len(aduan.running.store.open_tasks()) == count, seconds=60)
        for line in lines:
            assert len(line.views(aduan)) == len(line.people), line.name
            assert {view.complaint.receipts[0].state for view in line.views(aduan)} == {"failed"}, line.name
            assert {view.ticket.state for view in line.views(aduan)} == {"received"}, line.name
            assert not line.got(aduan), line.name


async def test_a_lost_subscription_is_told_and_what_is_listed_still_comes(tmp_path: Path) -> None:
    """P6, A0.7: no webhook comes any more: a person is told, and what the provider lists is found and answered."""
    lines = [line for line in LINES if line.meets("unsubscribed")]
    listed = [line for line in lines if line.listed]
    async with start_aduan(tmp_path, weather_channels) as aduan:
        # What is older than the first look is nobody's gap.
        await until(lambda: all(aduan.running.health.state(line.source) == "good" for line in lines))
        set_weather(aduan, LINES, "unsubscribed", seed=5)
        said = await everybody_complains(aduan, lines)
        await _all_done(aduan, listed, "unsubscribed")
        for line in listed:
            judge(aduan, line, "unsubscribed", said[line.name])
        for line in lines:
            if line.told_of_loss:
                await until(lambda line=line: aduan.running.health.state(line.source) == "broken")  # type: ignore[misc]  # bound at once
                assert line.told_of_loss in str(aduan.running.health.states[line.source].reason), line.name
        assert not [line.name for line in lines if not line.listed and line.views(aduan)]
