"""What a text costs as SMS: its alphabet and how many parts it is sent in. Pure (3GPP TS 23.038, TS 23.040)."""

from __future__ import annotations

from typing import Literal, NamedTuple

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")  # behind an escape: two units each
_SIZES: dict[Literal["gsm7", "ucs2"], tuple[int, int]] = {"gsm7": (160, 153), "ucs2": (70, 67)}
_ALIKE = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4`", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2022\u00b7", "-")
    | dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f\t", " ")
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", "")
    | {"\u2026": "...", "\u00d7": "x"}
)


class Size(NamedTuple):
    """How a text is sent: units are septets of GSM-7 or 16-bit units of UCS-2."""

    alphabet: Literal["gsm7", "ucs2"]
    units: int
    segments: int


def size(text: str) -> Size:
    """The size of a text: 160 or 70 units in one part, else 153 or 67 in each; no character is cut in two."""
    letters = set(text)
    alphabet: Literal["gsm7", "ucs2"] = "gsm7" if letters <= _BASIC | _EXTENDED else "ucs2"
    if alphabet == "gsm7":
        widths = [2 if letter in _EXTENDED else 1 for letter in text]
    else:
        widths = [2 if letter > "\uffff" else 1 for letter in text]
    units = sum(widths)
    whole, part = _SIZES[alphabet]
    if units <= whole:
        return Size(alphabet, units, 1)
    segments, room = 1, part
    for width in widths:
        if width > room:
            segments, room = segments + 1, part
        room -= width
    return Size(alphabet, units, segments)


def cheapest(text: str) -> str:
    """The text with typographic quotes, dashes and spaces in plain form, where GSM-7 then holds all of it."""
    plain = text.translate(_ALIKE)
    spelled = size(plain)
    return plain if spelled.alphabet == "gsm7" and spelled.segments <= size(text).segments else text
