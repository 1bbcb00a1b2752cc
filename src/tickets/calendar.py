"""Working days of one institution, counted so that every date can be explained.

All dates are WIB dates (UTC+7, no daylight saving time). Pure: no file, no clock.
Rules R1 to R5 are explained in docs/develop/deadlines.md.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, timezone
from typing import Literal, Protocol

from normalizer.complaint import Form

WIB = timezone(timedelta(hours=7), "WIB")
ONE_DAY = timedelta(days=1)

DayKind = Literal["holiday", "joint_leave"]
JointLeave = Literal["non_working", "working"]
ReasonKind = Literal["weekend", "holiday", "joint_leave", "operator", "paused"]


class CalendarMissing(LookupError):
    """A date lies in a year that no calendar file covers; the message names the file to add."""

    def __init__(self, calendar: str, year: int, years: tuple[int, ...]) -> None:
        known = ", ".join(map(str, years)) or "none"
        super().__init__(
            f"no holidays are known for {year}: add a calendar file for that year"
            f" (config/calendars/id-{year}.yaml with `calendar: {calendar}`); years known: {known}"
        )
        self.calendar = calendar
        self.year = year


class OfficeHours(Protocol):
    """Opening time (inclusive) and closing time (exclusive) on working days, WIB."""

    @property
    def open(self) -> time: ...
    @property
    def close(self) -> time: ...


@dataclass(frozen=True, slots=True)
class Holiday:
    """One named day of a published calendar; `estimated` when its date may still move."""

    date: date
    name: str
    kind: DayKind
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """The published holidays and joint leave of one year, with the version and source of the list."""

    calendar: str
    year: int
    version: str
    source: str
    read_on: date
    days: tuple[Holiday, ...]


@dataclass(frozen=True, slots=True)
class NonWorking:
    """Why a day does not count."""

    kind: ReasonKind
    name: str
    estimated: bool = False

    def __str__(self) -> str:
        return f"{self.name} (perkiraan, estimated)" if self.estimated else self.name


@dataclass(frozen=True, slots=True)
class Skipped:
    """A day that was passed over, and why."""

    date: date
    reason: NonWorking


@dataclass(frozen=True, slots=True)
class Due:
    """The last day of a clock: late means after the end of `due` (R2); `counted` and `skipped` explain it."""

    start: date
    days: int
    due: date
    counted: tuple[date, ...]
    skipped: tuple[Skipped, ...]

    @property
    def estimated(self) -> tuple[Skipped, ...]:
        """The skipped days whose own date is only estimated: the due date may move with them."""
        return tuple(day for day in self.skipped if day.reason.estimated)

    def is_late(self, event: datetime) -> bool:
        """True when the instant `event` falls on a WIB date after the due date."""
        return wib_date(event) > self.due


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working days: weekdays minus holidays, joint leave (if so configured) and the operator's own days (R3, R4)."""

    name: str
    years: tuple[CalendarYear, ...]
    weekend: frozenset[int] = frozenset({5, 6})  # date.weekday(): Monday is 0
    joint_leave: JointLeave = "non_working"
    extra: tuple[tuple[date, str], ...] = ()
    version: str = field(init=False)
    _off: dict[date, NonWorking] = field(init=False, repr=False, compare=False)
    _known: frozenset[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.weekend) >= 7:
            raise ValueError("a calendar needs at least one working weekday")
        years = tuple(sorted(self.years, key=lambda year: year.year))
        known = [year.year for year in years]
        if len(set(known)) != len(known):
            raise ValueError(f"calendar {self.name}: one file per year, got years {known}")
        off = {day: NonWorking("operator", f"operator day: {name}") for day, name in self.extra}
        for year in years:
            for day in year.days:
                if day.kind == "joint_leave" and self.joint_leave == "working":
                    continue
                off[day.date] = NonWorking(day.kind, day.name, day.estimated)
        object.__setattr__(self, "years", years)
        object.__setattr__(self, "extra", tuple(sorted(self.extra)))
        object.__setattr__(self, "version", self._version())
        object.__setattr__(self, "_off", off)
        object.__setattr__(self, "_known", frozenset(known))

    def knows(self, day: date) -> bool:
        """True when the holidays of that year are known."""
        return day.year in self._known

    def guessed(self) -> Calendar:
        """The same calendar with some more years in which nothing is known but weekends: to see what reaches there."""
        last = max(self._known, default=date.max.year)
        more = tuple(
            CalendarYear(self.name, last + n, "unknown", "", date.min, ())
            for n in (1, 2, 3)
            if last + n <= date.max.year
        )
        return replace(self, years=(*self.years, *more))

    def is_working_day(self, day: date) -> bool:
        """True when `day` counts (R3). Raises CalendarMissing outside the loaded years."""
        return self.why_not(day) is None

    def why_not(self, day: date) -> NonWorking | None:
        """Why `day` does not count, or None for a working day. Raises CalendarMissing outside the loaded years."""
        if day.year not in self._known:
            raise CalendarMissing(self.name, day.year, tuple(sorted(self._known)))
        if day.weekday() in self.weekend:
            return NonWorking("weekend", "weekend")
        return self._off.get(day)

    def due(self, day0: date, n: int) -> Due:
        """The end of working day `n` after `day0`; day 1 is the next working day, `n` 0 is `day0` itself (R2)."""
        if n < 0:
            raise ValueError("working days to count cannot be negative")
        last, left = day0, n
        while left:
            last += ONE_DAY
            left -= self.is_working_day(last)
        return self.until(day0, last)

    def until(self, day0: date, last: date) -> Due:
        """The days after `day0` up to the given last day, counted and skipped."""
        counted: list[date] = []
        skipped: list[Skipped] = []
        for ordinal in range(day0.toordinal() + 1, last.toordinal() + 1):
            day = date.fromordinal(ordinal)
            reason = self.why_not(day)
            if reason is None:
                counted.append(day)
            else:
                skipped.append(Skipped(day, reason))
        return Due(day0, len(counted), last, tuple(counted), tuple(skipped))

    def nth_working_day_of_month(self, year: int, month: int, n: int) -> Due:
        """The `n`-th working day counted from the first of a month, for n >= 1 (K18)."""
        if n < 1:
            raise ValueError("the first working day of a month is number 1")
        return self.due(date(year, month, 1) - ONE_DAY, n)

    def shift(self, day: date) -> Due:
        """`day` itself when it is a working day, else the next one, with the days passed over (K20)."""
        skipped: list[Skipped] = []
        moved = day
        while (reason := self.why_not(moved)) is not None:
            skipped.append(Skipped(moved, reason))
            moved += ONE_DAY
        return Due(day, 0, moved, (), tuple(skipped))

    def effective_received_date(self, instant: datetime, hours: OfficeHours | None, form: Form) -> date:
        """Day 0 of a complaint (R5): the WIB date of arrival, also on a Saturday or holiday, unless it was spoken.

        An oral complaint outside [open, close) or on a day that is not a working day counts as received on the next
        working day; so does a call before opening time on a working day. Without published hours nothing moves.
        """
        arrived = wib_date(instant)
        if form == "written" or hours is None:
            return arrived
        clock = instant.astimezone(WIB).time()
        if self.is_working_day(arrived) and hours.open <= clock < hours.close:
            return arrived
        return self.due(arrived, 1).due

    def _version(self) -> str:
        content = [
            sorted(self.weekend),
            self.joint_leave,
            [(day.isoformat(), name) for day, name in self.extra],
            [
                (year.year, year.version, [(d.date.isoformat(), d.name, d.kind, d.estimated) for d in year.days])
                for year in self.years
            ],
        ]
        digest = hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:12]
        files = "+".join(f"{year.year}.{year.version}" for year in self.years)
        return f"{self.name}:{files}:{digest}"


def wib_date(instant: datetime) -> date:
    """The WIB date of an instant (R1). Raises ValueError for a time without an offset: its date would be a guess."""
    if instant.tzinfo is None or instant.utcoffset() is None:
        raise ValueError("a time without an offset has no WIB date")
    return instant.astimezone(WIB).date()
