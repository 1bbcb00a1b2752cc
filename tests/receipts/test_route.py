"""Where an answer may go, and when none may (section 8; A0.4, A12; P14, P25, P26)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from connectors.facts import Facts
from normalizer.complaint import Complainant, Complaint
from normalizer.message import Message, ReplyAddress, Sender
from receipts.route import Way, may_receipt, owed, proven, public_line, routes, usable
from tickets.model import Route

NOW = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
MakeComplaint = Callable[..., Complaint]
MakeFacts = Callable[..., Facts]


def message(**changes: object) -> Message:
    given: dict[str, object] = {
        "channel": "whatsapp",
        "account": "acc",
        "key": "k",
        "external_id": "x",
        "sent_at": NOW,
        "sender": Sender(key="wa:1"),
        "reply": ReplyAddress(recipient="+62811", in_reply_to="wamid.1"),
        **changes,
    }
    return Message(**given)  # type: ignore[arg-type]  # the table of each test gives the right types


@pytest.fixture(name="ways")
def _ways(make_facts: MakeFacts) -> dict[str, Way]:
    kinds: dict[str, tuple[tuple[str, ...], dict[str, object]]] = {
        "wa": (("whatsapp",), {"reply_window_hours": 24.0}),
        "wa-templates": (("whatsapp",), {"reply_window_hours": 24.0}),
        "mail": (("email",), {}),
        "sms": (("sms",), {}),
        "fb": (("facebook_dm", "facebook_comment"), {"private_reply": "from_comment_once"}),
        "x": (("x_dm", "x_mention"), {}),
        "form": (("web_form",), {"private_reply": "never"}),
        "phone": (("phone",), {"private_reply": "never"}),
    }
    return {
        name: Way(
            channel_id=name,
            channels=channels,  # type: ignore[arg-type]  # the table gives the right names
            facts=make_facts(**facts),
            templates=frozenset({"receipt", "notice"} if name == "wa-templates" else ()),
        )
        for name, (channels, facts) in kinds.items()
    }


def ids(found: tuple[Route, ...]) -> list[tuple[str, str]]:
    return [(route.channel_id, route.recipient) for route in found]


WHO = Complainant(phone="+62812", email="budi@x.id")
ELSEWHERE = [("mail", "budi@x.id"), ("wa-templates", "+62812"), ("sms", "+62812")]
BUT_WHATSAPP = [("mail", "budi@x.id"), ("sms", "+62812")]
MENTION = {"channel_id": "x", "channel": "x_mention", "visibility": "public"}
HEARD = {"flags": ("number_heard",)}
LIST = {"no_receipt": "precedence: list"}
KNOWN = Complainant(phone="+62812", email="budi@x.id", verified=True)


@pytest.mark.parametrize(
    ("channel_id", "channel", "who", "extra", "wanted"),
    [
        # The same thread first, then what else the customer gave.
        ("wa", "whatsapp", WHO, {}, [("wa", "+62811"), ("mail", "budi@x.id")]),
        ("wa", "whatsapp", KNOWN, {}, [("wa", "+62811"), *BUT_WHATSAPP]),
        ("mail", "email", WHO, {}, [("mail", "+62811")]),
        # A form has no way back; an unproven number is never rung.
        ("form", "web_form", WHO, {"reply": None}, [("mail", "budi@x.id")]),
        ("form", "web_form", KNOWN, {"reply": None}, ELSEWHERE),
        ("form", "web_form", Complainant(), {"reply": None}, []),
        # In public only a platform that hands a comment over into private gets one.
        ("fb", "facebook_comment", Complainant(), {"visibility": "public"}, [("fb", "+62811")]),
        ("x", "x_mention", Complainant(), {"visibility": "public"}, []),
        ("x", "x_mention", WHO, {"visibility": "public"}, [("mail", "budi@x.id")]),
        ("x", "x_dm", Complainant(), {}, [("x", "+62811")]),
        # A channel that is no longer configured carries nothing.
        ("gone", "telegram", Complainant(), {}, []),
        # The window has closed while the message waited.
        ("wa", "whatsapp", Complainant(), {"sent_at": NOW - timedelta(hours=25)}, []),
        ("wa", "whatsapp", WHO, {"sent_at": NOW - timedelta(hours=25)}, [("mail", "budi@x.id")]),
        # With an approved template the thread stays a way: free first, then by template; only that once it has closed.
        (
            "wa-templates", "whatsapp", WHO, {},
            [("wa-templates", "+62811"), ("wa-templates", "+62811"), ("mail", "budi@x.id")],
        ),
        (
            "wa-templates", "whatsapp", Complainant(), {"sent_at": NOW - timedelta(hours=25)},
            [("wa-templates", "+62811")],
        ),
        # Who called gets it at the number that called (K6, A6).
        (
            "phone", "phone", Complainant(phone="+62812"), {"reply": None},
            [("wa-templates", "+62812"), ("sms", "+62812")],
        ),
    ],
)  # fmt: skip
def test_routes(
    channel_id: str, channel: str, who: Complainant, extra: dict[str, object], wanted: list[tuple[str, str]],
    ways: dict[str, Way], make_complaint: MakeComplaint,
) -> None:  # fmt: skip
    complaint = make_complaint(channel_id=channel_id, channel=channel, complainant=who)
    assert ids(routes(complaint, message(channel=channel, **extra), ways, NOW)) == wanted


def test_who_calls_may_refuse_a_message(ways: dict[str, Way], make_complaint: MakeComplaint) -> None:
    """A borrowed telephone, a switchboard: the caller heard the number; an e-mail address still gets it."""
    flags = ("has_audio", "no_message_to_caller")
    spoken = make_complaint(channel_id="phone", channel="phone", complainant=WHO, flags=flags)
    assert ids(routes(spoken, message(channel="phone", reply=None), ways, NOW)) == [("mail", "budi@x.id")]


def test_the_window_is_what_the_provider_said_else_what_the_facts_say(
    ways: dict[str, Way], make_complaint: MakeComplaint
) -> None:
    here = make_complaint(channel_id="wa", complainant=Complainant())
    assert routes(here, message(), ways, NOW)[0].window_until == NOW + timedelta(hours=24)
    said = ReplyAddress(recipient="+62811", window_until=NOW + timedelta(hours=2))
    assert routes(here, message(reply=said), ways, NOW)[0].window_until == NOW + timedelta(hours=2)


@pytest.mark.parametrize(
    ("until", "wanted"),
    [(None, True), (NOW + timedelta(seconds=1), True), (NOW, False), (NOW - timedelta(days=3), False)],
)
def test_p14_usable(until: datetime | None, wanted: bool) -> None:
    assert usable(Route(channel_id="wa", recipient="r", window_until=until), NOW) is wanted


def test_what_a_template_carries_is_marked(ways: dict[str, Way], make_complaint: MakeComplaint) -> None:
    here = make_complaint(channel_id="wa-templates", complainant=Complainant())
    free, by_template = routes(here, message(), ways, NOW)
    assert (free.template, by_template.template) == (None, "receipt")
    assert by_template.window_until is None


@pytest.mark.parametrize(
    ("channel", "verified", "entered_by", "other", "wanted"),
    [
        ("whatsapp", False, None, False, True),
        ("whatsapp", True, None, True, False),
        ("email", False, None, False, False),
        ("email", True, None, False, True),
        ("web_form", False, None, True, False),
        ("web_form", True, None, True, True),
        ("phone", False, "staff-1", True, True),
        ("phone", False, None, True, False),
        ("phone", True, None, True, True),
    ],
)
def test_sheet_a10_a12_who_is_proven(
    channel: str, verified: bool, entered_by: str | None, other: bool, wanted: bool, make_complaint: MakeComplaint
) -> None:
    complaint = make_complaint(
        channel=channel, channel_id="here", entered_by=entered_by, complainant=Complainant(verified=verified)
    )
    assert proven(complaint, Route(channel_id="other" if other else "here", recipient="r")) is wanted


@pytest.mark.parametrize(
    ("complaint", "extra", "previous", "reason", "task"),
    [
        ({"channel_id": "wa"}, {}, 0, None, None),
        ({"channel_id": "wa"}, {}, 2, None, None),
        ({"channel_id": "wa"}, {}, 3, "sender_limit", "needs_agent"),
        ({"channel_id": "mail", "channel": "email"}, LIST, 0, "precedence: list", "needs_agent"),
        (MENTION, {"visibility": "public"}, 0, "public_only", "no_route"),
        ({"channel_id": "form", "channel": "web_form"}, {"reply": None}, 0, "handed_over", None),
        ({"channel_id": "phone", "channel": "phone", "entered_by": "s"}, {"reply": None}, 0, "handed_over", None),
        # The voice made a ticket, but nobody knows yet whether the caller hears its number.
        ({"channel_id": "phone", "channel": "phone"}, {"reply": None}, 0, "no_route", "no_route"),
        ({"channel_id": "phone", "channel": "phone"}, {"reply": None, **HEARD}, 0, "handed_over", None),
        ({"channel_id": "gone", "channel": "telegram"}, {}, 0, "no_route", "no_route"),
    ],
)  # fmt: skip
def test_k2_every_complaint_has_a_receipt_row(
    complaint: dict[str, object], extra: dict[str, object], previous: int, reason: str | None, task: str | None,
    ways: dict[str, Way], make_complaint: MakeComplaint,
) -> None:  # fmt: skip
    made = make_complaint(complainant=Complainant(language="en"), **complaint)
    found = owed(made, message(**extra), ways, key="K", task_id="T", previous=previous, now=NOW)
    assert (found.row.state, found.row.reason) == ("due" if reason is None else "suppressed", reason)
    assert (found.row.template, found.row.language, found.row.key) == ("receipt", "en", "K")
    assert (found.task.kind if found.task else None) == task
    assert bool(found.row.routes) == (reason in {None, "sender_limit"})


@pytest.mark.parametrize(("previous", "limit", "wanted"), [(0, 3, True), (2, 3, True), (3, 3, False), (0, 0, False)])
def test_p25_may_receipt(previous: int, limit: int, wanted: bool) -> None:
    assert may_receipt(previous, limit) is wanted


@pytest.mark.parametrize(
    ("extra", "wanted"),
    [
        ({"visibility": "public"}, True),
        ({"visibility": "private"}, False),
        ({"visibility": "public", "reply": None}, False),
        ({"visibility": "public", **LIST}, False),
    ],
)
def test_only_a_comment_gets_the_neutral_line(
    extra: dict[str, object], wanted: bool, make_complaint: MakeComplaint
) -> None:
    comment = make_complaint(channel_id="fb", channel="facebook_comment", visibility="public")
    line = public_line(comment, message(**extra), key="K", now=NOW)
    assert (line is not None) is wanted
    if line is not None:
        assert (line.template, ids(line.routes)) == ("public_reply", [("fb", "+62811")])
