"""How long a text is for a provider, and how it is cut so that every part fits. Pure.

A text is cut between lines, else between words; a word or a number stays whole as long as it fits at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from connectors.facts import TextUnit

_SPACES = re.compile(r"[ \t]+")
#: X counts these code points as one and all others as two (twitter-text 3, `ranges`), and any link as 23.
_LIGHT = re.compile("[\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")
_LINK = re.compile(r"\S+\.\S+")
_LINK_WEIGHT = 23


def _weighted(text: str) -> int:
    length = 2 * len(text) - len(_LIGHT.findall(text))
    # A bare domain becomes a link too: one shorter than a link weighs more than it looks, a longer one counts whole.
    return length + sum(max(0, _LINK_WEIGHT - len(m)) for m in _LINK.findall(text) if "@" not in m)


_LENGTHS: dict[TextUnit, Callable[[str], int]] = {
    "characters": len,
    "utf16_units": lambda text: len(text.encode("utf-16-le")) // 2,
    "bytes": lambda text: len(text.encode()),
    "weighted": _weighted,
}


def length(text: str, unit: TextUnit) -> int:
    """The length of a text as the provider counts it; never less than the provider's own count."""
    return _LENGTHS[unit](text)


def split(text: str, limit: int, unit: TextUnit, number: Callable[[int, int], str]) -> tuple[str, ...]:
    """The parts of a text, each within `limit`; several parts begin with `number(part, parts)`.

    Raises ValueError when the limit leaves no room beside the part's number.
    """
    measure = _LENGTHS[unit]
    if measure(text) <= limit:
        return (text,)
    for digits in range(1, 7):
        most = 10**digits - 1
        room = limit - measure(number(most, most))
        if room < 4:
            break
        parts = _pack(text, room, measure)
        if len(parts) <= most:
            return tuple(number(index, len(parts)) + part for index, part in enumerate(parts, 1))
    raise ValueError(f"a text cannot be cut to {limit} {unit}")


def _pack(text: str, room: int, measure: Callable[[str], int]) -> list[str]:
    parts: list[str] = []
    for line in text.split("\n"):
        if parts and measure(f"{parts[-1]}\n{line}") <= room:
            parts[-1] += f"\n{line}"
        elif measure(line) <= room:
            parts.append(line)
        else:
            parts += _words(line, room, measure)
    # Spaces and line ends at a cut are what the cut replaces.
    return [part for part in (part.strip("\n ") for part in parts) if part]


def _words(line: str, room: int, measure: Callable[[str], int]) -> list[str]:
    parts = [""]
    for word in _SPACES.split(line):
        if measure(f"{parts[-1]} {word}") <= room:
            parts[-1] = f"{parts[-1]} {word}" if parts[-1] else word
        elif measure(word) <= room:
            parts.append(word)
        else:
            parts += _pieces(word, room, measure)
    return parts


def _pieces(word: str, room: int, measure: Callable[[str], int]) -> list[str]:
    """A word that is longer than a whole part: the only thing that is ever cut inside."""
    pieces = []
    while word:
        low, high = 1, len(word)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if measure(word[:middle]) <= room else (low, middle - 1)
        pieces.append(word[:low])
        word = word[low:]
    return pieces
