"""What an event of a ticket's life owes the customer, and where it may go (section 7, sheet A13; K11, K15, A22)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import connectors
from connectors.facts import load
from normalizer.complaint import Complainant, Complaint, Representative
from normalizer.message import Channel, Message, ReplyAddress, Sender
from receipts.compose import medium_of
from receipts.notice_values import data_of
from receipts.notices import Owed, notice_rows
from receipts.route import Way
from receipts.texts import template_of
from receipts.wording_rules import NOTICE_KINDS
from tickets.life import Life
from tickets.lifecycle_values import Notice
from tickets.model import MessageRow, OutboxItem, Route, Ticket

NOW = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
MakeComplaint = Callable[..., Complaint]
MakeItem = Callable[..., OutboxItem]
Owe = Callable[..., Owed]
KINDS: dict[str, tuple[str, tuple[Channel, ...]]] = {
    "wa": ("whatsapp_cloud", ("whatsapp",)),
    "wa-templates": ("whatsapp_cloud", ("whatsapp",)),
    "mail": ("email", ("email",)),
    "sms": ("sms_http", ("sms",)),
    "fb": ("facebook", ("facebook_dm", "facebook_comment")),
    "ig": ("instagram", ("instagram_dm", "instagram_comment")),
    "x": ("x", ("x_dm", "x_mention")),
    "tg": ("telegram", ("telegram",)),
    "form": ("web_form", ("web_form",)),
    "staff": ("staff", ("phone", "walk_in", "letter")),
}
ANSWER = Notice(kind="answer", text="Dana sudah kami kembalikan.", forums=("court", "laps_sjk"), due=date(2026, 1, 19))
REJECTION = Notice(kind="rejection", text="Karena sudah pernah kami selesaikan.", forums=("court",), letter=True)


def way(name: str) -> Way:
    """A configured channel with the real facts of its provider."""
    kind, channels = KINDS[name]
    return Way(
        channel_id=name,
        channels=channels,
        facts=load(Path(connectors.__file__).parent / kind / "facts.yaml"),
        templates=frozenset({"receipt", "notice"} if name == "wa-templates" else ()),
    )


WAYS = {name: way(name) for name in KINDS}


def said(
    channel_id: str = "wa",
    channel: Channel = "whatsapp",
    recipient: str = "+62811",
    hours: float = 1.0,
    **changes: object,
) -> MessageRow:
    """A message that came some hours ago."""
    message: dict[str, object] = {
        "channel": channel,
        "account": "acc",
        "key": f"{channel}:{recipient}:{hours}",
        "external_id": "x",
        "sent_at": NOW - timedelta(hours=hours),
        "sender": Sender(key="wa:1"),
        "reply": ReplyAddress(recipient=recipient, in_reply_to=f"m-{hours}"),
        **changes,
    }
    return MessageRow(
        id="M",
        organisation="klikacc",
        complaint_id="C",
        raw_id="R",
        channel_id=channel_id,
        digest="d",
        message=Message(**message),  # type: ignore[arg-type]  # the tables give the right types
    )


def comment(hours: float = 1.0) -> MessageRow:
    return said("fb", "facebook_comment", "102_900/249", hours, visibility="public")


@pytest.fixture(name="owe")
def _owe(make_item: MakeItem) -> Owe:
    def owe(
        complaint: Complaint, messages: list[MessageRow], notice: Notice = ANSWER, only: str = "", revision: int = 3
    ) -> Owed:
        count = itertools.count(1)
        ticket = make_item(complaint).ticket
        assert isinstance(ticket, Ticket)
        return notice_rows(
            complaint,
            replace(ticket, life=Life(revision=revision)),
            notice,
            messages,
            {name: each for name, each in WAYS.items() if not only or name in only.split()},
            new_id=lambda: f"ID{next(count)}",
            now=NOW,
        )

    return owe


def places(routes: tuple[Route, ...]) -> list[tuple[str, str, str | None]]:
    return [(route.channel_id, route.recipient, route.template) for route in routes]


WHO = Complainant(phone="+62812", email="budi@x.id")
KNOWN = Complainant(phone="+62812", email="budi@x.id", verified=True)
MAILED = Complainant(email="budi@x.id", verified=True)
FORM = {"channel_id": "form", "channel": "web_form"}
CALL = {"channel_id": "staff", "channel": "phone", "entered_by": "rina"}
COMMENT = {"channel_id": "fb", "channel": "facebook_comment", "visibility": "public"}
EARLY, LATE = 30.0, 2.0


@pytest.mark.parametrize(
    ("complaint", "who", "messages", "wanted", "task"),
    [
        # The conversation, while its window is open; addresses that nobody proved are left out of what says everything.
        ({"channel_id": "wa"}, WHO, [said()], [("wa", "+62811", None)], None),
        # The newest message of the conversation opened the window anew.
        ({"channel_id": "wa"}, WHO, [said(hours=EARLY), said(hours=LATE)], [("wa", "+62811", None)], None),
        # P14: the window has closed; the approved template knows none.
        (
            {"channel_id": "wa-templates"}, Complainant(), [said("wa-templates", hours=EARLY)],
            [("wa-templates", "+62811", "notice")], None,
        ),
        # Closed and without a template: an address that the chat only named hears that there is news.
        ({"channel_id": "wa"}, WHO, [said(hours=EARLY)], [("mail", "budi@x.id", None)], "bring_letter"),
        ({"channel_id": "wa"}, Complainant(), [said(hours=EARLY)], [], "no_route"),
        # Email: the newest message is answered, in its thread.
        (
            {"channel_id": "mail", "channel": "email"}, MAILED,
            [said("mail", "email", "budi@x.id", EARLY), said("mail", "email", "budi@x.id", LATE)],
            [("mail", "budi@x.id", None)], None,
        ),
        # A forged From line proves nothing (A10).
        (
            {"channel_id": "mail", "channel": "email"}, WHO, [said("mail", "email", "budi@x.id", LATE)],
            [("mail", "budi@x.id", None)], "bring_letter",
        ),
        # A merged email whose sender nobody vouches for is no conversation with the customer.
        (
            {"channel_id": "mail", "channel": "email"}, MAILED,
            [said("mail", "email", "budi@x.id", EARLY), said("mail", "email", "forged@x.id", LATE)],
            [("mail", "budi@x.id", None)], None,
        ),
        # A mailing list, another machine: nothing is written back to it (P25).
        (
            {"channel_id": "mail", "channel": "email"}, MAILED,
            [said("mail", "email", "list@x.id", LATE, no_receipt="precedence: list")], [], "no_route",
        ),
        # A form has no way back.
        (FORM, WHO, [said("form", "web_form", reply=None)], [("mail", "budi@x.id", None)], "bring_letter"),
        (
            FORM, KNOWN, [said("form", "web_form", reply=None)],
            [("mail", "budi@x.id", None), ("wa-templates", "+62812", "notice"), ("sms", "+62812", None)], None,
        ),
        (FORM, Complainant(), [said("form", "web_form", reply=None)], [], "no_route"),
        # Staff who spoke to the person noted the number (K6, A6).
        (
            CALL, Complainant(phone="+62812"), [said("staff", "phone", reply=None)],
            [("wa-templates", "+62812", "notice"), ("sms", "+62812", None)], None,
        ),
        # A comment had its one private answer; nothing goes below it in public.
        (COMMENT, Complainant(), [comment()], [], "no_route"),
        (COMMENT, Complainant(email="budi@x.id"), [comment()], [("mail", "budi@x.id", None)], "bring_letter"),
        # Once the customer writes where the private answer arrived, that is the conversation.
        (
            COMMENT, Complainant(), [comment(hours=20), said("fb", "facebook_dm", "249", LATE)],
            [("fb", "249", None)], None,
        ),
        (COMMENT, Complainant(), [comment(hours=20), said("fb", "facebook_dm", "249", 200)], [], "no_route"),
        ({"channel_id": "x", "channel": "x_dm"}, Complainant(), [said("x", "x_dm", "77")], [("x", "77", None)], None),
        ({"channel_id": "tg", "channel": "telegram"}, WHO, [said("tg", "telegram", "5")], [("tg", "5", None)], None),
        # A channel that is no longer configured carries nothing.
        ({"channel_id": "gone"}, Complainant(), [said("gone")], [], "no_route"),
    ],
)  # fmt: skip
def test_where_a_notice_goes(
    complaint: dict[str, object], who: Complainant, messages: list[MessageRow],
    wanted: list[tuple[str, str, str | None]], task: str | None, owe: Owe, make_complaint: MakeComplaint,
) -> None:  # fmt: skip
    """Section 7, A13: the newest private conversation, an approved template, other addresses, else a person."""
    found = owe(make_complaint(complainant=who, **complaint), messages)
    (row,) = found.rows
    assert places(row.routes) == wanted
    assert (row.state, row.reason) == (("due", None) if wanted else ("suppressed", "no_route"))
    assert [each.kind for each in found.tasks] == ([task] if task else [])


def test_the_newest_conversation_comes_first(owe: Owe, make_complaint: MakeComplaint) -> None:
    """A11: the same complaint on several channels, merged: where the customer wrote last is best among the proven."""
    messages = [said("wa", recipient="+62811", hours=3), said("tg", "telegram", "5", 2), said("wa", recipient="+62899")]
    spoken = make_complaint(**CALL, complainant=Complainant())
    (row,) = owe(spoken, messages).rows
    assert places(row.routes) == [("wa", "+62899", None), ("tg", "5", None), ("wa", "+62811", None)]
    assert row.routes[0].in_reply_to == "m-1.0"
    # Nobody proved that who writes there is who filled the form: the other conversation alone is told.
    (row,) = owe(make_complaint(channel_id="tg", channel="telegram", complainant=Complainant()), messages).rows
    assert places(row.routes) == [("tg", "5", None)]


def test_the_window_is_what_the_provider_said(owe: Owe, make_complaint: MakeComplaint) -> None:
    """P14: closed by the provider's clock, although the facts' hours are not over."""
    closed = ReplyAddress(recipient="+62811", window_until=NOW)
    assert not owe(make_complaint(channel_id="wa", complainant=Complainant()), [said(reply=closed)]).rows[0].routes
    (route,) = owe(make_complaint(channel_id="wa", complainant=Complainant()), [said()]).rows[0].routes
    assert route.window_until == NOW + timedelta(hours=23)


@pytest.mark.parametrize("only", ["wa-templates", "wa sms"])
@pytest.mark.parametrize(
    ("notice", "task"),
    [
        (ANSWER, None),
        (Notice(kind="extension", text="Menunggu bank.", due=date(2026, 2, 1), letter=True), None),
        # The reasons fit, the addresses of the forums do not (A20, A22).
        (REJECTION, "bring_letter"),
        (replace(ANSWER, text="Panjang. " * 200), "bring_letter"),
    ],
)
def test_k11_a22_what_a_short_message_cannot_hold_is_brought(
    notice: Notice, task: str | None, only: str, owe: Owe, make_complaint: MakeComplaint
) -> None:
    who = Complainant(phone="+62811", verified=True)
    name = only.split()[0]
    closed = [said(name, hours=EARLY)] if name == "wa-templates" else []
    spoken = make_complaint(**(CALL if name == "wa" else {"channel_id": name}), complainant=who)
    found = owe(spoken, closed, notice, only)
    assert found.rows[0].routes
    assert [each.kind for each in found.tasks] == ([task] if task else [])


def test_k15_k17_the_representative_is_told_too(owe: Owe, make_complaint: MakeComplaint) -> None:
    """K15, K17: the result goes to the user and to the representative who has a verified power of attorney."""
    who = Representative(full_name="Kantor Hukum", poa_status="verified", email="kuasa@x.id", phone="+62877")
    here = make_complaint(channel_id="wa", complainant=Complainant(), representative=who)
    found = owe(here, [said()], replace(REJECTION, representative=True))
    customer, other = found.rows
    assert (customer.template, other.template) == ("notice_rejection:3", "notice_rejection:3:representative")
    assert template_of(other.template) == "notice_rejection"
    assert places(other.routes) == [("mail", "kuasa@x.id", None), ("sms", "+62877", None)]
    item = OutboxItem(row=other, complaint=here, ticket=Ticket(
        ticket_number="KLA", complaint_id="C", organisation="klikacc", opened_at=NOW, updated_at=NOW, deadlines={},
        policy_id="klikacc", policy_version="1", calendar_version="1",
    ))  # fmt: skip
    assert medium_of(item, other.routes[0]) == "email"
    # A notice that is not for them makes no second row.
    assert len(owe(here, [said()], REJECTION).rows) == 1


@pytest.mark.parametrize(
    ("who", "only", "rows", "tasks"),
    [
        (Representative(full_name="K", poa_status="verified"), "", 1, ["tell_representative"]),
        (Representative(full_name="K", poa_status="verified", email="k@x.id"), "wa", 1, ["tell_representative"]),
        (Representative(full_name="K", poa_status="verified", phone="+62811"), "", 1, []),
        (None, "", 1, []),
    ],
)
def test_k17_a_representative_without_an_address_is_a_persons_task(
    who: Representative | None, only: str, rows: int, tasks: list[str], owe: Owe, make_complaint: MakeComplaint
) -> None:
    here = make_complaint(channel_id="wa", complainant=Complainant(), representative=who)
    found = owe(here, [said()], replace(ANSWER, representative=True), only)
    assert len(found.rows) == rows
    assert [each.kind for each in found.tasks] == tasks


@pytest.mark.parametrize(
    ("notice", "heard"),
    [
        (ANSWER, False),
        (replace(ANSWER, representative=True), True),
        (Notice(kind="documents_requested", documents=("power_of_attorney",)), True),
    ],
)
def test_k15_who_has_no_power_of_attorney_hears_nothing_of_the_case(
    notice: Notice, heard: bool, owe: Owe, make_complaint: MakeComplaint
) -> None:
    """K15, A12: the representative wrote; until their authority is seen they are asked for documents, and no more."""
    who = Representative(full_name="Kantor Hukum", poa_status="received", phone="0811-22334455")
    here = make_complaint(channel_id="wa", complainant=Complainant(), representative=who)
    found = owe(here, [said(recipient="+6281122334455")], notice)
    assert bool(found.rows[0].routes) is heard
    assert [task.kind for task in found.tasks] == ([] if heard else ["no_route"])


def test_k15_an_address_that_is_also_the_customers_is_no_strangers(owe: Owe, make_complaint: MakeComplaint) -> None:
    who = Representative(full_name="Ibu", poa_status="missing", phone="+6281122334455")
    here = make_complaint(channel_id="wa", complainant=Complainant(phone="+6281122334455"), representative=who)
    assert owe(here, [said(recipient="6281122334455")], ANSWER).rows[0].routes


def test_a_task_says_which_letter_to_bring_and_names_nobody(owe: Owe, make_complaint: MakeComplaint) -> None:
    here = make_complaint(**FORM, complainant=Complainant(full_name="Budi Santoso"))
    (task,) = owe(here, [], REJECTION).tasks
    assert (task.kind, task.opened_at) == ("no_route", NOW)
    assert "aduan letter KLA-20260105-000123-7 --notice notice_rejection:3" in task.reason
    assert "Budi" not in task.reason
    assert REJECTION.text not in task.reason


def test_a_row_is_found_again_by_kind_and_revision(owe: Owe, make_complaint: MakeComplaint) -> None:
    """One row for each event: done twice, it has the same name; the next event's is another."""
    here = make_complaint(channel_id="wa", complainant=Complainant(language="en"))
    first, again, later = (owe(here, [said()], revision=revision).rows[0] for revision in (3, 3, 4))
    assert first.template == again.template == "notice_answer:3"
    assert later.template == "notice_answer:4"
    assert first.language == "en"


def test_the_values_of_a_notice_are_kept_as_words(owe: Owe, make_complaint: MakeComplaint) -> None:
    notice = Notice(
        kind="extension", text="Menunggu bank.", ground="external_party", due=date(2026, 2, 3),
        old_due=date(2026, 1, 6),
        documents=("phone", "problem"), remedies=("apology",), compensation_idr=0, number="KLA-1", letter=True,
    )  # fmt: skip
    assert data_of(notice, NOW) == {
        "text": "Menunggu bank.",
        "ground": "external_party",
        "due": "2026-02-03",
        "old_due": "2026-01-06",
        "documents": "phone,problem",
        "remedies": "apology",
        "compensation_idr": "0",
        "into": "KLA-1",
        "letter": "yes",
        "issued_at": "2026-01-05T03:00:00+00:00",
    }


PEOPLE = st.builds(
    Complainant,
    phone=st.sampled_from([None, "+62812"]),
    email=st.sampled_from([None, "b@x.id"]),
    verified=st.booleans(),
)
TALKS = st.lists(
    st.sampled_from([
        said(), said(hours=EARLY), said("wa-templates", recipient="+62815"), said("mail", "email", "b@x.id"),
        comment(), said("fb", "facebook_dm", "249", 2), said("ig", "instagram_comment", "C1", visibility="public"),
        said("x", "x_mention", "P1", visibility="public"), said("form", "web_form", reply=None),
        said("mail", "email", "list@x.id", no_receipt="precedence: list"),
    ]),
    max_size=4,
)  # fmt: skip


@given(
    who=PEOPLE, messages=TALKS, kind=st.sampled_from(NOTICE_KINDS), letter=st.booleans(), text=st.text(max_size=400),
    entered_by=st.sampled_from([None, "rina"]),
    origin=st.sampled_from([
        ("wa", "whatsapp"), ("mail", "email"), ("form", "web_form"), ("fb", "facebook_comment"), ("x", "x_mention"),
    ]),
)  # fmt: skip
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_notice_is_never_public_and_never_lost(
    owe: Owe, make_complaint: MakeComplaint, make_item: MakeItem,
    who: Complainant, messages: list[MessageRow], kind: str, letter: bool, text: str, entered_by: str | None,
    origin: tuple[str, str],
) -> None:  # fmt: skip
    """Section 8: no notice where others read along; whatever is not sent as a whole has a person's task."""
    channel_id, channel = origin
    here = make_complaint(channel_id=channel_id, channel=channel, complainant=who, entered_by=entered_by)
    notice = Notice(kind=kind, text=text, letter=letter)  # type: ignore[arg-type]  # one of the kinds
    (row,) = owe(here, messages, notice).rows
    tasks = owe(here, messages, notice).tasks
    item = OutboxItem(row=row, complaint=here, ticket=make_item(here).ticket)
    media = {medium_of(item, route) for route in row.routes}
    assert "public" not in media
    assert not {route.recipient for route in row.routes} & {"102_900/249", "C1", "P1", "list@x.id"}
    assert row.routes or tasks
    if media & {"short_unproven", "email_unproven"}:
        assert [task.kind for task in tasks] == ["bring_letter"]
