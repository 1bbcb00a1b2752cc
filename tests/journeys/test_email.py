"""A complaint enters by email and its receipt comes back there: whole to a proven sender, minimal to any other."""

from __future__ import annotations

import pytest

from gateway.app import Running
from harness import Aduan, until
from harness.customer import SECOND_MAILBOX, code_in, number_in, receipt_state, ticket
from receipts import verify as genuine
from receipts.signature import public_keys
from simulator.mail.messages import SentMail, Verdict
from simulator.place import Attachment
from web_samples import PDF

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Institution -> the channels of its policy whose journey this is.
SHOWN = {"klikacc": ("email",), "akseleran": ("email",), "klikumkm": ("email",)}
MAILBOXES = {"klikacc": "support@klikacc.demo", "akseleran": "cs@akseleran.demo", "klikumkm": "cs@klikumkm.demo"}
NAMES = {"klikacc": "Tanda Bukti Terima Pengaduan", "akseleran": "Tanda Bukti Terima Pengaduan"}
STORY = "Saya sudah transfer Rp 500.000 tetapi saldo belum masuk."


def answers(aduan: Aduan, address: str) -> list[SentMail]:
    return [mail for mail in aduan.mail.outbox if address in mail.recipients]


async def answer(aduan: Aduan, address: str) -> SentMail:
    return (await until(lambda: answers(aduan, address)))[0]


def verdict(running: Running, pdf: bytes) -> genuine.Verdict:
    return genuine.verify(pdf, public_keys(running.installation.data_dir / "keys"))


@pytest.mark.parametrize("slug", MAILBOXES)
async def test_a_proven_sender_gets_the_whole_receipt(institutions: Aduan, slug: str, phone: str) -> None:
    """K2, K3, K4, A4: number, date, contact, "keep this", as text and as a PDF that proves itself; RFC 3834 headers."""
    sender = f"budi{phone}@pelanggan.example"
    await institutions.mail.write(sender, MAILBOXES[slug], "Saldo belum masuk", STORY, name="Budi Santoso")
    mail = await answer(institutions, sender)
    number = number_in(mail.subject)
    view = ticket(institutions, number)
    assert view.complaint.complainant.verified
    assert view.complaint.narrative == STORY
    assert number in mail.text
    assert code_in(mail.text)
    assert "Mohon simpan email ini" in mail.text
    assert "WIB" in mail.text
    assert STORY not in mail.text
    assert mail.message["Auto-Submitted"] == "auto-replied"
    assert mail.message["X-Auto-Response-Suppress"] == "All"
    assert mail.message["In-Reply-To"] == view.messages[0].row.message.external_id
    (pdf,) = mail.attachments
    found = verdict(institutions.running, pdf.content)
    assert found.valid
    assert found.statement is not None
    assert found.statement.ticket_number == number
    assert found.statement.organisation == institutions.installation.organisations[slug].name
    await receipt_state(institutions, number, "sent", "delivered")


@pytest.mark.parametrize("claim", ["fail", "none", None])
async def test_an_unproven_sender_gets_the_least(institutions: Aduan, claim: Verdict | None, phone: str) -> None:
    """A10, P26: without DMARC pass no code, no case data, no document, none of their words; still a complaint."""
    sender = f"siti{phone}@pelanggan.example"
    await institutions.mail.write(
        sender, MAILBOXES["akseleran"], "Penting sekali", STORY, name="Siti", verdict=claim, mail_from=sender
    )
    mail = await answer(institutions, sender)
    number = number_in(mail.subject)
    assert not ticket(institutions, number).complaint.complainant.verified
    assert "Bila Anda tidak mengirim pengaduan" in mail.text
    assert "cs@akseleran.co.id" in mail.text
    for kept_back in ("Kode cek status", "Penting sekali", STORY, "Siti", "Kategori", "Dokumen"):
        assert kept_back not in mail.raw.decode()
    assert not mail.attachments


async def test_an_answer_in_the_thread_is_added(institutions: Aduan, phone: str) -> None:
    """A10, section 8: what answers our receipt belongs to the same complaint and gets no second receipt."""
    sender = f"andi{phone}@pelanggan.example"
    await institutions.mail.write(sender, MAILBOXES["klikacc"], "Tagihan salah", STORY)
    receipt = await answer(institutions, sender)
    number = number_in(receipt.subject)
    await institutions.mail.write(
        sender, MAILBOXES["klikacc"], f"Re: {receipt.subject}", "Ini buktinya", in_reply_to=receipt.message_id
    )
    await until(lambda: len(ticket(institutions, number).messages) == 2)
    assert len(answers(institutions, sender)) == 1


async def test_a_stranger_in_the_thread_is_a_new_complaint(institutions: Aduan, phone: str) -> None:
    """P28: knowing the Message-ID of a receipt opens nothing: another sender gets a complaint of their own."""
    sender, other = f"eka{phone}@pelanggan.example", f"mallory{phone}@lain.example"
    await institutions.mail.write(sender, MAILBOXES["klikacc"], "Tagihan salah", STORY)
    receipt = await answer(institutions, sender)
    await institutions.mail.write(
        other, MAILBOXES["klikacc"], f"Re: {receipt.subject}", "Batalkan", in_reply_to=receipt.message_id
    )
    theirs = number_in((await answer(institutions, other)).subject)
    assert theirs != number_in(receipt.subject)
    assert "possible_follow_up" in ticket(institutions, theirs).complaint.flags
    assert len(ticket(institutions, number_in(receipt.subject)).messages) == 1


async def test_the_same_mail_in_two_mailboxes_is_one_complaint(institutions: Aduan, phone: str) -> None:
    """Sheet A10: one mail to support@ and pengaduan@ is one complaint with one receipt, whichever was read first."""
    sender = f"rina{phone}@pelanggan.example"
    before = len(institutions.ticket_numbers())
    raw = await institutions.mail.write(sender, MAILBOXES["klikacc"], "Dua kali", STORY)
    await institutions.mail.deliver(raw, to=SECOND_MAILBOX)
    await answer(institutions, sender)
    await _another(institutions, phone)
    assert len(institutions.ticket_numbers()) == before + 2
    assert len(answers(institutions, sender)) == 1


async def _another(aduan: Aduan, phone: str) -> None:
    """A later mail in the second mailbox that is answered: everything before it was read."""
    sender = f"last{phone}@pelanggan.example"
    await aduan.mail.write(sender, SECOND_MAILBOX, "Terakhir", STORY)
    await answer(aduan, sender)


async def test_a_list_is_kept_and_not_answered(institutions: Aduan, phone: str) -> None:
    """RFC 3834, P25: what came over a mailing list may be a complaint but gets no answer; a person looks at it."""
    sender = f"list{phone}@pelanggan.example"
    headers = {"Precedence": "list", "List-Id": "<pelanggan.example>"}
    await institutions.mail.write(sender, MAILBOXES["klikumkm"], "Daftar", STORY, headers=headers)
    await until(lambda: _complaint_of(institutions, f"mailto:{sender}"))
    view = ticket(institutions, _complaint_of(institutions, f"mailto:{sender}"))
    assert view.outbox[0].state == "suppressed"
    assert [task.kind for task in view.tasks] == ["needs_agent"]
    assert not answers(institutions, sender)


async def test_an_autoresponder_gets_no_answer_and_makes_no_complaint(institutions: Aduan, phone: str) -> None:
    """P25: our receipt wakes their autoresponder; the loop ends there, with what it wrote kept."""
    sender = f"away{phone}@pelanggan.example"
    await institutions.mail.write(sender, MAILBOXES["klikacc"], "Tagihan salah", STORY)
    receipt = await answer(institutions, sender)
    before = len(institutions.ticket_numbers())
    away = {"Auto-Submitted": "auto-replied"}
    await institutions.mail.write(
        sender, MAILBOXES["klikacc"], "Cuti", "Saya cuti.", headers=away, in_reply_to=receipt.message_id
    )
    await institutions.mail.write(f"b{sender}", MAILBOXES["klikacc"], "Lain", STORY)
    await answer(institutions, f"b{sender}")
    assert len(institutions.ticket_numbers()) == before + 1
    assert len(answers(institutions, sender)) == 1


def _complaint_of(aduan: Aduan, sender_key: str) -> str:
    """The number of a sender's newest complaint, empty while there is none."""
    found = [
        number for number in aduan.ticket_numbers()[:5] if ticket(aduan, number).complaint.sender_key == sender_key
    ]
    return found[0] if found else ""


async def test_a_file_comes_with_the_mail(institutions: Aduan, phone: str) -> None:
    """K10: evidence sent by mail lies in our store under its digest, named safely."""
    sender = f"file{phone}@pelanggan.example"
    file = Attachment("../../bukti transfer.pdf", "application/pdf", PDF)
    await institutions.mail.write(sender, MAILBOXES["akseleran"], "Bukti", STORY, attachments=[file])
    view = ticket(institutions, number_in((await answer(institutions, sender)).subject))
    (stored,) = view.attachments
    assert stored.status == "stored"
    assert "/" not in stored.name_safe
    assert stored.sha256 is not None
    place = institutions.installation.data_dir / "attachments" / stored.sha256[:2] / stored.sha256
    assert place.read_bytes() == PDF


async def test_a_bounced_receipt_becomes_a_task(institutions: Aduan, phone: str) -> None:
    """Sheet A11: when the address does not exist the receipt failed, and somebody must reach the customer otherwise."""
    sender = f"gone{phone}@pelanggan.example"
    institutions.mail.bouncing[sender] = "5.1.1"
    await institutions.mail.write(sender, MAILBOXES["klikacc"], "Halo", STORY)
    number = number_in((await answer(institutions, sender)).subject)
    await receipt_state(institutions, number, "failed")
    assert [task.kind for task in ticket(institutions, number).tasks] == ["undeliverable"]
