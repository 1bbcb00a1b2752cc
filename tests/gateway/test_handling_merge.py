"""Two tickets become one (A11): the number of each stays valid, the earlier arrival counts, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import aiohttp

from desk_at_work import CUSTOMER, STORY, DeskAtWork
from gateway.handling_values import Done
from harness import start_aduan
from harness.customer import WhatsApp, code_in, number_in
from harness.settings import only
from tickets import lifecycle_events as events


def test_a11_the_earlier_arrival_counts_and_both_numbers_stay(desk: DeskAtWork) -> None:
    """A11: whoever complained on two channels keeps the date of the first and the number of each receipt."""
    first = desk.email("klikacc", "budi@example.com", STORY)
    came = desk.view(first).complaint.received_at
    own = desk.view(first).complaint.complaint_id
    desk.pass_time(days=2)
    second = desk.whatsapp("klikacc", CUSTOMER, STORY)
    later = desk.view(second).ticket.resolve_due
    done = desk.done(first, events.Merged(into=second.lower()), key="k1")
    assert (done.after.ticket.state, done.after.complaint.duplicate_of) in {
        ("merged", second), ("merged", desk.view(second).complaint.complaint_id)
    }  # fmt: skip
    view = desk.view(second)
    assert desk.view(first).ticket == view.ticket, "the old number leads to the ticket that goes on"
    assert list(view.aliases) == [first]
    assert view.complaint.received_at == came
    assert own in view.complaint.related
    assert view.ticket.resolve_due is not None
    assert later is not None
    assert view.ticket.resolve_due < later, "the promise counts from the first arrival"
    assert len(view.messages) == 2
    assert view.audit[-1].type == "ticket.joined"
    assert desk.done(first, events.Merged(into=second), key="k1").repeated
    assert desk.store.verify_audit().intact


def test_both_are_counted_once_and_each_keeps_its_receipt(desk: DeskAtWork) -> None:
    """A11, K2: an export has two lines, a link in the first receipt still leads to what it stated."""
    first = desk.email("klikacc", "budi@example.com", STORY)
    second = desk.whatsapp("klikacc", CUSTOMER, STORY)
    own = desk.view(first).complaint.complaint_id
    desk.done(first, events.Merged(into=second))
    exported = {row["ticket_number"]: row["state"] for row in desk.store.export_rows()}
    assert exported == {first: "merged", second: "received"}
    view = desk.store.ticket_of_complaint(own)
    assert view is not None
    assert view.ticket.ticket_number == first
    assert {row.template for row in view.outbox} == {"receipt", "notice_merged:1"}


def test_messages_of_both_threads_reach_the_ticket_that_goes_on(desk: DeskAtWork) -> None:
    """A11, P28: the merged person's next mail is an addition; a stranger's in the same thread is not."""
    first = desk.email("klikacc", "budi@example.com", STORY)
    mail = desk.view(first).messages[0].row.message.external_id
    second = desk.whatsapp("klikacc", CUSTOMER, STORY)
    desk.done(first, events.Merged(into=second))
    assert desk.email("klikacc", "budi@example.com", "Ada kabar?", answers=mail) == second
    assert desk.whatsapp("klikacc", CUSTOMER, "Ada kabar?") == second
    assert desk.email("klikacc", "eve@example.com", "Ada kabar?", answers=mail) != second
    assert len(desk.view(second).messages) == 4


def test_open_tasks_go_along_and_chains_of_numbers_lead_on(desk: DeskAtWork) -> None:
    first = desk.whatsapp("klikacc", "628111111111", "Ada penipuan atas nama saya, darurat, rekening dikuras sekarang")
    tasks = desk.open_tasks(first)
    second = desk.whatsapp("klikacc", "628222222222", STORY)
    third = desk.email("klikacc", "budi@example.com", STORY)
    desk.done(first, events.Merged(into=second))
    assert set(tasks) <= set(desk.open_tasks(second))
    desk.done(second, events.Merged(into=third))
    for number in (first, second, third):
        assert desk.view(number).ticket.ticket_number == third
    assert sorted(desk.view(third).aliases) == sorted([first, second])
    assert set(tasks) <= set(desk.open_tasks(third))
    assert len(desk.view(third).messages) == 3


def test_what_cannot_be_merged(desk: DeskAtWork) -> None:
    one = desk.whatsapp("klikacc", CUSTOMER, STORY)
    elsewhere = desk.whatsapp("akseleran", CUSTOMER, STORY)
    closed = desk.whatsapp("klikacc", "628333333333", "tes")
    desk.done(closed, events.Dismissed(reason="test"))
    assert desk.refused(one, events.Merged(into="KLA-20260105-000999-1")) == "merge_unknown"
    assert desk.refused(one, events.Merged(into="apa saja")) == "merge_unknown"
    assert desk.refused(one, events.Merged(into=one)) == "merge_itself"
    assert desk.refused(one, events.Merged(into=elsewhere)) == "merge_elsewhere"
    assert desk.refused(one, events.Merged(into=closed)) == "merge_closed"


async def test_a_merged_number_still_opens_its_status_with_its_own_code(tmp_path: Path) -> None:
    """A11, B6: the customer has the receipt of the merged one and no other; its number and code must go on working."""
    async with start_aduan(tmp_path, only("klikacc-whatsapp", "klikacc-form")) as aduan:
        people = [WhatsApp(aduan, "klikacc", "meta", phone) for phone in ("628111111111", "628222222222")]
        for person in people:
            await person.say(STORY)
        receipts = [await person.receipt() for person in people]
        (old, code), (new, other) = [(number_in(text), code_in(text)) for text in receipts]
        found = await aduan.running.handling.handle(old, events.Merged(into=new), actor="siti")
        assert isinstance(found, Done)
        async with aiohttp.ClientSession() as session:
            for number, given, status in ((old, code, 200), (new, other, 200), (old, other, 404), (new, code, 404)):
                headers = {"X-Access-Code": given}
                async with session.get(f"{aduan.url}/api/v1/complaints/{number}", headers=headers) as answer:
                    assert answer.status == status, (number, status)
                    if status == 200:
                        assert (await answer.json())["ticket_number"] == new


def test_d6_a_legal_hold_goes_on_with_the_ticket_that_goes_on(desk: DeskAtWork) -> None:
    """D6: the messages of the merged one are evidence still, and one word lifts the hold of both."""
    first = desk.email("klikacc", "budi@example.com", STORY)
    second = desk.whatsapp("klikacc", CUSTOMER, STORY)
    desk.done(first, events.HoldSet(reason="perkara 12/Pdt"))
    desk.done(first, events.Merged(into=second))
    hold = desk.view(second).ticket.life.hold
    assert hold is not None
    assert hold.reason == "perkara 12/Pdt"
    third = desk.whatsapp("klikacc", "628111111111", STORY)
    desk.done(third, events.HoldSet(reason="LAPS 7"))
    desk.done(second, events.Merged(into=third))
    both = desk.view(first).ticket.life.hold
    assert both is not None
    assert both.since == hold.since
    assert {"perkara 12/Pdt", "LAPS 7"} == set(both.reason.split("; "))
    desk.done(first, events.HoldLifted())
    with desk.store.begin() as tx:
        for number in (first, second, third):
            assert tx.find(number) is not None
    assert desk.store.records.held() == []


def test_g10_what_is_merged_in_behind_the_answer_is_no_silence(desk: DeskAtWork) -> None:
    """G10, A11: the customer replied on another channel; the ticket may not close as if nobody had written."""
    first = desk.whatsapp("klikacc", CUSTOMER, STORY)
    desk.done(first, events.Responded(kind="explanation", finding="no_fault", text="Transaksi Anda sesuai."))
    desk.pass_time(days=1)
    second = desk.email("klikacc", "budi@example.com", "Saya tidak setuju dengan jawaban Anda")
    desk.done(second, events.Merged(into=first))
    assert "customer_replied" in desk.open_tasks(first)
    desk.pass_time(days=40)
    assert desk.refused(first, events.SilenceExpired(), actor=events.CLOCK_ACTOR) == "wrote_meanwhile"


def test_a_duplicate_from_before_the_answer_asks_nobody(desk: DeskAtWork) -> None:
    first = desk.whatsapp("klikacc", CUSTOMER, STORY)
    second = desk.email("klikacc", "budi@example.com", STORY)
    desk.pass_time(days=1)
    desk.done(first, events.Responded(kind="explanation", finding="no_fault", text="Transaksi Anda sesuai."))
    desk.done(second, events.Merged(into=first))
    assert "customer_replied" not in desk.open_tasks(first)


def test_a11_a_reply_that_came_along_with_a_merge_is_settled_by_the_answer(desk: DeskAtWork) -> None:
    first = desk.whatsapp("klikacc", CUSTOMER, STORY)
    desk.done(first, events.Responded(kind="explanation", finding="no_fault", text="Transaksi Anda sesuai."))
    desk.whatsapp("klikacc", CUSTOMER, "Saya tidak setuju")
    second = desk.email("klikacc", "budi@example.com", STORY)
    desk.done(first, events.Merged(into=second))
    assert "customer_replied" in desk.open_tasks(second)
    done = desk.done(second, events.Responded(kind="explanation", finding="no_fault", text="Kami jelaskan lagi."))
    assert [task.kind for task in done.settled] == ["customer_replied"]
