"""From a complaint with its ticket to the facts that a report counts: day by day as the institution promised. Pure."""

from __future__ import annotations

from datetime import date

from normalizer.complaint import Complaint, Kind, Tier
from tickets.calendar import wib_date
from tickets.deadlines import Case, track_for
from tickets.lifecycle_values import Rules, Standing
from tickets.model import Ticket
from tickets.policy_clocks import ExtendRule, ResolveClock
from tickets.reports_values import SETTLED, Fact


class Reader:
    """Makes facts by one policy and calendar; days that were counted once are remembered."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._standards: dict[tuple[Kind, Tier, str, str], tuple[ResolveClock, ExtendRule | None]] = {}
        self._days: dict[tuple[date, date], int] = {}

    def fact(self, standing: Standing) -> Fact:
        """The facts of one ticket. Raises CalendarMissing for days in a year without a calendar file."""
        complaint, ticket = standing.complaint, standing.ticket
        outcome, extensions = complaint.outcome, ticket.life.extensions
        clock, extend = self._standard(complaint, ticket)
        start = _start(clock, complaint, ticket)
        settled = _settled(complaint, ticket)
        longer: int | None = None
        if extensions and extend is not None and extend.days is not None:
            longer = clock.days + extend.days * (extend.times or len(extensions))
        return Fact(
            number=ticket.ticket_number,
            state=ticket.state,
            kind=complaint.kind,
            channel=complaint.channel,
            form=complaint.form,
            role=complaint.complainant.role,
            tier=ticket.tier,
            product=_named(complaint.product),
            sub_product=_named(complaint.sub_product),
            category=complaint.category or None,
            issue=complaint.issue or None,
            cause=outcome.root_cause,
            received=wib_date(complaint.received_at),
            counted_from=start,
            answered=wib_date(complaint.first_response_at) if complaint.first_response_at else None,
            answer_due=ticket.first_response_due,
            settled=settled,
            settle_due=ticket.resolve_due,
            extended=bool(extensions),
            days=None if settled is None else self._counted(start, settled),
            allowed=clock.days,
            allowed_longer=longer,
            longer_until=max((each.new_due for each in extensions), default=None) if longer is None else None,
            finding=outcome.finding,
            resolution_type=outcome.resolution_type,
            forum=outcome.external_forum,
            compensation_idr=outcome.compensation_idr,
            timely=outcome.timely,
        )

    def _standard(self, complaint: Complaint, ticket: Ticket) -> tuple[ResolveClock, ExtendRule | None]:
        """The promise for a written complaint of this sort: the bands of a report know no other.

        Where a forum sets the time (K12) the promise for one unit measures it: the form has no row for forums.
        """
        assessed = complaint.assessment
        key = (complaint.kind, ticket.tier, assessed.severity, assessed.urgency)
        found = self._standards.get(key)
        if found is None:
            for tier in (ticket.tier, "single_unit"):
                case = Case(
                    channel=complaint.channel,
                    received_at=complaint.received_at,
                    form="written",
                    kind=complaint.kind,
                    tier=tier,
                    severity=assessed.severity,
                    urgency=assessed.urgency,
                    has_documents=True,
                )
                track = track_for(self._rules.policy, case)
                if track.resolve != "forum":
                    found = track.resolve, track.extend
                    break
            else:
                raise LookupError(f"policy {self._rules.policy.id} states no time for written complaints of one unit")
            self._standards[key] = found
        return found

    def _counted(self, start: date, settled: date) -> int:
        """The number of the working day after `start` (R2); looks at no day after `settled`, so at no later year."""
        if settled <= start:
            return 0
        found = self._days.get((start, settled))
        if found is None:
            calendar = self._rules.calendar
            between = (date.fromordinal(day) for day in range(start.toordinal() + 1, settled.toordinal()))
            found = self._days[start, settled] = 1 + sum(map(calendar.is_working_day, between))
        return found


def _start(clock: ResolveClock, complaint: Complaint, ticket: Ticket) -> date:
    """Day 0: the event that the promise counts from; receipt while that has not happened; anew once it is written."""
    event = {
        "documents_complete": complaint.documents_complete_at,
        "first_response": complaint.first_response_at,
    }.get(clock.from_)
    moments = [moment for moment in (event, ticket.life.written_since) if moment is not None]
    return max([complaint.effective_received_date, *map(wib_date, moments)])


def _named(typed: str | None) -> str | None:
    """What somebody typed as a product, in one line; a dash or a star names none."""
    words = " ".join((typed or "").split())
    return words if any(sign.isalnum() for sign in words) else None


def _settled(complaint: Complaint, ticket: Ticket) -> date | None:
    """The day it was closed; never before it arrived, however the clocks of two providers stood."""
    if ticket.state not in SETTLED:
        return None
    moment = ticket.closed_at or complaint.closed_at or complaint.resolved_at or ticket.updated_at
    return max(wib_date(moment), wib_date(complaint.received_at))
