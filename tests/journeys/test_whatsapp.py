"""A complaint enters by WhatsApp, through Meta or Twilio, and its receipt comes back there (K2-K5, A3-A5, U2-U4)."""

from __future__ import annotations

import hashlib

import pytest

from harness import Aduan, until
from harness.customer import WhatsApp, code_in, number_in, post_meta, receipt_state, ticket
from harness.meta import text_message
from simulator.whatsapp_cloud import inbound
from tickets.store import TicketView
from web_samples import png

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Institution -> the channels of its policy whose journey this is.
SHOWN = {"klikacc": ("whatsapp",), "akseleran": ("whatsapp",), "klikumkm": ("whatsapp",)}
PROVIDERS = ("meta", "twilio")
VOICE = b"OggS\x00\x02" + bytes(range(200))

#: What stands in the receipt of each institution, beside number and code.
SAID = {
    "klikacc": ("KlikACC", "Nomor tiket pengaduan", "+6285813971953", "+6281585629508", "support@klikacc.com"),
    "akseleran": ("Akseleran", "Nomor registrasi pengaduan", "cs@akseleran.co.id"),
    "klikumkm": ("klikUMKM", "Nomor tiket", "Customer Support (CS) klikUMKM"),
}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("slug", SAID)
async def test_a_complaint_is_receipted_at_once(institutions: Aduan, slug: str, provider: str, phone: str) -> None:
    """K2, K3, K4, K5, U2: at once a numbered complaint; the receipt holds number, contact and "keep this"."""
    customer = WhatsApp(institutions, slug, provider, phone)
    await customer.say("Dana saya belum cair sejak tanggal 3, padahal sudah dipotong.")
    text = await customer.receipt()
    view = ticket(institutions, number_in(text))
    assert view.complaint.tenant == slug
    assert view.complaint.channel == "whatsapp"
    assert view.complaint.form == "written"
    assert view.complaint.narrative == "Dana saya belum cair sejak tanggal 3, padahal sudah dipotong."
    assert view.complaint.complainant.phone == f"+{phone}"
    assert view.ticket.state == "received"
    for words in (*SAID[slug], "Mohon simpan pesan ini", "tidak dipungut biaya", "PIN bank, OTP", code_in(text)):
        assert words in text
    _promises(slug, view, text)
    await receipt_state(institutions, view.ticket.ticket_number, "delivered", "read")


def _promises(slug: str, view: TicketView, text: str) -> None:
    """K7, A8, U5-U7: what the receipt promises is what the ticket holds."""
    due = view.ticket.first_response_due
    if slug == "klikacc":
        assert due is not None
        assert f"paling lambat {_day(due.day, due.month, due.year, due.weekday())}." in text
    elif slug == "akseleran":
        assert due is None
        assert "paling lambat 2 hari kerja setelah dokumen lengkap" in text
        assert "Dokumen yang masih kami perlukan" in text
    else:
        assert due is None
        assert "informasi 1-2 hari kerja, masalah 1-5 hari kerja, masalah lintas unit 1-20 hari kerja" in text
        assert view.ticket.resolve_earliest is not None
        assert view.ticket.resolve_due is not None
        assert view.ticket.resolve_earliest < view.ticket.resolve_due


def _day(day: int, month: int, year: int, weekday: int) -> str:
    days = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
    months = (
        "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober",
        "November", "Desember",
    )  # fmt: skip
    return f"{days[weekday]}, {day} {months[month - 1]} {year}"


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_conversation_is_one_complaint_with_one_receipt(institutions: Aduan, provider: str, phone: str) -> None:
    """K2, section 8: what follows in the thread is added to the same complaint and gets no second receipt."""
    customer = WhatsApp(institutions, "akseleran", provider, phone)
    await customer.say("Saldo saya hilang setelah penarikan dana")
    number = number_in(await customer.receipt())
    await customer.say("Nama saya Siti Aminah")
    await customer.send_file(png(8, 8), "image/png")
    await until(lambda: len(ticket(institutions, number).messages) == 3)
    await until(lambda: [a.status for a in ticket(institutions, number).attachments] == ["stored"])
    view = ticket(institutions, number)
    assert [event.type for event in view.audit].count("message.added") == 2
    assert len(view.complaint.receipts) == len(view.outbox) == 1
    assert len(customer.heard()) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_who_writes_english_is_answered_in_english(institutions: Aduan, provider: str, phone: str) -> None:
    """B7: Indonesian first, English when the customer writes English."""
    customer = WhatsApp(institutions, "klikacc", provider, phone)
    await customer.say("My loan was paid yesterday but the app still shows it as overdue. Please help me.")
    text = await customer.receipt()
    assert ticket(institutions, number_in(text)).complaint.complainant.language == "en"
    assert "Please keep this message" in text
    assert "Mohon simpan" not in text


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("content", "media_type"), [(VOICE, "audio/ogg"), (png(9, 9), "image/png")])
async def test_a_file_without_words_is_a_complaint(
    institutions: Aduan, provider: str, content: bytes, media_type: str, phone: str
) -> None:
    """K2, T20, T24: a voice note or photo alone is numbered and receipted; a person looks; the file is kept."""
    customer = WhatsApp(institutions, "klikumkm", provider, phone)
    await customer.send_file(content, media_type)
    number = number_in(await customer.receipt())
    await until(lambda: ticket(institutions, number).attachments[0].status == "stored")
    view = ticket(institutions, number)
    assert view.complaint.needs_agent
    assert [task.kind for task in view.tasks] == ["needs_agent"]
    (file,) = view.attachments
    digest = hashlib.sha256(content).hexdigest()
    assert file.sha256 == digest
    stored = institutions.installation.data_dir / "attachments" / digest[:2] / digest
    assert stored.read_bytes() == content


async def test_a_customer_who_hides_the_number(institutions: Aduan, phone: str) -> None:
    """A0.1: the business-scoped id alone is enough; the receipt goes to `recipient`, and the thread continues."""
    user_id = f"ID.{phone}"
    cloud = institutions.clouds["klikacc"]
    await cloud.inject_text(None, "Saya ditagih dua kali", user_id=user_id)
    sent = await until(lambda: [sent for sent in cloud.sent if sent.to == user_id])
    assert sent[0].payload["recipient"] == user_id
    assert "to" not in sent[0].payload
    number = number_in(sent[0].text)
    assert ticket(institutions, number).complaint.complainant.phone is None
    await cloud.inject_text(None, "Sudah saya bayar kemarin", user_id=user_id)
    await until(lambda: len(ticket(institutions, number).messages) == 2)


async def test_what_is_no_complaint_makes_none(institutions: Aduan, phone: str) -> None:
    """Sheet A13: reactions, own messages, read marks and groups make no complaint; an edit changes what it names."""
    cloud = institutions.clouds["klikacc"]
    customer = WhatsApp(institutions, "klikacc", "meta", phone)
    wamid = await customer.say("Tagihan saya salah")
    number = number_in(await customer.receipt())
    before = len(institutions.ticket_numbers())
    await cloud.inject_reaction(phone, wamid)
    await cloud.inject_echo(phone, "Kami sedang memeriksa")
    await cloud.inject_text(str(int(phone) + 500_000), "Halo semua", group_id="120363000000000000")
    await cloud.inject_edit(phone, wamid, "Tagihan bulan Oktober saya salah")
    await until(lambda: ticket(institutions, number).messages[0].text == "Tagihan bulan Oktober saya salah")
    await cloud.inject_revoke(phone, wamid)
    (view,) = await until(lambda: _withdrawn(institutions, number))
    assert [v.text for v in view.messages[0].versions] == ["Tagihan saya salah", "Tagihan bulan Oktober saya salah"]
    assert len(institutions.ticket_numbers()) == before
    assert len(customer.heard()) == 1


def _withdrawn(aduan: Aduan, number: str) -> list[TicketView]:
    view = ticket(aduan, number)
    return [view] if view.messages[0].withdrawn_at else []


async def test_a_changed_number_keeps_its_complaint(institutions: Aduan, phone: str) -> None:
    """Sheet A1: WhatsApp says that a customer moved to another number; what follows belongs to the same complaint."""
    customer, moved = WhatsApp(institutions, "akseleran", "meta", phone), str(int(phone) + 700_000)
    await post_meta(institutions, "akseleran", [text_message(f"wamid.{phone}.1", phone, "Akun saya tidak bisa masuk")])
    number = number_in(await customer.receipt())
    system = {"type": "user_changed_number", "wa_id": moved, "body": f"User A changed from {phone} to {moved}"}
    notice = text_message(f"wamid.{phone}.2", phone, "") | {"type": "system", "system": system}
    after = text_message(f"wamid.{phone}.3", moved, "Ini nomor baru saya")
    await post_meta(institutions, "akseleran", [notice, after])
    await until(lambda: len(ticket(institutions, number).messages) == 2)


async def test_a_changed_user_id_keeps_its_complaint(institutions: Aduan, phone: str) -> None:
    """A0.1, A1: the business-scoped id changes with the account; what follows belongs to the same complaint."""
    cloud = institutions.clouds["klikumkm"]
    old, new = f"ID.{phone}1", f"ID.{phone}2"
    await cloud.inject_text(None, "Pengajuan saya ditolak tanpa alasan", user_id=old)
    sent = await until(lambda: [sent for sent in cloud.sent if sent.to == old])
    number = number_in(sent[0].text)
    await cloud.inject(None, inbound.changed_user_id(old, new), user_id=new)
    await cloud.inject_text(None, "Ini akun baru saya", user_id=new)
    await until(lambda: len(ticket(institutions, number).messages) == 2)
