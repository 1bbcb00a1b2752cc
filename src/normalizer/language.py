"""Indonesian or English, by a vote of the small words that only one of them has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from normalizer.complaint import Language

#: Votes that make a full certainty; fewer lower the confidence in proportion.
_ENOUGH_VOTES = 4

_LATIN_LETTER = re.compile("[A-Za-z\u00c0-\u024f]")
_FOREIGN_LETTER = re.compile("[\u0370-\u03ff\u0400-\u1fff\u2e80-\ud7ff\uf900-\ufaff\ufe70-\ufeff]")


def detect(
    text: str, words: Iterable[str], stop_words: Mapping[str, Language], default: Language = "id"
) -> tuple[Language, float]:
    """Return the language and how sure the vote is (0 to 1); the default with 0 when nothing or nobody decided.

    `words` are the words of `text` in lower case. "other" is a text written mostly in another script. Short and slang
    texts decide little: libraries of a hundred megabytes do no better on them.
    """
    if not text.isascii():
        foreign = len(_FOREIGN_LETTER.findall(text))
        if foreign > len(_LATIN_LETTER.findall(text)):
            return "other", 1.0
    cast = list(filter(None, map(stop_words.get, words)))
    indonesian, english = cast.count("id"), cast.count("en")
    votes = indonesian + english
    if indonesian == english:
        return default, 0.0
    confidence = abs(indonesian - english) / votes * min(1.0, votes / _ENOUGH_VOTES)
    return ("id" if indonesian > english else "en"), round(confidence, 2)
