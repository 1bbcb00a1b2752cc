"""The connector of a telephone number behind a small web server, and what tests ask about a call."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import UTC, date, datetime, time

import aiohttp
from aiohttp import web

from connectors import registry
from connectors.contract import Filed, Hours, Request, Setup
from connectors.voice_twilio import WORDING, VoiceTwilio
from connectors.voice_twilio.step import Language
from normalizer.message import Attachment, Event, Ignored, Message
from simulator.twilio_voice import Call, Speech

SARI = "+6281200000001"
WITHHELD = "+266696687"
ACCOUNT = "ACd1a0b1c2d3e4f5061728394a5b6c7d8e"
NUMBER = "AKS-20260105-000123-7"
OPEN = Hours(open=time(9), close=time(18), is_open=True, counts_from=date(2026, 1, 5))
CLOSED = Hours(open=time(9), close=time(18), is_open=False, counts_from=date(2026, 1, 6))
WORDS = Speech(b"ID3 a complaint", 5.0, words="Dana saya belum cair")


class Ours:
    """Our webhook: the connector with a gateway that records at once."""

    def __init__(self) -> None:
        self.connector: VoiceTwilio | None = None
        self.events: list[Event] = []
        self.hours: Hours | None = OPEN
        self.numbers: tuple[str, ...] = (NUMBER,)
        #: Steps that are answered 503 and not kept.
        self.refused: set[str] = set()

    async def answer(self, called: web.Request) -> web.StreamResponse:
        """What the gateway does, without its journal."""
        request = Request(
            method=called.method,
            target=called.raw_path,
            headers=tuple((name.lower(), value) for name, value in called.headers.items()),
            body=await called.read(),
            received_at=datetime.now(UTC),
        )
        assert self.connector is not None
        if called.query.get("step", "begin") in self.refused:
            return web.Response(status=503)
        intake = self.connector.receive(request)
        said: list[Event] = []
        for raw in intake.keep:
            said += self.connector.parse(raw)
        self.events += said
        found = intake.answer
        if intake.waits:
            numbers = self.numbers if any(isinstance(each, Message) for each in said) else ()
            found = self.connector.answer(request, Filed(ticket_numbers=numbers, hours=self.hours))
        return web.Response(body=found.body, content_type=found.content_type)

    def keys(self) -> set[str]:
        """The keys of all messages: what the store holds once each."""
        return {each.key for each in self.events if isinstance(each, Message)}

    def reasons(self) -> list[str]:
        """Why requests made no message."""
        return [each.reason for each in self.events if isinstance(each, Ignored)]


def setup_of(api_base: str, public_url: str, session: Callable[[], aiohttp.ClientSession], **more: object) -> Setup:
    """A telephone channel of Akseleran."""
    spec = registry.find("voice_twilio")
    given = {
        "kind": "voice_twilio",
        "organisation": "akseleran",
        "account_sid": ACCOUNT,
        "auth_tokens": ["invented-auth-token"],
        "number": "+622150996001",
        "spoken_name": "Akseleran",
        "api_base": api_base,
        "timeout_seconds": 0.5,
        "page_size": 2,
        **more,
    }
    return Setup(
        channel_id="akseleran-phone",
        settings=spec.settings.model_validate(given),
        facts=spec.facts,
        public_url=public_url,
        session=session,
        secret=b"x" * 32,
        now=lambda: datetime.now(UTC),
    )


def no_network() -> aiohttp.ClientSession:
    """What a connector is lent that must not call anybody."""
    raise AssertionError("no network here")


def messages(events: Sequence[Event]) -> list[Message]:
    """The messages of some events."""
    return [each for each in events if isinstance(each, Message)]


def read_back(call: Call, language: Language) -> list[str]:
    """The ticket numbers that the voice spelled in one language."""
    words = WORDING[language]
    spoken = {word: str(digit) for digit, word in enumerate(words.digits)}
    runs = [each.text for each in call.said if words.tag in each.languages and re.fullmatch(r"\w+(, \w+)*", each.text)]
    digits = "".join("".join(spoken.get(word, word) for word in run.split(", ")) for run in runs)
    return re.findall(r"[A-Z]{3}\d{15}", digits)


def file_of(ours: Ours) -> Attachment:
    """The recording of the first message."""
    return messages(ours.events)[0].attachments[0]


async def everything_since(connector: VoiceTwilio, moment: datetime) -> list[Event]:
    """The events of all that is listed."""
    found: list[Event] = []
    async with aclosing(connector.since(moment)) as batches:
        async for batch in batches:
            for raw in batch.keep:
                found += connector.parse(raw)
    return found
