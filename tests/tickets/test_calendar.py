"""R1 to R5: which days count, and what day 0 is. Expected dates were worked out by hand from the holiday lists."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import pytest

from tickets.calendar import WIB, Calendar, CalendarMissing, CalendarYear, Holiday, wib_date
from tickets.calendar_load import load_calendar_years

ROOT = Path(__file__).parents[2]
YEARS = load_calendar_years(ROOT / "config" / "calendars")
NORMAL = Calendar("id_national", YEARS)
STRICT = Calendar("id_national", YEARS, joint_leave="working")


class Hours(NamedTuple):
    open: time
    close: time


OFFICE = Hours(time(9), time(17))

HOLIDAYS = {
    2025: {1: [1, 27, 29], 3: [29, 31], 4: [1, 18, 20], 5: [1, 12, 29], 6: [1, 6, 27], 8: [17], 9: [5], 12: [25]},
    2026: {1: [1, 16], 2: [17], 3: [19, 21, 22], 4: [3, 5], 5: [1, 14, 27, 31], 6: [1, 16], 8: [17, 25], 12: [25]},
    2027: {
        1: [1, 5],
        2: [6],
        3: [8, 10, 11, 26, 28],
        5: [1, 6, 17, 20],
        6: [1, 6],
        8: [15, 17],
        12: [25, 26],
    },
}
JOINT_LEAVE = {
    2025: {1: [28], 3: [28], 4: [2, 3, 4, 7], 5: [13, 30], 6: [9], 8: [18], 12: [26]},
    2026: {2: [16], 3: [18, 20, 23, 24], 5: [15, 28], 12: [24]},
    2027: {2: [5], 3: [9, 12, 15, 25], 5: [18, 19], 12: [24]},
}
ESTIMATED = {date(2027, 3, 10), date(2027, 3, 11), date(2027, 5, 17)}


def days(year: int, table: dict[int, dict[int, list[int]]]) -> set[date]:
    return {date(year, month, day) for month, numbers in table[year].items() for day in numbers}


@pytest.mark.parametrize("year", YEARS, ids=lambda year: str(year.year))
def test_r3_the_shipped_calendars_hold_exactly_the_published_days(year: CalendarYear) -> None:
    assert {day.date for day in year.days if day.kind == "holiday"} == days(year.year, HOLIDAYS)
    assert {day.date for day in year.days if day.kind == "joint_leave"} == days(year.year, JOINT_LEAVE)
    assert {day.date for day in year.days if day.estimated} == {day for day in ESTIMATED if day.year == year.year}
    assert year.calendar == "id_national"
    assert year.source
    assert all(day.name for day in year.days)


def test_the_shipped_calendars_cover_three_years() -> None:
    assert [year.year for year in YEARS] == [2025, 2026, 2027]


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2026, 1, 5), None),
        (date(2026, 1, 10), "weekend"),
        (date(2026, 1, 11), "weekend"),
        (date(2026, 1, 16), "Isra Mikraj Nabi Muhammad"),
        (date(2026, 2, 16), "Cuti Bersama Tahun Baru Imlek"),
        (date(2026, 3, 21), "weekend"),
        (date(2027, 3, 10), "Hari Raya Idul Fitri (perkiraan, estimated)"),
    ],
)
def test_r3_why_a_day_does_not_count(day: date, reason: str | None) -> None:
    why = NORMAL.why_not(day)
    assert (None if why is None else str(why)) == reason
    assert NORMAL.is_working_day(day) is (reason is None)


def test_r3_no_substitute_day_when_a_holiday_falls_on_a_weekend() -> None:
    assert date(2025, 8, 17).weekday() == 6
    assert STRICT.is_working_day(date(2025, 8, 18))


def test_r3_operator_days_count_as_holidays_and_change_the_version() -> None:
    regional = Calendar("id_national", YEARS, extra=((date(2026, 1, 7), "Pilkada DKI Jakarta"),))
    due = regional.due(date(2026, 1, 5), 3)
    assert due.due == date(2026, 1, 9)
    assert [(skip.date, str(skip.reason)) for skip in due.skipped] == [
        (date(2026, 1, 7), "operator day: Pilkada DKI Jakarta")
    ]
    assert regional.version != NORMAL.version


def test_r4_joint_leave_is_a_switch() -> None:
    assert not NORMAL.is_working_day(date(2026, 3, 18))
    assert STRICT.is_working_day(date(2026, 3, 18))
    assert NORMAL.version != STRICT.version


def test_r6_the_version_names_the_files_and_changes_with_their_content() -> None:
    assert NORMAL.version.startswith("id_national:2025.2+2026.1+2027.1:")
    assert Calendar("id_national", YEARS).version == NORMAL.version
    assert Calendar("id_national", tuple(reversed(YEARS))).version == NORMAL.version
    assert before_august_2025().version != NORMAL.version


def before_august_2025() -> Calendar:
    first = YEARS[0]
    kept = tuple(day for day in first.days if day.date != date(2025, 8, 18))
    changed = CalendarYear(first.calendar, first.year, "1", first.source, first.read_on, kept)
    return Calendar("id_national", (changed, *YEARS[1:]))


def test_r6_case_13_the_day_added_on_7_august_2025_moves_the_date() -> None:
    after = NORMAL.due(date(2025, 8, 14), 2)
    assert after.due == date(2025, 8, 19)
    assert after.counted == (date(2025, 8, 15), date(2025, 8, 19))
    assert before_august_2025().due(date(2025, 8, 14), 2).due == date(2025, 8, 18)


@pytest.mark.parametrize("day", [date(2028, 1, 3), date(2024, 12, 31)])
def test_a_year_without_a_calendar_is_an_error_that_names_the_file(day: date) -> None:
    with pytest.raises(CalendarMissing, match=rf"config/calendars/id-{day.year}\.yaml"):
        NORMAL.is_working_day(day)


def test_a_due_date_never_counts_into_a_year_without_a_calendar() -> None:
    assert NORMAL.due(date(2027, 12, 29), 2).due == date(2027, 12, 31)
    with pytest.raises(CalendarMissing, match=r"id-2028\.yaml"):
        NORMAL.due(date(2027, 12, 29), 3)


def test_estimated_holidays_that_were_skipped_are_reported() -> None:
    due = NORMAL.due(date(2027, 3, 5), 2)
    assert due.due == date(2027, 3, 17)
    assert [skip.date for skip in due.estimated] == [date(2027, 3, 10), date(2027, 3, 11)]
    assert NORMAL.due(date(2026, 3, 2), 20).estimated == ()


def test_r2_zero_days_is_day_zero_and_negative_days_are_refused() -> None:
    assert NORMAL.due(date(2026, 1, 10), 0).due == date(2026, 1, 10)
    with pytest.raises(ValueError, match="negative"):
        NORMAL.due(date(2026, 1, 10), -1)


def test_k18_the_tenth_working_day_of_a_month() -> None:
    assert NORMAL.nth_working_day_of_month(2026, 1, 10).due == date(2026, 1, 15)
    with pytest.raises(ValueError, match="number 1"):
        NORMAL.nth_working_day_of_month(2026, 1, 0)


def test_k20_shift_moves_to_the_next_working_day_and_says_over_what() -> None:
    moved = NORMAL.shift(date(2026, 1, 10))
    assert moved.due == date(2026, 1, 12)
    assert [skip.date for skip in moved.skipped] == [date(2026, 1, 10), date(2026, 1, 11)]
    assert NORMAL.shift(date(2026, 4, 10)).due == date(2026, 4, 10)


def wib(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WIB)


@pytest.mark.parametrize(
    ("arrived", "day0"),
    [
        ("2026-01-12T09:00", date(2026, 1, 12)),  # opening time is inside
        ("2026-01-12T16:59:59", date(2026, 1, 12)),
        ("2026-01-12T17:00", date(2026, 1, 13)),  # closing time is outside
        ("2026-01-12T08:59:59", date(2026, 1, 13)),  # before opening counts as the next working day too
        ("2026-01-10T10:00", date(2026, 1, 12)),  # case 5: Saturday
        ("2026-01-16T10:00", date(2026, 1, 19)),  # holiday
        ("2026-01-15T17:30", date(2026, 1, 19)),  # evening before a holiday
        ("2026-03-17T20:00", date(2026, 3, 25)),  # evening before the Eid joint leave
    ],
)
def test_r5_a_call_outside_hours_counts_from_the_next_working_day(arrived: str, day0: date) -> None:
    assert NORMAL.effective_received_date(wib(arrived), OFFICE, "oral") == day0


@pytest.mark.parametrize("arrived", ["2026-01-10T10:00", "2026-01-16T23:59", "2026-01-12T05:00"])
def test_r5_written_complaints_and_calls_without_published_hours_count_from_the_day_they_arrive(arrived: str) -> None:
    moment = wib(arrived)
    assert NORMAL.effective_received_date(moment, OFFICE, "written") == moment.date()
    assert NORMAL.effective_received_date(moment, None, "oral") == moment.date()


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 1, 15, 16, 59, 59, tzinfo=UTC), date(2026, 1, 15)),
        (datetime(2026, 1, 15, 17, 0, tzinfo=UTC), date(2026, 1, 16)),
        (datetime(2026, 1, 16, 0, 30, tzinfo=timezone(timedelta(hours=8), "WITA")), date(2026, 1, 15)),
        (datetime(2026, 1, 16, 1, 59, tzinfo=timezone(timedelta(hours=9), "WIT")), date(2026, 1, 15)),
        (datetime(2026, 1, 16, 2, 0, tzinfo=timezone(timedelta(hours=9), "WIT")), date(2026, 1, 16)),
        (datetime(2026, 7, 15, 17, 0, tzinfo=UTC), date(2026, 7, 16)),  # no daylight saving time
    ],
)
def test_r1_p15_every_date_is_a_wib_date(instant: datetime, day: date) -> None:
    assert wib_date(instant) == day


def test_r1_a_time_without_offset_is_refused() -> None:
    naive = wib("2026-01-15T10:00").replace(tzinfo=None)
    with pytest.raises(ValueError, match="without an offset"):
        wib_date(naive)


def test_r2_late_is_after_the_end_of_the_due_day() -> None:
    due = NORMAL.due(date(2026, 1, 5), 3)
    assert not due.is_late(wib("2026-01-08T23:59:59"))
    assert due.is_late(wib("2026-01-09T00:00"))


def test_two_lists_for_one_year_and_a_week_without_working_days_are_refused() -> None:
    with pytest.raises(ValueError, match="one file per year"):
        Calendar("id_national", (YEARS[0], YEARS[0]))
    with pytest.raises(ValueError, match="working weekday"):
        Calendar("id_national", YEARS, weekend=frozenset(range(7)))


def test_a_calendar_is_a_value() -> None:
    assert Calendar("id_national", YEARS) == NORMAL
    assert hash(Calendar("id_national", YEARS)) == hash(NORMAL)
    other = Calendar("x", (CalendarYear("x", 2026, "1", "s", date(2026, 1, 1), ()),))
    assert other.is_working_day(date(2026, 1, 1))
    assert Holiday(date(2026, 1, 1), "n", "holiday") != Holiday(date(2026, 1, 1), "n", "joint_leave")
