"""One telephone number at Twilio, pretended: callers dial it, the business answers with TwiML."""

from __future__ import annotations

import asyncio
import base64
import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any, Unpack
from urllib.parse import urljoin, urlsplit

from simulator.account import Options, PretendedAccount
from simulator.delivery import Delivery, Record, RetryPolicy
from simulator.place import Asks, Attachment, Choice, Line, Mounted, Talk
from simulator.twilio.calling import Alert, Params
from simulator.twilio.records import new_sid, rfc2822
from simulator.twilio_voice import calls, dialling
from simulator.twilio_voice.calls import Act, Call, Caller, HangUp, Key, Recording, Scripted, Speech, Visitor
from simulator.twilio_voice.twiml import Verb

KEYS = (Choice("1", "1"), Choice("2", "2"), Choice("3", "3"))
HANG_UP = Choice("hangup", "Tutup telepon / Hang up")
VISITOR_PATIENCE = 180.0
TOTAL_SECONDS = 15.0
_RECORDING = re.compile(r"/Recordings/(RE[0-9a-f]{32})(?:\.(?:mp3|wav))?$")


class TwilioVoice(PretendedAccount[tuple[str, Params]]):
    """A Twilio account with one telephone number. Times are seconds since the epoch; `time_scale` shortens waiting.

    `faults` are met by the whole REST API.
    """

    kind = "twilio_voice"
    path = "/twilio-voice"
    name = "Twilio"
    time_scale = 0.0
    _keep = 1_000
    asks: Asks = "number"
    channel = "Telepon / Phone (Twilio)"

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        number: str,
        fallback_url: str = "",
        status_url: str | None = None,
        shared_key: tuple[str, str] | None = None,
        media_needs_login: bool = False,
        callback_first: bool = False,
        callback_seconds: float = 2.0,
        processing_seconds: float = 1.0,
        webhook_seconds: float = TOTAL_SECONDS,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(**options)
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.number = number
        self.fallback_url = fallback_url
        self.status_url = status_url  # None: the address of the number itself
        self.shared_key = shared_key
        self.media_needs_login = media_needs_login  # "Enforce HTTP Auth on Media URLs": nothing can be played either
        self.callback_first = callback_first  # a recording's callback overtakes the action of <Record>
        self.callback_seconds = callback_seconds
        self.processing_seconds = processing_seconds  # until a recording can be downloaded
        self.webhook_seconds = webhook_seconds
        self.suspended = False
        self.calls: OrderedDict[str, Call] = OrderedDict()
        self.recordings: OrderedDict[str, Recording] = OrderedDict()
        self.deliveries = Record(min(self._keep * 10, 10_000))  # a call has many
        self.alerts: Record[Alert] = Record(self._keep)
        self._live: dict[str, Visitor] = {}

    @classmethod
    def mount(cls, accounts: Sequence[TwilioVoice]) -> Mounted:
        """The REST API of all accounts."""
        from simulator.twilio_voice.rest import Rest  # the front knows the accounts that stand behind it

        return Mounted(Rest(accounts).routes())

    async def settled(self) -> None:
        """Returns when no scripted call and no callback is under way; visitors are hung up on."""
        for visitor in self._live.values():
            visitor.do(HangUp())
        await self.tasks.settled()
        self._mixer.flush(self.weather)  # what the calls' ends gave it
        await self.tasks.settled()

    # ---- from the customer

    async def dial(self, from_: str, script: Iterable[Act]) -> Call:
        """The call of somebody who follows a script, once it is over."""
        return await self._dial(from_, Scripted(script))

    async def _dial(self, from_: str, caller: Caller) -> Call:
        call = Call(new_sid("CA"), self.account_sid, from_, self.number, self.clock())
        self.calls[call.sid] = call
        while len(self.calls) > self._keep:
            self.calls.popitem(last=False)
        await dialling.Dialling(self, call, caller).run()
        return call

    async def inject_raw(
        self, params: Params, *, url: str | None = None, secret: str | None = None, signature: str | None = None
    ) -> Delivery:
        """Posts these parameters once; each argument falsifies one part of the signature."""
        sending = dialling.delivery_of(self, url or self.webhook_url, params, secret)
        if signature is not None:
            sending.headers["X-Twilio-Signature"] = signature
        rules = RetryPolicy((), lambda _: False, self.webhook_seconds)
        return await self._post_once(sending, rules)

    # ---- to the business

    async def report_recording(self, call: Call, kept: Recording | None, verb: Verb, url: str) -> None:
        """Tells a recording's status to the address that the verb names; None: nothing was recorded."""
        target = verb.attributes.get("recordingStatusCallback")
        status = kept.status if kept is not None else "absent"
        if not target or status not in verb.attributes.get("recordingStatusCallbackEvent", "completed").split():
            return
        params: Params = [
            ("AccountSid", self.account_sid),
            ("CallSid", call.sid),
            ("RecordingSid", kept.sid if kept is not None else new_sid("RE")),
            ("RecordingUrl", self.recording_url(kept) if kept is not None else ""),
            ("RecordingStatus", status),
            ("RecordingDuration", str(round(kept.seconds)) if kept is not None else "0"),
            ("RecordingChannels", "1"),
            ("RecordingStartTime", rfc2822(kept.at if kept is not None else self.clock())),
            ("RecordingSource", "RecordVerb"),
        ]
        await self._tell(urljoin(url, target), params, at_once=self.callback_first)

    async def report_status(self, call: Call) -> None:
        """Tells that a call is over."""
        target = self.webhook_url if self.status_url is None else self.status_url
        if target:
            more: Params = [
                ("CallDuration", str(round(call.ended - call.at))),
                ("CallbackSource", "call-progress-events"),
                ("SequenceNumber", "0"),
                ("Timestamp", rfc2822(call.ended)),
            ]
            await self._tell(target, [*dialling.call_params(self, call), *more])

    async def _tell(self, url: str, params: Params, *, at_once: bool = False) -> None:
        if at_once:
            await self._post([(url, params)])
        elif self.weather.holds_deliveries:
            await self._mixer.put((url, params), self.weather)
        else:
            self.tasks.spawn(self._post_later(url, params))

    async def _post_later(self, url: str, params: Params) -> None:
        await asyncio.sleep(self.callback_seconds * self.time_scale)
        await self._post([(url, params)])

    async def _post(self, callbacks: list[tuple[str, Params]]) -> None:
        for url, params in callbacks:
            await dialling.callback(self, url, params)

    # ---- memory

    def remember_recording(self, kept: Recording) -> None:
        """Adds a recording to those that the REST API lists."""
        self.recordings[kept.sid] = kept
        while len(self.recordings) > self._keep:
            self.recordings.popitem(last=False)

    def recording_url(self, kept: Recording) -> str:
        """The address of a recording, without an ending."""
        return f"{self.base_url}{kept.uri}"

    def recording_at(self, url: str) -> Recording | None:
        """The recording at an address of ours."""
        found = _RECORDING.search(urlsplit(url).path)
        return self.recordings.get(found[1]) if found and url.startswith(self.base_url) else None

    def number_json(self) -> dict[str, Any]:
        """The resource of the number: what it calls."""
        return {
            "account_sid": self.account_sid,
            "capabilities": {"voice": True, "sms": False, "mms": False, "fax": False},
            "friendly_name": self.name,
            "phone_number": self.number,
            "status_callback": self.webhook_url if self.status_url is None else self.status_url,
            "trunk_sid": None,
            "voice_application_sid": "",
            "voice_fallback_url": self.fallback_url,
            "voice_method": "POST",
            "voice_url": self.webhook_url,
        }

    def authorized(self, header: str) -> bool:
        """True for Basic credentials of this account."""
        pair = base64.b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        return header == f"Basic {pair}"

    # ---- for the page

    @property
    def address(self) -> str:
        """The number that customers call."""
        return self.number

    def talks(self) -> list[Talk]:
        """The number itself."""
        return [self]

    async def say(self, person: str, text: str, attachment: Attachment | None = None) -> None:
        """Lets a visitor speak: dials when no call is under way; what is said waits for the recording."""
        said = calls.speech(text)
        if attachment is not None:
            said = Speech(attachment.content, said.seconds, words=text or attachment.filename)
        visitor = self._live.get(person)
        if visitor is None:
            visitor = self._live[person] = Visitor(VISITOR_PATIENCE)
            self.tasks.spawn(self._visit(person, visitor))
        visitor.do(said)

    async def choose(self, person: str, choice: Choice) -> None:
        """Lets a visitor press a key or hang up."""
        visitor = self._live.get(person)
        if visitor is not None:
            visitor.do(HangUp() if choice.id == HANG_UP.id else Key(choice.id))

    async def _visit(self, person: str, visitor: Visitor) -> None:
        try:
            await self._dial(person, visitor)
        finally:
            self._live.pop(person, None)

    def conversation(self, person: str) -> list[Line]:
        """What was said in the calls of this person, oldest first; while the voice waits, the keys."""
        lines: list[Line] = []
        for call in self.calls.values():
            if call.from_ != person:
                continue
            lines.append(Line(call.at, True, "☎", "menelepon / calling"))
            for said in call.said:
                last = lines[-1]
                if last.mine or said.by_caller or said.attachments:
                    lines.append(Line(said.at, said.by_caller, said.text, "", said.attachments))
                else:
                    lines[-1] = Line(said.at, False, f"{last.text}\n{said.text}", "", last.attachments)
            if call.ended:
                lines.append(Line(call.ended, False, "", "telepon berakhir / the call is over"))
        visitor = self._live.get(person)
        if visitor is not None and visitor.asked and lines:
            last = lines[-1]
            if visitor.asked == "key":
                lines.append(Line(last.at, False, "", "tekan tombol / press a key", choices=(*KEYS, HANG_UP)))
            else:
                note = "tulis apa yang Anda ucapkan / write what you say"
                lines.append(Line(last.at, False, "", note, choices=(HANG_UP,)))
        return lines
