"""The answers that a form, an app or the chatbot collected, read into values; what cannot be read is kept as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import get_args

from msgspec import Struct

from normalizer import identity
from normalizer.complaint import Kind, Language, Role
from normalizer.text import line

#: Above this an amount is a typing error, not money (and no longer fits the store's integers).
LARGEST_AMOUNT_IDR = 10**15

_LONGEST_VALUE = 500
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "januari jan january", "februari feb february peb", "maret mar march", "april apr", "mei may",
            "juni jun june", "juli jul july", "agustus agu ags aug august agt", "september sep sept",
            "oktober okt oct october", "november nov nop", "desember des dec december",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ].{0,40})?")
_LOCAL_DATE = re.compile(r"([0-9]{1,2})[-/. ]([0-9]{1,2}|[A-Za-z]{3,9})[-/., ]{1,2}([0-9]{4})")
_AMOUNT = re.compile(
    r"(?:rp\.?|idr)?\s?([0-9][0-9.,]{0,30})\s?(ribu|rb|k|juta|jt|miliar|milyar|m)?\s?(?:,-|rupiah|idr)?", re.IGNORECASE
)
_SCALES = {
    "ribu": 10**3,
    "rb": 10**3,
    "k": 10**3,
    "juta": 10**6,
    "jt": 10**6,
    "miliar": 10**9,
    "milyar": 10**9,
    "m": 10**9,
}
_YES = frozenset({"1", "true", "yes", "ya", "y", "on", "setuju"})
_NO = frozenset({"", "0", "false", "no", "tidak", "n", "off"})
_ACTING = {
    "self": "self", "sendiri": "self", "diri sendiri": "self", "representative": "person", "person": "person",
    "wakil": "person", "perwakilan": "person", "kuasa": "person",
    "institution": "institution", "lembaga": "institution",
}  # fmt: skip


class Answers(Struct, frozen=True, kw_only=True):
    """What the structured answers say; None where nothing was said."""

    full_name: str | None = None
    id_address: str | None = None
    phone: str | None = None
    email: identity.Email | None = None
    customer_ref: str | None = None
    role: Role | None = None
    language: Language | None = None
    kind: Kind | None = None
    category: str | None = None
    subject: str | None = None
    acting_as: str | None = None
    representative_name: str | None = None
    transaction_type: str | None = None
    transaction_date: date | None = None
    transaction_reference: str | None = None
    transaction_amount_idr: int | None = None
    loss_amount_idr: int | None = None
    remedy_requested: str | None = None
    publish_narrative: bool | None = None
    privacy_notice_version: str | None = None
    #: "name: value" of every answer that could not be read, for the narrative.
    unread: tuple[str, ...] = ()
    #: "invalid_field:<name>" for each of a known name, "unknown_field" for the others.
    flags: tuple[str, ...] = ()


NOTHING = Answers()


def read(
    fields: Mapping[str, str], categories: tuple[str, ...] | None = None, kinds: tuple[str, ...] | None = None
) -> Answers:
    """Return the answers; a wrong value never raises: it stays readable in `unread` and is named in `flags`."""
    if not fields:
        return NOTHING
    values: dict[str, object] = {}
    unread: list[str] = []
    flags: list[str] = []
    for name, raw in fields.items():
        text = line(raw, _LONGEST_VALUE)
        if text is None:
            continue
        reader = _READERS.get(name)
        value = reader(text) if reader is not None else None
        if (name == "category" and value not in (categories or ())) or (
            name == "kind" and kinds is not None and value not in kinds
        ):
            value = None
        if value is None:
            unread.append(f"{line(name, 60) or '?'}: {text}")
            flags.append(f"invalid_field:{name}" if reader is not None else "unknown_field")
        else:
            values[name] = value
    # The readers give each name the type of its field.
    return Answers(**values, unread=tuple(unread), flags=tuple(dict.fromkeys(flags)))  # type: ignore[arg-type]  # by name


def rupiah(raw: str) -> int | None:
    """Return whole rupiah of "Rp 1.500.000", "1,500,000.00", "1,5 juta" or "500rb"; None when it is no amount."""
    match = _AMOUNT.fullmatch(raw.strip())
    if match is None:
        return None
    digits, scale = match[1].rstrip(".,"), _SCALES.get((match[2] or "").lower(), 1)
    whole, fraction = digits, ""
    mark = max(digits.rfind("."), digits.rfind(","))
    if mark != -1:
        tail = digits[mark + 1 :]
        both_signs = "." in digits and "," in digits
        # Three digits after a sign are thousands, except with "juta" (1,250 juta); of two different signs the
        # last one decides.
        if len(tail) != 3 or both_signs or (scale > 1000 and digits.count(digits[mark]) == 1):
            whole, fraction = digits[:mark], tail
    whole = whole.replace(".", "").replace(",", "")
    if not whole.isdigit() or (fraction and not fraction.isdigit()):
        return None
    amount = int(whole) * scale + (int(fraction) * scale // 10 ** len(fraction) if fraction else 0)
    return amount if amount <= LARGEST_AMOUNT_IDR else None


def day(raw: str) -> date | None:
    """Return the date of "2026-01-05", "5/1/2026" or "5 Januari 2026" (day before month, as written in Indonesia)."""
    text = raw.strip()
    match = _ISO_DATE.fullmatch(text)
    if match is not None:
        year, month, day_of_month = int(match[1]), int(match[2]), int(match[3])
    else:
        match = _LOCAL_DATE.fullmatch(text)
        if match is None:
            return None
        named = match[2].lower()
        month = int(named) if named.isdigit() else _MONTHS.get(named, 0)
        year, day_of_month = int(match[3]), int(match[1])
    try:
        return date(year, month, day_of_month)
    except ValueError:
        return None


def _one_of(allowed: tuple[str, ...]) -> Callable[[str], str | None]:
    return lambda raw: raw.lower() if raw.lower() in allowed else None


def _truth(raw: str) -> bool | None:
    lowered = raw.lower()
    if lowered in _YES:
        return True
    return False if lowered in _NO else None


def _as_written(raw: str) -> str:
    return raw


_READERS: dict[str, Callable[[str], object]] = {
    "full_name": lambda raw: line(raw, 200),
    "id_address": _as_written,
    "phone": identity.phone,
    "email": identity.email,
    "customer_ref": lambda raw: line(raw, 100),
    "role": _one_of(get_args(Role)),
    "language": _one_of(get_args(Language)),
    "kind": _one_of(get_args(Kind)),
    "category": lambda raw: raw.lower(),
    "subject": _as_written,
    "acting_as": lambda raw: _ACTING.get(raw.lower()),
    "representative_name": lambda raw: line(raw, 200),
    "transaction_type": lambda raw: line(raw, 100),
    "transaction_date": day,
    "transaction_reference": lambda raw: line(raw, 100),
    "transaction_amount_idr": rupiah,
    "loss_amount_idr": rupiah,
    "remedy_requested": _as_written,
    "publish_narrative": _truth,
    "privacy_notice_version": lambda raw: line(raw, 50),
}
