"""What a notice names, as the outbox keeps it and as its sentences say it. Pure.

An outbox row keeps words, dates and sums, not sentences: those are written when they are sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Final

from receipts.terms import Terms, Words
from receipts.wording import WIB, Language, Tongue, Wording
from tickets.lifecycle_values import Notice

#: The template of a notice is this and its kind ("notice_answer"); in the outbox the ticket's revision follows.
PREFIX: Final = "notice_"
#: Notices that the customer gets in both languages on every channel, when his is not Indonesian (section 8).
IN_BOTH_LANGUAGES: Final = frozenset({"notice_rejection", "notice_extension"})
#: Who a row is for, when it is not the customer.
REPRESENTATIVE: Final = "representative"
_WORDS = ("documents", "forums", "remedies")
_DATES = ("due", "old_due", "closes")
#: Dates by which something is still to happen: once they have passed, no sentence may promise or ask for it.
_AHEAD = ("due", "closes")


def data_of(notice: Notice, issued_at: datetime, *, to_representative: bool = False) -> dict[str, str]:
    """The values of a notice as an outbox row keeps them; what is not said is left out.

    `issued_at` is aware: a date that lies before its WIB day is over, of a late answer for instance, and is not said.
    """
    today = issued_at.astimezone(WIB).date()
    found = {
        "text": notice.text,
        "ground": notice.ground or "",
        "into": notice.number or "",
        "compensation_idr": str(notice.compensation_idr) if notice.compensation_idr is not None else "",
        **{name: ",".join(getattr(notice, name)) for name in _WORDS},
        **{
            name: day.isoformat()
            for name in _DATES
            if (day := getattr(notice, name)) is not None and (name not in _AHEAD or day >= today)
        },
        "letter": "yes" if notice.letter else "",
        "to": REPRESENTATIVE if to_representative else "",
        "issued_at": issued_at.isoformat(),
    }
    return {name: value for name, value in found.items() if value}


def is_letter(data: Mapping[str, str]) -> bool:
    """Whether the notice of a row is a letter as well (A22)."""
    return data.get("letter") == "yes"


def is_to_representative(data: Mapping[str, str]) -> bool:
    """Whether a row is for the representative, whose power of attorney a person has verified (K15, K17)."""
    return data.get("to") == REPRESENTATIVE


def issued_on(data: Mapping[str, str]) -> date | None:
    """The WIB date of a notice; None for a row that is none."""
    at = data.get("issued_at")
    return datetime.fromisoformat(at).astimezone(WIB).date() if at else None


def notice_values(
    kind: str, data: Mapping[str, str], *, wording: Wording, terms: Terms, language: Language
) -> dict[str, str | None]:
    """Everything that the sentences of a notice may name beside what every text may; None where it is not known."""
    tongue, words = wording.tongues[language], terms.words[language]
    documents = list(_known(words.documents, data.get("documents")))
    forums = list(_known(words.forums, data.get("forums")))
    lines = list(_known(words.forum_lines, data.get("forums")))
    remedies = [tongue.word("remedies", word) for word in _listed(data.get("remedies"))]
    dates = {name: tongue.long_date(date.fromisoformat(data[name])) if name in data else None for name in _DATES}
    return {
        "text": data.get("text"),
        "into": data.get("into"),
        "documents": tongue.join(documents) or None,
        "document_list": _lines(tongue, documents),
        "ground": _grounds(words, tongue, kind).get(data.get("ground", "")),
        "forums": tongue.join(forums) or None,
        "forum_list": _lines(tongue, lines),
        "remedies": tongue.join(remedies) or None,
        "compensation": _rupiah(tongue, data.get("compensation_idr")),
        **dates,
        "objection_until": dates["due"] if terms.takes_objections else None,
        "closed_word": words.closed_word,
        "new_documents": words.new_documents,
        "reopen_days": str(terms.reopen_days) if terms.reopen_days else None,
        "timeout_ground": words.rejection_grounds.get(terms.timeout_ground or ""),
    }


def _grounds(words: Words, tongue: Tongue, kind: str) -> Mapping[str, str]:
    if kind != "extension":
        return words.rejection_grounds
    return {**tongue.words["moved"], **words.extension_grounds}


def _known(words: Mapping[str, str], keys: str | None) -> Iterator[str]:
    # A word without a translation would be a program's word in a letter to a customer.
    return (words[key] for key in _listed(keys) if key in words)


def _listed(words: str | None) -> list[str]:
    return words.split(",") if words else []


def _lines(tongue: Tongue, items: list[str]) -> str | None:
    return "\n".join(tongue.phrase("item", item=item) for item in items) or None


def _rupiah(tongue: Tongue, amount: str | None) -> str | None:
    if not amount:
        return None
    return tongue.phrase("rupiah", amount=f"{int(amount):,}".replace(",", tongue.phrase("thousands")))
