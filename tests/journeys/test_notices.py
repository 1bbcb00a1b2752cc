"""What a ticket's life owes the customer arrives where it lawfully may (section 7, sheet A13; K7, K11, A20-A22)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from connectors_voice.kit import read_back
from gateway.cli.commands import app
from gateway.handling_values import Done
from harness import Aduan, start_aduan, until
from harness.customer import NUMBER, WhatsApp, number_in, post_meta, ticket
from harness.forms import post_complaint
from harness.meta import text_message
from harness.settings import only
from harness.weather import quick
from simulator.facebook import Facebook
from simulator.facebook.people import id_of
from simulator.mail.messages import SentMail
from simulator.sms import Sms
from simulator.twilio_voice import Key, Silence, TwilioVoice
from simulator.twilio_voice.calls import speech
from tickets import lifecycle_events as events
from tickets.model import OutboxRow
from web_samples import form_data, hidden

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHANNELS = (
    "klikacc-whatsapp", "klikumkm-whatsapp", "akseleran-email", "akseleran-form", "akseleran-facebook",
    "klikacc-phone", "klikacc-sms",
)  # fmt: skip
STORY = "Dana pinjaman saya belum cair sejak tanggal 3, padahal sudah dipotong."
WORDS = "Kami sedang memeriksa transaksi Anda bersama bank mitra."
REASONS = "Pengaduan ini sudah kami selesaikan pada 3 Desember 2025 dengan nomor terdahulu."


def templates(config: dict[str, Any]) -> None:
    """Only these channels; klikUMKM's WhatsApp has approved templates for receipts and for notices."""
    only(*CHANNELS)(config)
    config["channels"]["klikumkm-whatsapp"]["templates"] = {
        "receipt": {"name": "tanda_terima"},
        "notice": {"name": "kabar_pengaduan"},
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def institutions(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aduan]:
    """Three institutions on the channels of these journeys."""
    async with start_aduan(tmp_path_factory.mktemp("notices"), templates) as running:
        yield running


async def do(aduan: Aduan, number: str, event: events.Event) -> OutboxRow:
    """What the event owes the customer, once it was given to the running server."""
    done = await aduan.running.handling.handle(number, event, actor="petugas")
    assert isinstance(done, Done), done
    return done.notices[0] if done.notices else ticket(aduan, number).outbox[0]


async def state(aduan: Aduan, number: str, row: OutboxRow, *states: str) -> None:
    """Returns when the message stands in one of these states."""
    await until(lambda: next(each for each in ticket(aduan, number).outbox if each.key == row.key).state in states)


def todo(aduan: Aduan, number: str) -> list[str]:
    return [task.kind for task in ticket(aduan, number).tasks if task.closed_at is None]


def answers(aduan: Aduan, address: str) -> list[SentMail]:
    return [mail for mail in aduan.mail.outbox if address in mail.recipients]


async def test_k7_a_first_answer_comes_back_in_the_conversation(institutions: Aduan, phone: str) -> None:
    """K7: the first answer, in the WhatsApp conversation while its window is open; once only."""
    customer = WhatsApp(institutions, "klikacc", "meta", phone)
    await customer.say(STORY)
    number = number_in(await customer.receipt())
    row = await do(institutions, number, events.FirstResponse(text=WORDS))
    text = (await until(lambda: customer.heard()[1:]))[0]
    assert text.startswith(f"Nomor tiket pengaduan: {number}\nTanggapan kami atas pengaduan Anda:\n{WORDS}\n")
    assert "Mohon simpan" not in text
    await state(institutions, number, row, "sent")
    assert not todo(institutions, number)
    assert len(customer.heard()) == 2


async def test_k2_what_the_desk_wrote_takes_no_receipt_away(institutions: Aduan, phone: str) -> None:
    """K2, P26: a complaint that lived and ended within a day leaves the next one its receipt."""
    customer = WhatsApp(institutions, "klikacc", "meta", phone)
    await customer.say(STORY)
    number = number_in(await customer.receipt())
    answer = events.Responded(kind="explanation", finding="no_fault", text="Dana sudah masuk kemarin siang.")
    for event in (events.FirstResponse(text=WORDS), answer, events.Accepted(oral=True, note="Lewat telepon.")):
        await do(institutions, number, event)
    assert len([row for row in ticket(institutions, number).outbox if row.template.startswith("notice_")]) == 3
    await until(lambda: customer.heard()[3:])
    await customer.say("Sekarang aplikasi saya tidak bisa dibuka dan cicilan ditagih dua kali.")
    text = (await until(lambda: customer.heard()[4:]))[0]
    assert number_in(text) != number
    assert "Mohon simpan" in text


async def test_k11_a_delay_reaches_who_reads_english_in_both_languages(institutions: Aduan, phone: str) -> None:
    """K11, section 8: the ground, the cause, the old and the new date."""
    customer = WhatsApp(institutions, "klikacc", "meta", phone)
    await customer.say("My loan was paid yesterday but the app still shows it as overdue. Please help me.")
    number = number_in(await customer.receipt())
    await do(institutions, number, events.FirstResponse(text="We are looking into it."))
    granted = events.ExtensionGranted(ground="external_party", cause="The partner bank has not answered yet.", days=20)
    await do(institutions, number, granted)
    text = (await until(lambda: customer.heard()[2:]))[0]
    life = ticket(institutions, number).ticket.life
    years = {str(life.extensions[0].old_due.year), str(life.extensions[0].new_due.year)}
    assert all(year in text for year in years)
    assert "Batas waktu semula: " in text
    assert "Earlier date: " in text
    assert text.count("The partner bank has not answered yet.") == 1


async def test_p14_after_a_day_an_approved_template_carries_it(institutions: Aduan, phone: str) -> None:
    """P14, sheet A1: the window has closed; one line by the template for notices, nothing of it lost."""
    old = text_message(f"wamid.{phone}", phone, STORY, time.time() - 30 * 3600)
    assert await post_meta(institutions, "klikumkm", [old]) == 200
    customer = WhatsApp(institutions, "klikumkm", "meta", phone)
    number = number_in(await customer.receipt())
    await do(institutions, number, events.FirstResponse(text=WORDS))
    text = (await until(lambda: customer.heard()[1:]))[0]
    assert text.startswith(f"[kabar_pengaduan] klikUMKM, tiket {number}: Tanggapan kami: {WORDS}")
    assert not todo(institutions, number)


async def test_a22_a_rejection_by_email_is_a_letter_that_proves_itself(institutions: Aduan, phone: str) -> None:
    """A20, A21, A22: in writing, reasons, court and LAPS SJK; page and command know the PDF as ours."""
    sender = f"budi{phone}@pelanggan.example"
    await institutions.mail.write(sender, "cs@akseleran.demo", "Dana belum cair", STORY, name="Budi Santoso")
    number = number_in((await until(lambda: answers(institutions, sender)))[0].subject)
    await do(institutions, number, events.Classified(category="withdrawal"))
    await do(institutions, number, events.Rejected(ground="already_settled", reasons=REASONS))
    mail = (await until(lambda: answers(institutions, sender)[1:]))[0]
    assert mail.subject == f"[{number}] Penolakan pengaduan / Complaint rejected"
    assert mail.message["In-Reply-To"] == ticket(institutions, number).messages[0].row.message.external_id
    for part in (REASONS, "Pengaduan sudah pernah diselesaikan.", "info@lapssjk.id", "Ground of the rejection"):
        assert part in mail.text
    assert "Budi" not in mail.text
    (pdf,) = mail.attachments
    async with aiohttp.ClientSession(institutions.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get("/verify") as response:
            page = await response.text()
        fields = {"token": hidden(page, "token")} if 'name="token"' in page else {}
        async with browser.post("/verify", data=form_data(fields, [("receipt", "s.pdf", pdf.content)])) as response:
            assert "Asli: surat ini kami terbitkan" in await response.text()
    file = institutions.config_path.parent / "surat.pdf"
    file.write_bytes(pdf.content)
    said = CliRunner().invoke(app, ["verify", str(file), "--config", str(institutions.config_path)])
    assert said.exit_code == 0
    assert number in said.stdout
    assert "rejection" in said.stdout


async def test_an_address_in_a_form_hears_more_once_it_is_proven(institutions: Aduan, phone: str) -> None:
    """A10, A12: an address that was only typed hears that there is news; once verified, it gets all."""
    address = f"siti{phone}@pelanggan.example"
    fields = {"narrative": STORY, "email": address}
    _, said = await post_complaint(institutions, "akseleran", f"notice-{phone}", fields)
    number = said["ticket_number"]
    await until(lambda: answers(institutions, address))
    await do(institutions, number, events.Classified(category="withdrawal"))
    await do(institutions, number, events.FirstResponse(text=WORDS))
    mail = (await until(lambda: answers(institutions, address)[1:]))[0]
    assert f"Ada kabar untuk Nomor registrasi pengaduan {number}." in mail.text
    assert WORDS not in mail.text
    assert "bring_letter" in todo(institutions, number)
    await do(institutions, number, events.Classified(verified=True))
    await do(institutions, number, events.DocumentsRequested(documents=("id_address", "other_relevant")))
    mail = (await until(lambda: answers(institutions, address)[2:]))[0]
    assert "- Alamat sesuai identitas\n- Dokumen lain yang relevan" in mail.text.replace("\r\n", "\n")
    assert todo(institutions, number).count("bring_letter") == 1


async def test_who_gave_no_address_is_a_persons_task_with_a_letter(
    institutions: Aduan, phone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K2, A22: nobody can be reached: the task stands at once and says how to print the letter."""
    _, said = await post_complaint(institutions, "akseleran", f"letter-{phone}", {"narrative": STORY})
    number = said["ticket_number"]
    await do(institutions, number, events.Classified(category="withdrawal"))
    row = await do(institutions, number, events.Rejected(ground="already_settled", reasons=REASONS))
    assert (row.state, row.reason) == ("suppressed", "no_route")
    (task,) = [task for task in ticket(institutions, number).tasks if task.kind == "no_route"]
    command = task.reason.split("`")[1].split()
    assert command[:4] == ["aduan", "letter", number, "--notice"]
    for name in ("HOST", "PORT", "DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    folder = institutions.config_path.parent
    config = ["--config", str(institutions.config_path)]
    for notice in (command[4], row.key):
        out = folder / f"{phone}.pdf"
        found = CliRunner().invoke(app, ["letter", number, "--notice", notice, "--out", str(out), *config])
        assert found.exit_code == 0, found.output
        assert out.read_bytes().startswith(b"%PDF-")
        assert oct(out.stat().st_mode)[-3:] == "600"
        assert CliRunner().invoke(app, ["verify", str(out), *config]).exit_code == 0
    newest = CliRunner().invoke(app, ["letter", number, "--out", str(folder / "x.pdf"), *config])
    assert "notice_rejection" in newest.stdout
    none = CliRunner().invoke(app, ["letter", number, "--notice", "closing", "--out", str(folder / "y.pdf"), *config])
    assert none.exit_code == 1
    assert "it has: notice_rejection" in none.stderr


async def test_a11_the_letter_of_a_number_that_was_merged_can_still_be_printed(
    institutions: Aduan, phone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A11, A22: the task that a merge leaves names the old number: its letter is found under that one."""
    numbers = []
    for name in ("a", "b", "c"):
        _, said = await post_complaint(institutions, "akseleran", f"merge-{name}-{phone}", {"narrative": STORY})
        numbers.append(said["ticket_number"])
    first, second, third = numbers
    for goer, into in ((first, second), (second, third)):
        await do(institutions, goer, events.Classified(category="withdrawal"))
        done = await institutions.running.handling.handle(goer, events.Merged(into=into), actor="siti")
        assert isinstance(done, Done), done
    for name in ("HOST", "PORT", "DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    left = [task.reason.split("`")[1].split() for task in ticket(institutions, third).tasks if task.kind == "no_route"]
    assert {command[2] for command in left} == {first, second}
    for command in left:
        out = institutions.config_path.parent / f"{command[2]}.pdf"
        config = ["--out", str(out), "--config", str(institutions.config_path)]
        found = CliRunner().invoke(app, [*command[1:5], *config])
        assert found.exit_code == 0, found.output
        assert command[2] in found.stdout


async def test_a_comment_is_answered_where_the_customer_writes_in_private(institutions: Aduan, phone: str) -> None:
    """Section 8: nothing of the case below the comment; once the customer writes in private, that is the way."""
    page, person = quick(institutions, "akseleran", Facebook), f"agus.{phone}"
    root = await page.comment(person, "Min, dana saya belum kembali!", name="Agus Pratama")

    def heard() -> list[str]:
        return [sent.text for sent in page.sent if sent.to in (id_of(person), f"9{id_of(person)}")]

    number = number_in((await until(heard))[0])
    await do(institutions, number, events.Classified(category="withdrawal"))
    row = await do(institutions, number, events.FirstResponse(text=WORDS))
    assert (row.state, row.reason) == ("suppressed", "no_route")
    assert "no_route" in todo(institutions, number)
    await page.inject_text(person, "Ini bukti transfernya")
    await until(lambda: len(ticket(institutions, number).messages) == 2)
    await do(institutions, number, events.DocumentsRequested(documents=("other_relevant",)))
    text = (await until(lambda: heard()[1:]))[0]
    assert "- Dokumen lain yang relevan" in text
    under = [each.text for each in page.answers if each.parent_id == root]
    assert not [each for each in under if NUMBER.search(each) or WORDS in each or "Dokumen" in each]


async def test_who_called_hears_by_sms_that_there_is_news(institutions: Aduan) -> None:
    """K6: the number that called is only what the network showed: a person brings the answer itself."""
    (sms,) = (each for each in institutions.simulation.providers if isinstance(each, Sms))
    sms.time_scale = 0.001
    caller = "+6281300000071"
    line = institutions.provider("klikacc", TwilioVoice)
    call = await line.dial(caller, [Key("1"), Key("1"), speech("Tagihan ganda"), Key("1"), Silence()])
    digits, _ = read_back(call, "id")
    number = f"{digits[:3]}-{digits[3:11]}-{digits[11:-1]}-{digits[-1]}"

    def heard() -> list[str]:
        return [each.text for each in sms.sent if f"+{each.to}" == caller]

    await until(heard)
    await do(institutions, number, events.FirstResponse(text=WORDS))
    text = (await until(lambda: heard()[1:]))[0]
    assert text.startswith(f"KlikACC: ada kabar untuk tiket {number}. Silakan hubungi kami: ")
    assert WORDS not in text
    assert "bring_letter" in todo(institutions, number)
