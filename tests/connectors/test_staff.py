"""Calls, visits and letters: who enters them, when they came, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors import submission
from connectors.contract import Request, Setup
from connectors.errors import Malformed, Misconfigured, Rejected, Unreachable
from connectors.staff import CONNECTOR, Staff, entry
from connectors.staff.person import person_of, prove
from connectors.staff.settings import StaffSettings
from connectors.submission import InvalidSubmission
from normalizer.message import Message, Outgoing, Raw

SECRET = b"0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 1, 5, 3, tzinfo=UTC)  # ten o'clock in Jakarta
YEAR = timedelta(days=366)
TOKEN = "rina-token-newest-0123456789abcdef"
PEOPLE = {"rina": (TOKEN.encode(), b"rina-token-older-fedcba9876543210"), "budi": (b"budi-token-0123456789abcdef",)}


def _no_network() -> aiohttp.ClientSession:
    raise AssertionError("nothing is asked of a network")


def staff(**settings: Any) -> Staff:
    """The connector with one person, on a machine whose clock says NOW."""
    given_settings = {"kind": "staff", "organisation": "klikacc", "people": {"rina": [TOKEN]}, **settings}
    setup = Setup(
        channel_id="klikacc-staff",
        settings=StaffSettings.model_validate(given_settings),
        facts=CONNECTOR.facts,
        public_url="https://aduan.example.co.id",
        session=_no_network,
        secret=SECRET,
        now=lambda: NOW,
    )
    built = CONNECTOR.build(setup)
    assert isinstance(built, Staff)
    return built


def request(fields: dict[str, Any], authorization: str = f"Bearer {TOKEN}", key: str = "key-0001") -> Request:
    """What the web front hands over."""
    body = submission.document(fields, (), key, None)
    seal = submission.seal(SECRET, "klikacc-staff", body)
    headers = (("authorization", authorization), (submission.SEAL_HEADER, seal))
    return Request(method="POST", target="/api", headers=headers, body=body, received_at=NOW)


def entered(fields: dict[str, Any], **how: Any) -> Message:
    """The one message that an entry becomes."""
    connector = staff()
    (raw,) = connector.receive(request({"channel": "phone", "narrative": "Tes.", **fields}, **how)).keep
    (message,) = connector.parse(raw)
    assert isinstance(message, Message)
    return message


#: What staff say -> the moment in UTC; R10: nothing is received before it happened, a typed year may be wrong.
MOMENTS = [
    (None, None),
    ("", None),
    ("  ", None),
    ("2026-01-05T10:00:00+07:00", datetime(2026, 1, 5, 3, tzinfo=UTC)),
    ("2026-01-05T02:59:59.5Z", datetime(2026, 1, 5, 2, 59, 59, 500_000, tzinfo=UTC)),
    (" 2026-01-05T09:00+07:00 ", datetime(2026, 1, 5, 2, tzinfo=UTC)),
    ("2026-01-05T00:00:00-03:00", datetime(2026, 1, 5, 3, tzinfo=UTC)),
    ("2026-01-05", datetime(2026, 1, 4, 17, tzinfo=UTC)),
    ("2025-12-29", datetime(2025, 12, 28, 17, tzinfo=UTC)),
    ("2025-01-05", datetime(2025, 1, 4, 17, tzinfo=UTC)),
]


@pytest.mark.parametrize(("said", "moment"), MOMENTS)
def test_the_moment_is_what_staff_say(said: str | None, moment: datetime | None) -> None:
    """R1: a date alone is that day in Jakarta, from its first minute."""
    found, problems = entry.check({"channel": "letter", "received_at": said}, NOW, YEAR)
    assert problems == []
    assert found == entry.Entry(channel="letter", received_at=moment)


#: Channel and moment -> field and code of what is wrong.
WRONG: list[tuple[Any, Any, list[tuple[str, str]]]] = [
    ("letter", "2026-01-05T10:00:01+07:00", [("received_at", "in_the_future")]),
    ("letter", "2026-01-06", [("received_at", "in_the_future")]),
    ("letter", "2025-01-03", [("received_at", "too_long_ago")]),
    ("letter", "0001-01-01", [("received_at", "not_a_moment")]),
    ("letter", "0001-01-01T00:00:00+14:00", [("received_at", "not_a_moment")]),
    ("letter", "9999-12-31T23:59:59-12:00", [("received_at", "not_a_moment")]),
    ("letter", "2026-02-30", [("received_at", "not_a_moment")]),
    ("letter", "2026-01-05T10:00:00", [("received_at", "not_a_moment")]),
    ("letter", "2026-01-05T25:00:00Z", [("received_at", "not_a_moment")]),
    ("letter", "2026-01-05T23:59:60Z", [("received_at", "not_a_moment")]),
    ("letter", "5 Januari 2026", [("received_at", "not_a_moment")]),
    ("letter", "20260105", [("received_at", "not_a_moment")]),
    ("letter", "٢٠٢٦-٠١-٠٥", [("received_at", "not_a_moment")]),
    ("letter", 1767582000, [("received_at", "not_text")]),
    ("letter", ["2026-01-05"], [("received_at", "not_text")]),
    ("phone", "2026-01-05", [("received_at", "needs_time")]),
    (None, "2026-01-06", [("channel", "required"), ("received_at", "in_the_future")]),
    ("", None, [("channel", "required")]),
    ("whatsapp", None, [("channel", "not_a_choice")]),
    (["phone"], None, [("channel", "not_a_choice")]),
    ({}, None, [("channel", "not_a_choice")]),
]


@pytest.mark.parametrize(("channel", "said", "problems"), WRONG)
def test_what_is_wrong_is_named(channel: Any, said: Any, problems: list[tuple[str, str]]) -> None:
    """Every field at once, in both languages."""
    _, found = entry.check({"channel": channel, "received_at": said}, NOW, YEAR)
    assert [(each.field, each.code) for each in found] == problems
    assert all(each.message_id and each.message_en and "{" not in each.message_en for each in found)


@given(channel=st.sampled_from([*submission.ENTERED_CHANNELS, "x"]), said=st.text() | st.datetimes().map(str))
def test_any_moment_lies_in_the_span_or_is_named(channel: str, said: str) -> None:
    """R10: whatever is typed, a moment that is taken lies in the span; nothing raises."""
    found, problems = entry.check({"channel": channel, "received_at": said}, NOW, YEAR)
    if not problems:
        assert found is not None
        assert found.received_at is None or NOW - YEAR <= found.received_at <= NOW


def _who(authorization: str | None, now: datetime = NOW) -> str | None:
    return person_of(authorization, now, people=PEOPLE, secret=SECRET, channel_id="klikacc-staff")


def test_every_person_is_known_by_any_live_token() -> None:
    """P19: while a token is replaced both are good; a person's name stands in the records, never the token."""
    for name, tokens in PEOPLE.items():
        assert {_who(f"Bearer {token.decode()}") for token in tokens} == {name}


PROOF = prove(SECRET, "klikacc-staff", "rina.d", NOW)
#: `Authorization` headers that prove nothing.
FORGED = [
    None, "", "Bearer", "Bearer ", TOKEN, f"bearer {TOKEN}", f"Basic {TOKEN}", f"Bearer  {TOKEN}", f"Bearer {TOKEN} ",
    f"Bearer {TOKEN[:-1]}", PROOF[:-1], PROOF + "0", PROOF.upper(), PROOF.replace("rina.d", "budi"),
    PROOF.replace("local:", ""), PROOF.replace(":17", ":18", 1), f"{PROOF}\n",
    prove(SECRET, "akseleran-staff", "rina", NOW), prove(bytes(32), "klikacc-staff", "rina", NOW),
    prove(SECRET, "klikacc-staff", "Rina", NOW), prove(SECRET, "klikacc-staff", "a\nb", NOW),
    "Bearer local:rina:99999999999999999999:" + "0" * 64, "Bearer local:rina:\u0661:" + "0" * 64,
]  # fmt: skip


@pytest.mark.parametrize("authorization", FORGED)
def test_a_forged_proof_is_nobody(authorization: str | None) -> None:
    """P18: only a whole token, or a proof for this channel, this person and this time."""
    assert _who(authorization) is None


@pytest.mark.parametrize(
    ("minutes", "person"), [(-6, None), (-5, "cli:rina.d"), (0, "cli:rina.d"), (5, "cli:rina.d"), (6, None)]
)
def test_a_proof_of_this_machine_is_good_for_minutes(minutes: int, person: str | None) -> None:
    """P18: an old proof, and one from the future, is refused."""
    assert _who(PROOF, NOW + timedelta(minutes=minutes)) == person


def test_a_person_is_judged_before_the_body() -> None:
    """P18: `admit` needs no body, and `receive` refuses what `admit` refuses whatever is sealed."""
    connector = staff()
    empty = Request(method="POST", target="/", headers=(("authorization", PROOF),), body=b"", received_at=NOW)
    assert connector.admit(empty) == "cli:rina.d"
    for wrong in (request({}, "Bearer x"), msgspec.structs.replace(empty, headers=())):
        with pytest.raises(Rejected) as caught:
            connector.receive(wrong)
        assert caught.value.status == 401
    doubled = msgspec.structs.replace(empty, headers=(("authorization", PROOF), ("authorization", PROOF)))
    with pytest.raises(Rejected) as twice:
        connector.admit(doubled)
    assert twice.value.status == 400


def test_every_wrong_field_is_named_at_once() -> None:
    """Interface: what staff say and what the customer says are judged together; nothing is cut (U3)."""
    with pytest.raises(InvalidSubmission) as caught:
        staff().receive(request({"channel": "fax", "received_at": "x", "phone": "12", "colour": "red"}, key="short"))
    assert {each.field for each in caught.value.problems} == {
        "channel", "received_at", "phone", "colour", "narrative", "Idempotency-Key",
    }  # fmt: skip


#: Addresses in the entry -> key of the sender, address for an answer.
SENDERS = [
    ({"phone": "0812-3456-7890", "email": "Siti@Contoh.id"}, "mailto:siti@contoh.id", "Siti@contoh.id"),
    ({"phone": "0812-3456-7890"}, "tel:+6281234567890", "+6281234567890"),
    ({}, "staff:rina:key-0001", None),
]


@pytest.mark.parametrize(("fields", "sender", "recipient"), SENDERS)
def test_customers_of_one_person_stay_apart(fields: dict[str, str], sender: str, recipient: str | None) -> None:
    """P28: who enters is not who complains; without an address every entry is a customer of its own."""
    message = entered(fields)
    assert message.sender.key == sender
    assert (message.reply.recipient if message.reply else None) == recipient
    assert not message.sender.verified
    assert submission.entered_by(message) == "rina"


def test_two_peoples_keys_never_meet() -> None:
    """Sheet A12: the same key of another person is another entry; the same of one person is the same message."""
    keys = {entered({}, authorization=each).key for each in (f"Bearer {TOKEN}", PROOF, f"Bearer {TOKEN}")}
    assert keys == {"staff:klikacc-staff:rina:key-0001", "staff:klikacc-staff:cli:rina.d:key-0001"}


@pytest.mark.parametrize("channel", ["web_form", "email", "whatsapp"])
def test_only_what_staff_enter_has_an_author(channel: Any) -> None:
    """Section 4: `entered_by` stands for calls, visits and letters alone; an address there is proven (A10)."""
    message = entered({})
    assert submission.entered_by(msgspec.structs.replace(message, channel=channel)) is None
    assert submission.entered_by(msgspec.structs.replace(message, flags=())) is None


#: A change of the settings -> what the error says.
SETTINGS = [
    ({"people": {"rina": ["short"]}}, "could be guessed"),
    ({"people": {"rina": [TOKEN], "budi": [TOKEN]}}, "stands twice"),
    ({"people": {"Rina Dewi": [TOKEN]}}, "pattern"),
    ({"people": {"rina": []}}, "at least 1"),
    ({"received_within_days": 0}, "greater than or equal to 1"),
    ({"received_within_days": 10**10}, "less than or equal to 36500"),
]


@pytest.mark.parametrize(("change", "says"), SETTINGS)
def test_settings_that_would_prove_nothing(change: dict[str, Any], says: str) -> None:
    """P18, P19: refused at the start; the text shows no token."""
    with pytest.raises(ValidationError) as caught:
        staff(**change)
    assert says in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_short_secret_does_not_start() -> None:
    """P18: without a secret everybody could make the proof."""
    setup = Setup(
        channel_id="c",
        settings=StaffSettings(kind="staff", organisation="klikacc"),
        facts=CONNECTOR.facts,
        public_url="",
        session=_no_network,
        secret=b"",
        now=lambda: NOW,
    )
    with pytest.raises(Misconfigured):
        CONNECTOR.build(setup)


async def test_it_sends_nothing() -> None:
    """Section 8: the receipt is handed over; what is sent goes by the channel of the address that was given."""
    connector = staff()
    await connector.check()
    with pytest.raises(Unreachable):
        await connector.send(Outgoing(key="r-1", recipient="+6281200000001", text="Halo"))
    await connector.aclose()


#: The facts by channel (G6): how each counts where a policy says nothing.
FORMS: list[tuple[Any, bool]] = [("phone", False), ("walk_in", True), ("letter", True)]


@pytest.mark.parametrize(("channel", "written"), FORMS)
def test_a_call_is_oral(channel: Any, written: bool) -> None:
    """G6: a call counts as oral, a visit and a letter as written; the policy has the last word."""
    assert CONNECTOR.facts.of(channel).counts_as_written.value is written


@pytest.mark.parametrize(
    "spoil", [lambda body: body[:-1], lambda _: b"{}", lambda body: body.replace(b"phone", b"fax")]
)
def test_a_broken_entry_is_malformed(spoil: Callable[[bytes], bytes]) -> None:
    """P32: bytes that were kept and cannot be read go to a person."""
    connector = staff()
    (raw,) = connector.receive(request({"channel": "phone", "narrative": "Tes."})).keep
    with pytest.raises(Malformed):
        connector.parse(Raw(channel_id=raw.channel_id, received_at=NOW, body=spoil(raw.body)))
