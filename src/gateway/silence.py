"""How improbable it is that nobody wrote: what tells a broken webhook from a quiet evening. Pure.

A provider that has dropped our subscription says nothing at all (sheets A0.7, A6). So a channel's silence is judged by
its own past: for each hour of the day, apart for working days and others, how often at least one delivery came in that
hour. Deliveries come in bursts; whether an hour had any is steadier than how many it had.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta

from tickets.calendar import WIB, wib_date

#: How far the past is looked at.
HISTORY = timedelta(days=28)
#: A silence that comes less often by itself is an alarm: about once a year and channel when judged every hour.
IMPROBABLE = 1e-4
#: Days of its kind that an hour must have been seen on before it says anything.
_LEAST_DAYS = 5
_HOUR = timedelta(hours=1)

Hour = tuple[date, int]


def hour_of(moment: datetime) -> Hour:
    """The WIB date and hour of a moment."""
    return wib_date(moment), moment.astimezone(WIB).hour


def probability(
    heard: Collection[Hour], last: datetime, now: datetime, is_working_day: Callable[[date], bool], first: datetime
) -> float:
    """How probable it is that nothing came in the whole hours between `last` and `now`, in (0, 1].

    `heard` are the hours in which something came, `first` the beginning of what is known. Hours that were seen on too
    few days say nothing.
    """
    hours = _whole_hours(last, now)
    if not hours:
        return 1.0
    days = _days(max(first, now - HISTORY), last)
    seen: dict[tuple[bool, int], float] = {}
    found = 1.0
    for day, hour in hours:
        kind = (is_working_day(day), hour)
        if kind not in seen:
            alike = [each for each in days if is_working_day(each) is kind[0]]
            came = sum((each, hour) in heard for each in alike)
            # Jeffreys' prior: an hour that always had something still may have nothing.
            seen[kind] = 1.0 if len(alike) < _LEAST_DAYS else 1.0 - (came + 0.5) / (len(alike) + 1.0)
        found *= seen[kind]
    return found


def _whole_hours(last: datetime, now: datetime) -> list[Hour]:
    """The whole hours within a span, of the last four weeks at most."""
    start = max(last, now - HISTORY).astimezone(WIB).replace(minute=0, second=0, microsecond=0) + _HOUR
    hours: list[Hour] = []
    while start + _HOUR <= now:
        hours.append((start.date(), start.hour))
        start += _HOUR
    return hours


def _days(first: datetime, last: datetime) -> list[date]:
    """The whole WIB days between two moments."""
    start, end = wib_date(first), wib_date(last)
    return [start + timedelta(days=n) for n in range(1, (end - start).days)]
