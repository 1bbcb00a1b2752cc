"""Which language a page is in: what the reader chose, else what the browser prefers, else Indonesian."""

from __future__ import annotations

from typing import Literal

Language = Literal["id", "en"]


def choose(explicit: str | None, accept: str | None) -> Language:
    """`explicit` is `?lang=`; `accept` the Accept-Language header (RFC 9110 section 12.5.4)."""
    if explicit == "en":
        return "en"
    if explicit == "id" or not accept:
        return "id"
    ranks = {"id": 0.0, "en": 0.0}
    for item in accept[:500].split(","):
        tag, _, parameters = item.strip().partition(";")
        primary = tag.strip().lower().partition("-")[0]
        # "in" is the old code that some Android versions still send.
        language = "id" if primary in {"id", "in"} else primary
        if language in ranks:
            ranks[language] = max(ranks[language], _quality(parameters))
    return "en" if ranks["en"] > ranks["id"] else "id"


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
