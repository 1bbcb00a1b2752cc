"""Which mail a machine wrote, and which must not get an automatic answer (RFC 3834 section 2)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from connectors.email.addresses import Address, without_tag
from connectors.email.headers import Headers

LOOP_HEADER = "x-aduan-loop"
#: Local parts that nobody reads.
NOBODY = re.compile(
    r"^(mailer-daemon|postmaster|no[._-]?reply|do[._-]?not[._-]?reply|noreply|donotreply|tidak[._-]?(?:mem)?balas|bounces?|"
    r"abuse|daemon|nobody|auto[._-]?(?:reply|responder|confirm))(?=$|[+._=-])"
)
AWAY = re.compile(
    r"^\s*(out of (?:the )?office|automatic reply|auto(?:matic)?[- ]?(?:reply|response|responder)|vacation|away from|"
    r"abwesenheit|balasan otomatis|jawaban otomatis|pesan otomatis|sedang cuti|di luar kantor)\b",
    re.I,
)
TICKET = re.compile(
    r"\[\s*(?:ticket|tiket|no\.?|case)?\s*[#:]?\s*([A-Z]{2,6}-\d{8}-\d{4,8}-\d|[A-Z]{0,6}[-#]?\d{4,20})\s*\]", re.I
)
SUPPRESS = frozenset({"all", "oof", "autoreply"})


def automatic_reply(headers: Headers, subject: str) -> bool:
    """Whether another machine answers us: `Auto-Submitted: auto-replied` and what older programs write instead."""
    submitted = headers.word("auto-submitted")
    if submitted == "auto-replied" or (submitted not in ("", "no") and AWAY.match(subject)):
        return True  # Exchange says auto-generated and writes the rest into the subject
    if headers.word("precedence") in ("auto_reply", "auto-reply"):
        return True
    return any(
        headers.raw(name) and headers.word(name) not in ("no", "false", "0")
        for name in ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-vacation")
    )


def no_receipt(
    headers: Headers, sender: Address, to: Iterable[Address], ours: frozenset[str], subject: str
) -> str | None:
    """Why this mail must not get an automatic answer, or None when it may (T34: `Auto-Submitted: no` may)."""
    submitted = headers.word("auto-submitted")
    if submitted and submitted != "no":
        return f"auto-submitted: {submitted[:40]}"
    if headers.plain("return-path").strip() == "<>":
        return "empty return path"
    precedence = headers.word("precedence")
    if precedence in ("bulk", "list", "junk", "auto_reply"):
        return f"precedence: {precedence}"
    listed = next((name for name, _ in headers.items if name.startswith("list-")), None)
    if listed:
        return f"mailing list: {listed[:40]}"
    if headers.raw("mailing-list"):
        return "mailing list: mailing-list"
    wanted = {word.strip() for word in headers.plain("x-auto-response-suppress").lower().split(",")}
    if wanted & SUPPRESS:
        return f"x-auto-response-suppress: {min(wanted & SUPPRESS)}"
    if headers.raw("feedback-type"):
        return "feedback report"
    if headers.word("x-spam-flag") == "yes":
        return "marked as spam"
    if headers.raw(LOOP_HEADER):
        return "answer of another complaint system"
    if not sender.email:
        return "no sender address"
    if NOBODY.match(sender.email.partition("@")[0].lower()):
        return "sender cannot be answered"
    if {"duplicate_from", "multiple_from"} & headers.flags:
        return "more than one sender"
    if not any(without_tag(address.email) in ours for address in to if address.email):
        return "not addressed to us"
    if AWAY.match(subject):
        return "subject of an automatic reply"
    return None


def ticket_in(subject: str) -> str | None:
    """A ticket number in the subject ("[KLA-20260105-000123-7]"): a hint, never a reason to thread (P28)."""
    found = TICKET.search(subject[:1000])
    return found.group(1).upper() if found else None
