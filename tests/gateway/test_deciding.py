"""A person decides what belongs together: merged, grouped, or neither; and what is done for a whole group."""

from __future__ import annotations

import pytest

from desk_at_work import CUSTOMER, STORY, DeskAtWork
from gateway.config import MassEvent
from gateway.config import Matching as Settings
from gateway.deciding import Deciding
from gateway.handling_values import Done, Refused
from gateway.matching import CROWD, SAME, Matching
from normalizer.message import Sender
from tickets import lifecycle_events as events
from tickets.store.proposals import Proposal

AGAIN = "Sejak tanggal 2 Januari dana belum cair, mohon bantuan segera"
ANSWER = events.FirstResponse(text="Gangguan pencairan sedang diperbaiki.")


async def look(desk: DeskAtWork, customers: int = 3) -> None:
    """The job compares what is new."""
    matching = Matching(
        Settings(mass_event=MassEvent(customers=customers)),
        store=desk.store,
        lexicon=desk.installation.lexicon,
        key=b"k" * 32,
        run=_here,
        busy=lambda: False,
        now=lambda: desk.now,
    )
    await matching.look()


async def _here(work):  # type: ignore[no-untyped-def]  # the generic protocol of the gateway's own runner
    return work()


@pytest.fixture
def deciding(desk: DeskAtWork) -> Deciding:
    return Deciding(desk.store, desk.handling)


async def proposed(desk: DeskAtWork, number: str) -> Proposal:
    """The proposal that a call brings: the caller gave the number from which the first complaint came by WhatsApp."""
    desk.pass_time(minutes=5)
    desk.hear(
        "klikacc-staff",
        channel="phone",
        sender=Sender(key="call:1"),
        text=AGAIN,
        fields={"phone": f"+{CUSTOMER}"},
    )
    await look(desk, customers=9)
    (found,) = desk.store.proposals.listed()
    assert found.other_id == desk.view(number).complaint.complaint_id
    return found


async def test_a11_confirmed_is_merged_and_both_numbers_stay(desk: DeskAtWork, number: str, deciding: Deciding) -> None:
    proposal = await proposed(desk, number)
    newer = desk.store.ticket_of_complaint(proposal.complaint_id)
    assert newer is not None
    assert SAME in desk.open_tasks(newer.ticket.ticket_number)
    done = deciding.confirm(proposal, "rina")
    assert isinstance(done, Done)
    assert desk.view(newer.ticket.ticket_number).ticket.ticket_number == number
    assert SAME not in desk.open_tasks(number)
    assert desk.store.proposals.listed() == []
    again = deciding.confirm(proposal, "rina")
    assert isinstance(again, Done)
    assert again.repeated


async def test_refused_stays_two_and_is_not_proposed_again(desk: DeskAtWork, number: str, deciding: Deciding) -> None:
    proposal = await proposed(desk, number)
    deciding.refuse(proposal, "rina")
    newer = desk.store.ticket_of_complaint(proposal.complaint_id)
    assert newer is not None
    assert newer.ticket.state == "received"
    assert SAME not in [task.kind for task in newer.tasks if task.closed_at is None]
    with pytest.raises(LookupError):
        deciding.confirm(proposal, "rina")


async def crowd(desk: DeskAtWork) -> list[str]:
    """Three customers of KlikACC with one story; the first stands for all in the proposals."""
    numbers = []
    for place in range(3):
        desk.pass_time(seconds=1)
        numbers.append(desk.whatsapp("klikacc", f"62812345670{place}", STORY))
    await look(desk)
    assert CROWD in desk.open_tasks(numbers[0])
    return numbers


async def test_a_mass_event_leaves_each_customer_ticket_and_receipt(desk: DeskAtWork, deciding: Deciding) -> None:
    first, *others = await crowd(desk)
    proposals = desk.store.proposals.listed(kind="crowd")
    assert len(proposals) == 2
    for proposal in proposals:
        assert isinstance(deciding.confirm(proposal, "rina"), Done)
    assert CROWD not in desk.open_tasks(first)
    assert desk.store.proposals.children(desk.view(first).complaint.complaint_id) == others
    for number in others:
        view = desk.view(number)
        assert view.ticket.ticket_number == number
        assert view.ticket.life.parent == first
        assert view.ticket.state == "received"
        assert view.outbox[0].template == "receipt"


async def test_what_is_done_for_all_reaches_each_once(desk: DeskAtWork, deciding: Deciding) -> None:
    first, *others = await crowd(desk)
    for number in others:
        desk.done(number, events.Grouped(parent=first))
    desk.done(others[1], events.Dismissed(reason="test"))
    found = deciding.for_all(first, ANSWER, actor="rina", key="a1")
    assert [number for number, each in found.items() if isinstance(each, Done)] == [first, others[0]]
    assert isinstance(found[others[1]], Refused)
    again = deciding.for_all(first, ANSWER, actor="rina", key="a1")
    assert [each.repeated for each in again.values() if isinstance(each, Done)] == [True, True]
    for number in (first, others[0]):
        assert [row.template for row in desk.view(number).outbox].count("notice_first_response:1") + [
            row.template for row in desk.view(number).outbox
        ].count("notice_first_response:2") == 1


async def test_when_the_first_is_refused_the_others_are_left_alone(desk: DeskAtWork, deciding: Deciding) -> None:
    first, other, _ = await crowd(desk)
    desk.done(other, events.Grouped(parent=first))
    desk.done(first, ANSWER)
    found = deciding.for_all(first, ANSWER, actor="rina", key="a2")
    assert list(found) == [first]
    assert desk.view(other).ticket.state == "received"


async def test_groups_have_one_level_and_one_company(desk: DeskAtWork) -> None:
    first, second, third = await crowd(desk)
    elsewhere = desk.email("akseleran", "siti@example.com", STORY)
    assert desk.refused(second, events.Grouped(parent="KLA-20260105-999999-0")) == "group_unknown"
    assert desk.refused(second, events.Grouped(parent=elsewhere)) == "group_elsewhere"
    desk.done(second, events.Grouped(parent=first))
    assert desk.refused(third, events.Grouped(parent=second)) == "group_nested"
    assert desk.refused(first, events.Grouped(parent=third)) == "group_has_children"
    desk.done(second, events.Ungrouped())
    assert desk.view(second).ticket.life.parent is None
    assert desk.store.proposals.children(desk.view(first).complaint.complaint_id) == []
    desk.done(first, events.Grouped(parent=third))
