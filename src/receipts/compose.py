"""Ticket, wording and facts become the texts that go out, each within the channel's limit. Pure.

Nothing a customer wrote is ever in a receipt: no name, no narrative, no subject, no file name (B3, P26).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from msgspec import Struct

from connectors.facts import Facts
from normalizer.message import Channel, File, Outgoing
from receipts.route import PRIVATE_OF, PUBLIC, proven
from receipts.split import split
from receipts.terms import Terms
from receipts.wording import LANGUAGES, WIB, Language, Medium, Values, Wording
from tickets.model import OutboxItem, Route
from tickets.told import ToldComplaint, ToldTicket

_MEDIA: Mapping[Channel, Medium] = {
    "email": "email",
    "sms": "short",
    "web_form": "screen",
    "app_form": "screen",
    "phone": "oral",
    "walk_in": "oral",
    "letter": "oral",
}
#: C0 and C1 controls but the line end, surrogates, and the marks that turn text around or hide (P27).
_UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_BETWEEN = "\n\n----------\n\n"


class Links(Struct, frozen=True, kw_only=True):
    """Pages a customer can open; none of them carries a token."""

    status_url: str | None = None
    verify_url: str | None = None


class Written(Struct, frozen=True, kw_only=True):
    """One text before it is cut: `subject` only for email."""

    body: str
    subject: str | None = None


def template_of(name: str) -> str:
    """The template behind an outbox row's name: rows of one complaint that repeat carry a suffix ("notice:3")."""
    return name.partition(":")[0]


def part_key(row_key: str, index: int) -> str:
    """The key of the part `index` (from 0) of an outbox row, as providers give it back: the first is the row's own."""
    return row_key if index == 0 else f"{row_key}.{index + 1}"


def row_key(key: str) -> str:
    """The outbox row of a part's key."""
    return key.partition(".")[0]


def medium_of(item: OutboxItem, route: Route) -> Medium:
    """How a text is written for a route; the public line wherever others could read along."""
    complaint = item.complaint
    channel = route.channel or complaint.channel
    if template_of(item.row.template) == "public_reply" or channel in PUBLIC:
        return "public"
    medium = _MEDIA.get(channel, "chat")
    return "email_unproven" if medium == "email" and not proven(complaint, route) else medium


def values_of(
    complaint: ToldComplaint,
    ticket: ToldTicket,
    *,
    wording: Wording,
    terms: Terms,
    language: Language,
    access_code: str | None,
    links: Links,
) -> dict[str, str | None]:
    """Every value that a text may name, None where it is not known or may not be said."""
    tongue, words = wording.tongues[language], terms.words[language]
    waits = terms.response_from_documents and complaint.documents_complete_at is None
    due = ticket.first_response_due if "response_due" in terms.fields and not waits else None
    # A date that counts from complete documents must not be printed before they are (A8, section 8).
    resolves = "resolve_range" in terms.fields and not waits
    earliest, latest = (ticket.resolve_earliest, ticket.resolve_due) if resolves else (None, None)
    missing = [words.documents[name] for name in complaint.missing_documents if name in words.documents]
    return {
        "organisation": terms.organisation,
        "receipt_name": words.receipt_name,
        "number_label": words.number_label,
        "ticket_number": ticket.ticket_number,
        "access_code": access_code,
        "date": tongue.long_date(complaint.received_at.astimezone(WIB).date()),
        "time": tongue.clock(complaint.received_at),
        "category": words.categories.get(complaint.category) if complaint.category else None,
        "response_due": tongue.long_date(due) if due else None,
        "response_days": str(terms.response_days) if waits and terms.response_days else None,
        "resolve_range": words.resolve_range if "resolve_range" in terms.fields else None,
        "resolve_earliest": tongue.long_date(earliest) if earliest and latest else None,
        "resolve_due": tongue.long_date(latest) if earliest and latest else None,
        "documents": tongue.join(missing) if missing else None,
        "contact": words.contact,
        "status_url": links.status_url,
        "verify_url": links.verify_url,
        "procedure_url": terms.procedure_url,
    }


def write(
    template: str,
    medium: Medium,
    complaint: ToldComplaint,
    ticket: ToldTicket,
    *,
    wording: Wording,
    terms: Terms,
    language: Language,
    access_code: str | None,
    links: Links,
    data: Mapping[str, str] | None = None,
) -> Written:
    """The whole text of a template: for pages, for staff who read it out, and for what is sent.

    Email is written in both languages, Indonesian first. Raises KeyError for a template that the wording lacks.
    """
    data = data or {}
    if template == "text" and medium != "email_unproven":
        # What the dialog says: written from its own file of questions, sent as it is.
        subject = _subject("notice", medium, complaint, ticket, wording, terms) if medium == "email" else None
        return Written(body=clean(data["text"]), subject=subject)
    name = "notice" if template == "text" else template
    if medium == "public":
        values: Values = {
            "public_contact": terms.public_contact,
            "ticket_number": ticket.ticket_number if terms.public_number else None,
        }
        return Written(body=" ".join(wording.text(name, medium, language).lines(values)))
    given = {key: clean(value) for key, value in data.items()}
    bodies = []
    for tongue in LANGUAGES if medium.startswith("email") else (language,):
        known = values_of(
            complaint, ticket, wording=wording, terms=terms, language=tongue, access_code=access_code, links=links
        )
        lines = wording.text(name, medium, tongue).lines({**given, **known} if given else known)
        bodies.append((" " if medium == "short" else "\n").join(lines).strip("\n"))
    subject = _subject(name, medium, complaint, ticket, wording, terms) if medium.startswith("email") else None
    return Written(body=_BETWEEN.join(bodies), subject=subject)


def compose(
    item: OutboxItem,
    *,
    wording: Wording,
    terms: Terms,
    facts: Facts,
    access_code: str | None,
    links: Links,
    document: File | None = None,
) -> tuple[Outgoing, ...]:
    """What is sent on the route in use, one `Outgoing` per part; the same for the same item, so that parts can resume.

    Where the address is not proven, no code goes out: it opens the case (A10, A12). `document` is attached where it is
    and the channel takes files. Raises ValueError when the channel's limit leaves no room for a text, KeyError for an
    unknown template.
    """
    row = item.row
    route = row.routes[row.route]
    own = facts.of(route.channel or item.complaint.channel)
    tongue = wording.tongues[row.language]

    def said(medium: Medium) -> tuple[Written, tuple[str, ...]]:
        written = write(
            "public_reply" if medium == "public" else template_of(row.template),
            medium,
            item.complaint,
            item.ticket,
            wording=wording,
            terms=terms,
            language=row.language,
            access_code=access_code if proven(item.complaint, route) else None,
            links=links,
            data=row.data,
        )
        parts = split(
            written.body,
            own.max_text.value,
            own.text_unit.value,
            lambda part, parts: tongue.phrase("part", part=str(part), parts=str(parts)),
        )
        return written, parts

    medium = medium_of(item, route)
    if route.template is not None:
        # The text is the one variable of a template: a single short line (sheet A1, 132012).
        medium = "short"
    written, parts = said(medium)
    once = route.template is not None or _answers_comment(item.complaint, route)
    if len(parts) > 1 and once and medium != "short":
        # A comment may be answered in private once: a second part would be refused (sheets A7, A8).
        written, parts = said("short")
    if len(parts) > 1 and once:
        raise ValueError(f"what may be sent once has no room in {own.max_text.value} {own.text_unit.value}")
    attached = (document,) if document and medium == "email" and own.attachments_out.value else ()
    return tuple(
        Outgoing(
            key=part_key(row.key, index),
            recipient=route.recipient,
            text=text,
            subject=written.subject,
            in_reply_to=route.in_reply_to,
            references=route.references,
            files=attached if index == 0 else (),
            public=medium == "public",
            template=route.template,
            possible_duplicate=row.possible_duplicate,
            first_attempt_at=row.first_attempt_at,
        )
        for index, text in enumerate(parts)
    )


def _answers_comment(complaint: ToldComplaint, route: Route) -> bool:
    return route.channel_id == complaint.channel_id and route.channel == PRIVATE_OF.get(complaint.channel, "")


def body_hash(outgoing: tuple[Outgoing, ...]) -> str:
    """SHA-256 (hex) of what is said, over all parts: what the receipt's record keeps instead of the text."""
    return hashlib.sha256("\n".join(out.text for out in outgoing).encode()).hexdigest()


def clean(text: str) -> str:
    """A text without control, hiding and direction-turning characters; line ends stay."""
    return _UNSAFE.sub("", text.replace("\r\n", "\n"))


def _subject(
    template: str, medium: Medium, complaint: ToldComplaint, ticket: ToldTicket, wording: Wording, terms: Terms
) -> str | None:
    parts: dict[str, None] = {}
    for language in LANGUAGES:
        sentence = wording.text(template, medium, language).subject
        values = values_of(
            complaint, ticket, wording=wording, terms=terms, language=language, access_code=None, links=Links()
        )
        part = sentence.fill(values) if sentence else None
        if part:
            parts[part.replace("\n", " ")] = None
    return " / ".join(parts) or None
