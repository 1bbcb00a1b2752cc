"""Words that a voice says: dates, times, and a ticket number digit by digit. Pure; the sentences are `wording.yaml`."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

from connectors.voice_twilio.step import Language

#: How the runs of a ticket number are broken up: a date as year, month, day, anything else in threes.
_DATE_DIGITS = 8
_RUN = 3
NOON = 12


class Wording(BaseModel):
    """Everything that callers hear in one language."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    tag: str
    digits: list[str] = Field(min_length=10, max_length=10)
    days: list[str] = Field(min_length=7, max_length=7)
    months: list[str] = Field(min_length=12, max_length=12)
    date_form: str
    hour: str
    hour_and_minute: str
    greeting: str
    choose: str
    hours: str
    closed: str
    permit: str
    consent: str
    instructions: str
    nothing: str
    kept: str
    played: str
    review: str
    hold: str
    received: str
    repeat: str
    counts: str
    keep: str
    again: str
    goodbye: str
    no_number: str
    nobody: str

    def day(self, day: date) -> str:
        """A date in words: "Senin, 5 Januari 2026"."""
        return self.date_form.format(
            weekday=self.days[day.weekday()], day=day.day, month=self.months[day.month - 1], year=day.year
        )

    def clock(self, at: time) -> str:
        """A time of day in words."""
        return (self.hour_and_minute if at.minute else self.hour).format(
            hour=at.hour,
            hour12=(at.hour - 1) % 12 + 1,
            half="a.m." if at.hour < NOON else "p.m.",
            minute=f"{at.minute:02}",
        )

    def spelled(self, number: str) -> list[str]:
        """A ticket number in runs, each digit a word of its own: ["K, L, A", "dua, nol, dua, enam", ...]."""
        spoken = [[self.digits[int(char)] if char.isdecimal() else char for char in run] for run in _runs(number)]
        return [", ".join(words) for words in spoken]


def load(path: Path) -> dict[Language, Wording]:
    """The sentences of each language. Raises pydantic's ValidationError naming every wrong key."""
    found = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return {"id": Wording.model_validate(found["id"]), "en": Wording.model_validate(found["en"])}


def _runs(number: str) -> list[str]:
    runs: list[str] = []
    for part in number.split("-"):
        rest = part
        if len(part) == _DATE_DIGITS and part.isdecimal():
            runs += [part[:4], part[4:6]]
            rest = part[6:]
        runs += [rest[at : at + _RUN] for at in range(0, len(rest), _RUN)]
    return runs
