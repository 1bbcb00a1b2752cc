"""When a periodic report is due (K18, K20)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from tickets.calendar import Calendar, Due
from tickets.policy_clocks import ReportRule

_PERIOD = re.compile(r"(?P<year>[0-9]{4})-(?:Q(?P<quarter>[1-4])|(?P<month>0[1-9]|1[0-2]))")


@dataclass(frozen=True, slots=True)
class Period:
    """A calendar month or quarter, WIB."""

    kind: Literal["month", "quarter"]
    first: date

    @classmethod
    def parse(cls, text: str) -> Period:
        """The period written as 2026-02 or 2026-Q1. Raises ValueError for anything else."""
        match = _PERIOD.fullmatch(text)
        if match is None:
            raise ValueError("a period is written as 2026-02 (month) or 2026-Q1 (quarter)")
        year = int(match["year"])
        if match["quarter"]:
            return cls("quarter", date(year, 3 * int(match["quarter"]) - 2, 1))
        return cls("month", date(year, int(match["month"]), 1))

    @property
    def after(self) -> date:
        """The first day after the period."""
        months = self.first.month - 1 + (1 if self.kind == "month" else 3)
        return date(self.first.year + months // 12, months % 12 + 1, 1)

    @property
    def last(self) -> date:
        """The last day of the period."""
        return self.after - timedelta(days=1)

    def __str__(self) -> str:
        if self.kind == "month":
            return f"{self.first:%Y-%m}"
        return f"{self.first.year}-Q{(self.first.month + 2) // 3}"


def report_due(report: ReportRule, period: Period, calendar: Calendar) -> Due | None:
    """When the report on a period is due, None when the institution states no date (A23).

    Raises ValueError when the report is made for another kind of period.
    """
    if report.due is None or report.period is None:
        return None
    if report.period != period.kind:
        raise ValueError(f"report {report.id} is made for each {report.period}, not for {period}")
    month = period.after
    if report.due.working_day is not None:
        return calendar.nth_working_day_of_month(month.year, month.month, report.due.working_day)
    assert report.due.day_of_month is not None
    day = month.replace(day=report.due.day_of_month)
    return calendar.shift(day) if report.due.shift else Due(day, 0, day, (), ())
