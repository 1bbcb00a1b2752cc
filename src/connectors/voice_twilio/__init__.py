"""Telephone calls through Twilio: one number that customers call, answered in Indonesian and English.

The voice states the hours, announces and takes a recording, plays it back, and reads out the ticket number. What a
caller said is kept as soon as the recording ends, whatever the caller does then. No state is kept here: it travels in
the addresses that Twilio calls and signs (step.py), so a step that comes twice is answered the same (dialogue.py).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from connectors import codes, facts
from connectors.contract import Answer, Batch, Connector, Filed, Intake, Request, Setup, Spec
from connectors.errors import Malformed, Misconfigured, Rejected, Unavailable, Unreachable
from connectors.media import Gone, MediaClient
from connectors.twilio_messages import LISTED, first_date, read
from connectors.voice_twilio import dialogue, spoken, step
from connectors.voice_twilio.parse import ENDED, caller, parse, read_form, recording_of, status_callback
from connectors.voice_twilio.payload import CallPage, CallResource, Listed, NumberPage, RecordingPage, RecordingResource
from connectors.voice_twilio.settings import Settings
from connectors.voice_twilio.step import Step
from normalizer.message import Attachment, Event, Outgoing, Raw, Sent

HERE = Path(__file__).parent
FACTS = facts.load(HERE / "facts.yaml")
CODES = codes.load(HERE / "codes.yaml")
WORDING = spoken.load(HERE / "wording.yaml")
WIB = timezone(timedelta(hours=7))

#: Steps whose requests are kept: the contact itself, and everything that names a recording.
_KEPT = frozenset({"begin", "review", "choice", "number", "again", "end", "recording"})
#: A recording is listed under the moment it began, and is complete only after the caller spoke and Twilio processed it.
_PROCESSING = timedelta(hours=1)
_READY = frozenset({"completed", "failed"})
_EMPTY = frozenset({"absent", "deleted"})
#: A call is listed under the day it began.
_LONGEST_CALL = timedelta(hours=24)
_NOTHING = Answer(body=b"<Response/>", content_type="text/xml")


class VoiceTwilio:
    """One telephone number at Twilio."""

    def __init__(self, setup: Setup) -> None:
        settings: Settings = setup.settings
        self.channel_id = setup.channel_id
        self.facts = setup.facts
        #: What stands in `Message.account`: whose message it is, whichever channel's address it came to.
        self.account = settings.number
        self._setup = setup
        self._proof = settings.proof(setup)
        self._seal = step.Seal(setup.secret)
        self._rest = settings.messages(setup, CODES)
        self._reach = timedelta(seconds=settings.longest_recording_seconds) + _PROCESSING
        self._media = MediaClient.of(setup.facts, settings.root, timeout=settings.media_timeout_seconds)
        self._address = setup.address
        self._line = dialogue.Line(
            name=settings.spoken_name or settings.organisation,
            words=WORDING,
            voices={"id": settings.voices.id, "en": settings.voices.en},
            key_seconds=settings.key_seconds,
            silence_seconds=settings.silence_seconds,
            longest_seconds=settings.longest_recording_seconds,
            address=lambda to: step.address(self._address, to),
            played=self._recording if settings.play_back else None,
        )

    def receive(self, request: Request) -> Intake:
        """Keeps what a call's step or callback tells, if its signature is good. Raises Rejected."""
        self._proof.check(request)
        at, form = self._read(request)
        over = status_callback(form, at) or form.get("CallStatus") in ENDED or form.get("Digits") == "hangup"
        raw = Raw(channel_id=self.channel_id, received_at=request.received_at, body=request.body, target=request.target)
        return Intake(
            keep=(raw,) if at.name in _KEPT else (),
            answer=_NOTHING if over else self.answer(request, Filed()),
            waits=not over and dialogue.waits(at, form.get("Digits", "")),
        )

    def answer(self, request: Request, filed: Filed) -> Answer:
        """What the caller hears next: hours and ticket number come from `filed`."""
        at, form = self._read(request)
        number, call = caller(form), form.get("CallSid", "")
        heard = dialogue.Heard(
            digits=form.get("Digits", ""),
            caller=self._seal.close(number, call) if number else "",
            recording=recording_of(form, at),
            today=request.received_at.astimezone(WIB).date(),
        )
        text = dialogue.respond(self._line, at, heard, filed)
        return Answer(body=text.encode(), content_type="text/xml")

    def parse(self, raw: Raw) -> list[Event]:
        """Events of one request or listed call. Raises Malformed."""
        return parse(raw, self.account, self._seal)

    async def send(self, out: Outgoing) -> Sent:
        """Raises Unreachable: nobody can be written to by telephone, the receipt goes by message or mail (K6, A6)."""
        raise Unreachable("a telephone call cannot be answered by text")

    async def since(self, moment: datetime) -> AsyncGenerator[Batch, None]:
        """Recordings of this number, and calls without any, that Twilio lists since `moment` (UTC)."""
        earliest = moment - self._reach
        calls: dict[str, msgspec.Raw] = {}
        began: dict[str, str | datetime] = {"To": self.account, "StartTime>": earliest - _LONGEST_CALL}
        async with aclosing(self._rest.pages(CallPage, "Calls", began)) as pages:
            async for page in pages:
                for item in page.calls:
                    call = read(item, CallResource)
                    if call is not None and call.direction == "inbound":
                        calls[call.sid] = item
        spoke: set[str] = set()
        async with aclosing(self._rest.pages(RecordingPage, "Recordings", {"DateCreated>": earliest})) as heard:
            async for found in heard:
                kept = (self._found(item, calls, spoke, earliest) for item in found.recordings)
                yield Batch(keep=tuple(raw for raw in kept if raw is not None), cursor=moment.isoformat())
        silent = [item for sid, item in calls.items() if sid not in spoke and _ended_since(item, moment)]
        yield Batch(keep=tuple(self._raw(item) for item in silent), cursor=moment.isoformat())

    async def check(self) -> None:
        """Asks Twilio for the account and for what the number calls. Raises AuthFailed, Misconfigured, Unavailable."""
        await self._rest.check()
        query = urlencode({"PhoneNumber": self.account})
        page = read(await self._rest.call("GET", f"{self._rest.account}/IncomingPhoneNumbers.json?{query}"), NumberPage)
        if page is None:
            raise Unavailable("Twilio's list of numbers cannot be read")
        # A number of another carrier (a SIP trunk) is not listed: then only a call can tell.
        for each in page.incoming_phone_numbers:
            elsewhere = (each.voice_url or "").partition("#")[0] != self._address
            if each.phone_number == self.account and not (each.voice_application_sid or each.trunk_sid) and elsewhere:
                raise Misconfigured(f"the number does not call {self._address}: set it under Voice configuration")

    async def open(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """The bytes of a recording, as MP3. A call may end before its recording is ready: it is asked for again."""
        if not step.recording(attachment.ref or ""):
            raise Unreachable("this recording does not lie at Twilio")
        url = self._recording(attachment.ref or "")
        try:
            async with aclosing(self._media.fetch(url, self._rest.credentials())) as chunks:
                async for chunk in chunks:
                    yield chunk
        except Gone:
            raise Unavailable("Twilio does not have the recording ready") from None

    async def aclose(self) -> None:
        """Closes the media connections; safe to call twice."""
        await self._media.aclose()

    def _read(self, request: Request) -> tuple[Step, dict[str, str]]:
        try:
            return step.read(request.target), read_form(request.body)
        except Malformed as malformed:
            raise Rejected(400, malformed.reason) from None

    def _recording(self, sid: str) -> str:
        return f"{self._rest.account}/Recordings/{sid}.mp3"

    def _found(
        self, item: msgspec.Raw, calls: Mapping[str, msgspec.Raw], spoke: set[str], earliest: datetime
    ) -> Raw | None:
        """What is kept of a listed recording: nothing of another number, of whole calls, of what is not ready."""
        found = read(item, RecordingResource)
        if found is None:
            return self._raw(msgspec.Raw(b"{}"), item)
        if found.call_sid not in calls or found.source != "RecordVerb" or found.status in _EMPTY:
            return None
        spoke.add(found.call_sid)
        at = first_date(found.start_time, found.date_created)
        if found.status not in _READY or (at is not None and at < earliest):
            return None
        return self._raw(calls[found.call_sid], item)

    def _raw(self, call: msgspec.Raw, *recordings: msgspec.Raw) -> Raw:
        found = read(call, CallResource)
        return Raw(
            channel_id=self.channel_id,
            received_at=self._setup.now(),
            body=msgspec.json.encode(Listed(call=call, recordings=list(recordings))),
            headers={LISTED: "call"},
            ref=found.sid if found is not None else "",
        )


def _ended_since(item: msgspec.Raw, earliest: datetime) -> bool:
    call = read(item, CallResource)
    if call is None or call.status not in ENDED:
        return False
    at = first_date(call.end_time, call.start_time, call.date_created)
    return at is not None and at >= earliest


def build(setup: Setup) -> Connector:
    """The connector of one channel."""
    return VoiceTwilio(setup)


CONNECTOR = Spec(kind="voice_twilio", channels=("phone",), settings=Settings, facts=FACTS, build=build)
