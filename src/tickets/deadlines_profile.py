"""What a regulatory profile would give for one complaint, beside what was promised. It warns and moves no date (D3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from tickets.calendar import Calendar, wib_date
from tickets.deadlines_compute import deadlines, track_for
from tickets.deadlines_values import Case, Deadlines
from tickets.policy import Policy
from tickets.policy_profile import RegulatoryProfile

_NAMES = {"resolve": "penyelesaian / resolution", "documents": "kelengkapan dokumen / documents"}


@dataclass(frozen=True, slots=True)
class ProfileDate:
    """The last day that a profile allows for a clock, and the one that was promised (WIB dates)."""

    profile: str
    clock: Literal["resolve", "documents"]
    due: date
    promised: date

    @property
    def exceeds(self) -> bool:
        """True when the promise lies later than the profile allows: a person should know, nothing more."""
        return self.promised > self.due

    def __str__(self) -> str:
        name, due, promised = _NAMES[self.clock], self.due.isoformat(), self.promised.isoformat()
        if not self.exceeds:
            return f"{self.profile}: {name} {due}"
        return f"{self.profile}: {name} {due}, janji kami lebih lambat / our promise is later: {promised}"


def profile_dates(
    policy: Policy,
    calendar: Calendar,
    profile: RegulatoryProfile,
    case: Case,
    promised: Mapping[str, date],
    as_of: datetime | None = None,
) -> tuple[ProfileDate, ...]:
    """The profile's dates of the clocks in `promised`; none when the policy switched the comparison off.

    Raises CalendarMissing when a date lies in a year without a calendar.
    """
    ref = policy.regulatory_profile
    if ref is None or ref.mode == "off" or ref.id != profile.id:
        return ()
    found = deadlines(policy, calendar, case, as_of)
    return tuple(_dates(policy, calendar, profile, case, promised, found))


def _dates(
    policy: Policy,
    calendar: Calendar,
    profile: RegulatoryProfile,
    case: Case,
    promised: Mapping[str, date],
    found: Deadlines,
) -> Iterator[ProfileDate]:
    resolve = _resolve(policy, calendar, profile, case, found)
    if resolve is not None and "resolve" in promised:
        yield ProfileDate(profile.id, "resolve", resolve, promised["resolve"])
    if found.documents is not None and "documents" in promised:
        window = profile.documents.window
        last = calendar.due(found.documents.window.start, window.days + (window.extend or 0)).due
        yield ProfileDate(profile.id, "documents", last, promised["documents"])


def _resolve(
    policy: Policy, calendar: Calendar, profile: RegulatoryProfile, case: Case, found: Deadlines
) -> date | None:
    """The end of the profile's clock with as many of its extensions as were granted; None while it does not run."""
    if track_for(policy, case).resolve == "forum":
        return None
    form = case.form or policy.form_of(case.channel)
    limit = profile.oral if form == "oral" else profile.written
    start: date | None = found.received
    if limit.from_ == "documents_complete":
        # Where nothing was asked for, nothing was missing.
        start = found.documents_complete or (None if case.documents_requested_at else found.received)
    if start is None:
        return None
    if case.reopened_at is not None:
        start = max(start, wib_date(case.reopened_at))
    granted = min(len(case.extensions), profile.extend.times)
    return calendar.due(start, limit.days + granted * profile.extend.days).due
