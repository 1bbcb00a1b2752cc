"""What policy and calendar say about a new complaint: its form, its day 0, its due dates. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.installation import Channel, Organisation
from normalizer.complaint import Complaint, Form
from normalizer.completeness import DocumentRules
from normalizer.message import Message
from tickets.calendar import CalendarMissing, Due, wib_date
from tickets.deadlines import Case, deadlines
from tickets.deadlines_explain import explain
from tickets.model import Ticket
from tickets.policy import Policy

#: A day's messages fall into some dozens of cases; this many are remembered for each organisation.
_REMEMBERED = 1_000


class Promise(Struct, frozen=True, kw_only=True):
    """The due dates of one complaint, as stored with its ticket."""

    first_response: date | None
    resolve_earliest: date | None
    resolve: date | None
    explained: Mapping[str, Any]
    #: Set when a clock runs into a year without a calendar: a person must add the file, the complaint is kept.
    problem: str | None = None


def document_rules(policy: Policy) -> DocumentRules:
    """The policy's document list in the normalizer's words."""
    rule = policy.documents
    return DocumentRules(
        listed=tuple(rule.list),
        required_when=dict(rule.required_when or {}),
        on_request_only=bool(rule.on_request_only),
    )


def form_of(policy: Policy, channel: Channel, message: Message) -> Form:
    """Oral or written: what the policy says of the channel, else what the provider's facts say (G6, G13)."""
    rule = policy.channel_rule(message.channel)
    if rule is not None:
        return rule.form
    return "written" if channel.spec.facts.of(message.channel).counts_as_written.value else "oral"


def day_zero(organisation: Organisation, channel: str, form: Form, received_at: datetime) -> date:
    """The effective received date (R5); the WIB date of arrival where no calendar covers the year."""
    try:
        return organisation.calendar.effective_received_date(received_at, organisation.policy.hours_of(channel), form)
    except CalendarMissing:
        return wib_date(received_at)


def opened(complaint: Complaint, promised: Promise, code_hash: str, now: datetime) -> Ticket:
    """The ticket of a new complaint with what was promised; `code_hash` is that of its access code, `now` UTC."""
    return Ticket(
        ticket_number=complaint.ticket_number,
        complaint_id=complaint.complaint_id,
        organisation=complaint.tenant,
        tier=complaint.assessment.tier,
        opened_at=complaint.received_at,
        updated_at=now,
        first_response_due=promised.first_response,
        resolve_earliest=promised.resolve_earliest,
        resolve_due=promised.resolve,
        deadlines=promised.explained,
        policy_id=complaint.policy_id,
        policy_version=complaint.policy_version,
        calendar_version=complaint.calendar_version,
        access_code_hash=code_hash,
    )


def started(ticket: Ticket, promised: Promise, now: datetime) -> Ticket | None:
    """The ticket with the dates of clocks that have started since; None when no new one has.

    A date that was promised is never moved here (R6): only what had no date gets one.
    """
    first = ticket.first_response_due or promised.first_response
    resolve = ticket.resolve_due or promised.resolve
    if (first, resolve) == (ticket.first_response_due, ticket.resolve_due):
        return None
    return replace(
        ticket,
        first_response_due=first,
        resolve_due=resolve,
        resolve_earliest=ticket.resolve_earliest or promised.resolve_earliest,
        deadlines=promised.explained,
        updated_at=now,
    )


def dates_of(ticket: Ticket) -> dict[str, str]:
    """The promised dates of a ticket, for the audit log."""
    dates = {"first_response_due": ticket.first_response_due, "resolve_due": ticket.resolve_due}
    return {name: day.isoformat() for name, day in dates.items() if day is not None}


def promise(organisation: Organisation, complaint: Complaint, as_of: datetime | None = None) -> Promise:
    """Every clock of a complaint, explained; with a problem instead of dates where a calendar file is missing.

    With `as_of`, documents that nobody asked for in time count as complete (G7). What the organisation promised for the
    same case is remembered: of each moment the clocks use only the WIB date, once day 0 is known (R1, R5).
    """
    policy, calendar, assessed = organisation.policy, organisation.calendar, complaint.assessment
    channel, received_at = complaint.channel, complaint.received_at
    try:
        received = calendar.effective_received_date(received_at, policy.hours_of(channel), policy.form_of(channel))
    except CalendarMissing as error:
        return _unknown(error)
    complete_at = complaint.documents_complete_at
    same = (
        received,
        complaint.form,
        complaint.kind,
        assessed.tier,
        assessed.severity,
        assessed.urgency,
        assessed.has_documents,
        None if complete_at is None else wib_date(complete_at),
        None if as_of is None else wib_date(as_of),
    )
    known = organisation.promised.get(same)
    if known is None:
        known = _promise(organisation, complaint, as_of)
        if len(organisation.promised) >= _REMEMBERED:
            organisation.promised.clear()
        organisation.promised[same] = known
    return known


def _promise(organisation: Organisation, complaint: Complaint, as_of: datetime | None) -> Promise:
    case = Case(
        channel=complaint.channel,
        received_at=complaint.received_at,
        form=complaint.form,
        kind=complaint.kind,
        tier=complaint.assessment.tier,
        severity=complaint.assessment.severity,
        urgency=complaint.assessment.urgency,
        has_documents=complaint.assessment.has_documents,
        documents_complete_at=complaint.documents_complete_at,
    )
    try:
        found = deadlines(organisation.policy, organisation.calendar, case, as_of)
    except CalendarMissing as error:
        return _unknown(error)
    return Promise(
        first_response=found.first_response.due if isinstance(found.first_response, Due) else None,
        resolve_earliest=found.resolve.earliest,
        resolve=found.resolve.due,
        explained=explain(found),
    )


def _unknown(error: CalendarMissing) -> Promise:
    return Promise(
        first_response=None,
        resolve_earliest=None,
        resolve=None,
        explained={"problem": str(error)},
        problem=str(error),
    )
