"""A notice as a letter: what stands on its pages, in both languages, and the statement that is signed. Pure.

It names no person: whom it is for is said by the ticket number. What the desk wrote stands on it once, as written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from receipts.signature import LetterStatement, encode, letter_statement_of
from receipts.terms import Terms
from receipts.texts import Links, clean, kind_of, notice_subject, notice_text, template_of, values_of
from receipts.wording import LANGUAGES, WIB, Language, Wording, filled
from tickets.lifecycle_values import NoticeKind
from tickets.told import ToldComplaint, ToldTicket

#: First and last code points that the fonts on board show: Latin, Greek, Cyrillic, punctuation, currencies, arrows.
_SHOWN = (
    (0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x3FF), (0x400, 0x45F), (0x1E00, 0x1EFF), (0x2010, 0x2027), (0x2030, 0x203E),
    (0x20A0, 0x20BF), (0x2190, 0x22FF), (0x25A0, 0x25FF),
)  # fmt: skip
_NOT_SHOWN = "\u25a1"
#: A word that is longer than a line of the page may be broken: nothing of it may lie beyond the paper.
_ENDLESS = re.compile(r"(\S{42})(?=\S)")


class Letter(Struct, frozen=True, kw_only=True):
    """The page of a letter, as its typst template reads it."""

    page: Mapping[str, object]
    statement: LetterStatement
    #: Aware UTC: when the notice was given.
    issued_at: datetime


def letter_of(
    template: str,
    data: Mapping[str, str],
    complaint: ToldComplaint,
    ticket: ToldTicket,
    *,
    wording: Wording,
    terms: Terms,
    links: Links,
    by: str,
) -> Letter:
    """The letter of a row of the outbox; `by` is the id of the signing key. Raises KeyError when it is no notice."""
    kind = kind_of(template_of(template))
    if kind is None or "issued_at" not in data:
        raise KeyError(template)
    issued_at = datetime.fromisoformat(data["issued_at"])
    statement = letter_statement_of(
        complaint,
        ticket,
        organisation=terms.organisation,
        notice=kind,
        issued_on=issued_at.astimezone(WIB).date(),
        by=by,
    )
    said = {name: clean(value) for name, value in data.items()}
    if "text" in said:
        said["text"] = _ENDLESS.sub("\\1\u200b", printable(said["text"]))
    parts: list[dict[str, object]] = []
    for language in LANGUAGES:
        here = dict(said)
        if parts and here.get("text"):
            here["text"] = wording.tongues[language].phrase("text_above")
        parts.append(
            _part(
                kind, here, complaint, ticket, statement, wording=wording, terms=terms, language=language, links=links
            )
        )
    tongue = wording.tongues[LANGUAGES[0]]
    page = {
        "title": f"{notice_subject(kind, wording, LANGUAGES[0])} {ticket.ticket_number}",
        "organisation": terms.organisation,
        "parts": parts,
        "qr_alt": tongue.letter["qr"].fill({}),
        "page": tongue.letter["page"].pieces,
        "fingerprint": f"Ed25519 {by}",
        "statement": encode(statement).decode(),
    }
    return Letter(page=page, statement=statement, issued_at=issued_at)


def printable(text: str) -> str:
    """A text as paper can show it: a square stands for each sign that the fonts lack, an emoji for instance.

    A page with a sign that it cannot show is no accessible document (PDF/UA-1): it would not be made at all.
    """
    return "".join(
        sign if sign == "\n" or _is_shown(sign) else _NOT_SHOWN for sign in unicodedata.normalize("NFC", text)
    )


def _is_shown(sign: str) -> bool:
    assigned = not unicodedata.category(sign).startswith("C")
    return assigned and any(first <= ord(sign) <= last for first, last in _SHOWN)


def _part(
    kind: NoticeKind,
    said: Mapping[str, str],
    complaint: ToldComplaint,
    ticket: ToldTicket,
    statement: LetterStatement,
    *,
    wording: Wording,
    terms: Terms,
    language: Language,
    links: Links,
) -> dict[str, object]:
    tongue = wording.tongues[language]
    known = values_of(complaint, ticket, wording=wording, terms=terms, language=language, access_code=None, links=links)
    texts = tongue.letter
    body = notice_text(kind, "email", known, said, wording=wording, terms=terms, language=language)
    received = filled(tongue.document["received_at"], date=known["date"] or "", time=known["time"] or "")
    return {
        "lang": language,
        "dated": filled(texts["dated"], date=tongue.long_date(statement.issued_on)),
        "to": texts["to"].fill(known),
        "rows": [
            [texts["number"].fill(known), ticket.ticket_number],
            [texts["received"].fill(known), received],
            [texts["subject"].fill(known), notice_subject(kind, wording, language)],
        ],
        "title": notice_subject(kind, wording, language),
        "salutation": texts["salutation"].fill(known),
        "paragraphs": [each.split("\n") for each in body.split("\n\n") if each.strip()],
        "closing": texts["closing"].fill(known),
        "organisation": terms.organisation,
        "notes": [
            note
            for name in ("contact", "never_ask", "signed", "verify")
            if (note := texts[name].fill(known)) is not None
        ],
    }
