"""Twilio's bytes to events. Pure: a step of a call, a callback, or a call that the reconciler listed.

A recording is a message whichever request tells of it first: the end of the recording, its status callback, the steps
after it, or Twilio's list. All give the same key, and everything of one call is one thread.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

import msgspec

from connectors.errors import Malformed
from connectors.twilio_messages import LISTED, first_date
from connectors.voice_twilio import step as steps
from connectors.voice_twilio.payload import CallResource, Listed, RecordingResource
from connectors.voice_twilio.step import Seal, Step
from normalizer.message import (
    NO_MESSAGE_TO_CALLER,
    NUMBER_HEARD,
    Attachment,
    Deletion,
    Event,
    Ignored,
    Message,
    Raw,
    ReplyAddress,
    Sender,
)

MOST_FIELDS = 1_000
#: A call is over, or never was one: nobody hears the answer.
ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
MISSED = ENDED - {"completed"}
#: What stands in a status callback and in no request for instructions.
_CALLBACK = ("CallbackSource", "SequenceNumber", "CallDuration")
_LONGEST_SECONDS = 86_400
_SID = re.compile(r"[A-Za-z0-9]{1,64}")
_PHONE = re.compile(r"\+[0-9]{8,15}")
#: What Twilio puts where a number is withheld: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE on a keypad.
_WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
_RECORDING = re.compile(r"/Recordings/(RE[0-9a-fA-F]{32})(?:[./?]|$)")

Form = Mapping[str, str]


def parse(raw: Raw, number: str, seal: Seal) -> list[Event]:
    """Events of one request or of one listed call. Raises Malformed when it cannot be read."""
    if LISTED in raw.headers:
        return _listed(raw, number)
    form, step = read_form(raw.body), steps.read(raw.target)
    if status_callback(form, step):
        return [_call_status(form)]
    if step.name == "begin":
        return [Ignored(reason="call began")]
    if step.name == "end" and form.get("Digits") != "1":
        return [Ignored(reason="ticket number was read out")]
    if step.name == "recording":
        status = form.get("RecordingStatus", "")
        if status == "absent":
            return [Ignored(reason="nothing was recorded")]
        if status not in ("completed", "failed"):
            return [Ignored(reason="recording: under way")]
    return _said(raw, form, step, number, seal)


def read_form(body: bytes) -> dict[str, str]:
    """The parameters of a request; of a name that stands twice the first counts. Raises Malformed."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except (UnicodeError, ValueError):
        raise Malformed("the form cannot be read") from None
    return dict(reversed(pairs))


def status_callback(form: Form, step: Step) -> bool:
    """True if the request tells how the call stands, instead of asking what to do next."""
    if step.name != "begin":
        return False
    return form.get("CallStatus") in ENDED or any(name in form for name in _CALLBACK)


def caller(form: Form) -> str | None:
    """The number that calls, as far as it is shown. It proves nothing: a caller's number can be forged."""
    given = form.get("From", "")
    return given if _PHONE.fullmatch(given) and given not in _WITHHELD else None


def recording_of(form: Form, step: Step) -> str:
    """The recording that a request is about: told by its id, or by its address alone."""
    named = form.get("RecordingSid", "")
    found = _RECORDING.search(form.get("RecordingUrl", ""))
    return step.recording or steps.recording(named) or (found[1] if found else "")


def _call_status(form: Form) -> Ignored:
    status = form.get("CallStatus", "")
    if status in MISSED:
        return Ignored(reason=f"missed call: {status}")
    return Ignored(reason="call ended" if status == "completed" else "call under way")


def _said(raw: Raw, form: Form, step: Step, number: str, seal: Seal) -> list[Event]:
    """What was said in a recording, and that it takes the place of the one before."""
    account, call, recording = _sid(form, "AccountSid"), _sid(form, "CallSid"), recording_of(form, step)
    if not recording:
        raise Malformed("no recording", "$.RecordingSid")
    told = form.get("RecordingDuration", "")
    length = int(told) if told.isascii() and told.isdecimal() and len(told) < 6 else 0
    began = raw.received_at - timedelta(seconds=min(length, _LONGEST_SECONDS))
    message = _message(
        account,
        call,
        recording,
        number=number,
        at=first_date(form.get("RecordingStartTime")) or began,
        phone=caller(form) or (seal.open(step.caller, call) if step.caller else None),
        step=step,
        lost=form.get("RecordingStatus") == "failed",
    )
    if not step.replaces or step.replaces == recording:
        return [message]
    withdrawn = Deletion(
        key=f"tw:{account}:{step.replaces}:replaced",
        account=number,
        message_key=f"tw:{account}:{step.replaces}",
        deleted_at=message.sent_at,
    )
    return [message, withdrawn]


def _message(
    account: str,
    call: str,
    recording: str,
    *,
    number: str,
    at: datetime,
    phone: str | None,
    step: Step,
    lost: bool = False,
) -> Message:
    key, thread = f"tw:{account}:{recording}", f"tw:{account}:{call}"
    told = {NO_MESSAGE_TO_CALLER: step.no_message, NUMBER_HEARD: step.name == "again"}
    return Message(
        channel="phone",
        account=number,
        key=key,
        external_id=recording,
        sent_at=at,
        # Of this call alone: the number that is shown may be anybody's, so it leads to no other conversation.
        sender=Sender(key=f"call:{call}", phone=phone, verified=False),
        attachments=(
            Attachment(
                kind="audio",
                name=f"{recording}.mp3",
                mime="audio/mpeg",
                ref=recording,
                error="the provider could not keep this recording" if lost else None,
            ),
        ),
        thread_refs=(thread,),
        registers=(thread, key),
        # Nothing is sent by telephone; what is sent to this number instead counts for it, whoever forges it (P26).
        reply=ReplyAddress(recipient=phone) if phone and not step.no_message else None,
        fields={"language": step.language} if step.language else {},
        flags=("has_audio", *(flag for flag, holds in told.items() if holds)),
    )


def _listed(raw: Raw, number: str) -> list[Event]:
    try:
        listed = msgspec.json.decode(raw.body, type=Listed)
        call = msgspec.json.decode(listed.call, type=CallResource)
        recordings = [msgspec.json.decode(each, type=RecordingResource) for each in listed.recordings]
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as broken:
        reason = "nested too deeply" if isinstance(broken, RecursionError) else type(broken).__name__
        raise Malformed(f"not a listed call: {reason}") from None
    if not recordings:
        missed = call.status in MISSED
        return [Ignored(reason=f"missed call: {call.status}" if missed else "call without a recording")]
    found = recordings[0]
    ids = {"AccountSid": call.account_sid, "CallSid": call.sid, "RecordingSid": found.sid}
    account, sid, recording = (_sid(ids, name) for name in ids)
    at = first_date(found.start_time, found.date_created)
    message = _message(
        account,
        sid,
        recording,
        number=number,
        at=at or raw.received_at,
        phone=caller({"From": call.from_ or ""}),
        step=Step(),
        lost=found.status == "failed",
    )
    return [message]


def _sid(form: Form, name: str) -> str:
    given = form.get(name, "")
    if not _SID.fullmatch(given):
        raise Malformed("not an id of Twilio" if given else "missing", f"$.{name}")
    return given
