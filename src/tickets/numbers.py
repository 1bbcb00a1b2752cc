"""Ticket numbers: `KLA-20260105-000123-0` is prefix, WIB date, daily sequence, Luhn check digit. Pure.

The number is no secret. The check digit covers date and sequence, so that a mistyped or misheard digit is noticed
before anything is looked up (ISO/IEC 7812-1 annex B).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from msgspec import Struct

#: Shown width of the daily sequence; a larger number simply becomes longer.
WIDTH = 6
#: Longest text that is looked at; far above any number that people type with spaces in between.
LONGEST = 64

_PREFIX = re.compile(r"[A-Z]{2,6}")
_NUMBER = re.compile(r"([A-Z]{2,6})([0-9]{8})([0-9]{6,})([0-9])")
#: Spaces of every kind, and everything that people and phones write for a hyphen.
_SEPARATORS = re.compile(r"[\s\-_./\u00ad\u200b\u2010-\u2015\u2212]+")
#: Digit sum of a doubled digit.
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


class Number(Struct, frozen=True):
    """The parts of a ticket number; `str` gives it as it is written."""

    prefix: str
    day: date
    sequence: int

    def __str__(self) -> str:
        return make(self.prefix, self.day, self.sequence)


def check_digit(digits: str) -> int:
    """The Luhn digit that belongs behind `digits`."""
    total = sum(
        _DOUBLED[int(digit)] if position % 2 == 0 else int(digit) for position, digit in enumerate(reversed(digits))
    )
    return -total % 10


def make(prefix: str, day: date, sequence: int) -> str:
    """The ticket number of the `sequence`-th complaint of the WIB date `day`; ValueError on an impossible part."""
    if not _PREFIX.fullmatch(prefix):
        raise ValueError("the prefix of a ticket number is two to six capital letters")
    if sequence < 1:
        raise ValueError("the daily sequence begins at 1")
    # strftime("%Y") does not pad on every platform
    written_day = f"{day.year:04d}{day.month:02d}{day.day:02d}"
    written_sequence = f"{sequence:0{WIDTH}d}"
    return f"{prefix}-{written_day}-{written_sequence}-{check_digit(written_day + written_sequence)}"


def parse(text: str) -> Number | None:
    """The ticket number that a person wrote, whatever the case, spaces and hyphens; None when it cannot be one."""
    if len(text) > LONGEST:
        return None
    match = _NUMBER.fullmatch(_SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper())
    if match is None:
        return None
    prefix, written_day, written_sequence, check = match.groups()
    try:
        day = date(int(written_day[:4]), int(written_day[4:6]), int(written_day[6:]))
    except ValueError:
        return None
    sequence = int(written_sequence)
    # Only the canonical spelling is ours: "0000123" and sequence 0 were never given out.
    if sequence < 1 or f"{sequence:0{WIDTH}d}" != written_sequence:
        return None
    if check_digit(written_day + written_sequence) != int(check):
        return None
    return Number(prefix, day, sequence)
