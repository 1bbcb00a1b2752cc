"""Personal data in free text, found and masked: what `narrative_redacted` hides before anything is public or shared.

Hand-made scanning in one pass: every run of digits is looked at a bounded number of times (P29).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct
from stdnum import luhn
from stdnum.id import npwp

from normalizer import identity

SpanKind = Literal["nik", "npwp", "phone", "email", "card", "account", "secret"]
_Anchor = Literal["money", "secret", "number", "account"]


class Span(Struct, frozen=True):
    """A piece of personal data: `text[start:end]`."""

    kind: SpanKind
    start: int
    end: int


#: What stands in the place of each kind: Indonesian first, as it is read by customers and operators.
MASKS: dict[SpanKind, str] = {
    "nik": "[NIK]",
    "npwp": "[NPWP]",
    "phone": "[telepon]",
    "email": "[email]",
    "card": "[kartu]",
    "account": "[rekening]",
    "secret": "[rahasia]",
}

#: Nobody types a number in more groups than this; it bounds the work per group.
_MOST_GROUPS = 7
_KEYWORD_WINDOW = 48
_NEAR = 12

# Deterministic: after a digit comes a digit, or up to two separators and a digit, and nothing is given back.
_DIGIT_RUN = re.compile(r"[0-9](?:[ .\-()/\u00a0\u2010-\u2015]{0,2}+[0-9])++")
_MARKED = bytes(0x30 if chr(code) in "0123456789" else 0x20 for code in range(256))
_GROUP = re.compile(r"\+?[0-9]+")
_NOT_DIGITS = dict.fromkeys(map(ord, " +.-()/\u00a0\u2010\u2011\u2012\u2013\u2014\u2015"))
_BANKS = "bca|bni|bri|btn|bsi|mandiri|cimb|permata|danamon|jago|jenius"
# The signs that the expressions below let stand before the number, and the words that what they find ends with: they
# search whole windows, so they are asked only about a text that ends like this.
_SIGNS_BEFORE = " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f.:#=-"
_LAST_WORDS = (
    *_BANKS.split("|"), "saya", "adalah", "is", "nya", "my", "kode", "code",
    "pin", "otp", "cvv", "cvc", "rek", "rekening", "va", "kontrak", "pinjaman", "nasabah", "akun", "account", "acct",
    "kartu", "pelanggan", "polis", "ktp", "nik", "npwp", "loan", "no", "nomor", "id", "number",
)  # fmt: skip
_LAST_CODE_WORDS = (
    "pinjaman", "kontrak", "loan", "nasabah", "akun", "account", "pelanggan", "polis", "perjanjian", "id", "saya",
    "nomor", "number", "no", "adalah", "is", "nya",
)  # fmt: skip
# "no. rekening BCA:", "ID pinjaman", "virtual account": what follows is a number of that thing, however short.
_NUMBER_OF = re.compile(
    r"\b(?:(?:no|nomor|id|number)[\s.]{0,3}(?:rek(?:ening)?|va|kontrak|pinjaman|nasabah|akun|account|kartu|pelanggan"
    r"|polis|ktp|nik|npwp|loan)|norek|virtual account|va|nik|ktp|npwp"
    r"|(?:rekening|rek|kontrak|pinjaman|loan|nasabah|akun|account|acct)[\s.]{0,3}(?:no|nomor|id|number))\b"
    rf"(?:[\s.:#=\-]|saya|{_BANKS}|adalah|is|nya|my)*+$",
    re.IGNORECASE,
)
# "ke BCA 1234567890", "rekening 1234567890": may as well be an amount, so length and roundness decide.
_ACCOUNT_WORD = re.compile(
    rf"\b(?:rekening|rek|account|acct|akun|{_BANKS})\b(?:[\s.:#=\-]|saya|{_BANKS}|adalah|is|nya)*+$", re.IGNORECASE
)
_SECRET_WORD = re.compile(
    r"\b(?:pin|otp|cvv|cvc|mpin)\b(?:[\s.:#=\-]|kode|code|saya|adalah|is|nya|my)*+$", re.IGNORECASE
)
_PASSWORD = re.compile(r"\b(?:password|kata sandi|sandi|pwd)\s{0,3}[:=]\s{0,3}(\S{3,64})", re.IGNORECASE)
_CODE_WORD = re.compile(
    r"\b(?:pinjaman|kontrak|loan|nasabah|akun|account|pelanggan|polis|perjanjian|id)\b"
    r"(?:[\s.:#=]|saya|nomor|number|no|id|adalah|is|nya)*+$",
    re.IGNORECASE,
)
_CODE_TAIL = re.compile(r"[A-Za-z0-9\-/]{2,40}")
_LONGEST_CODE_HEAD = 12
_MONEY_BEFORE = re.compile(r"(?:\brp\.?|\bidr|\busd|\$|€)\s{0,3}$", re.IGNORECASE)
_MONEY_ENDS = frozenset("pPrRdD.$€")
_LONGEST_MONEY = 8  # characters: three, three blanks and a last line end
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3}){1,5}(?:,[0-9]{1,2})?")
_MONEY_AFTER = re.compile(r"\s{0,2}(?:rupiah|juta|jt|ribu|rb|miliar|%|persen)\b", re.IGNORECASE)
_MOMENT = re.compile(
    r"(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{4}|[0-9]{2}))"
    r"(?:[ ][0-9]{1,2}(?:[.][0-9]{2}){0,2})?"
)
_TICKET = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9]")
_LOCAL_SIGNS = "._%+-'"
_DOMAIN_HEAD = re.compile(r"[^\W_][\w.-]{0,252}")
# Codes of the provinces (Ministry of Home Affairs), with room for the newest ones of Papua.
_PROVINCES = frozenset(
    str(code)
    for first, last in ((11, 19), (21, 21), (31, 36), (51, 53), (61, 65), (71, 76), (81, 82), (91, 97))
    for code in range(first, last + 1)
)
_CARD_STARTS = ("3", "4", "5", "6", "19", "22", "23", "24", "25", "26", "27")


def find(text: str) -> tuple[Span, ...]:
    """Return the personal data of the text in order and without overlap: NIK, NPWP, telephone, e-mail, card, account
    numbers (recognized by the word before them), and PINs, codes and passwords that should never have been sent.

    Amounts, dates and ticket numbers are none. Names are not looked for.
    """
    spans = _numbers(text)
    if "@" in text:
        spans += _emails(text)
    if ":" in text or "=" in text:
        spans += _passwords(text)
    if len(spans) < 2:
        return tuple(spans)
    spans.sort(key=lambda span: (span.start, -span.end))
    kept: list[Span] = []
    end = 0
    for span in spans:
        if span.start >= end:
            kept.append(span)
            end = span.end
    return tuple(kept)


def redact(text: str) -> str:
    """Return the text with every piece of personal data that `find` sees replaced by the name of its kind."""
    return mask(text, find(text))


def mask(text: str, spans: tuple[Span, ...]) -> str:
    """Return the text with the given spans (as `find` returned them) replaced."""
    if not spans:
        return text
    parts: list[str] = []
    position = 0
    for span in spans:
        parts.append(text[position : span.start])
        parts.append(MASKS[span.kind])
        position = span.end
    parts.append(text[position:])
    return "".join(parts)


def _emails(text: str) -> Iterator[Span]:
    at = text.find("@")
    floor = 0
    while at != -1:
        start = at
        while start > floor and at - start < 64 and (text[start - 1].isalnum() or text[start - 1] in _LOCAL_SIGNS):
            start -= 1
        if start < at:
            head = _DOMAIN_HEAD.match(text, at + 1)
            domain = head[0].rstrip(".-") if head is not None else ""
            if "." in domain:
                floor = at + 1 + len(domain)
                yield Span("email", start, floor)
        floor = max(floor, at + 1)
        at = text.find("@", floor)


def _passwords(text: str) -> Iterator[Span]:
    for match in _PASSWORD.finditer(text):
        yield Span("secret", match.start(1), match.end(1))


def _code(text: str, start: int) -> Span | None:
    """The loan or customer number that begins with letters ("pinjaman AKS-L-00123"), around the digits at `start`."""
    head = start
    while head > 0 and start - head < _LONGEST_CODE_HEAD and (text[head - 1].isalnum() or text[head - 1] in "-/"):
        head -= 1
    if not text[head].isalpha():
        return None
    tail = _CODE_TAIL.match(text, start)
    if tail is None:
        return None
    before = text[max(0, head - _KEYWORD_WINDOW) : head]
    if not _may_end_with(before, _LAST_CODE_WORDS):
        return None
    # Mostly the word stands right before the number, and the search is as long as what it searches.
    near = max(0, len(before) - _NEAR)
    if _CODE_WORD.search(before, near) is None and (not near or _CODE_WORD.search(before) is None):
        return None
    return Span("account", head, tail.end())


def _numbers(text: str) -> list[Span]:
    spans: list[Span] = []
    # Byte for character, so that the next digit is found by looking for one byte: most of a text holds none.
    marked = text.encode("ascii", "replace").translate(_MARKED)
    end = 0
    while (start := marked.find(b"0", end)) != -1:
        run = _DIGIT_RUN.match(text, start)
        if run is None:
            end = start + 1
            continue
        end = run.end()
        before = text[start - 1] if start else ""
        if before == "+":
            start -= 1
            before = text[start - 1] if start else ""
        if end - start < 3:
            continue
        known_until = 0
        if before and (before in "-/" or before.isalpha()):
            code = _code(text, start)
            if code is not None:
                spans.append(code)
                known_until = code.end
            else:
                known_until = _ticket_number_end(text, start)
            if known_until >= end:
                continue
        spans += _numbers_in_run(text, start, end, known_until)
    return spans


def _numbers_in_run(text: str, start: int, end: int, known_until: int) -> Iterator[Span]:
    """The personal numbers among the groups of digits in `text[start:end]` that end behind `known_until`."""
    # A word can stand only before the first group: the others have digits before them.
    anchor = _anchor(text, start) if not known_until else None
    is_money_after = _MONEY_AFTER.match(text, end) is not None
    if end - start < 2 * _MOST_GROUPS and not known_until:  # too short for more groups: at first all of it is tried
        kind = _kind(text[start:end], "money" if is_money_after else anchor)
        if kind is not None:
            if kind != "plain":
                yield Span(kind, start, end)
            return
    groups = [group.span() for group in _GROUP.finditer(text, start, end) if group.end() > known_until]
    index = 0
    while index < len(groups):
        step = 1
        for last in range(min(index + _MOST_GROUPS, len(groups)) - 1, index - 1, -1):
            first, behind = groups[index][0], groups[last][1]
            is_money = anchor == "money" or (is_money_after and last == len(groups) - 1)
            kind = _kind(text[first:behind], "money" if is_money else anchor)
            if kind is not None:
                step = last - index + 1
                if kind != "plain":
                    yield Span(kind, first, behind)
                break
        index += step
        anchor = None


def _ticket_number_end(text: str, start: int) -> int:
    """Where our ticket number ("AKS-20260105-000123-7", no secret) ends whose digits begin at `start`; else 0."""
    if start < 2 or text[start - 1] != "-" or not text[start - 2].isalpha():
        return 0
    found = _TICKET.match(text, start)
    return found.end() if found is not None else 0


def _anchor(text: str, start: int) -> _Anchor | None:
    """What the words before `start` say of the number that begins there."""
    before = text[max(0, start - _KEYWORD_WINDOW) : start]
    if not before:
        return None
    if (
        before.rstrip()[-1:] in _MONEY_ENDS
        and _MONEY_BEFORE.search(before, max(0, len(before) - _LONGEST_MONEY)) is not None
    ):
        return "money"
    if not _may_end_with(before, _LAST_WORDS):
        return None
    if _SECRET_WORD.search(before) is not None:
        return "secret"
    if _NUMBER_OF.search(before) is not None:
        return "number"
    return "account" if _ACCOUNT_WORD.search(before) is not None else None


def _may_end_with(before: str, last_words: tuple[str, ...]) -> bool:
    """Whether one of the words may stand last in a text, signs aside; letters that fold to others are not judged."""
    return not before.isascii() or before.rstrip(_SIGNS_BEFORE).lower().endswith(last_words)


def _kind(written: str, anchor: _Anchor | None) -> SpanKind | Literal["plain"] | None:
    """What the written number is; "plain" when it is certainly harmless, None when unknown."""
    digits = written if written.isdigit() else written.translate(_NOT_DIGITS)
    count = len(digits)
    if count < 3 or count > 25:
        return None
    if digits != written and written[0] != "+" and _is_plain(written):
        return "plain"
    if anchor == "money" and (written.isdigit() or count < 9):
        return "plain"
    if count >= 9:
        kind = _by_structure(written, digits, count)
        if kind is not None:
            return kind
    if anchor == "secret" and count <= 8 and written.isdigit():
        return "secret"
    if anchor == "number" and 6 <= count <= 22:
        return "account"
    if anchor == "account" and 8 <= count <= 22 and not digits.endswith("0000"):
        return "account"
    return None


def _by_structure(written: str, digits: str, count: int) -> SpanKind | None:
    if count == 16 and _is_nik(digits):
        return "nik"
    if count in (15, 16) and _is_npwp(written, digits):
        return "npwp"
    dialled = digits[0] == "0" or written[0] == "+" or digits.startswith("62")
    if dialled and count <= 16 and identity.phone(written) is not None:
        return "phone"
    if 13 <= count <= 19 and digits.startswith(_CARD_STARTS) and luhn.is_valid(digits):
        return "card"
    return None


def _is_plain(written: str) -> bool:
    """Whether it is a date, with or without its hour, or an amount with its thousands set apart."""
    if "-" not in written and "/" not in written and "." not in written:
        return False
    return _MOMENT.fullmatch(written) is not None or _THOUSANDS.fullmatch(written) is not None


def _is_nik(digits: str) -> bool:
    """Province, day (women: plus 40), month and year of birth; the regency is not checked, new ones are founded."""
    if digits[:2] not in _PROVINCES or digits[12:] == "0000":
        return False
    try:
        # 2000 is a leap year: the number does not tell the century.
        datetime.date(2000, int(digits[8:10]), int(digits[6:8]) % 40)
    except ValueError:
        return False
    return True


def _is_npwp(written: str, digits: str) -> bool:
    if len(digits) == 15 and written == digits and digits[0] in "3":
        return False  # fifteen bare digits that begin like a card: the card rule decides
    return bool(npwp.is_valid(digits)) if len(digits) == 15 or digits[0] == "0" else False
