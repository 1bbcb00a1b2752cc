"""What an event of the ticket machine is judged by, and what it brings: a change, or a refusal that names its rule."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from msgspec import Struct

from normalizer.complaint import Complaint
from tickets.calendar import Calendar
from tickets.model import Ticket
from tickets.policy import Policy

#: The messages that an event owes the customer; each is a template of config/wording.
NoticeKind = Literal[
    "first_response",
    "documents_requested",
    "documents_reminder",
    "extension",
    "answer",
    "objection_answer",
    "rejection",
    "closing",
    "referral",
    "misdirected",
    "withdrawal",
    "merged",
    "reopened",
]


class Rules(Struct, frozen=True, kw_only=True):
    """What the company promised, and the days that count."""

    policy: Policy
    calendar: Calendar


class Standing(Struct, frozen=True, kw_only=True):
    """One complaint with its ticket, as they are recorded."""

    complaint: Complaint
    ticket: Ticket


class Notice(Struct, frozen=True, kw_only=True):
    """One message that is owed to the customer: a template and the values that it names.

    `text` is what a person of the desk wrote. Dates stay dates: the wording writes them in the customer's language.
    """

    kind: NoticeKind
    text: str = ""
    #: Words of the policy (document names, ground, forum names): the wording's labels translate them.
    documents: tuple[str, ...] = ()
    ground: str | None = None
    forums: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    compensation_idr: int | None = None
    due: date | None = None
    #: The last day of the customer's silence: after it the complaint is closed (G10).
    closes: date | None = None
    #: The date that `due` replaces (K11).
    old_due: date | None = None
    #: The number under which the complaint goes on, when it was merged.
    number: str | None = None
    #: It must be a letter as well: a PDF beside the text, or printed where nothing can be sent (A22).
    letter: bool = False
    #: Also to the representative (K15, K17).
    representative: bool = False


class Todo(Struct, frozen=True, kw_only=True):
    """Something a person must do because of the event; the kind of an open task."""

    kind: str
    reason: str


class Change(Struct, frozen=True, kw_only=True):
    """The complaint and the ticket after an event, and what follows from it."""

    complaint: Complaint
    ticket: Ticket
    #: The event's tag, as the audit log names it ("ticket.responded").
    type: str
    #: Ids, words and dates for the audit log: no text of a customer, no text to one.
    data: Mapping[str, Any]
    notices: tuple[Notice, ...] = ()
    todos: tuple[Todo, ...] = ()
    #: Kinds of open tasks of this complaint that the event settles.
    settles: tuple[str, ...] = ()


class Refusal(Struct, frozen=True, kw_only=True):
    """Why an event is not allowed now: a code with its values, the rule (a policy key or R number), its sources.

    The sentence that a person reads stands under the code in `tickets/refusals/{id,en}.yaml`.
    """

    code: str
    rule: str
    #: Numbers of docs/requirements.md (K11, A18) that the rule comes from; empty where the text is silent.
    sources: tuple[str, ...] = ()
    values: Mapping[str, str] = {}
