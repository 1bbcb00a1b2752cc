"""When recording gives way to acknowledging, and for how long at most."""

from __future__ import annotations

import pytest

from gateway.pressure import Pressure


def test_a_crowd_is_one_from_sixteen_on_and_is_remembered_for_a_moment() -> None:
    now = 100.0
    pressure = Pressure(lambda: now)
    seen: list[bool] = []
    for _ in range(16):
        seen.append(pressure.is_crowd)
        pressure.enter()
    assert seen == [False] * 16
    seen = [pressure.is_crowd]
    for _ in range(16):
        pressure.leave()
    for moment in (100.05, 100.15):
        now = moment
        seen.append(pressure.is_crowd)
    assert seen == [True, True, False]


@pytest.mark.parametrize(("worked", "rest"), [(0.0, 0.0), (0.01, 0.2), (0.05, 1.0), (0.1, 2.0), (5.0, 2.0)])
def test_a_rest_is_twenty_times_the_work_and_two_seconds_at_most(worked: float, rest: float) -> None:
    assert Pressure().rest_after(worked) == pytest.approx(rest)
