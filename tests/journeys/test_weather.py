"""Every channel in every weather: nothing is lost, nothing doubled unless the row says so, a person knows (K5, A5).

One installation with all of them for each climate: what troubles one channel must not hold up another.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from harness import Aduan, start_aduan, until
from harness.customer import drained
from harness.lines import LINES, everybody_complains, weather_channels
from harness.weather import Line, all_answered_for, judge, set_weather
from simulator.weather import CLIMATES

pytestmark = pytest.mark.asyncio(loop_scope="module")

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
async def storm(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Aduan, str]]:
    """All channels after everybody complained in one weather, with its name."""
    name: str = request.param
    async with start_aduan(tmp_path_factory.mktemp(name), weather_channels) as aduan:
        set_weather(aduan, LINES, name, seed=5)
        await everybody_complains(aduan, LINES)
        await _all_done(aduan, LINES, name)
        yield aduan, name


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
async def test_nothing_is_lost_or_doubled(storm: tuple[Aduan, str], line: Line) -> None:
    """P8, P10, P11, P13: each customer one complaint and its receipt on the right way, or a person knows."""
    aduan, name = storm
    judge(aduan, line, name)


async def test_nothing_is_left_over(storm: tuple[Aduan, str]) -> None:
    """P3: nothing was made that nobody said, and nothing set aside."""
    aduan, _ = storm
    assert len(aduan.ticket_numbers()) == sum(len(line.people) for line in LINES)
    assert not aduan.running.store.quarantine()
