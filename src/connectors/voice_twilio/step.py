"""Where a call stands. The state travels in the query of the next step's address, which Twilio signs; none is here."""

from __future__ import annotations

import base64
import hmac
import re
from datetime import date
from typing import Literal, get_args
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from msgspec import Struct

Name = Literal[
    "begin", "menu", "language", "permit", "record", "review", "choice", "number", "again", "end", "recording"
]
Language = Literal["id", "en"]

MOST_FIELDS = 50
MOST_ROUNDS = 9
_RECORDING = re.compile(r"RE[0-9a-fA-F]{32}")
_NAMES = frozenset(get_args(Name))


class Step(Struct, frozen=True, kw_only=True):
    """One step of the dialogue with all that it needs to know of the ones before."""

    name: Name = "begin"
    #: None: the caller chose none and hears both.
    language: Language | None = None
    #: How often this was asked before, so that no caller goes round for ever.
    round: int = 0
    #: The day that the caller was told the complaint counts from; None within the official hours.
    counts_from: date | None = None
    #: The caller wants no message to the telephone that calls.
    no_message: bool = False
    #: The recording that is being dealt with, and the one that it takes the place of.
    recording: str = ""
    replaces: str = ""
    #: The caller's number, sealed: a recording's status callback does not name it.
    caller: str = ""

    @property
    def languages(self) -> tuple[Language, ...]:
        """The languages to speak, Indonesian first."""
        return (self.language,) if self.language else ("id", "en")


def read(target: str) -> Step:
    """The step that an address names; the first one for whatever cannot be read. Never raises."""
    try:
        given = dict(parse_qsl(urlsplit(target).query, max_num_fields=MOST_FIELDS))
    except ValueError:
        return Step()
    if given.get("step") not in _NAMES:
        return Step()
    language = given.get("lang")
    number = given.get("round", "")
    return Step(
        name=msgspec.convert(given["step"], Name),
        language="en" if language == "en" else "id" if language == "id" else None,
        round=int(number) if len(number) == 1 and number.isascii() and number.isdecimal() else 0,
        counts_from=_day(given.get("from", "")),
        no_message=given.get("message") == "0",
        recording=recording(given.get("recording", "")),
        replaces=recording(given.get("replaces", "")),
        caller=given.get("caller", ""),
    )


def address(base: str, step: Step) -> str:
    """The address that Twilio calls for a step; the same for the same step, byte for byte."""
    query = {
        "step": step.name,
        "lang": step.language or "",
        "round": str(min(step.round, MOST_ROUNDS)) if step.round else "",
        "from": step.counts_from.isoformat() if step.counts_from else "",
        "message": "0" if step.no_message else "",
        "recording": step.recording,
        "replaces": step.replaces,
        "caller": step.caller,
    }
    return f"{base}?{urlencode({name: value for name, value in query.items() if value})}"


class Seal:
    """Hides a caller's number in an address: deterministic (RFC 5297), so that a repeated step gives the same bytes."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESSIV(hmac.digest(secret, b"voice_twilio caller", "sha512"))

    def close(self, number: str, call: str) -> str:
        """The sealed number of this call."""
        return base64.urlsafe_b64encode(self._cipher.encrypt(number.encode(), [call.encode()])).decode().rstrip("=")

    def open(self, sealed: str, call: str) -> str | None:
        """The number that was sealed for this call; None for anything else."""
        try:
            data = base64.urlsafe_b64decode(sealed.encode("ascii") + b"=" * (-len(sealed) % 4))
            return self._cipher.decrypt(data, [call.encode()]).decode()
        except (InvalidTag, ValueError):
            return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2026-01-05") else None
    except ValueError:
        return None


def recording(text: str) -> str:
    """The id of a recording, or nothing where the text is none."""
    return text if _RECORDING.fullmatch(text) else ""
