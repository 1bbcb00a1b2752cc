"""Steps in addresses, words, TwiML and hostile forms, without any network (P29, P32)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, time
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Filed, Request
from connectors.errors import Malformed
from connectors.voice_twilio import WORDING, VoiceTwilio
from connectors.voice_twilio.dialogue import RECORDINGS, waits
from connectors.voice_twilio.step import Language, Name, Seal, Step, address, read
from connectors_voice.kit import CLOSED, NUMBER, no_network, setup_of
from normalizer.message import Raw


def test_the_state_of_a_call_survives_its_address() -> None:
    """Every step comes back from its address as it went in, and the same step gives the same bytes."""
    step = Step(
        name="choice", language="en", round=3, counts_from=date(2026, 1, 6), no_message=True,
        recording="RE" + "a" * 32, replaces="RE" + "b" * 32, caller="c2VhbGVk",
    )  # fmt: skip
    assert read(address("https://x/in/a", step)) == step
    assert address("https://x/in/a", step) == address("https://x/in/a", step)


@pytest.mark.parametrize(
    ("name", "digits", "wanted"),
    [
        ("language", "1", True), ("choice", "1", True), ("choice", "", True), ("choice", "2", False),
        ("number", "", True), ("again", "", False), ("end", "1", True), ("end", "", False), ("review", "", False),
    ],
)  # fmt: skip
def test_a_caller_waits_only_for_what_is_said(name: Name, digits: str, wanted: bool) -> None:
    """Sheet A4: nobody listens to silence for the record of something that the answer does not tell."""
    assert waits(Step(name=name), digits) is wanted
    assert waits(Step(name="choice", round=RECORDINGS), "2"), "who may not record again hears the number"


@given(st.text(max_size=300))
def test_any_address_is_some_step(target: str) -> None:
    """P32: `read` is total."""
    assert read(target).languages
    assert read(f"/in/x?step=record&{target}").name == "record" or "step=" in target


@given(st.from_regex(r"\+[0-9]{8,15}", fullmatch=True), st.text(max_size=40))
def test_a_sealed_number_opens_for_its_call_alone(number: str, forged: str) -> None:
    """The number in an address is hidden, and bound to its call and this installation."""
    seal = Seal(b"x" * 32)
    sealed = seal.close(number, "CA1")
    assert number.removeprefix("+") not in sealed
    assert seal.open(sealed, "CA1") == number
    assert seal.open(sealed, "CA2") is None
    assert Seal(b"y" * 32).open(sealed, "CA1") is None
    assert forged == sealed or seal.open(forged, "CA1") is None


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("number", ["KLA-20260105-000123-7", "AKS-20261231-999999-0", "UKM-20260229-1000000-4"])
def test_each_digit_is_a_word_of_its_own(language: Language, number: str) -> None:
    """No run is longer than a person can write down at once."""
    words = WORDING[language]
    spoken = {word: str(digit) for digit, word in enumerate(words.digits)}
    runs = [run.split(", ") for run in words.spelled(number)]
    assert "".join(spoken.get(word, word) for run in runs for word in run) == number.replace("-", "")
    assert max(map(len, runs)) <= 4


def test_dates_and_times_in_words() -> None:
    """Times as people say them in each language."""
    at = date(2026, 1, 5)
    assert (WORDING["id"].day(at), WORDING["en"].day(at)) == ("Senin, 5 Januari 2026", "Monday, 5 January 2026")
    assert [WORDING["en"].clock(time(h, m)) for h, m in ((0, 0), (9, 30), (12, 0), (17, 0))] == [
        "12 a.m.", "9:30 a.m.", "12 p.m.", "5 p.m.",
    ]  # fmt: skip
    assert [WORDING["id"].clock(time(h, m)) for h, m in ((9, 0), (17, 30))] == ["9", "17 lewat 30 menit"]


def test_twiml_is_what_twilio_reads(connector_alone: VoiceTwilio) -> None:
    """Every step is a document of known verbs, with absolute addresses of ours."""
    for name in ("begin", "menu", "language", "permit", "record", "review", "choice", "number", "end", "recording"):
        target = f"/in/akseleran-phone?step={name}&recording=RE{'a' * 32}"
        request = Request(
            method="POST",
            target=target,
            headers=(),
            body=b"CallSid=CA1&From=%2B6281200000001&Digits=1",
            received_at=datetime(2026, 1, 5, 3, tzinfo=UTC),
        )
        answer = connector_alone.answer(request, Filed(ticket_numbers=(NUMBER,), hours=CLOSED))
        root = ET.fromstring(answer.body)
        assert answer.content_type == "text/xml"
        assert {each.tag for each in root} <= {"Say", "Gather", "Record", "Play", "Pause", "Redirect", "Hangup"}
        for each in root.iter():
            for link in (each.get("action"), each.text if each.tag == "Redirect" else None):
                assert link is None or link.startswith("https://aduan.example.co.id/in/akseleran-phone?step=")


HOSTILE = (
    "</Say><Hangup/>",
    '"/><Redirect>http://evil/</Redirect>',
    "{0.__class__}",
    "{name}",
    "<!--",
    "&lt;",
    "\u202e",
    "\x00",
)


@pytest.mark.parametrize("payload", HOSTILE)
def test_what_a_caller_sends_is_never_echoed(connector_alone: VoiceTwilio, payload: str) -> None:
    """P27: nothing of a request stands in the answer; addresses are made anew from what was understood."""
    given_ = dict.fromkeys(("CallSid", "From", "Digits", "RecordingSid", "RecordingUrl", "CallerName", "To"), payload)
    for name in ("begin", "language", "permit", "record", "review", "choice", "number", "end"):
        query = urlencode({"step": name, "lang": payload, "from": payload, "recording": payload, "replaces": payload})
        request = Request(
            method="POST",
            target=f"/in/akseleran-phone?{query}",
            headers=(),
            body=urlencode(given_).encode(),
            received_at=datetime(2026, 1, 5, 3, tzinfo=UTC),
        )
        answer = connector_alone.answer(request, Filed(ticket_numbers=(NUMBER,), hours=CLOSED))
        said = ET.fromstring(answer.body)
        assert all(payload not in (text or "") for each in said.iter() for text in (each.text, *each.attrib.values()))


def test_the_name_of_the_institution_is_text() -> None:
    """P27: an operator's name with signs of XML is spoken, not obeyed."""
    setup = setup_of(
        "https://api.twilio.com", "https://aduan.example.co.id", no_network, spoken_name="A </Say> & {name} B"
    )
    request = Request(
        method="POST", target="/in/akseleran-phone", headers=(), body=b"", received_at=datetime(2026, 1, 5, tzinfo=UTC)
    )
    said = ET.fromstring(VoiceTwilio(setup).answer(request, Filed()).body)
    assert "pengaduan A </Say> & {name} B." in "".join(said.itertext())


def test_a_hostile_form_costs_no_time(connector_alone: VoiceTwilio) -> None:
    """P29, P32: as many fields and as long values as fit into a request; each reading is linear."""
    for body in (b"a=1&" * 16_000, b"CallSid=" + b"%41" * 21_000, b"RecordingUrl=" + b"/Recordings/RE" * 4_600):
        raw = Raw(channel_id="x", received_at=datetime(2026, 1, 5, tzinfo=UTC), body=body, target="/in/x?step=review")
        with pytest.raises(Malformed):
            connector_alone.parse(raw)
