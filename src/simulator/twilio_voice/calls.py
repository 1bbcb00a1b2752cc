"""A call as Twilio keeps it, what was said in it, and callers: one that follows a script, one that sits at the page."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from simulator.place import Attachment
from simulator.twilio.records import API_VERSION, new_sid, rfc2822

SECONDS_PER_WORD = 0.5
MOST_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True)
class Key:
    """The caller presses a key."""

    digit: str


@dataclass(frozen=True, slots=True)
class Speech:
    """The caller speaks, then presses the finishing key, falls silent, or hangs up."""

    content: bytes
    seconds: float = 5.0
    ends_with: str = "#"  # a key, "" for silence, "hangup"
    words: str = ""  # for the transcript alone


@dataclass(frozen=True, slots=True)
class Silence:
    """The caller does nothing."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """The caller hangs up."""


Act = Key | Speech | Silence | HangUp


class HungUp(Exception):
    """The caller is gone."""


class Caller(Protocol):
    """Who is on the other end."""

    async def key(self, seconds: float) -> str | None:
        """The key that is pressed within that time, None for none. Raises HungUp."""

    async def speak(self, seconds: float) -> Speech | None:
        """What is said into a recording, None for nothing. Raises HungUp."""


class Scripted:
    """A caller who does one thing after the other, and hangs up at the end."""

    def __init__(self, script: Iterable[Act]) -> None:
        self._acts = deque(script)

    async def key(self, seconds: float) -> str | None:
        """The next act, if it is a key; words are kept until somebody records them."""
        if self._acts and isinstance(self._acts[0], Speech):
            return None
        match self._next():
            case Key(digit):
                return digit
            case _:
                return None

    async def speak(self, seconds: float) -> Speech | None:
        """The next act, if it is speech."""
        act = self._next()
        return act if isinstance(act, Speech) else None

    def _next(self) -> Act:
        act = self._acts.popleft() if self._acts else HangUp()
        if isinstance(act, HangUp):
            raise HungUp
        return act


class Visitor:
    """Somebody at the page, whose words wait until they are recorded; a page is slower than a telephone."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.asked = ""  # "key" or "speech" while the call waits
        self._acts: asyncio.Queue[Act] = asyncio.Queue()
        self._words: deque[Speech] = deque()

    def do(self, act: Act) -> None:
        """Lets the visitor act now."""
        self._acts.put_nowait(act)

    async def key(self, seconds: float) -> str | None:
        """The next key; what is written meanwhile is said later."""
        while True:
            match await self._wait("key"):
                case Key(digit):
                    return digit
                case Speech() as speech:
                    self._words.append(speech)
                case _:
                    return None

    async def speak(self, seconds: float) -> Speech | None:
        """What the visitor wrote."""
        if self._words:
            return self._words.popleft()
        while True:
            match await self._wait("speech"):
                case Speech() as speech:
                    return speech
                case Key():
                    continue  # heard as a tone within the recording
                case _:
                    return None

    async def _wait(self, asked: str) -> Act:
        self.asked = asked
        try:
            async with asyncio.timeout(self.patience):
                act = await self._acts.get()
        except TimeoutError:
            return Silence()
        finally:
            self.asked = ""
        if isinstance(act, HangUp):
            raise HungUp
        return act


@dataclass(frozen=True, slots=True)
class Said:
    """One piece of a call: what the voice said, or what the caller did."""

    at: float
    by_caller: bool
    text: str
    languages: frozenset[str] = frozenset()
    attachments: tuple[Attachment, ...] = ()


@dataclass(slots=True)
class Recording:
    """What a caller said."""

    sid: str
    call_sid: str
    account_sid: str
    content: bytes
    seconds: float
    at: float
    ready_at: float
    words: str = ""
    status: str = "completed"  # or "failed", "absent"

    @property
    def uri(self) -> str:
        """The path of the recording in the REST API, without an ending."""
        return f"/{API_VERSION}/Accounts/{self.account_sid}/Recordings/{self.sid}"

    def as_json(self, now: float) -> dict[str, Any]:
        """The recording resource; times are RFC 2822 in UTC."""
        status = self.status if now >= self.ready_at else "processing"
        return {
            "account_sid": self.account_sid,
            "api_version": API_VERSION,
            "call_sid": self.call_sid,
            "channels": 1,
            "conference_sid": None,
            "date_created": rfc2822(self.at),
            "date_updated": rfc2822(self.ready_at),
            "duration": str(round(self.seconds)),
            "error_code": None,
            "price": None,
            "sid": self.sid,
            "source": "RecordVerb",
            "start_time": rfc2822(self.at),
            "status": status,
            "uri": f"{self.uri}.json",
        }


@dataclass(slots=True)
class Call:
    """One call to the business."""

    sid: str
    account_sid: str
    from_: str
    to: str
    at: float
    status: str = "ringing"
    ended: float = 0.0
    said: list[Said] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)
    documents: list[tuple[str, bytes]] = field(default_factory=list)  # every TwiML with the address it came from

    @property
    def heard(self) -> str:
        """All that the voice said, in its order."""
        return "\n".join(each.text for each in self.said if not each.by_caller)

    def as_json(self) -> dict[str, Any]:
        """The call resource; times are RFC 2822 in UTC."""
        uri = f"/{API_VERSION}/Accounts/{self.account_sid}/Calls/{self.sid}"
        over = self.status not in ("queued", "ringing", "in-progress")
        return {
            "account_sid": self.account_sid,
            "answered_by": None,
            "api_version": API_VERSION,
            "caller_name": None,
            "date_created": rfc2822(self.at),
            "date_updated": rfc2822(self.ended or self.at),
            "direction": "inbound",
            "duration": str(round(self.ended - self.at)) if over else None,
            "end_time": rfc2822(self.ended) if over else None,
            "forwarded_from": None,
            "from": self.from_,
            "parent_call_sid": None,
            "price": None,
            "sid": self.sid,
            "start_time": rfc2822(self.at),
            "status": self.status,
            "subresource_uris": {"recordings": f"{uri}/Recordings.json"},
            "to": self.to,
            "uri": f"{uri}.json",
        }


def speech(text: str) -> Speech:
    """What a visitor wrote, as if it were spoken."""
    seconds = min(max(1.0, len(text.split()) * SECONDS_PER_WORD), MOST_SECONDS)
    return Speech(mp3(text, seconds), seconds, words=text)


def mp3(text: str, seconds: float) -> bytes:
    """A silent MP3 of that length (MPEG-1 layer III, mono, 32 kbit/s at 32 kHz) with the text in its ID3 tag."""
    comment = b"\x03" + text.encode()[:60_000]  # UTF-8
    frame = b"TIT2" + len(comment).to_bytes(4, "big") + b"\x00\x00" + comment
    size = len(frame)
    tag = b"ID3\x03\x00\x00" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + frame
    return tag + (b"\xff\xfb\x18\xc4" + bytes(140)) * max(1, round(min(seconds, 60) / 0.036))


def recording(call: Call, said: Speech, now: float, ready_at: float) -> Recording:
    """What becomes of it at Twilio."""
    began = now - said.seconds
    return Recording(new_sid("RE"), call.sid, call.account_sid, said.content, said.seconds, began, ready_at, said.words)
