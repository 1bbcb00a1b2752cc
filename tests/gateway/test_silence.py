"""When nobody wrote for longer than a channel's own past explains."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.silence import IMPROBABLE, Hour, hour_of, probability
from tickets.calendar import WIB

#: A Thursday, 15.00 WIB.
NOW = datetime(2026, 3, 5, 8, 0, tzinfo=UTC)
FIRST = NOW - timedelta(days=28)


def works(day: date) -> bool:
    return day.weekday() < 5


def office(every: int = 1) -> set[Hour]:
    """Something came in every hour from 9 to 16 WIB of every working day of four weeks (or of each second, ...)."""
    days = [(NOW - timedelta(days=back)).date() for back in range(1, 28)]
    return {(day, hour) for n, day in enumerate(filter(works, days)) if n % every == 0 for hour in range(9, 17)}


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=WIB).astimezone(UTC)


@pytest.mark.parametrize(
    ("last", "now", "every", "alarm"),
    [
        (at(5, 9), at(5, 11), 1, False),
        (at(5, 9), at(5, 14), 1, True),
        # A night and a weekend are quiet on a channel that always was quiet then.
        (at(5, 16), at(6, 8), 1, False),
        (at(6, 16), at(9, 9), 1, False),
        # But a morning after it counts.
        (at(6, 16), at(9, 14), 1, True),
        # One that is used every third day says nothing about an afternoon, but after a week it does.
        (at(5, 9), at(5, 15), 3, False),
        (at(2, 9), at(6, 16), 3, True),
    ],
)
def test_only_a_silence_that_the_past_does_not_explain_alarms(
    last: datetime, now: datetime, every: int, alarm: bool
) -> None:
    assert (probability(office(every), last, now, works, FIRST) < IMPROBABLE) is alarm


def test_a_new_channel_never_alarms() -> None:
    first = NOW - timedelta(days=5)
    heard = {hour for hour in office() if hour[0] >= first.date()}
    assert probability(heard, NOW - timedelta(days=2), NOW, works, first) == 1.0


@given(
    hours=st.sets(st.tuples(st.dates(date(2026, 2, 5), date(2026, 3, 5)), st.integers(0, 23)), max_size=300),
    quiet=st.integers(0, 200), more=st.integers(0, 50),
)  # fmt: skip
def test_a_longer_silence_is_never_more_probable(hours: set[Hour], quiet: int, more: int) -> None:
    """It is a probability, and it falls with the length of the silence."""
    last, first = NOW - timedelta(hours=quiet), NOW - timedelta(days=20)
    short = probability(hours, last, NOW, works, first)
    longer = probability(hours, last, NOW + timedelta(hours=more), works, first)
    assert 0 < longer <= short <= 1


def test_an_hour_is_one_of_the_wib_day() -> None:
    assert hour_of(NOW) == (date(2026, 3, 5), 15)
    assert hour_of(datetime(2026, 3, 5, 17, 0, tzinfo=UTC)) == (date(2026, 3, 6), 0)
