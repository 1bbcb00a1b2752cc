"""Carries a call out: asks the business for TwiML, follows it, and reports what the caller did."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin

from simulator import delivery
from simulator.delivery import Attempt, Delivery, RetryPolicy
from simulator.place import Attachment
from simulator.twilio import webhooks
from simulator.twilio.calling import Alert, Params
from simulator.twilio.records import API_VERSION
from simulator.twilio.signing import Algorithm, sign
from simulator.twilio_voice import twiml
from simulator.twilio_voice.calls import Call, Caller, HungUp, Recording, Said, Speech, recording
from simulator.twilio_voice.twiml import NoTwiml, Verb

if TYPE_CHECKING:
    from simulator.twilio_voice.account import TwilioVoice

#: A call that asks for more documents than this runs in circles.
MOST_DOCUMENTS = 100
APPLICATION_ERROR = "An application error has occurred. Goodbye."
SILENCE_SECONDS = 5
KEY_SECONDS = 5


class Dialling:
    """One call of one caller."""

    def __init__(self, account: TwilioVoice, call: Call, caller: Caller) -> None:
        self._account = account
        self._call = call
        self._caller = caller

    async def run(self) -> None:
        """Returns when the call is over."""
        call = self._call
        try:
            await self._talk(self._account.webhook_url)
            call.status = "completed"
        except HungUp:
            call.status = "completed" if call.status == "in-progress" else "no-answer"
        except NoTwiml as wrong:
            self._account.alerts.append(Alert(wrong.code, self._account.webhook_url, call.sid))
            self._say(APPLICATION_ERROR)
            call.status = "failed" if call.status == "ringing" else "completed"
        finally:
            call.ended = self._account.clock()
        await self._account.report_status(call)

    async def _talk(self, url: str) -> None:
        goto: tuple[str, Params] | None = (url, [])
        for _ in range(MOST_DOCUMENTS):
            if goto is None:
                return
            url, more = goto
            answer = await post(self._account, self._call, url, more)
            content_type = answer.headers.get("Content-Type", "")
            self._call.documents.append((url, answer.body))
            self._call.status = "in-progress"
            goto = await self._follow(twiml.read(answer.body, content_type), url)
        raise NoTwiml(12200)

    async def _follow(self, verbs: list[Verb], url: str) -> tuple[str, Params] | None:
        """Where the next document lies, and what is told there; None when the call is over."""
        for verb in verbs:
            match verb.name:
                case "Gather":
                    self._listen(verb.inside)
                    digit = await self._caller.key(verb.number("timeout", KEY_SECONDS))
                    if digit is not None:
                        self._did(digit)
                        return self._to(verb, url), [("Digits", digit), ("FinishedOnKey", ""), ("msg", "Gather End")]
                    if verb.attributes.get("actionOnEmptyResult") == "true":
                        return self._to(verb, url), [("Digits", "")]
                case "Record":
                    found = await self._record(verb, url)
                    if found is not None:
                        return found
                case "Redirect":
                    return urljoin(url, verb.text), []
                case "Hangup" | "Reject":
                    return None
                case _:
                    self._listen([verb])
                    await self._pause(verb)
        return None

    async def _record(self, verb: Verb, url: str) -> tuple[str, Params] | None:
        account, call = self._account, self._call
        hung_up = False
        said: Speech | None = None
        try:
            said = await self._caller.speak(verb.number("timeout", SILENCE_SECONDS))
        except HungUp:
            hung_up = True
        if said is None or not said.content:
            await account.report_recording(call, None, verb, url)
            if hung_up:
                raise HungUp
            return None
        await asyncio.sleep(min(said.seconds, verb.number("maxLength", 3600)) * account.time_scale)
        now = account.clock()
        kept = recording(call, said, now, now + account.processing_seconds * account.time_scale)
        call.recordings.append(kept)
        account.remember_recording(kept)
        self._did(said.words or "…", kept)
        if account.callback_first:
            await account.report_recording(call, kept, verb, url)
        params = [
            ("RecordingUrl", account.recording_url(kept)),
            ("RecordingSid", kept.sid),
            ("RecordingDuration", str(round(kept.seconds))),
            ("Digits", said.ends_with),
        ]
        if said.ends_with == "hangup":
            call.status = "completed"
            await post(account, call, self._to(verb, url), params, fatal=False)
        if not account.callback_first:
            await account.report_recording(call, kept, verb, url)
        if said.ends_with == "hangup":
            raise HungUp
        return self._to(verb, url), params

    def _to(self, verb: Verb, url: str) -> str:
        return urljoin(url, verb.attributes.get("action", url))

    def _listen(self, verbs: Sequence[Verb]) -> None:
        for verb in verbs:
            if verb.name == "Say":
                self._say(verb.text, verb.attributes.get("language", "en-US"))
            elif verb.name == "Play":
                self._play(verb.text)

    def _play(self, url: str) -> None:
        kept = self._account.recording_at(url)
        if kept is None or self._account.media_needs_login:
            # Twilio's player has no credentials, not even its own.
            raise NoTwiml(11200)
        file = Attachment(f"{kept.sid}.mp3", "audio/mpeg", kept.content)
        self._add(Said(self._account.clock(), False, kept.words and f"▶ {kept.words}", attachments=(file,)))

    def _say(self, text: str, language: str = "en-US") -> None:
        self._add(Said(self._account.clock(), False, text, frozenset({language})))

    def _did(self, text: str, kept: Recording | None = None) -> None:
        files = (Attachment(f"{kept.sid}.mp3", "audio/mpeg", kept.content),) if kept is not None else ()
        self._add(Said(self._account.clock(), True, text, attachments=files))

    def _add(self, said: Said) -> None:
        self._call.said.append(said)

    async def _pause(self, verb: Verb) -> None:
        if verb.name == "Pause":
            await asyncio.sleep(verb.number("length", 1) * self._account.time_scale)


async def post(account: TwilioVoice, call: Call, url: str, more: Params, *, fatal: bool = True) -> Attempt:
    """The answer to one step; the fallback address when the first fails. Raises NoTwiml when both do."""
    params = [*call_params(account, call), *more]
    answer = await _attempts(account, url, params)
    if not webhooks.accepted(answer) and account.fallback_url:
        account.alerts.append(Alert(11200, url, call.sid))
        failed = [*params, ("ErrorCode", "11200"), ("ErrorUrl", url)]
        answer = await _attempts(account, account.fallback_url, failed)
    if not webhooks.accepted(answer) and fatal:
        raise NoTwiml(11200)
    return answer


async def _attempts(account: TwilioVoice, url: str, params: Params) -> Attempt:
    """One step within its budget. In a storm of duplicates it comes again; the first good answer counts."""
    wanted = webhooks.budget(url, total=account.webhook_seconds)
    rules = RetryPolicy((), wanted.wants_retry, min(wanted.read, wanted.total), wanted.connect)
    sending = delivery_of(account, url, params)
    account.deliveries.append(sending)
    answers: list[Attempt] = []
    for _ in account.weather.arrange([sending]):
        answer = await delivery.attempt(account.place.http, sending, rules)
        for _ in range(wanted.retries):
            if not wanted.wants_retry(answer):
                break
            answer = await delivery.attempt(account.place.http, sending, rules)
        answers.append(answer)
    found = next((each for each in answers if webhooks.accepted(each)), answers[0])
    sending.given_up = not webhooks.accepted(found)
    return found


async def callback(account: TwilioVoice, url: str, params: Params) -> None:
    """Tells something that needs no TwiML; what is not taken is lost, with an alert."""
    answer = await _attempts(account, url, params)
    if not webhooks.accepted(answer):
        account.alerts.append(Alert(11200, url, dict(params).get("CallSid", "")))


def call_params(account: TwilioVoice, call: Call) -> Params:
    """What every request about a call tells."""
    return [
        ("AccountSid", account.account_sid),
        ("ApiVersion", API_VERSION),
        ("CallSid", call.sid),
        ("CallStatus", call.status),
        ("Called", call.to),
        ("Caller", call.from_),
        ("Direction", "inbound"),
        ("From", call.from_),
        ("FromCountry", "ID"),
        ("To", call.to),
    ]


def delivery_of(account: TwilioVoice, url: str, params: Params, secret: str | None = None) -> Delivery:
    """A signed request, not yet sent."""
    algorithm: Algorithm = "HMAC_SHA256" if account.shared_key else "HMAC_SHA1"
    own = account.shared_key[1] if account.shared_key else account.auth_token
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "User-Agent": "TwilioProxy/1.1",
        "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
        "X-Twilio-Signature": sign(secret if secret is not None else own, url, params, algorithm=algorithm),
    }
    if account.shared_key:
        headers["X-Twilio-Webhooks-Signature-Settings"] = f"key={account.shared_key[0]},algorithm={algorithm}"
    return Delivery(url.partition("#")[0], urlencode(params).encode("ascii"), headers)
