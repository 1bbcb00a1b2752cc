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
from tickets.calendar import ONE_DAY, CalendarMissing, wib_date
from tickets.life import Life
from tickets.lifecycle_clocks import opened as filled
from tickets.lifecycle_values import Rules, Standing
from tickets.model import Ticket
from tickets.policy import Policy

#: A day's messages fall into some dozens of cases; this many are remembered for each organisation.
_REMEMBERED = 1_000
#: Of a ticket that no event of its life has touched, and that was promised nothing.
NO_LIFE = Life()


class Promise(Struct, frozen=True, kw_only=True):
    """What is promised for one complaint as it comes in, as stored with its ticket."""

    first_response: date | None = None
    resolve_earliest: date | None = None
    resolve: date | None = None
    explained: Mapping[str, Any]
    #: The promises as they are remembered, and the day on which their clocks must be looked at.
    life: Life = Life()
    look_on: date | None = None
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
        life=promised.life,
        # A date that is missing for want of a calendar is tried again every day.
        look_on=promised.look_on if promised.problem is None else wib_date(now) + ONE_DAY,
    )


def as_asked(before: Complaint, after: Complaint, ticket: Ticket) -> Complaint:
    """The complaint after a further message: what a person asked for in writing only a person calls complete (A12)."""
    if ticket.life.documents_requested_at is None:
        return after
    return replace(
        after, documents_complete_at=before.documents_complete_at, missing_documents=before.missing_documents
    )


def started(organisation: Organisation, complaint: Complaint, ticket: Ticket, now: datetime) -> Ticket | None:
    """The ticket with the dates of clocks that started with a further message; None when no new one did.

    A date that was promised is never moved here (R6): only what had no date gets one.
    """
    promised = promise(organisation, complaint)
    if promised.problem is not None or promised.life.promised.keys() <= ticket.life.promised.keys():
        return None
    if ticket.life == NO_LIFE and ticket.first_response_due is None and ticket.resolve_due is None:
        return replace(
            ticket,
            first_response_due=promised.first_response,
            resolve_earliest=promised.resolve_earliest,
            resolve_due=promised.resolve,
            deadlines=promised.explained,
            life=promised.life,
            look_on=promised.look_on,
            updated_at=now,
        )
    found = filled(rules_of(organisation), Standing(complaint=complaint, ticket=ticket))
    return replace(found, updated_at=now) if dates_of(found) != dates_of(ticket) else None


def dates_of(ticket: Ticket) -> dict[str, str]:
    """The promised dates of a ticket, for the audit log."""
    dates = {"first_response_due": ticket.first_response_due, "resolve_due": ticket.resolve_due}
    return {name: day.isoformat() for name, day in dates.items() if day is not None}


def rules_of(organisation: Organisation) -> Rules:
    """What the organisation promised, and the days that count."""
    return Rules(policy=organisation.policy, calendar=organisation.calendar)


def promise(organisation: Organisation, complaint: Complaint) -> Promise:
    """Every clock of a new complaint, explained; with a problem instead of dates where a calendar file is missing.

    What the organisation promised for the same case is remembered: of each moment the clocks use only the WIB date,
    once day 0 is known (R1, R5).
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
    )
    known = organisation.promised.get(same)
    if known is None:
        known = _promise(organisation, complaint)
        if len(organisation.promised) >= _REMEMBERED:
            organisation.promised.clear()
        organisation.promised[same] = known
    return known


def _promise(organisation: Organisation, complaint: Complaint) -> Promise:
    new = opened(complaint, Promise(explained={}), "", complaint.received_at)
    try:
        ticket = filled(rules_of(organisation), Standing(complaint=_unanswered(complaint), ticket=new))
    except CalendarMissing as error:
        return _unknown(error)
    return Promise(
        first_response=ticket.first_response_due,
        resolve_earliest=ticket.resolve_earliest,
        resolve=ticket.resolve_due,
        explained=ticket.deadlines,
        life=ticket.life,
        look_on=ticket.look_on,
        problem=ticket.deadlines.get("problem"),
    )


def _unanswered(complaint: Complaint) -> Complaint:
    """What is remembered holds for every complaint of the case, also when this one was answered meanwhile."""
    return replace(complaint, first_response_at=None, responded_at=None)


def _unknown(error: CalendarMissing) -> Promise:
    return Promise(explained={"problem": str(error)}, problem=str(error))
