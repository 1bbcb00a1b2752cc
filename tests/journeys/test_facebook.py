"""A complaint enters by Messenger or below a post, and its receipt comes back in private (K2-K5, A3-A5, section 8)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.app import Running
from harness import Aduan, start_aduan, until
from harness.customer import NUMBER, code_in, drained, number_in, receipt_state, ticket, views
from harness.settings import impatient
from harness.weather import quick
from simulator import Weather
from simulator.facebook import Facebook
from simulator.facebook.people import id_of
from simulator.place import Attachment
from tickets.store import TicketView
from web_samples import png

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Institution -> the channels of its policy whose journey this is.
SHOWN = {"akseleran": ("facebook_dm", "facebook_comment")}
CHANNEL = "akseleran-facebook"
#: Not waiting long for an answer, looking often for what was missed.
SETTINGS = impatient(CHANNEL, reconcile_seconds=1, check_seconds=1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def akseleran(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aduan]:
    """Akseleran on Facebook, in calm weather."""
    async with start_aduan(tmp_path_factory.mktemp("aduan"), SETTINGS) as running:
        yield running


def heard(page: Facebook, person: str) -> list[str]:
    """What a person got in private, oldest first."""
    return [sent.text for sent in page.sent if sent.to in (id_of(person), f"9{id_of(person)}")]


async def receipt(page: Facebook, person: str) -> str:
    """The first private answer to a person, once it is there."""
    return (await until(lambda: heard(page, person)))[0]


def ticket_of(aduan: Aduan, person: str) -> list[TicketView]:
    """The tickets of a person, by the key of the sender."""
    return [view for view in views(aduan) if view.complaint.sender_key == f"fb:{id_of(person)}"]


async def test_a_message_is_receipted_at_once(akseleran: Aduan) -> None:
    """A3, A4, A5: number, date, code and what is missing, in the same conversation; delivered, as Meta reports."""
    page = quick(akseleran, "akseleran", Facebook)
    mid = await page.inject_text("rina.h", "Dana saya belum cair sejak tanggal 3, padahal sudah dipotong.")
    text = await receipt(page, "rina.h")
    view = ticket(akseleran, number_in(text))
    assert (view.complaint.channel, view.complaint.form) == ("facebook_dm", "written")
    assert len(text) <= 2_000
    for words in ("Akseleran", "Nomor registrasi pengaduan", "Mohon simpan pesan ini", "PIN bank, OTP", code_in(text)):
        assert words in text
    await receipt_state(akseleran, view.ticket.ticket_number, "delivered", "read")
    await page.inject_edit("rina.h", mid, "Dana 5 juta saya belum cair")
    await page.inject_file("rina.h", png(8, 8), "image/png", filename="bukti.png")
    await until(lambda: [a.status for a in ticket(akseleran, view.ticket.ticket_number).attachments] == ["stored"])
    await page.inject_delete("rina.h", mid)
    await until(lambda: ticket(akseleran, view.ticket.ticket_number).messages[0].withdrawn_at)
    kept = ticket(akseleran, view.ticket.ticket_number).messages[0]
    assert [version.text for version in kept.versions][-1] == "Dana 5 juta saya belum cair"
    assert len(heard(page, "rina.h")) == 1


async def test_a_comment_is_answered_twice(akseleran: Aduan) -> None:
    """Section 8: one neutral line that everybody reads, without name, number or case; the receipt in private."""
    page = quick(akseleran, "akseleran", Facebook)
    root = await page.comment("agus.p", "Min, dana saya belum kembali! HP saya 0812-3456-7890", name="Agus Pratama")
    text = await receipt(page, "agus.p")
    (answer,) = await until(lambda: [each for each in page.answers if each.parent_id == root])
    assert "pesan pribadi (DM)" in answer.text
    assert not NUMBER.search(answer.text)
    assert "Agus" not in answer.text
    view = ticket(akseleran, number_in(text))
    assert code_in(text) not in answer.text
    assert (view.complaint.channel, view.complaint.visibility) == ("facebook_comment", "public")
    assert "hide_on_platform" in {task.kind for task in view.tasks}
    assert [sent.comment_id for sent in page.sent if sent.to == id_of("agus.p")] == [root]
    await receipt_state(akseleran, view.ticket.ticket_number, "delivered", "read")
    await page.edit_comment(root, "Min, dana saya belum kembali!")
    await until(lambda: len(ticket(akseleran, view.ticket.ticket_number).messages[0].versions) == 2)
    await page.inject_text("agus.p", "Ini bukti transfernya")
    await until(lambda: len(ticket(akseleran, view.ticket.ticket_number).messages) == 2)
    assert len(ticket_of(akseleran, "agus.p")) == 1


async def test_people_under_one_post_have_complaints_of_their_own(akseleran: Aduan) -> None:
    """T20, T21: a photo alone below another person's comment is a complaint, and nobody gets anybody else's receipt."""
    page = quick(akseleran, "akseleran", Facebook)
    root = await page.comment("lina.1", "Saya ditagih dua kali")
    await page.comment("maya.2", parent=root, photo=Attachment("tagihan.png", "image/png", png(8, 8)))
    await page.comment("lina.1", "sudah 3 minggu", parent=root)
    texts = {person: await receipt(page, person) for person in ("lina.1", "maya.2")}
    numbers = {person: number_in(text) for person, text in texts.items()}
    assert numbers["lina.1"] != numbers["maya.2"]
    await until(lambda: len(ticket(akseleran, numbers["lina.1"]).messages) == 2)
    await until(lambda: [a.status for a in ticket(akseleran, numbers["maya.2"]).attachments] == ["stored"])
    assert {person: len(heard(page, person)) for person in texts} == {"lina.1": 1, "maya.2": 1}
    await until(lambda: len([each for each in page.answers if each.parent_id == root]) == 2)


async def test_what_is_no_complaint_makes_none(akseleran: Aduan) -> None:
    """A13, T33: staff, our own lines, reactions, other apps' conversations, posts and likes."""
    page = quick(akseleran, "akseleran", Facebook)
    before = len(akseleran.ticket_numbers())
    await page.inject_staff("rina.h", "Kami sedang memeriksa")
    await page.inject_standby("wawan.s", "untuk aplikasi lain")
    await page.inject_reaction("wawan.s", "m_1")
    await page.inject_feed(
        item="status", verb="add", post_id="300000000002_5", message="Promo", **{"from": {"id": "1"}}
    )
    page.authors = False
    own = page.add_comment(page.page_id, page.name, "Terima kasih", parent=None, post=None)
    await page.tell(own, "add")
    page.authors = True
    await page.settled()
    await drained(akseleran)
    assert len(akseleran.ticket_numbers()) == before


async def test_an_echo_answers_for_a_send_without_answer(akseleran: Aduan) -> None:
    """Sheet A13: Meta took the receipt and said nothing; its echo names our key, so nobody gets a second one."""
    page = quick(akseleran, "akseleran", Facebook)
    page.faults.stall(3, accepted=True)
    await page.inject_text("putri.a", "Saldo saya hilang")
    number = number_in(await receipt(page, "putri.a"))
    await receipt_state(akseleran, number, "delivered", "read")
    await until(lambda: ticket(akseleran, number).outbox[0].state == "sent")
    assert not ticket(akseleran, number).outbox[0].possible_duplicate
    assert len(heard(page, "putri.a")) == 1


async def test_whoever_answers_under_another_id_is_recognized(akseleran: Aduan) -> None:
    """Sheet A7: commenter and Messenger user need not have one id; Meta names it when the private reply is sent."""
    page = quick(akseleran, "akseleran", Facebook)
    page.same_ids = False
    await page.comment("yudi.9", "Akun saya diblokir")
    number = number_in(await receipt(page, "yudi.9"))
    await until(lambda: ticket(akseleran, number).complaint.receipts[0].state in ("sent", "delivered", "read"))
    await page.inject_text(f"9{id_of('yudi.9')}", "Ini KTP saya")
    page.same_ids = True
    await until(lambda: len(ticket(akseleran, number).messages) == 2)


async def test_comments_of_a_gap_are_found_and_the_gap_is_said_aloud(tmp_path: Path) -> None:
    """P6, A0.7: without a subscription the comments are listed; of messages there is no list, so a person is told."""
    async with start_aduan(tmp_path, SETTINGS) as aduan:
        page = quick(aduan, "akseleran", Facebook)
        await until(lambda: aduan.running.health.state(CHANNEL) == "good")
        await aduan.running.aclose()
        page.weather = Weather.named("unsubscribed")
        root = await page.comment("sari.w", "Saldo saya hilang")
        await page.comment("tono_88", "Saya juga", parent=root)
        aduan.running = await Running.start(aduan.installation)
        await until(lambda: len(aduan.ticket_numbers()) == 2)
        await until(lambda: len(page.sent) == 2)
        await until(lambda: aduan.running.health.state(CHANNEL) == "broken")
        assert "subscribed" in str(aduan.running.health.states[CHANNEL].reason)
        await asyncio.sleep(1.5)  # one more look at the list
        assert (len(aduan.ticket_numbers()), len(page.sent), len(page.answers)) == (2, 2, 2)
