"""The dialogue with a caller, played through by the simulator: languages, guards, repeats, hang-ups (K6, A6, P4)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import aiohttp
import pytest

from connectors.voice_twilio import VoiceTwilio
from connectors.voice_twilio.dialogue import HOLDS, RECORDINGS
from connectors_voice.kit import (
    ACCOUNT,
    CLOSED,
    NUMBER,
    SARI,
    WITHHELD,
    WORDS,
    Ours,
    file_of,
    messages,
    read_back,
    setup_of,
)  # fmt: skip
from harness.serving import Serve
from normalizer.message import Deletion
from simulator.twilio_voice import HangUp, Key, Silence, Speech, TwilioVoice
from simulator.twilio_voice.calls import Act
from simulator.weather import Climate, Weather


async def test_the_whole_dialogue_in_indonesian(twilio: TwilioVoice, ours: Ours) -> None:
    """K6, A6, section 8: hours, consent, recording, read-back, and number and date twice, digit by digit."""
    call = await twilio.dial(SARI, [Key("1"), Key("1"), WORDS, Key("1"), Silence()])
    await twilio.settled()
    heard = call.heard
    assert "layanan pengaduan Akseleran" in heard
    assert "pukul 9 sampai pukul 18 Waktu Indonesia Barat, hanya pada hari kerja" in heard
    assert "Ucapan Anda direkam" in heard
    assert "Jangan sebutkan PIN, OTP" in heard
    order = ("Ucapan Anda", "▶ Dana saya belum cair", "Jika sudah benar, tekan satu", "Simpan nomor ini")
    assert sorted(order, key=heard.index) == list(order)
    assert read_back(call, "id") == [NUMBER.replace("-", "")] * 2
    assert read_back(call, "en") == []
    assert "dua, nol, dua, enam" in heard
    assert "tidak dipungut biaya" in heard
    assert "Thank you. Goodbye" not in heard
    assert len(ours.keys()) == 1
    (message, *_) = messages(ours.events)
    assert message.channel == "phone"
    assert message.sender.phone == SARI
    assert not message.sender.verified, "a caller's number can be forged"
    assert message.flags == ("has_audio",)
    assert message.fields == {"language": "id"}
    assert {"call began", "ticket number was read out", "call ended"} <= set(ours.reasons())
    assert not twilio.alerts


async def test_the_whole_dialogue_in_english_outside_the_hours(twilio: TwilioVoice, ours: Ours) -> None:
    """K6, A6: outside the hours the complaint is taken, and the caller hears from which day it counts."""
    ours.hours = CLOSED
    call = await twilio.dial(SARI, [Key("2"), Key("2"), WORDS, Key("1"), Silence()])
    assert "Our telephone hours are 9 a.m. to 6 p.m., Western Indonesian Time" in call.heard
    assert call.heard.count("from Tuesday, 6 January 2026") >= 2, "before the recording and with the number"
    assert read_back(call, "en") == [NUMBER.replace("-", "")] * 2
    assert "dihitung" not in call.heard
    (message, *_) = messages(ours.events)
    assert message.fields == {"language": "en"}
    assert message.flags == ("has_audio", "no_message_to_caller")


async def test_who_presses_nothing_hears_both_languages(twilio: TwilioVoice, ours: Ours) -> None:
    """Two menus, then both languages, Indonesian first; a caller without keys is not turned away."""
    call = await twilio.dial(SARI, [Silence(), Silence(), Silence(), WORDS, Silence(), Silence()])
    assert call.heard.count("For English, press two") == 2
    assert read_back(call, "id") == read_back(call, "en") == [NUMBER.replace("-", "")] * 2
    assert call.heard.index("Jam layanan") < call.heard.index("telephone hours")
    assert messages(ours.events)[0].fields == {}


@pytest.mark.parametrize("key", ["3", "*", "#", "0"])
async def test_a_wrong_key_is_asked_again(twilio: TwilioVoice, ours: Ours, key: str) -> None:
    """Any other key offers the languages once more."""
    call = await twilio.dial(SARI, [Key(key), Key("2"), Key("2"), WORDS, Key(key), Silence()])
    assert call.heard.count("For English, press two") == 2
    assert read_back(call, "en") == [NUMBER.replace("-", "")] * 2


async def test_a_withheld_number(twilio: TwilioVoice, ours: Ours) -> None:
    """No number, no question for a message, and two such callers are two people."""
    for _ in range(2):
        call = await twilio.dial(WITHHELD, [Key("1"), WORDS, Key("1"), Silence()])
        assert "Bila memungkinkan" not in call.heard
    found = messages(ours.events)
    assert {each.sender.phone for each in found} == {None}
    assert len({each.sender.key for each in found}) == len({each.thread_refs for each in found}) == 2


async def test_two_calls_from_one_number_never_share_a_ticket(twilio: TwilioVoice, ours: Ours) -> None:
    """P28, T21: the number that is shown may be anybody's, so it joins nothing."""
    for _ in range(2):
        await twilio.dial(SARI, [Key("1"), Key("1"), WORDS, Key("1")])
    found = messages(ours.events)
    assert len({each.sender.key for each in found}) == len({each.thread_refs for each in found}) == 2


async def test_recording_again_adds_to_the_same_call(twilio: TwilioVoice, ours: Ours) -> None:
    """T22: the first recording is kept as evidence and marked as withdrawn; both belong to one thread."""
    second = Speech(b"ID3 second", 4.0, words="Yang benar ini")
    call = await twilio.dial(SARI, [Key("1"), Key("2"), WORDS, Key("2"), second, Key("1"), Silence()])
    await twilio.settled()
    first, again = (f"tw:{ACCOUNT}:{each.sid}" for each in call.recordings)
    assert ours.keys() == {first, again}
    assert len({each.thread_refs for each in messages(ours.events)}) == 1
    withdrawn = {(each.key, each.message_key) for each in ours.events if isinstance(each, Deletion)}
    assert withdrawn == {(f"{first}:replaced", first)}
    assert read_back(call, "id") == [NUMBER.replace("-", "")] * 2


async def test_asking_for_another_recording_and_saying_nothing_keeps_the_first(twilio: TwilioVoice, ours: Ours) -> None:
    """Nothing a customer said is lost: without a new recording the old one stands, and its number is read out."""
    call = await twilio.dial(SARI, [Key("1"), Key("1"), WORDS, Key("2"), *[Silence()] * RECORDINGS])
    assert len(ours.keys()) == 1
    assert not [each for each in ours.events if isinstance(each, Deletion)]
    assert read_back(call, "id") == [NUMBER.replace("-", "")] * 2


async def test_nobody_goes_round_for_ever(twilio: TwilioVoice, ours: Ours) -> None:
    """Loop guards: silence ends the call; re-recording and hearing the number again have their limits."""
    call = await twilio.dial(SARI, [Silence()] * 50)
    assert call.heard.count("Kami tidak mendengar ucapan Anda") == RECORDINGS - 1
    assert "Tidak ada pengaduan yang terekam" in call.heard
    assert not ours.keys()
    again: list[Act] = [WORDS, Key("2")]
    restless: list[Act] = [Key("1"), Key("1"), *again * (RECORDINGS - 1), WORDS, *[Key("1")] * 20]
    call = await twilio.dial(SARI, restless)
    assert len(call.recordings) == RECORDINGS
    assert read_back(call, "id") == [NUMBER.replace("-", "")] * 8
    assert call.status == "completed"


@pytest.mark.parametrize(
    "script",
    [[], [Key("1")], [Key("1"), Key("1")], [Key("1"), Key("1"), HangUp()], [Key("1"), Key("1"), Silence(), HangUp()]],
)
async def test_hanging_up_without_a_word_is_a_contact(twilio: TwilioVoice, ours: Ours, script: list[Act]) -> None:
    """Sheet A4: a hang-up without a recording is kept and counted, and makes no complaint."""
    await twilio.dial(SARI, script)
    await twilio.settled()
    assert not ours.keys()
    assert {"call began", "call ended"} <= set(ours.reasons())


@pytest.mark.parametrize("ends_with", ["hangup", "", "#"])
async def test_hanging_up_after_speaking_is_a_complaint(twilio: TwilioVoice, ours: Ours, ends_with: str) -> None:
    """Sheet A4: `Digits=hangup` gets no TwiML; what was said counts."""
    await twilio.dial(SARI, [Key("1"), Key("1"), Speech(b"ID3 x", 3.0, ends_with), HangUp()])
    await twilio.settled()
    assert len(ours.keys()) == 1
    assert not twilio.alerts


@pytest.mark.parametrize("first", [True, False])
async def test_action_and_callback_in_any_order_are_one_message(
    twilio: TwilioVoice, ours: Ours, connector: VoiceTwilio, first: bool
) -> None:
    """Sheet A4: `recordingStatusCallback` knows no caller, yet it gives the same message as the action."""
    twilio.callback_first = first
    await twilio.dial(SARI, [Key("1"), Key("1"), WORDS, Key("1")])
    await twilio.settled()
    found = messages(ours.events)
    assert len(found) >= 3
    assert len({(each.key, each.sender, each.fields["language"]) for each in found}) == 1
    # The last step alone knows that the caller was there until the number was read out.
    assert [each.flags for each in found].count(("has_audio", "number_heard")) == 1
    assert {each.flags[0] for each in found} == {"has_audio"}
    assert max(each.sent_at for each in found) - min(each.sent_at for each in found) < timedelta(seconds=8)


async def test_the_callback_alone_is_enough(twilio: TwilioVoice, ours: Ours) -> None:
    """A0.6: our answer to the action failed; the callback still brings the complaint with its caller."""
    ours.refused = {"review"}
    call = await twilio.dial(SARI, [Key("1"), Key("1"), WORDS, Key("1")])
    await twilio.settled()
    assert "application error" in call.heard
    (message,) = messages(ours.events)
    assert message.sender.phone == SARI
    assert SARI.removeprefix("+") not in "".join(each.url for each in twilio.deliveries), "no address shows the caller"


async def test_steps_that_come_twice_are_answered_the_same(twilio: TwilioVoice, ours: Ours) -> None:
    """P4: same step, same bytes; and nothing is made twice."""
    twilio.weather = Weather(climate=Climate(duplicate=1.0), seed=4)
    await twilio.dial(SARI, [Key("1"), Key("1"), WORDS, Key("2"), WORDS, Key("1"), Key("1"), Silence()])
    await twilio.settled()
    several = 0
    for sent in twilio.deliveries:
        bodies = {attempt.body for attempt in sent.attempts}
        assert len(bodies) == 1, sent.url
        several += len(sent.attempts) > 1
    assert several > 5
    assert len(ours.keys()) == 2


async def test_a_number_that_is_late_is_waited_for(twilio: TwilioVoice, ours: Ours) -> None:
    """Recording took longer than the gateway waits: the caller holds, then hears the number; never a false one."""
    ours.numbers = ()
    call = await twilio.dial(SARI, [Key("1"), Key("1"), WORDS, Key("1")])
    assert call.heard.count("Nomor tiket sedang dibuat") == HOLDS
    assert "nomornya menyusul" in call.heard
    assert read_back(call, "id") == []

    async def arrives() -> None:
        while sum("step=number" in each.url for each in twilio.deliveries) < HOLDS + 1:
            await asyncio.sleep(0.01)
        ours.numbers = (NUMBER,)

    twilio.time_scale = 0.05
    late = asyncio.create_task(arrives())
    call = await twilio.dial(SARI, [Key("1"), Key("1"), Speech(b"ID3 x", 0.1), Key("1"), Silence()])
    await late
    assert read_back(call, "id") == [NUMBER.replace("-", "")] * 2


async def test_a_policy_without_hours(twilio: TwilioVoice, ours: Ours) -> None:
    """Hours that nobody published are not invented."""
    ours.hours = None
    call = await twilio.dial(SARI, [Key("1"), Key("1"), WORDS, Key("1"), Silence()])
    assert "Jam layanan" not in call.heard
    assert read_back(call, "id")


async def test_a_policy_that_cannot_play_back(serve: Serve, twilio: TwilioVoice) -> None:
    """`play_back: false`: where recordings need a login the caller confirms without hearing them."""
    twilio.media_needs_login = True
    ours = Ours()
    public_url = await serve(ours.answer)
    async with aiohttp.ClientSession() as session:
        ours.connector = VoiceTwilio(setup_of(twilio.base_url, public_url, lambda: session, play_back=False))
        twilio.webhook_url = f"{public_url}/in/akseleran-phone"
        call = await twilio.dial(SARI, [Key("1"), Key("1"), WORDS, Key("1"), Silence()])
        assert "Berikut rekaman Anda" not in call.heard
        assert read_back(call, "id")
        assert b"".join([chunk async for chunk in ours.connector.open(file_of(ours))]) == WORDS.content
        await ours.connector.aclose()
