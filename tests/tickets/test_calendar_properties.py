"""What must hold for every start and every number of days (R2, R4), found by Hypothesis."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tickets.calendar import Calendar
from tickets.calendar_load import load_calendar_years

YEARS = load_calendar_years(Path(__file__).parents[2] / "config" / "calendars")
NORMAL = Calendar("id_national", YEARS)
STRICT = Calendar("id_national", YEARS, joint_leave="working")

# A loaded machine is no reason to fail: these tests are about dates, not about speed.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

starts = st.dates(date(2025, 1, 1), date(2027, 9, 1))
counts = st.integers(1, 40)


@UNTIMED
@given(starts, counts)
def test_r2_due_is_a_working_day_and_counts_exactly_n(day0: date, n: int) -> None:
    due = NORMAL.due(day0, n)
    assert NORMAL.is_working_day(due.due)
    assert len(due.counted) == n
    assert due.counted[-1] == due.due


@UNTIMED
@given(starts, counts)
def test_r2_counted_and_skipped_are_every_day_after_day_zero(day0: date, n: int) -> None:
    due = NORMAL.due(day0, n)
    every = sorted([*due.counted, *(skip.date for skip in due.skipped)])
    assert every == [day0 + timedelta(days=i) for i in range(1, (due.due - day0).days + 1)]
    assert all(NORMAL.is_working_day(day) for day in due.counted)
    assert all(NORMAL.why_not(skip.date) == skip.reason for skip in due.skipped)


@UNTIMED
@given(starts, st.integers(0, 30), counts)
def test_r2_a_later_start_is_never_due_earlier(day0: date, later: int, n: int) -> None:
    assert NORMAL.due(day0, n).due <= NORMAL.due(day0 + timedelta(days=later), n).due


@UNTIMED
@given(starts, counts)
def test_r2_more_days_are_due_later(day0: date, n: int) -> None:
    assert NORMAL.due(day0, n).due < NORMAL.due(day0, n + 1).due


@UNTIMED
@given(starts, counts, counts)
def test_r7_counting_in_two_steps_is_counting_at_once(day0: date, first: int, more: int) -> None:
    assert NORMAL.due(NORMAL.due(day0, first).due, more).due == NORMAL.due(day0, first + more).due


@UNTIMED
@given(starts, st.integers(0, 40))
def test_r4_the_strict_switch_never_gives_a_later_date(day0: date, n: int) -> None:
    assert STRICT.due(day0, n).due <= NORMAL.due(day0, n).due


@UNTIMED
@given(starts)
def test_k20_shift_gives_a_working_day_and_changes_nothing_the_second_time(day: date) -> None:
    moved = NORMAL.shift(day).due
    assert NORMAL.is_working_day(moved)
    assert moved >= day
    assert NORMAL.shift(moved).due == moved


@UNTIMED
@given(st.integers(2025, 2027), st.integers(1, 11), st.integers(1, 10))
def test_k18_the_nth_working_day_of_a_month_is_the_nth_of_its_working_days(year: int, month: int, n: int) -> None:
    first = date(year, month, 1)
    found = [day for i in range(31) if NORMAL.is_working_day(day := first + timedelta(days=i))]
    assert NORMAL.nth_working_day_of_month(year, month, n).due == found[n - 1]
