"""The dialogue with a caller as TwiML. Pure: a step, what the caller pressed and what was filed give the same XML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import msgspec
from msgspec import Struct
from twilio.twiml.voice_response import Gather, VoiceResponse

from connectors.contract import Filed
from connectors.voice_twilio.spoken import Wording
from connectors.voice_twilio.step import Language, Step

MENUS = 2  # how often the choice of a language is offered before both are spoken
RECORDINGS = 4  # how often a caller may speak, empty recordings included
HOLDS = 4  # how often a caller waits for the number, each time up to the gateway's own wait
REPEATS = 3  # how often a number is read again
HOLD_SECONDS = 2
PAUSE_SECONDS = 1  # between the runs of a number

Words = Mapping[Language, Wording]


class Line(Struct, frozen=True, kw_only=True):
    """What the dialogue needs of one telephone line."""

    name: str
    words: Words
    voices: Mapping[Language, str]
    key_seconds: int
    silence_seconds: int
    longest_seconds: int
    #: The address of a step, absolute.
    address: Callable[[Step], str]
    #: The address of a recording that is played back; None: recordings are not played.
    played: Callable[[str], str] | None


class Heard(Struct, frozen=True, kw_only=True):
    """What a request tells about the caller."""

    digits: str = ""
    #: The caller's number sealed for the address of a callback; empty when it is withheld.
    caller: str = ""
    recording: str = ""
    #: WIB date of the request.
    today: date


def respond(line: Line, step: Step, heard: Heard, filed: Filed) -> str:
    """The TwiML that answers a step; any key that was not offered, and none, go the way that keeps the complaint."""
    match step.name:
        case "language":
            return _language(line, step, heard, filed)
        case "permit":
            return _record(line, _change(step, no_message=heard.digits == "2", round=0), heard)
        case "record":
            return _record(line, step, heard)
        case "review":
            return _review(line, step, heard)
        case "choice" if heard.digits == "2" and step.round < RECORDINGS:
            return _record(line, _change(step, replaces=step.recording, recording=""), heard)
        case "choice":
            return _number(line, _change(step, round=0), heard, filed, repeats=0)
        case "number":
            return _number(line, step, heard, filed, repeats=0)
        case "again":
            return _again(line, step)
        case "end" if heard.digits == "1" and step.round < REPEATS:
            return _number(line, _change(step, round=0), heard, filed, repeats=step.round + 1)
        case "end":
            return _last(line, step, "goodbye")
        case "recording":
            return str(VoiceResponse())
    return _menu(line, step)


def waits(step: Step, digits: str) -> bool:
    """Whether the answer says what is known only once the request is recorded, or what only the gateway knows."""
    if step.name == "choice":
        return digits != "2" or step.round >= RECORDINGS
    return step.name in {"language", "number"} or (step.name == "end" and digits == "1")


def _menu(line: Line, step: Step) -> str:
    twiml = VoiceResponse()
    gather = _gather(line, twiml, Step(name="language", round=step.round))
    if step.round == 0:
        _say(line, gather, step, "greeting")
    _say(line, gather, step, "choose")
    more = step.round + 1 < MENUS
    _go(line, twiml, Step(name="menu", round=step.round + 1) if more else Step(name="language", round=MENUS))
    return str(twiml)


def _language(line: Line, step: Step, heard: Heard, filed: Filed) -> str:
    chosen: Language | None = "id" if heard.digits == "1" else "en" if heard.digits == "2" else None
    if chosen is None and step.round + 1 < MENUS:
        return _menu(line, Step(name="menu", round=step.round + 1))
    step = Step(name="permit", language=chosen)
    twiml = VoiceResponse()
    hours = filed.hours
    if hours is not None:
        _say(line, twiml, step, "hours", open=hours.open, close=hours.close)
        if not hours.is_open:
            step = _change(step, counts_from=hours.counts_from)
            _say(line, twiml, step, "closed", day=hours.counts_from)
    if not heard.caller:
        return _record(line, step, heard, twiml)
    _say(line, _gather(line, twiml, step), step, "permit")
    _go(line, twiml, step)
    return str(twiml)


def _record(line: Line, step: Step, heard: Heard, twiml: VoiceResponse | None = None) -> str:
    """Announces the recording and records; an empty one falls through to the next offer, and at last to an end."""
    twiml = twiml if twiml is not None else VoiceResponse()
    if step.name == "record":
        _say(line, twiml, step, "nothing")
    else:
        _say(line, twiml, step, "consent")
    _say(line, twiml, step, "instructions")
    step = _change(step, round=step.round + 1, recording="")
    twiml.record(
        action=line.address(_change(step, name="review")),
        method="POST",
        max_length=line.longest_seconds,
        timeout=line.silence_seconds,
        finish_on_key="#",
        play_beep=True,
        trim="do-not-trim",
        recording_status_callback=line.address(_change(step, name="recording", caller=heard.caller)),
        recording_status_callback_method="POST",
        recording_status_callback_event="completed absent",
    )
    if step.round < RECORDINGS:
        _go(line, twiml, _change(step, name="record"))
    elif step.replaces:
        _go(line, twiml, _kept(step, step.replaces))
    else:
        _say(line, twiml, step, "nobody")
        twiml.hangup()
    return str(twiml)


def _review(line: Line, step: Step, heard: Heard) -> str:
    if not heard.recording:
        return _record(line, _change(step, name="record"), heard)
    twiml = VoiceResponse()
    step = _change(step, name="choice", recording=heard.recording)
    _say(line, twiml, step, "kept")
    if line.played is not None:
        _say(line, twiml, step, "played")
        twiml.play(line.played(heard.recording))
    if step.round < RECORDINGS:
        _say(line, _gather(line, twiml, step), step, "review")
    _go(line, twiml, _kept(step, heard.recording))
    return str(twiml)


def _number(line: Line, step: Step, heard: Heard, filed: Filed, *, repeats: int) -> str:
    """Reads out number and date (K6, A6, section 8): each language twice, slowly; no key cuts it short."""
    if not filed.ticket_numbers:
        if step.round >= HOLDS:
            return _last(line, step, "no_number")
        twiml = VoiceResponse()
        _say(line, twiml, step, "hold")
        twiml.pause(length=HOLD_SECONDS)
        _go(line, twiml, _change(step, name="number", round=step.round + 1))
        return str(twiml)
    twiml = VoiceResponse()
    (number, *_) = filed.ticket_numbers
    for language in step.languages:
        alone = _change(step, language=language)
        _say(line, twiml, alone, "received", day=heard.today)
        _read(line, twiml, language, number)
        _say(line, twiml, alone, "repeat")
        _read(line, twiml, language, number)
        if step.counts_from is not None:
            _say(line, twiml, alone, "counts", day=step.counts_from)
        _say(line, twiml, alone, "keep")
    _go(line, twiml, _change(step, name="again", round=repeats))
    return str(twiml)


def _again(line: Line, step: Step) -> str:
    """A step of its own: Twilio asks for it only when the caller was there until the number was read out."""
    twiml = VoiceResponse()
    end = _change(step, name="end")
    if step.round < REPEATS:
        _say(line, _gather(line, twiml, end), step, "again")
    _go(line, twiml, end)
    return str(twiml)


def _last(line: Line, step: Step, sentence: str) -> str:
    twiml = VoiceResponse()
    _say(line, twiml, step, sentence)
    twiml.hangup()
    return str(twiml)


def _read(line: Line, twiml: VoiceResponse, language: Language, number: str) -> None:
    for run in line.words[language].spelled(number):
        twiml.say(run, voice=line.voices[language], language=line.words[language].tag)
        twiml.pause(length=PAUSE_SECONDS)


def _say(line: Line, verb: VoiceResponse | Gather, step: Step, sentence: str, **values: object) -> None:
    for language in step.languages:
        words = line.words[language]
        said = {name: words.day(v) if isinstance(v, date) else words.clock(v) for name, v in values.items()}  # type: ignore[arg-type]  # what is no date is a time of day
        text = getattr(words, sentence).format(name=line.name, **said)
        verb.say(text, voice=line.voices[language], language=words.tag)


def _gather(line: Line, twiml: VoiceResponse, step: Step) -> Gather:
    gather = Gather(
        input="dtmf", num_digits=1, timeout=line.key_seconds, finish_on_key="", action=line.address(step), method="POST"
    )
    twiml.append(gather)
    return gather


def _go(line: Line, twiml: VoiceResponse, step: Step) -> None:
    twiml.redirect(line.address(step), method="POST")


def _kept(step: Step, recording: str) -> Step:
    return _change(step, name="number", round=0, recording=recording, replaces=_before(step, recording))


def _before(step: Step, recording: str) -> str:
    return step.replaces if step.replaces != recording else ""


def _change(step: Step, **values: object) -> Step:
    return msgspec.structs.replace(step, **values)
