"""Every sentence a customer can receive, as checked data, and how a sentence takes its values. Pure.

A sentence names its values as `{name}`. It is left out when one of them is unknown; of a list of sentences the first
whose values are all known is taken. Values are put in as they are and never read as a sentence again, so nothing that
anybody wrote can become a placeholder (P27). Files are read in `wording_load`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Literal

from tickets.lifecycle_values import NoticeKind

#: How a text is written for where it goes; the `_unproven` ones for an address that nobody proved (A10, A12).
Medium = Literal["chat", "short", "short_unproven", "email", "email_unproven", "screen", "oral", "public"]
#: How much a notice says: everything, or what fits into one short message.
Length = Literal["full", "short"]
Language = Literal["id", "en"]
Values = Mapping[str, str | None]

LANGUAGES: tuple[Language, ...] = ("id", "en")
#: Western Indonesian Time: all dates and hours that people read (R1).
WIB = timezone(timedelta(hours=7), "WIB")

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, cut at its placeholders: literal, name, literal, name, ..., literal."""

    pieces: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Sentence:
        """The sentence of a text with `{name}` placeholders."""
        return cls(tuple(PLACEHOLDER.split(text)))

    @property
    def names(self) -> tuple[str, ...]:
        """The values it needs."""
        return self.pieces[1::2]

    def fill(self, values: Values) -> str | None:
        """The sentence with its values, or None when one is unknown or empty."""
        pieces = self.pieces
        if len(pieces) == 1:
            return pieces[0]
        parts = list(pieces)
        for position in range(1, len(pieces), 2):
            value = values.get(pieces[position])
            if not value:
                return None
            parts[position] = value
        return "".join(parts)


#: One place in a text: alternatives, the first that can be filled is taken.
Choice = tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A text of one template for one medium in one language; `subject` only for email."""

    subject: Sentence | None
    choices: tuple[Choice, ...]

    def lines(self, values: Values) -> list[str]:
        """The sentences that can be filled, in order."""
        found = []
        for choice in self.choices:
            for sentence in choice:
                line = sentence.fill(values)
                if line is not None:
                    found.append(line)
                    break
        return found


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language: its texts, phrases, words and the way it writes dates."""

    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    date_pattern: Sentence
    clock_pattern: Sentence
    phrases: Mapping[str, Sentence]
    words: Mapping[str, Mapping[str, str]]
    texts: Mapping[tuple[str, Medium], Text]
    document: Mapping[str, Sentence]
    #: What each notice says, by its kind and length; it stands in the frame of the template `notice`.
    notices: Mapping[tuple[NoticeKind, Length], Text]
    letter: Mapping[str, Sentence]
    _dates: dict[date, str] = field(default_factory=dict, compare=False, repr=False)

    def long_date(self, day: date) -> str:
        """A WIB date as people write it: "Kamis, 8 Januari 2026"."""
        known = self._dates.get(day)
        if known is None:
            if len(self._dates) > 2000:
                self._dates.clear()
            known = self._dates[day] = filled(
                self.date_pattern,
                weekday=self.weekdays[day.weekday()],
                day=str(day.day),
                month=self.months[day.month - 1],
                year=str(day.year),
            )
        return known

    def clock(self, moment: datetime) -> str:
        """The WIB hour and minute of an aware time."""
        return self.hour(moment.astimezone(WIB).time())

    def hour(self, clock: time) -> str:
        """An hour of the day as people write it: "09.00"."""
        return filled(self.clock_pattern, hour=f"{clock.hour:02}", minute=f"{clock.minute:02}")

    def phrase(self, name: str, **values: str) -> str:
        """A small phrase with all its values. Raises KeyError for a phrase that does not exist."""
        return filled(self.phrases[name], **values)

    def word(self, group: str, key: str) -> str:
        """The word for what a policy says; what the policy says when nobody has translated it."""
        return self.words[group].get(key, key)

    def join(self, items: Iterable[str]) -> str:
        """Items as one enumeration."""
        return self.phrase("comma").join(items)


@dataclass(frozen=True, slots=True)
class Wording:
    """All texts in both languages; `versions` is the hash of each template's content, kept with every receipt."""

    tongues: Mapping[Language, Tongue]
    versions: Mapping[str, str]

    def text(self, template: str, medium: Medium, language: Language) -> Text:
        """The text of a template. Raises KeyError when the template has none for that medium."""
        return self.tongues[language].texts[template, medium]


def filled(sentence: Sentence, **values: str) -> str:
    """A sentence whose values are all given. Raises ValueError when one is not."""
    text = sentence.fill(values)
    if text is None:
        raise ValueError(f"a value is missing for {', '.join(sentence.names)}")
    return text
