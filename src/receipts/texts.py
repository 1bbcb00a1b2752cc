"""What a text says: ticket, wording, terms and a row's values become words. Pure.

Nothing a customer wrote is ever in it: no name, no narrative, no subject, no file name (B3, P26). What a person of the
desk wrote is said as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from receipts.notice_values import IN_BOTH_LANGUAGES, PREFIX, notice_values
from receipts.terms import Terms
from receipts.wording import LANGUAGES, WIB, Language, Length, Medium, Values, Wording
from receipts.wording_rules import NOTICE_KINDS
from tickets.lifecycle_values import NoticeKind
from tickets.told import ToldComplaint, ToldTicket

#: C0 and C1 controls but the line end, surrogates, and the marks that turn text around or hide (P27).
_UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
#: The last word of a sentence that nobody ended; an address of the web must not get a full stop.
_OPEN_END = re.compile(r"(?:^|\s)(?!\S*://)\S*[^\W_]\)?$")
_BETWEEN = "\n\n----------\n\n"
#: The frame of every message but receipts, added messages and the public line.
FRAME = "notice"
_KINDS: Mapping[str, NoticeKind] = {f"{PREFIX}{kind}": kind for kind in NOTICE_KINDS}
#: Media of one short message, and those of an address that nobody proved.
SHORT: frozenset[Medium] = frozenset({"short", "short_unproven"})
UNPROVEN: frozenset[Medium] = frozenset({"short_unproven", "email_unproven"})


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


def is_news(template: str) -> bool:
    """Whether a template says something new of the case: then an address that nobody proved only hears that it does."""
    return template in {"text", FRAME} or template.startswith(PREFIX)


def kind_of(template: str) -> NoticeKind | None:
    """The kind of notice that a template says; None for any other template."""
    return _KINDS.get(template)


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

    Email is written in both languages, Indonesian first; so are rejections and delays for who does not read Indonesian,
    wherever there is room (section 8). Raises KeyError for a template that the wording lacks.
    """
    given = {key: clean(value) for key, value in (data or {}).items()}
    name = FRAME if is_news(template) else template
    if template == "text" and medium not in UNPROVEN:
        # What the dialog says: written from its own file of questions, sent as it is.
        subject = _subject(name, medium, complaint, ticket, wording, terms) if medium == "email" else None
        return Written(body=given["text"], subject=subject)
    if medium == "public":
        if is_news(template):
            raise KeyError(f"{template} has no public form")
        values: Values = {
            "public_contact": terms.public_contact,
            "ticket_number": ticket.ticket_number if terms.public_number else None,
        }
        return Written(body=" ".join(wording.text(name, medium, language).lines(values)))
    kind = kind_of(template)
    if template.startswith(PREFIX) and kind is None:
        raise KeyError(template)
    bodies: list[str] = []
    both = medium.startswith("email") or (language != LANGUAGES[0] and template in IN_BOTH_LANGUAGES)
    for tongue in LANGUAGES if both and medium not in SHORT else (language,):
        known = values_of(
            complaint, ticket, wording=wording, terms=terms, language=tongue, access_code=access_code, links=links
        )
        here = dict(given)
        if bodies and here.get("text"):
            here["text"] = wording.tongues[tongue].phrase("text_above")
        if kind is not None:
            here = {"text": notice_text(kind, medium, known, here, wording=wording, terms=terms, language=tongue)}
        lines = wording.text(name, medium, tongue).lines({**here, **known} if here else known)
        bodies.append((_in_a_line(lines) if medium in SHORT else "\n".join(lines)).strip("\n"))
    subject = _subject(name, medium, complaint, ticket, wording, terms, kind) if medium.startswith("email") else None
    return Written(body=_BETWEEN.join(bodies), subject=subject)


def notice_text(
    kind: NoticeKind,
    medium: Medium,
    known: Values,
    data: Mapping[str, str],
    *,
    wording: Wording,
    terms: Terms,
    language: Language,
) -> str:
    """What a notice itself says in one language, without its frame; `known` is what every text may name."""
    length: Length = "short" if medium in SHORT else "full"
    said = notice_values(kind, data, wording=wording, terms=terms, language=language)
    lines = wording.tongues[language].notices[kind, length].lines({**known, **said})
    return _in_a_line(lines) if length == "short" else ("\n\n" if medium == "email" else "\n").join(lines)


def _in_a_line(lines: Iterable[str]) -> str:
    """Sentences one behind the other; what the desk wrote without a full stop must not run into the next one."""
    said = [line.rstrip() for line in lines]
    return " ".join([*(f"{line}." if _OPEN_END.search(line) else line for line in said[:-1]), *said[-1:]])


def clean(text: str) -> str:
    """A text without control, hiding and direction-turning characters; line ends stay, and words stay apart."""
    return _UNSAFE.sub("", _LINE_END.sub("\n", text).replace("\t", " "))


def _subject(
    template: str,
    medium: Medium,
    complaint: ToldComplaint,
    ticket: ToldTicket,
    wording: Wording,
    terms: Terms,
    kind: NoticeKind | None = None,
) -> str | None:
    if kind is not None and medium not in UNPROVEN:
        first = wording.tongues[LANGUAGES[0]]
        said = [notice_subject(kind, wording, language) for language in LANGUAGES]
        subject = first.phrase("between_subjects").join(dict.fromkeys(said))
        return first.phrase("notice_subject", ticket_number=ticket.ticket_number, subject=subject)
    parts: dict[str, None] = {}
    for language in LANGUAGES:
        sentence = wording.text(template, medium, language).subject
        values = values_of(
            complaint, ticket, wording=wording, terms=terms, language=language, access_code=None, links=Links()
        )
        part = sentence.fill(values) if sentence else None
        if part:
            parts[part.replace("\n", " ")] = None
    return wording.tongues[LANGUAGES[0]].phrase("between_subjects").join(parts) or None


def notice_subject(kind: NoticeKind, wording: Wording, language: Language) -> str:
    """What a notice is about, in a few words: in the subject of its email and on its letter."""
    subject = wording.tongues[language].notices[kind, "full"].subject
    return (subject.fill({}) if subject else None) or kind
