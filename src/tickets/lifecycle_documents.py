"""Documents that are asked for in writing: which, until when, partly given, complete, and never come (A12, K9, G7)."""

from __future__ import annotations

from datetime import date

from normalizer.complaint import Complaint
from tickets.calendar import wib_date
from tickets.deadlines import deadlines, track_for
from tickets.lifecycle_clocks import case_of
from tickets.lifecycle_events import (
    DocumentsPresumed,
    DocumentsReceived,
    DocumentsRequested,
    DocumentsWindowExtended,
)
from tickets.lifecycle_opening import needs_a_category
from tickets.lifecycle_parties import POWER_OF_ATTORNEY, authorised
from tickets.lifecycle_parties import RULE as REPRESENTATIVE
from tickets.lifecycle_step import Fields, Step, listed
from tickets.lifecycle_values import Change, Notice, Refusal, Todo
from tickets.policy_clocks import Track

#: Kinds of tasks that documents leave to a person.
CHECK, MISSING = "documents_check", "documents_missing"


def outstanding(step: Step) -> bool:
    """True while documents that were asked for have not come completely."""
    asked, complete = step.life.documents_requested_at, step.complaint.documents_complete_at
    return asked is not None and (complete is None or complete < asked)


def window_end(step: Step) -> date | None:
    """The last day on which the documents may come, by what was promised; None when none are awaited."""
    promised = step.promised("documents")
    window, asked = step.policy.documents.window, step.life.documents_requested_at
    if promised is not None or window is None or asked is None:
        return promised
    end = step.rules.calendar.due(wib_date(asked), window.days).due
    if step.life.window_extended_at is None or window.extend is None:
        return end
    return step.rules.calendar.due(end, window.extend).due


def request_documents(step: Step, event: DocumentsRequested) -> Change | Refusal:
    """Documents of the policy's list are asked for (B3); the clock goes by `documents.clock` (R9)."""
    refusal = _may_not_be_asked(step, event.documents) or needs_a_category(step) or _too_early(step)
    if refusal is not None:
        return refusal
    life = step.life
    still = tuple(name for name in step.complaint.missing_documents if name not in event.documents)
    return step.change(
        event,
        complaint={"documents_complete_at": None, "missing_documents": (*still, *event.documents)},
        ticket={"state": "awaiting_documents"},
        life={
            "documents_asked": event.documents,
            "documents_came": (),
            "documents_requested_at": step.at,
            "documents_first_requested_at": life.documents_first_requested_at or step.at,
            "window_extended_at": None,
        },
        data={"documents": list(event.documents)},
        notices=(
            Notice(
                kind="documents_requested",
                text=event.text,
                documents=event.documents,
                representative=authorised(step),
            ),
        ),
        settles=(CHECK, MISSING),
    )


def _may_not_be_asked(step: Step, documents: tuple[str, ...]) -> Refusal | None:
    known = step.policy.documents.list
    if not known:
        return step.refuse("documents_none", "documents.list")
    if not documents:
        return step.refuse("documents_unnamed", "documents.list", listed=listed(known))
    strange = [name for name in documents if name not in known]
    if strange:
        return step.refuse("document_not_listed", "documents.list", given=listed(strange), listed=listed(known))
    if POWER_OF_ATTORNEY in documents and step.complaint.representative is None:
        return step.refuse("no_representative", REPRESENTATIVE)
    return None


def _oral(step: Step) -> Track | None:
    """The oral track that may turn written once it has expired (K9, A9), None on any other."""
    track = track_for(step.policy, case_of(step.standing))
    return track if track.on_expiry == "may_request_written_documents" else None


def _too_early(step: Step) -> Refusal | None:
    """Written documents of an oral complaint are asked for only when its own time has passed (K8, K9, A9)."""
    track = _oral(step)
    if track is None:
        return None
    rule = f"tracks.{track.id}.on_expiry"
    if step.complaint.first_response_at is None:
        return step.refuse("oral_not_answered", rule)
    due = step.promised("resolve")
    if due is not None and step.day <= due:
        return step.refuse("oral_not_expired", rule, due=due.isoformat())
    return None


def receive_documents(step: Step, event: DocumentsReceived) -> Change | Refusal:
    """Some or all documents came; what came stays when the rest is missing."""
    awaited = outstanding(step) or step.complaint.documents_complete_at is None
    if not awaited:
        return step.refuse("documents_not_awaited", "documents")
    if not event.documents and not event.complete:
        return step.refuse("documents_none_came", "documents")
    known = step.policy.documents.list
    strange = [name for name in event.documents if name not in known]
    if strange:
        return step.refuse("document_not_listed", "documents.list", given=listed(strange), listed=listed(known))
    came = (*step.life.documents_came, *(name for name in event.documents if name not in step.life.documents_came))
    return _complete(step, event, came) if event.complete else _partly(step, event, came)


def _partly(step: Step, event: DocumentsReceived, came: tuple[str, ...]) -> Change:
    missing = tuple(name for name in step.complaint.missing_documents if name not in event.documents)
    everything = step.life.documents_asked and not set(step.life.documents_asked) - set(came)
    return step.change(
        event,
        complaint={"missing_documents": missing},
        life={"documents_came": came},
        data={"documents": list(event.documents), "complete": False},
        todos=(Todo(kind=CHECK, reason="all documents that were asked for came: are they complete?"),)
        if everything
        else (),
    )


def _complete(step: Step, event: DocumentsReceived, came: tuple[str, ...]) -> Change | Refusal:
    complaint = step.complaint
    needed = step.policy.complainants.representative.power_of_attorney == "required"
    if complaint.representative is not None and needed and not authorised(step):
        return step.refuse("power_of_attorney_not_verified", f"{REPRESENTATIVE}.power_of_attorney")
    asked = step.life.documents_asked
    fields: dict[str, object] = {"documents_complete_at": step.at, "missing_documents": ()}
    life: dict[str, object] = {"documents_came": (*came, *(name for name in asked if name not in came))}
    turned = _turned(step, complaint)
    if turned:
        fields |= turned
        life["written_since"] = step.at
    return step.change(
        event,
        complaint=fields,
        ticket={"state": "in_progress"} if step.ticket.state == "awaiting_documents" else {},
        life=life,
        data={"documents": list(event.documents), "complete": True, **({"form": "written"} if turned else {})},
        settles=(CHECK, MISSING),
    )


def _turned(step: Step, complaint: Complaint) -> Fields:
    """What changes when the documents of an oral complaint come: it goes on in writing, under its old number."""
    if step.life.documents_requested_at is None or _oral(step) is None:
        return {}
    return {"form": "written"}


def extend_window(step: Step, event: DocumentsWindowExtended) -> Change | Refusal:
    """The window passed: a reminder with the one longer window; rejecting stays a person's decision (G7)."""
    window = step.policy.documents.window
    if window is None or window.extend is None:
        return step.refuse("window_not_extended", "documents.window")
    if step.life.window_extended_at is not None:
        return step.refuse("window_already_extended", "documents.window.extend")
    if not outstanding(step):
        return step.refuse("documents_not_awaited", "documents")
    end = window_end(step)
    if end is not None and step.day <= end:
        return step.refuse("window_still_open", "documents.window.days", due=end.isoformat())
    return step.change(
        event,
        life={"window_extended_at": step.at},
        notices=(
            Notice(
                kind="documents_reminder",
                documents=step.complaint.missing_documents,
                representative=authorised(step),
            ),
        ),
    )


def presume_documents(step: Step, event: DocumentsPresumed) -> Change | Refusal:
    """Nobody asked for documents in time: they count as complete since receipt; the clocks start there (G7)."""
    rule = "documents.complete_if_not_requested_by"
    if step.policy.documents.complete_if_not_requested_by is None:
        return step.refuse("presumption_not_offered", rule)
    if step.complaint.documents_complete_at is not None or step.life.documents_first_requested_at is not None:
        return step.refuse("documents_not_awaited", rule)
    until = _request_by(step)
    if until is not None and step.day <= until:
        return step.refuse("documents_may_be_asked", rule, due=until.isoformat())
    return step.change(
        event,
        complaint={"documents_complete_at": step.complaint.received_at, "missing_documents": ()},
        data={"complete_since": step.complaint.received_at.isoformat()},
    )


def _request_by(step: Step) -> date | None:
    """The last day on which documents may be asked for, as it was told when the ticket was opened."""
    told = step.ticket.deadlines.get("documents_request_by")
    if told is not None:
        return date.fromisoformat(told)
    counted = deadlines(step.policy, step.rules.calendar, case_of(step.standing)).documents_request_by
    return None if counted is None else counted.due
