"""Calendar files (config/calendars/*.yaml) become calendar years, and a policy's calendar rule a calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tickets.calendar import Calendar, CalendarYear, DayKind, Holiday
from tickets.policy import CalendarRule
from tickets.yaml_lines import Document, InvalidFile, Problem, Read, load_model, read_document

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class DayRow(BaseModel):
    """One row of a calendar file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    date: date
    name: Annotated[str, Field(min_length=1)]
    kind: DayKind
    estimated: bool = False


class CalendarFile(BaseModel):
    """One calendar file: a year of a named calendar with the source of its rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    calendar: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", description="the name that policies refer to")]
    year: Annotated[int, Field(ge=1946, le=9999)]
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+$", description="raise it with every change of a row")]
    source: Annotated[str, Field(min_length=1)]
    read_on: date
    days: tuple[DayRow, ...]


def load_calendar_year(path: Path, read: Read = read_document) -> CalendarYear:
    """The year of one calendar file. Raises InvalidFile with all problems at once."""
    document = read(path)
    file = load_model(document, CalendarFile)
    problems = _row_problems(document, file)
    if problems:
        raise InvalidFile(problems)
    days = tuple(Holiday(row.date, row.name, row.kind, row.estimated) for row in file.days)
    return CalendarYear(file.calendar, file.year, file.version, file.source, file.read_on, days)


def load_calendar_years(folder: Path, read: Read = read_document) -> tuple[CalendarYear, ...]:
    """Every calendar year in a folder. Raises InvalidFile with the problems of all files, or when there is no file."""
    years: dict[tuple[str, int], CalendarYear] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            year = load_calendar_year(path, read)
        except InvalidFile as error:
            problems += error.problems
            continue
        if (year.calendar, year.year) in years:
            problems.append(
                Problem(str(path), None, "year", f"{year.calendar} {year.year} is given by another file too")
            )
        years[year.calendar, year.year] = year
    if not years and not problems:
        problems.append(
            Problem(str(folder), None, "", "holds no calendar file: add one per year, such as id-2026.yaml")
        )
    if problems:
        raise InvalidFile(problems)
    return tuple(years.values())


def calendar_for(rule: CalendarRule, years: Sequence[CalendarYear]) -> Calendar:
    """The calendar that a policy asks for. Raises LookupError when no file carries the name it refers to."""
    chosen = tuple(year for year in years if year.calendar == rule.holidays)
    if not chosen:
        names = ", ".join(sorted({year.calendar for year in years})) or "none"
        raise LookupError(f"no calendar file is named {rule.holidays!r}; calendars known: {names}")
    return Calendar(
        name=rule.holidays,
        years=chosen,
        weekend=frozenset(WEEKDAYS.index(day) for day in rule.weekend),
        joint_leave=rule.joint_leave,
        extra=tuple((day.date, day.name) for day in rule.extra_holidays),
    )


def _row_problems(document: Document, file: CalendarFile) -> list[Problem]:
    problems: list[Problem] = []
    seen: set[date] = set()
    for index, row in enumerate(file.days):
        key = ("days", index, "date")
        if row.date.year != file.year:
            problems.append(document.problem(key, f"lies outside {file.year}: move it to the file of its year"))
        if row.date in seen:
            problems.append(document.problem(key, "this date stands here twice: keep one row"))
        seen.add(row.date)
    return problems
