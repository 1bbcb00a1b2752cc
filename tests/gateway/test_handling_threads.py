"""Further messages of a customer: what they ask of a person, and what the clock may no longer take for granted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from desk_at_work import CUSTOMER, STORY, DeskAtWork
from normalizer.message import Attachment
from tickets import lifecycle_events as events

ANSWER = "Kami sudah memeriksa transaksi Anda; tidak ada kesalahan pada pihak kami."
PHOTO = (Attachment(kind="image", name="ktp.jpg", mime="image/jpeg", content=b"\xff\xd8\xff\xe0 photo"),)


def answered(desk: DeskAtWork, number: str) -> None:
    desk.done(number, events.FirstResponse(text="Kami sedang memeriksa."))
    desk.done(number, events.Responded(kind="explanation", finding="no_fault", text=ANSWER))


def test_a_message_behind_the_answer_asks_a_person_once(desk: DeskAtWork) -> None:
    """Section 7: "terima kasih" is no acceptance and "tapi" no objection until somebody has read it."""
    number = desk.whatsapp("klikacc", CUSTOMER, STORY)
    assert desk.whatsapp("klikacc", CUSTOMER, "Tolong cepat ya") == number
    assert "customer_replied" not in desk.open_tasks(number)
    answered(desk, number)
    for text in ("Terima kasih", "tapi dana saya masih belum ada"):
        assert desk.whatsapp("klikacc", CUSTOMER, text) == number
    assert desk.view(number).ticket.state == "responded"
    assert desk.open_tasks(number).count("customer_replied") == 1
    done = desk.done(number, events.ObjectionRaised())
    assert [task.kind for task in done.settled] == ["customer_replied"]
    assert desk.view(number).ticket.state == "objection_review"


def test_g10_silence_is_not_assumed_while_a_message_waits_to_be_read(desk: DeskAtWork) -> None:
    """G10: a desk that does not read what came cannot let the clock close the ticket."""
    number = desk.whatsapp("klikacc", CUSTOMER, STORY)
    answered(desk, number)
    desk.whatsapp("klikacc", CUSTOMER, "Saya tidak setuju")
    desk.pass_time(days=40)
    assert desk.refused(number, events.SilenceExpired(), actor=events.CLOCK_ACTOR) == "wrote_meanwhile"
    with desk.store.begin() as tx:
        tx.close_tasks([task.id for task in desk.view(number).tasks if task.kind == "customer_replied"], "siti")
    desk.done(number, events.SilenceExpired(), actor=events.CLOCK_ACTOR)
    assert desk.view(number).ticket.state == "resolved"


def test_g10_who_never_got_the_answer_is_not_silent(desk: DeskAtWork) -> None:
    """G10: an answer that still waits for its provider, or for a person who brings it, closes nothing."""
    number = desk.whatsapp("klikacc", CUSTOMER, STORY)
    answered(desk, number)
    desk.now += timedelta(days=40)
    assert desk.refused(number, events.SilenceExpired(), actor=events.CLOCK_ACTOR) == "answer_not_arrived"
    desk.send()
    desk.done(number, events.SilenceExpired(), actor=events.CLOCK_ACTOR)
    assert desk.view(number).ticket.state == "resolved"


def test_g10_an_answer_without_a_route_is_brought_before_silence_counts(desk: DeskAtWork) -> None:
    """G10: WhatsApp's 24 hours are over when the desk answers: a letter is to be brought first."""
    number = desk.whatsapp("klikacc", CUSTOMER, STORY)
    desk.pass_time(days=2)
    answered(desk, number)
    desk.pass_time(days=40)
    (task,) = [task for task in desk.view(number).tasks if task.reason.startswith("notice_answer")]
    assert desk.refused(number, events.SilenceExpired(), actor=events.CLOCK_ACTOR) == "answer_not_arrived"
    with desk.store.begin() as tx:
        tx.close_tasks([task.id], "siti")
    desk.done(number, events.SilenceExpired(), actor=events.CLOCK_ACTOR)


def test_a21_files_that_nobody_looked_at_are_not_documents_that_never_came(desk: DeskAtWork) -> None:
    """A21, G7: the last window ends while a file waits to be read: the clock may not say that nothing came."""
    number = desk.whatsapp("klikacc", CUSTOMER, STORY)
    desk.done(number, events.DocumentsRequested(documents=("supporting_documents",)))
    desk.pass_time(days=20)
    desk.done(number, events.DocumentsWindowExtended(), actor=events.CLOCK_ACTOR)
    desk.whatsapp("klikacc", CUSTOMER, "", attachments=PHOTO)
    desk.pass_time(days=30)
    over = events.ClockPassed(clock="documents", mark="breached", percent=100)
    assert desk.refused(number, over, actor=events.CLOCK_ACTOR) == "sent_files_meanwhile"
    assert "documents_came" in desk.open_tasks(number)
    desk.done(number, events.DocumentsReceived(documents=("supporting_documents",), complete=True))


def test_files_while_documents_are_awaited_ask_a_person(desk: DeskAtWork) -> None:
    """K9, A8: whether they are the documents, and all of them, is for a person to say; words alone are no file."""
    number = desk.whatsapp("klikacc", CUSTOMER, STORY)
    desk.done(number, events.DocumentsRequested(documents=("supporting_documents",)))
    assert desk.view(number).ticket.state == "awaiting_documents"
    desk.whatsapp("klikacc", CUSTOMER, "Sebentar ya")
    assert "documents_came" not in desk.open_tasks(number)
    desk.whatsapp("klikacc", CUSTOMER, "", attachments=PHOTO)
    assert desk.open_tasks(number).count("documents_came") == 1
    desk.pass_time(days=30)
    reminder = events.DocumentsWindowExtended()
    assert desk.refused(number, reminder, actor=events.CLOCK_ACTOR) == "sent_files_meanwhile"
    done = desk.done(number, events.DocumentsReceived(documents=("supporting_documents",), complete=True))
    assert "documents_came" in [task.kind for task in done.settled]
    assert desk.view(number).ticket.state == "in_progress"


def test_a12_documents_that_are_words_come_in_words(desk: DeskAtWork) -> None:
    """A12, A21: a name, an address, a date of a transaction need no file; a desk that never saw them might reject."""
    number = desk.email("akseleran", "budi@example.com", "Pengembalian pokok pinjaman saya terlambat dua minggu")
    if desk.view(number).complaint.category is None:
        desk.done(number, events.Classified(category="late_repayment"))
    desk.done(number, events.DocumentsRequested(documents=("id_address",)))
    mail = desk.view(number).messages[0].row.message.external_id
    desk.email("akseleran", "budi@example.com", "Jalan Melati 5, Bandung", answers=mail)
    assert desk.open_tasks(number).count("documents_came") == 1
    desk.pass_time(days=30)
    reminder = events.DocumentsWindowExtended()
    assert desk.refused(number, reminder, actor=events.CLOCK_ACTOR) == "sent_files_meanwhile"


def test_k9_what_was_asked_for_is_still_missing_after_another_message(desk: DeskAtWork) -> None:
    """K9, G7: a word in between takes nothing off the list, so the reminder names what is missing."""
    number = desk.whatsapp("klikacc", CUSTOMER, STORY)
    desk.done(number, events.DocumentsRequested(documents=("supporting_documents",)))
    desk.whatsapp("klikacc", CUSTOMER, "Sebentar ya")
    assert desk.view(number).complaint.missing_documents == ("supporting_documents",)
    desk.pass_time(days=20)
    done = desk.done(number, events.DocumentsWindowExtended(), actor=events.CLOCK_ACTOR)
    assert done.notices[0].data["documents"] == "supporting_documents"


@pytest.mark.parametrize(("days", "asked"), [(30, True), (31, False)])
def test_a_message_behind_a_closed_ticket_is_a_new_one_or_reopens(desk: DeskAtWork, days: int, asked: bool) -> None:
    """Section 7: within 30 days a person decides; until then it has its own number, and names the closed one."""
    number = desk.whatsapp("klikacc", CUSTOMER, STORY)
    answered(desk, number)
    desk.done(number, events.Accepted())
    closed = desk.view(number).ticket
    assert closed.closed_at is not None
    desk.now = closed.closed_at + timedelta(days=days)
    second = desk.whatsapp("klikacc", CUSTOMER, "Dana saya masih belum cair juga")
    assert second != number
    assert desk.view(second).complaint.related == (closed.complaint_id,)
    assert ("reopen_or_new" in desk.open_tasks(second)) is asked
    assert desk.open_tasks(number) == [kind for kind in desk.open_tasks(number) if kind != "reopen_or_new"]
    if asked:
        desk.done(number, events.Reopened(reason="Dana belum cair"))
        done = desk.done(second, events.Merged(into=number))
        assert "reopen_or_new" in [task.kind for task in done.settled]
        assert desk.view(second).ticket.ticket_number == number
    else:
        done = desk.done(second, events.FirstResponse(text="Kami sedang memeriksa."))
        assert [task.kind for task in done.settled] == []


def test_p28_a_stranger_in_a_closed_thread_asks_nobody(desk: DeskAtWork) -> None:
    """P28: a reference proves nothing, so it reopens nothing either."""
    number = desk.email("klikacc", "budi@example.com", STORY)
    answered(desk, number)
    desk.done(number, events.Accepted())
    first = desk.view(number).messages[0].row.message.external_id
    other = desk.email("klikacc", "eve@example.com", "Saya juga", answers=first)
    assert other != number
    assert "reopen_or_new" not in desk.open_tasks(other)


def test_a_complaint_that_a_person_answered_waits_no_longer_to_be_read(desk: DeskAtWork) -> None:
    number = desk.whatsapp("klikacc", CUSTOMER, "Ada penipuan, rekening saya dikuras sekarang, darurat!")
    assert "needs_agent" in desk.open_tasks(number)
    desk.done(number, events.HoldSet(reason="perkara"))
    assert "needs_agent" in desk.open_tasks(number)
    done = desk.done(number, events.FirstResponse(text="Kami blokir sekarang juga."))
    assert "needs_agent" in [task.kind for task in done.settled]


def test_g10_the_second_answer_is_the_one_that_must_have_arrived(desk: DeskAtWork) -> None:
    """G10, K16: the first answer came long ago; silence counts from the second, which is the eleventh change or so."""
    number = desk.whatsapp("klikacc", CUSTOMER, STORY)
    for urgency in ("low", "medium", "high") * 3:
        desk.done(number, events.Classified(urgency=urgency))
    answered(desk, number)
    desk.pass_time(days=1)
    desk.whatsapp("klikacc", CUSTOMER, "Saya keberatan")
    desk.done(number, events.ObjectionRaised())
    desk.done(number, events.ObjectionAnswered(result="confirmed", text=ANSWER))
    desk.now += timedelta(days=40)
    assert desk.refused(number, events.SilenceExpired(), actor=events.CLOCK_ACTOR) == "answer_not_arrived"
    desk.send()
    desk.done(number, events.SilenceExpired(), actor=events.CLOCK_ACTOR)
