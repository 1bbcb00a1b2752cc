"""A Zammad over real HTTP: one ticket for each complaint whatever fails, words once, states both ways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from forward_values import Desk
from gateway.forward_http import ForwardCalls
from normalizer.complaint import Complainant, StoredAttachment
from normalizer.message import Deletion, Edit
from simulator.ticket_stores import Fault, Zammad
from store_values import NOW
from tickets.forwarders.contract import MOST_CHANGES, Handover
from tickets.forwarders.errors import AuthFailed, Misconfigured
from tickets.forwarders.zammad import Zammad as Forwarder
from tickets.forwarders.zammad_settings import ZammadSettings

TOKEN = "zammad-token-of-the-agent"
FAULTS: list[Fault] = ["fail", "fail_after", "cut", "silent", "html", "wait"]


def settings(url: str, **values: Any) -> ZammadSettings:
    given = {"kind": "zammad", "name": "zammad", "url": url, "token": TOKEN, "group": "Pengaduan", "inside": True}
    return ZammadSettings.model_validate(given | {"timeout_seconds": 0.4} | values)


@pytest.fixture
async def zammad() -> AsyncIterator[Zammad]:
    made = Zammad(TOKEN, fields=("aduan_id",))
    await made.start()
    yield made
    await made.stop()


def bodies(zammad: Zammad) -> list[str]:
    """What was said, without the opening articles."""
    return [article["body"] for article in zammad.articles if "-" in article["message_id"]]


@pytest.mark.parametrize("field", [None, "aduan_id"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failed_creation_is_found_again(desk: Desk, zammad: Zammad, fault: Fault, field: str | None) -> None:
    """A time-out, a cut or a 500 after the ticket was made: the next attempt finds it and makes no second one."""
    lane = desk.lane(settings(zammad.url, field=field))
    id_ = desk.complaint()
    zammad.fail("cut", method="GET")  # a read that fails is only read again
    zammad.fail(fault, method="POST")
    await desk.drain(lane)
    (ticket,) = zammad.tickets.values()
    number = desk.view(id_).ticket.ticket_number
    assert ticket["title"].startswith(f"[{number}] ")
    assert (ticket["state"], ticket["aduan_id"]) == ("new", id_ if field else None)
    (shown,) = desk.view(id_).complaint.forwards
    assert (shown.store, shown.state, shown.store_ref) == ("zammad", "done", str(ticket["id"]))


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failed_article_is_said_once(desk: Desk, zammad: Zammad, fault: Fault) -> None:
    lane = desk.lane(settings(zammad.url))
    id_ = desk.complaint()
    await desk.drain(lane)
    desk.happens(id_, "message.added", "Ini buktinya")
    desk.happens(id_, "ticket.responded", "Kami mohon maaf", state="responded")
    zammad.fail(fault, method="PUT")
    await desk.drain(lane)
    assert bodies(zammad) == ["Ini buktinya", "Kami mohon maaf"]
    assert [article["sender"] for article in zammad.articles] == ["Customer", "Customer", "Agent"]
    assert [ticket["state"] for ticket in zammad.tickets.values()] == ["open"]
    assert not desk.view(id_).tasks


async def test_100_duplicates_are_one_ticket(desk: Desk, zammad: Zammad) -> None:
    """Exactly once by complaint id: a hundred hand-overs of one complaint, all of them with answers that get lost."""
    lane = desk.lane(settings(zammad.url, give_up_hours=100))
    id_ = desk.complaint()
    for _ in range(99):
        with desk.store.begin() as tx:
            tx.forwards.changed("klikacc", id_, "complaint.received", NOW)
    zammad.fail(*FAULTS[:3] * 5, method="POST")
    await desk.drain(lane)
    assert desk.states() == {"done": 100}
    assert len(zammad.tickets) == 1


async def test_100_creations_by_hand_are_one_ticket(desk: Desk, zammad: Zammad) -> None:
    id_ = desk.complaint()
    view = desk.view(id_)
    given = settings(zammad.url, timeout_seconds=5)
    forwarder = Forwarder(given, ForwardCalls(given, lambda: NOW), lambda: NOW)
    handover = Handover(complaint=view.complaint, ticket=view.ticket, type="complaint.received", at=NOW, seq=1)
    made = [await forwarder.create(handover) for _ in range(100)]
    await forwarder.aclose()
    assert len(zammad.tickets) == 1
    assert {handed.store_ref for handed in made} == {"1"}


async def test_a_ticket_changed_there_is_shown_and_not_overwritten(desk: Desk, zammad: Zammad) -> None:
    """Words still go, our state does not, one task asks a person; when that is closed, our state goes again."""
    lane = desk.lane(settings(zammad.url))
    id_ = desk.complaint()
    await desk.drain(lane)
    zammad.change(1, state="closed")
    desk.happens(id_, "ticket.first_response", "Kami periksa", state="in_progress")
    await desk.drain(lane)
    assert zammad.tickets[1]["state"] == "closed"
    assert bodies(zammad) == ["Kami periksa"]
    view = desk.view(id_)
    (task,) = view.tasks
    assert (task.kind, task.reason) == ("changed_elsewhere", "zammad 1: its state there is `closed`")
    assert [event.data["state"] for event in view.audit if event.type == "forward.changed_elsewhere"] == ["closed"]
    (line,) = desk.lines(state="changed")
    assert (line.remote_state, line.changed_note) == ("closed", "its state there is `closed`")

    desk.happens(id_, "ticket.responded", "Jawaban", state="responded")
    await desk.drain(lane)
    assert zammad.tickets[1]["state"] == "closed"
    assert len(desk.view(id_).tasks) == 1

    with desk.store.begin() as tx:
        assert tx.forwards.release("zammad", id_, "desk:sari")
    await desk.drain(lane)
    assert zammad.tickets[1]["state"] == "open"
    assert [each.closed_at for each in desk.view(id_).tasks] == [desk.now]
    assert not desk.lines(state="changed")
    with desk.store.begin() as tx:
        assert not tx.forwards.release("zammad", id_, "desk:sari")


async def test_a_second_change_while_a_person_decides_is_shown_too(desk: Desk, zammad: Zammad) -> None:
    lane = desk.lane(settings(zammad.url))
    id_ = desk.complaint()
    await desk.drain(lane)
    for state in ("closed", "pending reminder"):
        zammad.change(1, state=state)
        desk.happens(id_, "message.added", f"Halo {state}")
        await desk.drain(lane)
    view = desk.view(id_)
    assert [event.data["state"] for event in view.audit if event.type == "forward.changed_elsewhere"] == [
        "closed", "pending reminder",
    ]  # fmt: skip
    assert len(view.tasks) == 1
    assert desk.lines(state="changed")[0].remote_state == "pending reminder"


async def test_a_look_finds_what_others_changed_and_not_what_we_did(desk: Desk, zammad: Zammad) -> None:
    lane = desk.lane(settings(zammad.url))
    ids = [desk.complaint() for _ in range(3)]
    await desk.drain(lane)
    # Asked in the moment of our own write, an answer proves nothing.
    zammad.change(2, state="closed")
    assert await lane.look() == 0
    desk.wait(1)
    assert await lane.look() == 1
    assert await lane.look() == 0
    view = desk.view(ids[1])
    assert [task.kind for task in view.tasks] == ["changed_elsewhere"]
    assert not desk.view(ids[0]).tasks
    assert desk.store.verify_audit().intact


@pytest.mark.parametrize("looked", [True, False])
async def test_a_trigger_there_asks_nobody_unless_it_changes_the_state(
    desk: Desk, zammad: Zammad, looked: bool
) -> None:
    lane = desk.lane(settings(zammad.url))
    ids = [desk.complaint() for _ in range(2)]
    await desk.drain(lane)
    zammad.change(1, by=1, priority="3 high")
    zammad.change(2, by=1, state="closed")
    desk.wait(1)
    if looked:
        assert await lane.look() == 1
    for id_ in ids:
        desk.happens(id_, "ticket.responded", "Jawaban", state="responded")
    await desk.drain(lane)
    assert [[task.kind for task in desk.view(id_).tasks] for id_ in ids] == [[], ["changed_elsewhere"]]
    assert [zammad.tickets[number]["state"] for number in (1, 2)] == ["open", "closed"]


async def test_the_store_restarts_and_keeps_its_data(desk: Desk, zammad: Zammad) -> None:
    lane = desk.lane(settings(zammad.url))
    id_ = desk.complaint()
    await lane.turn()
    await zammad.stop()
    desk.happens(id_, "message.added", "Masih ada?")
    desk.complaint()
    for _ in range(5):
        await lane.turn()
        desk.wait(60)
    assert len(desk.lines(state="open")) == 2
    await zammad.start()
    await desk.drain(lane)
    assert (len(zammad.tickets), bodies(zammad)) == (2, ["Masih ada?"])


async def test_refused_credentials_halt_the_target_and_nothing_is_lost(desk: Desk, zammad: Zammad) -> None:
    lane = desk.lane(settings(zammad.url))
    desk.complaint()
    zammad.always = "unauthorized"
    await lane.turn()
    state = desk.store.forwards.targets()["zammad"]
    assert (state.halted, state.waiting) == ("AuthFailed", 1)
    assert not await lane.try_again("AuthFailed")
    zammad.always = None
    assert await lane.try_again("AuthFailed")
    await desk.drain(lane)
    assert len(zammad.tickets) == 1


async def test_a_ticket_deleted_there_is_a_persons_task_and_others_go_on(desk: Desk, zammad: Zammad) -> None:
    lane = desk.lane(settings(zammad.url))
    gone, other = desk.complaint(), desk.complaint()
    await desk.drain(lane)
    zammad.remove(1)
    for id_ in (gone, other):
        desk.happens(id_, "message.added", "Halo")
    await desk.drain(lane)
    assert [task.kind for task in desk.view(gone).tasks] == ["forward_refused"]
    assert desk.view(gone).complaint.forwards[0].state == "failed"
    assert not desk.view(other).tasks


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"token": "another token"}, AuthFailed, "HTTP 401"),
        ({"group": "Nirgendwo"}, Misconfigured, "no group `Nirgendwo`"),
        ({"field": "nothing"}, Misconfigured, "no attribute `nothing`"),
    ],
)
async def test_check_names_what_is_wrong(
    zammad: Zammad, wrong: dict[str, str], error: type[Exception], says: str
) -> None:
    given = settings(zammad.url, **wrong)
    forwarder = Forwarder(given, ForwardCalls(given, lambda: NOW), lambda: NOW)
    with pytest.raises(error, match=says):
        await forwarder.check()
    await forwarder.aclose()
    assert not [each for each in zammad.requests if each == ("POST", "/api/v1/tickets")]


async def test_a_wrong_group_halts_the_target_instead_of_refusing_every_ticket(desk: Desk, zammad: Zammad) -> None:
    lane = desk.lane(settings(zammad.url, group="Nirgendwo"))
    id_ = desk.complaint()
    await lane.turn()
    assert desk.store.forwards.targets()["zammad"].halted == "Misconfigured"
    assert not desk.view(id_).tasks


async def test_p28_an_unproven_address_leads_to_nobodys_account(desk: Desk, zammad: Zammad) -> None:
    """Whoever types another customer's address must not put a ticket into that customer's portal."""
    lane = desk.lane(settings(zammad.url))
    desk.complaint(complainant=Complainant(email="budi@example.id", full_name="Budi"))
    desk.complaint(complainant=Complainant(email="sari@example.id", verified=True))
    await desk.drain(lane)
    unproven, proven = (ticket["customer"] for ticket in zammad.tickets.values())
    assert unproven.startswith("aduan-")
    assert proven == "guess:sari@example.id"


async def test_attachments_go_as_name_size_and_hash(desk: Desk, zammad: Zammad) -> None:
    lane = desk.lane(settings(zammad.url))
    file = StoredAttachment(id="A1", name_safe="bukti.jpg", sha256="ab" * 32, size=7, status="stored")
    desk.complaint(attachments=(file,))
    await desk.drain(lane)
    assert f"- bukti.jpg (7 bytes, sha256 {'ab' * 32})" in zammad.articles[0]["body"]


async def test_tickets_go_at_once_and_each_in_its_order(desk: Desk, zammad: Zammad) -> None:
    """Twenty tickets with three events each, half of the calls failing: every ticket hears its events in order."""
    lane = desk.lane(settings(zammad.url, at_once=8))
    ids = [desk.complaint() for _ in range(20)]
    for id_ in ids:
        for word in ("satu", "dua", "tiga"):
            desk.happens(id_, "message.added", f"{id_} {word}")
    zammad.fail(*FAULTS[:3] * 10, method="PUT")
    zammad.fail(*FAULTS[:3] * 4, method="POST")
    await asyncio.wait_for(desk.drain(lane), 60)
    said = bodies(zammad)
    for id_ in ids:
        assert [each for each in said if each.startswith(f"{id_} ")] == [f"{id_} {w}" for w in ("satu", "dua", "tiga")]
    assert len(zammad.tickets) == 20


def test_every_state_has_a_word_there() -> None:
    made = settings("https://zammad.example.co.id", states={"responded": "pending customer"})
    ticket_states = msgspec.json.decode(msgspec.json.encode(dict(made.states)))
    assert made.state_of("responded") == "pending customer"
    assert made.state_of("resolved") == "closed"
    assert ticket_states == {"responded": "pending customer"}


async def test_files_that_were_fetched_later_are_listed_in_a_note(desk: Desk, zammad: Zammad) -> None:
    lane = desk.lane(settings(zammad.url))
    file = StoredAttachment(id="A1", name_safe="bukti.jpg", status="stored", sha256="ab" * 32, size=7)
    id_ = desk.complaint(attachments=(file,))
    desk.happens(id_, "attachment.stored")
    await desk.drain(lane)
    _, note = zammad.articles
    assert note["body"] == f"Lampiran / attachments:\n- bukti.jpg (7 bytes, sha256 {'ab' * 32})"
    assert (note["sender"], note["internal"]) == ("Agent", True)


async def test_more_changes_than_one_look_tells_are_told_by_the_next(desk: Desk, zammad: Zammad) -> None:
    """After a night in which a thousand tickets were moved, the last change is seen too."""
    lane = desk.lane(settings(zammad.url, timeout_seconds=5))
    id_ = desk.complaint()
    await desk.drain(lane)
    mine = zammad.tickets[1]
    for number in range(2, MOST_CHANGES + 3):
        zammad.tickets[number] = {**mine, "id": number, "title": "another's"}
        zammad.change(number, state="open")
    zammad.change(1, state="closed")
    desk.wait(3600)
    assert await lane.look() == 0
    assert await lane.look() == 1
    assert [task.kind for task in desk.view(id_).tasks] == ["changed_elsewhere"]


async def test_t23_what_the_customer_changes_or_deletes_is_told(desk: Desk, zammad: Zammad) -> None:
    """T22, T23: what was said first stays there; that it was changed or deleted is added, once."""
    lane = desk.lane(settings(zammad.url))
    id_ = desk.complaint()
    key = desk.view(id_).messages[0].row.message.key
    await desk.drain(lane)
    for _ in range(2):
        with desk.store.begin() as tx:
            tx.edit("klikacc", Edit(key="e1", message_key=key, edited_at=NOW, text="Saldo terpotong dua kali"))
            tx.delete("klikacc", Deletion(key="d1", message_key=key, deleted_at=NOW))
    await desk.drain(lane)
    assert [(article["sender"], article["body"]) for article in zammad.articles[1:]] == [
        ("Customer", "Diubah / edited:\n\nSaldo terpotong dua kali"),
        ("Customer", "Sebuah pesan dihapus pengirimnya. / A message was deleted by its sender."),
    ]
