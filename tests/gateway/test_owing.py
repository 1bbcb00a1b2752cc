"""What a complaint obliges us to say: the receipt in private, one neutral line in public, and a person's tasks."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.facts import Fact, Facts
from gateway.owing import ANSWERED_IN_PUBLIC, line_beside, must_hide, owing
from normalizer.complaint import Complaint
from normalizer.message import NO_PUBLIC_ANSWER, Message, ReplyAddress, Sender
from receipts.route import Way

NOW = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)


def facts(private_reply: str) -> Facts:
    values: dict[str, Any] = {
        "name": "Test", "max_text": 2000, "text_unit": "characters", "private_reply": private_reply,
        "reply_window_hours": 24.0, "attachments_in": True, "attachments_out": False, "max_attachment_bytes": None,
        "delivery_reports": True, "counts_as_written": True, "max_body_bytes": 1, "sends_per_second": None,
        "ambiguous_evidence": "none", "ambiguous_wait_seconds": 0.0, "media_hosts": [], "redelivery_hours": 24.0,
    }  # fmt: skip
    return Facts(**{name: Fact(value=value, source="test", read_on=date(2026, 1, 1)) for name, value in values.items()})


def comment(**changes: Any) -> Message:
    given: dict[str, Any] = {
        "channel": "facebook_comment", "account": "page", "key": "fb:page:c1", "external_id": "c1", "sent_at": NOW,
        "sender": Sender(key="fb:7"), "text": "Dana saya belum cair", "visibility": "public",
        "reply": ReplyAddress(recipient="c1"), **changes,
    }  # fmt: skip
    return Message(**given)


def complaint(message: Message) -> Complaint:
    return Complaint(
        complaint_id="c", ticket_number="AKS-20260105-000001-0", policy_id="p", policy_version="1",
        calendar_version="1", tenant="akseleran", channel=message.channel, channel_account="page", channel_id="fb",
        received_at=NOW, ingested_at=NOW, effective_received_date=date(2026, 1, 5), visibility=message.visibility,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("private_reply", "changes", "previous", "said", "tasks"),
    [
        ("from_comment_once", {}, 0, ["receipt due", "public_reply due"], []),
        ("never", {}, 0, ["receipt suppressed", "public_reply due"], ["no_route"]),
        ("from_comment_once", {"flags": (NO_PUBLIC_ANSWER,)}, 0, ["receipt due"], []),
        ("from_comment_once", {}, 3, ["receipt suppressed"], ["needs_agent"]),
        ("from_comment_once", {"no_receipt": "own comment"}, 0, ["receipt suppressed"], ["needs_agent"]),
        ("same_thread", {"visibility": "private", "channel": "facebook_dm"}, 0, ["receipt due"], []),
    ],
)
def test_what_is_owed(
    private_reply: str, changes: dict[str, Any], previous: int, said: list[str], tasks: list[str]
) -> None:
    """Section 8: one neutral line under a comment, the receipt only in private; without a way a person is told."""
    message = comment(**changes)
    numbers = count()
    way = Way(channel_id="fb", channels=("facebook_dm", "facebook_comment"), facts=facts(private_reply))
    found = owing(
        complaint(message), message, {"fb": way},
        new_id=lambda: str(next(numbers)), previous=previous, limit=3, now=NOW,
    )  # fmt: skip
    assert [f"{row.template} {row.state}" for row in found.rows] == said
    assert [task.kind for task in found.tasks] == tasks
    assert found.sends_receipt is (said[0] == "receipt due")
    if len(said) == 2 and found.sends_receipt:
        assert found.rows[1].due_at == NOW < found.rows[0].due_at, "the line comes first"
    if found.sends_receipt:
        assert [route.channel for route in found.rows[0].routes] == ["facebook_dm"]


@pytest.mark.parametrize(
    ("opened", "flags", "joins", "wanted"),
    [
        ("private", (), {}, True),
        ("private", (ANSWERED_IN_PUBLIC,), {}, False),
        # Its own comment has the line already.
        ("public", (), {}, False),
        ("private", (), {"visibility": "private"}, False),
        ("private", (), {"flags": (NO_PUBLIC_ANSWER,)}, False),
    ],
)
def test_the_first_comment_that_joins_a_private_complaint_gets_the_line(
    opened: str, flags: tuple[str, ...], joins: dict[str, Any], wanted: bool
) -> None:
    """Section 8: one neutral line, also where the complaint came by direct message before."""
    first = complaint(comment(channel="facebook_dm", visibility=opened))
    first = replace(first, flags=flags)
    line = line_beside(first, comment(**joins), key="K", now=NOW)
    assert (line is not None) is wanted
    if line is not None:
        assert (line.template, line.routes[0].channel, line.routes[0].recipient) == (
            "public_reply", "facebook_comment", "c1",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "visibility", "wanted"),
    [
        ("Nomor saya 081234567890, tolong", "public", True),
        ("Nomor saya 081234567890, tolong", "private", False),
        ("Dana saya belum cair sejak tanggal 5", "public", False),
    ],
)
def test_personal_data_that_everybody_can_read_is_to_be_hidden(text: str, visibility: str, wanted: bool) -> None:
    assert must_hide(comment(text=text, visibility=visibility)) is wanted
