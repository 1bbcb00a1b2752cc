"""What happened to a ticket since it was opened, as lines for the desk."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.cli.doing_text import CLOCKS
from gateway.cli.out import wib
from normalizer.complaint import Complaint, Outcome, Representative
from tickets.lifecycle_clocks import running
from tickets.lifecycle_values import Standing
from tickets.model import Ticket


def life_lines(complaint: Complaint, ticket: Ticket) -> Iterator[str]:
    """Level and units, promised dates, documents, answers, extensions, objections, referrals, breaches, requests."""
    life = ticket.life
    if life.revision:
        yield f"  life            revision {life.revision}, level {ticket.level}{_units(life.units)}"
    runs = running(Standing(complaint=complaint, ticket=ticket))
    for clock, promised in sorted(life.promised.items(), key=lambda each: (each[1].due, each[0])):
        calendar = promised.calendar_version
        by = "" if calendar == ticket.calendar_version else f", by the calendar {calendar}"
        stands = "" if clock in runs else ", stopped"
        yield f"  promised        {promised.due}  {CLOCKS.get(clock, clock)}{stands}{by}"
    if life.documents_asked:
        came = [name for name in life.documents_asked if name in life.documents_came]
        yield f"  documents asked {', '.join(life.documents_asked)} ({wib(life.documents_requested_at)})"
        yield f"  documents came  {', '.join(came) or '-'}"
    if life.window_extended_at is not None:
        yield f"  reminded        {wib(life.window_extended_at)}, with the longer window"
    if life.written_since is not None:
        yield f"  written since   {wib(life.written_since)}"
    for extension in life.extensions:
        when = wib(extension.notified_at)
        yield f"  extended        {extension.old_due} -> {extension.new_due}, {extension.ground}, told {when}"
    for answer in life.answers:
        remedies = f", {', '.join(answer.remedies)}" if answer.remedies else ""
        money = f", Rp {answer.compensation_idr}" if answer.compensation_idr is not None else ""
        again = ", after the objection" if answer.after_objection else ""
        yield f"  answered        {wib(answer.at)}  {answer.kind}, {answer.finding}{remedies}{money}{again}"
    if life.implemented_at is not None:
        yield f"  implemented     {wib(life.implemented_at)}"
    for objection in life.objections:
        papers = ", new documents" if objection.new_documents else ""
        yield f"  objected        {wib(objection.received_at)}{papers}, answered {wib(objection.answered_at)}"
    for referral in life.referrals:
        decided = f", decided {wib(referral.decided_at)}" if referral.decided_at else ""
        yield f"  referred        {wib(referral.at)}  {referral.forum} by the {referral.by}{decided}"
    for request in life.personal_data:
        yield f"  personal data   {request.kind}, due {wib(request.due_at)}, answered {wib(request.answered_at)}"
    for mark in life.announced:
        what = "BREACHED" if mark.mark == "breached" else f"{mark.percent}% used"
        yield f"  {what:<15} {wib(mark.at)}  {CLOCKS.get(mark.clock, mark.clock)}, promised {mark.due}"
    if life.reason is not None:
        yield f"  reason          {life.reason}"
    if life.parent is not None:
        yield f"  part of         {life.parent}"
    if life.hold is not None:
        yield f"  LEGAL HOLD      since {wib(life.hold.since)} by {life.hold.by}: {life.hold.reason}"


def outcome_lines(outcome: Outcome) -> Iterator[str]:
    """How it ended, as far as it has."""
    said = (
        outcome.finding,
        outcome.resolution_type,
        outcome.acceptance,
        outcome.relief and f"relief {outcome.relief}",
        outcome.root_cause and f"cause {outcome.root_cause}",
        None if outcome.timely is None else "in time" if outcome.timely else "LATE",
    )
    if any(said):
        yield f"  outcome         {', '.join(each for each in said if each)}"
    if outcome.rejection is not None:
        yield f"  rejected        {outcome.rejection.ground}, {wib(outcome.rejection.sent_in_writing_at)}"


def representative_line(representative: Representative) -> str:
    """Who acts for the complainant, and the state of the power of attorney."""
    name = representative.full_name or "-"
    return f"  represented by  {name} ({representative.kind}), power of attorney {representative.poa_status}"


def _units(units: tuple[str, ...]) -> str:
    return f" with {', '.join(units)}" if units else ""
