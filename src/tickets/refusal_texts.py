"""The sentence that a person reads when a step of a ticket is not possible, in Indonesian or English.

The sentences stand in `refusals/{id,en}.yaml`, one for every code that `tickets.lifecycle.apply` gives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec
from babel.dates import format_date
from msgspec import Struct
from ruamel.yaml import YAML

from tickets.calendar import WIB
from tickets.lifecycle_values import Refusal

Language = Literal["id", "en"]
#: Values that are shown in another way than they are kept.
_DATES = frozenset({"due", "earliest"})
_MONEY = frozenset({"amount", "most"})
_PLACE = re.compile(r"\{([a-z]+)\}")


class Texts(Struct, frozen=True, forbid_unknown_fields=True):
    """One file of sentences."""

    language: Language
    rule: str
    rule_with_sources: str
    #: Placeholder -> word of the machine -> words for people.
    words: Mapping[str, Mapping[str, str]]
    codes: Mapping[str, str]


@cache
def texts(language: Language) -> Texts:
    """The sentences of one language."""
    raw = (files("tickets") / "refusals" / f"{language}.yaml").read_text(encoding="utf-8")
    return msgspec.convert(YAML(typ="safe", pure=True).load(raw), Texts)


def sentence(refusal: Refusal, language: Language) -> str:
    """Why an event is not possible and what to do instead. KeyError for a code that has no sentence."""
    known = texts(language)
    values = refusal.values
    return _PLACE.sub(
        lambda place: _shown(known, place[1], values[place[1]]) if place[1] in values else "…",
        known.codes[refusal.code],
    )


def source_line(refusal: Refusal, language: Language) -> str:
    """The rule behind a refusal with the published sentences that it comes from: "Rule: rejection.reasons; ..."."""
    known = texts(language)
    if not refusal.sources:
        return known.rule.format(rule=refusal.rule)
    return known.rule_with_sources.format(rule=refusal.rule, sources=", ".join(refusal.sources))


def _shown(known: Texts, name: str, value: str) -> str:
    if name in _DATES:
        return format_date(date.fromisoformat(value), "d MMMM y", locale=known.language)
    if name == "at":
        moment = datetime.fromisoformat(value).astimezone(WIB)
        return f"{format_date(moment, 'd MMMM y', locale=known.language)} {moment:%H.%M} WIB"
    if name in _MONEY:
        whole = f"{int(value):,}"
        return f"Rp{whole.replace(',', '.')}" if known.language == "id" else f"Rp{whole}"
    return known.words.get(name, {}).get(value, value)
