"""A recorded complaint as the clocks see it: what they are computed from, and which of them may run. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from tickets.deadlines import Case, Extension
from tickets.life import ClockName, DocumentsRound, PersonalDataRequest
from tickets.lifecycle_values import Standing

#: States in which the company still works on its first answer.
WORKING = frozenset({"received", "in_progress", "awaiting_documents", "escalated"})
#: What the company promised; the other clocks are the customer's time.
OURS: frozenset[ClockName] = frozenset({"first_response", "resolve", "objection_answer", "personal_data"})


def case_of(standing: Standing) -> Case:
    """What the clocks of a recorded complaint depend on; answers of a round that was closed no longer count."""
    complaint, ticket = standing.complaint, standing.ticket
    life, assessed = ticket.life, complaint.assessment
    *earlier, latest = rounds_of(standing) or (DocumentsRound(complete_at=complaint.documents_complete_at),)
    resolve = life.promised.get("resolve")
    return Case(
        channel=complaint.channel,
        received_at=complaint.received_at,
        form=complaint.form,
        kind=complaint.kind,
        tier=ticket.tier,
        severity=assessed.severity,
        urgency=assessed.urgency,
        has_documents=assessed.has_documents,
        # The window for documents counts from the last request, also when an earlier one was still open.
        documents_requested_at=latest.requested_at and life.documents_requested_at,
        documents_complete_at=latest.complete_at,
        documents_before=tuple((each.requested_at, each.complete_at) for each in earlier if each.complete_at),
        written_since=life.written_since,
        reopened_at=life.reopened_at,
        first_response_at=complaint.first_response_at,
        responded_at=responded_at(standing),
        objection_received_at=_objection_at(standing),
        extensions=tuple(
            Extension(
                ground=each.ground,
                notified_at=each.notified_at,
                days=None if each.until else each.days,
                until=each.until,
                old_due=each.old_due,
            )
            for each in life.extensions
            if _of_this_round(standing, each.notified_at)
        ),
        resolve_promised=resolve.due if resolve is not None else ticket.resolve_due,
    )


def rounds_of(standing: Standing) -> tuple[DocumentsRound, ...]:
    """Every round of documents, oldest first, as far as the complaint and the ticket's life say it."""
    life, complete_at = standing.ticket.life, standing.complaint.documents_complete_at
    rounds = list(life.documents_rounds)
    asked = life.documents_requested_at
    if not rounds and complete_at is not None and (asked is None or complete_at < asked):
        rounds.append(DocumentsRound(complete_at=complete_at))
    if asked is not None and not (rounds and _covers(rounds[-1], asked)):
        rounds.append(DocumentsRound(requested_at=asked))
    if rounds and complete_at is not None:
        last = rounds[-1]
        if last.requested_at is not None and last.complete_at is None and complete_at >= (asked or last.requested_at):
            rounds[-1] = replace(last, complete_at=complete_at)
    return tuple(rounds)


def live(standing: Standing) -> frozenset[ClockName]:
    """The clocks whose end has not come, were they promised. A request about personal data runs in every state (R8).

    But not in a ticket that was merged: what happens to it happens to the one that goes on.
    """
    return frozenset(_live(standing))


def responded_at(standing: Standing) -> datetime | None:
    """When the customer got the last answer of this round."""
    answers = [each.at for each in standing.ticket.life.answers]
    last = max(answers) if answers else standing.complaint.responded_at
    return last if last is not None and _of_this_round(standing, last) else None


def open_requests(standing: Standing) -> tuple[PersonalDataRequest, ...]:
    """Requests about personal data that nobody answered yet, the one that is due first in front."""
    waiting = (each for each in standing.ticket.life.personal_data if each.answered_at is None)
    return tuple(sorted(waiting, key=lambda each: each.due_at))


def documents_outstanding(standing: Standing) -> bool:
    """True while documents that were asked for are missing."""
    rounds = rounds_of(standing)
    return bool(rounds) and rounds[-1].complete_at is None


def _live(standing: Standing) -> Iterator[ClockName]:
    complaint, ticket = standing.complaint, standing.ticket
    if ticket.state in WORKING:
        answered = responded_at(standing) is not None
        if complaint.first_response_at is None and not answered:
            yield "first_response"
        if not answered:
            yield "resolve"
        if documents_outstanding(standing):
            yield "documents"
    elif ticket.state == "responded":
        if complaint.outcome.acceptance not in {"accepted", "refused", "silent"}:
            yield "objection_window"
            yield "silent_close"
    elif ticket.state == "objection_review" and _objection_at(standing) is not None:
        yield "objection_answer"
    if ticket.state != "merged" and open_requests(standing):
        yield "personal_data"


def _objection_at(standing: Standing) -> datetime | None:
    """The objection that waits for its answer."""
    objections = standing.ticket.life.objections
    if not objections or objections[-1].answered_at is not None:
        return None
    last = objections[-1].received_at
    return last if _of_this_round(standing, last) else None


def _covers(last: DocumentsRound, asked: datetime) -> bool:
    """Whether a request belongs to this round: it is open, or it is the one that was completed."""
    if last.requested_at is None:
        return False
    return last.complete_at is None or asked <= last.complete_at


def _of_this_round(standing: Standing, moment: datetime) -> bool:
    reopened = standing.ticket.life.reopened_at
    return reopened is None or moment >= reopened
