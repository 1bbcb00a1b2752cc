"""A Chatwoot over real HTTP: one conversation for each complaint whatever fails, words once, statuses both ways."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from forward_values import Desk
from gateway.forward_http import ForwardCalls
from normalizer.complaint import Complainant
from simulator.ticket_stores import Chatwoot, Fault
from store_values import NOW
from tickets.forwarders.chatwoot import Chatwoot as Forwarder
from tickets.forwarders.chatwoot_settings import ChatwootSettings
from tickets.forwarders.errors import AuthFailed, Misconfigured

TOKEN = "chatwoot-token-of-the-agent"
FAULTS: list[Fault] = ["fail", "fail_after", "cut", "silent", "html", "wait"]


def settings(url: str, **values: Any) -> ChatwootSettings:
    given = {"kind": "chatwoot", "name": "chatwoot", "url": url, "token": TOKEN, "account": 1, "inbox": 2}
    return ChatwootSettings.model_validate(given | {"inside": True, "timeout_seconds": 0.4} | values)


@pytest.fixture
async def chatwoot() -> AsyncIterator[Chatwoot]:
    made = Chatwoot(TOKEN)
    await made.start()
    yield made
    await made.stop()


def said(chatwoot: Chatwoot) -> list[str]:
    """What was said, without the opening messages."""
    return [message["content"].partition("\n\n[")[0] for message in chatwoot.messages if "\n\n[" in message["content"]]


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failed_creation_is_found_again(desk: Desk, chatwoot: Chatwoot, fault: Fault, place: int) -> None:
    """Whichever call of a creation fails, before or after it was done: one contact, one conversation."""
    lane = desk.lane(settings(chatwoot.url))
    id_ = desk.complaint(complainant=Complainant(full_name="Budi"))
    chatwoot.fail(*[fault] * place, method="POST")
    await desk.drain(lane)
    (conversation,) = chatwoot.conversations.values()
    assert conversation["custom_attributes"]["aduan_complaint_id"] == id_
    assert [contact["name"] for contact in chatwoot.contacts] == ["Budi"]
    assert desk.view(id_).complaint.forwards[0].store_ref == "1"


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failed_message_is_said_once(desk: Desk, chatwoot: Chatwoot, fault: Fault) -> None:
    lane = desk.lane(settings(chatwoot.url))
    id_ = desk.complaint()
    await desk.drain(lane)
    desk.happens(id_, "message.added", "Ini buktinya")
    desk.happens(id_, "ticket.accepted", "Terima kasih", state="resolved")
    chatwoot.fail(fault, fault, method="POST")
    await desk.drain(lane)
    assert said(chatwoot) == ["Ini buktinya", "Terima kasih"]
    _, theirs, ours = chatwoot.messages
    assert (theirs["message_type"], theirs["private"]) == ("incoming", False)
    # We tell the customer ourselves: there it is a note for agents.
    assert (ours["message_type"], ours["private"]) == ("outgoing", True)
    assert chatwoot.conversations[1]["status"] == "resolved"
    assert not desk.view(id_).tasks


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_call_that_fails_behind_a_message_does_not_repeat_it(
    desk: Desk, chatwoot: Chatwoot, fault: Fault
) -> None:
    """The message is there, then the line breaks or the store is busy: nothing was left open, it is not said again."""
    lane = desk.lane(settings(chatwoot.url))
    id_ = desk.complaint()
    await desk.drain(lane)
    desk.happens(id_, "ticket.responded", "Ini jawaban kami", state="responded")
    chatwoot.fail("none", fault, method="GET")
    await desk.drain(lane)
    assert said(chatwoot) == ["Ini jawaban kami"]
    assert not desk.view(id_).tasks


async def test_100_duplicates_are_one_conversation(desk: Desk, chatwoot: Chatwoot) -> None:
    lane = desk.lane(settings(chatwoot.url))
    id_ = desk.complaint()
    for _ in range(99):
        with desk.store.begin() as tx:
            tx.forwards.changed("klikacc", id_, "complaint.received", NOW)
    chatwoot.fail(*FAULTS[1:3] * 6, method="POST")
    await desk.drain(lane)
    assert desk.states() == {"done": 100}
    assert (len(chatwoot.conversations), len(chatwoot.contacts)) == (1, 1)


async def test_the_same_person_is_one_contact(desk: Desk, chatwoot: Chatwoot) -> None:
    lane = desk.lane(settings(chatwoot.url, at_once=1))
    for _ in range(3):
        desk.complaint(sender_key="wa:ID.7")
    desk.complaint(sender_key="wa:ID.8")
    await desk.drain(lane)
    assert (len(chatwoot.conversations), len(chatwoot.contacts)) == (4, 2)


async def test_a_message_after_the_end_opens_it_there_and_our_status_stands(desk: Desk, chatwoot: Chatwoot) -> None:
    lane = desk.lane(settings(chatwoot.url))
    id_ = desk.complaint()
    desk.happens(id_, "ticket.accepted", state="resolved")
    desk.happens(id_, "message.added", "Terima kasih")
    await desk.drain(lane)
    assert chatwoot.conversations[1]["status"] == "resolved"
    assert not desk.view(id_).tasks


async def test_a_conversation_changed_there_is_shown_and_not_overwritten(desk: Desk, chatwoot: Chatwoot) -> None:
    lane = desk.lane(settings(chatwoot.url))
    id_ = desk.complaint()
    await desk.drain(lane)
    chatwoot.change(1, "snoozed")
    desk.happens(id_, "ticket.accepted", "Selesai", state="resolved")
    await desk.drain(lane)
    assert chatwoot.conversations[1]["status"] == "snoozed"
    assert said(chatwoot) == ["Selesai"]
    (task,) = desk.view(id_).tasks
    assert (task.kind, task.reason) == ("changed_elsewhere", "chatwoot 1: its status there is `snoozed`")
    with desk.store.begin() as tx:
        assert tx.forwards.release("chatwoot", id_, "desk:sari")
    await desk.drain(lane)
    assert chatwoot.conversations[1]["status"] == "resolved"


async def test_a_look_finds_a_change_on_a_later_page(desk: Desk, chatwoot: Chatwoot) -> None:
    lane = desk.lane(settings(chatwoot.url))
    ids = [desk.complaint() for _ in range(30)]
    await desk.drain(lane)
    chatwoot.change(1, "resolved")
    for number in range(2, 31):
        chatwoot.change(number, "open")
    desk.wait(1)
    assert await lane.look() == 1
    assert [len(desk.view(id_).tasks) for id_ in ids] == [1, *[0] * 29]


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"token": "another token"}, AuthFailed, "HTTP 401"),
        ({"inbox": 9}, Misconfigured, "no inbox 9"),
        ({"attribute": "nothing"}, Misconfigured, "no attribute `nothing`"),
    ],
)
async def test_check_names_what_is_wrong(
    chatwoot: Chatwoot, wrong: dict[str, Any], error: type[Exception], says: str
) -> None:
    given = settings(chatwoot.url, **wrong)
    forwarder = Forwarder(given, ForwardCalls(given, lambda: NOW), lambda: NOW)
    with pytest.raises(error, match=says):
        await forwarder.check()
    await forwarder.aclose()


async def test_an_attribute_that_is_missing_halts_the_target(desk: Desk, chatwoot: Chatwoot) -> None:
    """Without it nothing could be found again: nothing is made."""
    lane = desk.lane(settings(chatwoot.url, attribute="nothing"))
    desk.complaint()
    await lane.turn()
    assert desk.store.forwards.targets()["chatwoot"].halted == "Misconfigured"
    assert not chatwoot.conversations
