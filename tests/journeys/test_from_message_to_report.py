"""One complaint of each institution, from the customer's message to the report to the regulator."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from gateway.cli.commands import app
from harness import Aduan, until
from harness.customer import WhatsApp, number_in, ticket
from harness.desk import Program, hire
from harness.forms import enter, post_complaint
from tickets.calendar import WIB
from tickets.model import OutboxRow

pytestmark = pytest.mark.asyncio(loop_scope="module")

STORY = "Saldo pinjaman saya terpotong dua kali pada tanggal 3, mohon dikembalikan."
REASONS = "Bukti baru menunjukkan transaksi lain, sehingga jawaban kami tidak berubah."


@pytest.fixture(scope="module")
def rina(institutions: Aduan) -> Program:
    """A supervisor's program."""
    return hire(institutions, "rina")


def report(aduan: Aduan, *words: str) -> Any:
    """The workbook that `aduan report` writes for the month in which the test runs; its sheets by name."""
    out = aduan.config_path.parent / "laporan.xlsx"
    asked = ["report", *words, "--out", str(out), "--config", str(aduan.config_path)]
    result = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    book = openpyxl.load_workbook(io.BytesIO(out.read_bytes()))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def cells(sheets: Any) -> set[Any]:
    """Everything that stands in a workbook."""
    return {cell for rows in sheets.values() for row in rows for cell in row if cell is not None}


async def heard(said: Callable[[], list[str]], count: int) -> list[str]:
    """What the customer has heard once there are so many messages."""
    await until(lambda: len(said()) >= count)
    return said()


def _rejection(row: OutboxRow) -> bool:
    return row.template.startswith("notice_rejection:")


async def test_klikacc_from_a_whatsapp_message_to_the_monthly_report(
    institutions: Aduan, rina: Program, phone: str
) -> None:
    """K2, K7, K10, K11, K13, K15, K16, K17, K18, K19: escalated, extended, offered, objected to, confirmed."""
    customer = WhatsApp(institutions, "klikacc", "meta", phone)
    await customer.say(STORY)
    number = number_in(await customer.receipt())
    wrong = await rina.refused(number, "responded", kind="explanation", finding="fault", text="Kami salah.")
    assert wrong["sources"] == ["K15"]
    await rina.do(number, "first_response", text="Kami memeriksa mutasi rekening Anda.")
    await rina.do(number, "escalated", level=2, units=["other_department"])
    cause = "Bank mitra belum menjawab permintaan data kami."
    await rina.do(number, "extension_granted", ground="external_party", cause=cause, days=20)
    again = await rina.refused(number, "extension_granted", ground="external_party", cause=cause, days=5)
    assert again["sources"] == ["K11"]
    assert cause in (await heard(customer.heard, 3))[2]
    assert (await rina.refused(number, "referred", forum="laps_sjk"))["sources"] == ["K14"]
    offer = {"kind": "offer", "finding": "fault", "remedies": ["apology", "repair"]}
    await rina.do(number, "responded", text="Kami mohon maaf dan mengembalikan saldo Anda.", **offer)
    answer = (await heard(customer.heard, 4))[3]
    assert "mengembalikan saldo" in answer
    assert "LAPS" in answer
    await rina.do(number, "objection_raised")
    await rina.do(number, "objection_answered", result="confirmed", text="Tawaran kami tetap seperti semula.")
    await rina.do(number, "implemented", note="dikembalikan")
    await rina.do(number, "classified", product="Pinjaman", root_cause=130)
    closed = await rina.do(number, "accepted", oral=True, note="Lewat telepon hari ini.")
    assert closed["state"] == "resolved"
    view = ticket(institutions, number)
    assert view.complaint.outcome.timely is True
    assert view.complaint.resolved_at is not None
    month = view.complaint.resolved_at.astimezone(WIB).strftime("%Y-%m")
    sheets = report(institutions, "klikacc", "monthly", month)
    assert "Pinjaman" in cells(sheets)
    status, figures = await rina.get(f"/api/v1/organisations/klikacc/reports/monthly/{month}")
    assert status == 200
    settled = next(table for table in figures["tables"] if table["section"] == "settled_in_period")
    assert number in str(settled), settled
    assert institutions.running.store.verify_audit().intact


async def test_akseleran_from_the_form_to_the_report_of_every_complaint(
    institutions: Aduan, rina: Program, phone: str
) -> None:
    """A4, A8, A10, A12, A13, A15, A18, A20, A22, A23: documents, a higher tier, an objection, a rejection."""
    address = f"siti{phone}@pelanggan.example"
    fields = {"narrative": STORY, "full_name": "Siti Aminah", "email": address, "category": "withdrawal"}
    status, said = await post_complaint(institutions, "akseleran", f"life-{phone}", fields)
    assert status == 201
    number = said["ticket_number"]
    assert said["first_response_due"] is None
    asked = ["transaction_type_date", "screenshot_or_recording"]
    await rina.do(number, "first_response", text="Kami menerima pengaduan Anda.")
    await rina.do(number, "documents_requested", documents=asked)
    await rina.do(number, "documents_received", documents=asked, complete=True)
    one = ticket(institutions, number).ticket.resolve_due
    await rina.do(number, "escalated", level=2, units=["operation_manager"])
    four = ticket(institutions, number).ticket.resolve_due
    assert one is not None
    assert four is not None
    assert one < four
    wrong = await rina.refused(number, "responded", kind="explanation", finding="fault", text="Kami salah.")
    assert wrong["sources"] == ["A16"]
    await rina.do(number, "responded", kind="explanation", finding="no_fault", text="Dana dipotong pajak.")
    refused = await rina.refused(number, "objection_raised")
    assert "A18" in refused["sources"]
    await rina.do(number, "objection_raised", new_documents=True)
    await rina.do(number, "objection_rejected", reasons=REASONS)
    view = ticket(institutions, number)
    assert view.ticket.state == "rejected"
    assert view.complaint.outcome.rejection is not None
    await rina.do(number, "classified", product="Pendanaan", root_cause=110)
    await until(lambda: [row for row in ticket(institutions, number).outbox if _rejection(row) and row.state == "sent"])
    # Nobody proved that the address of the form is the customer's: it hears that there is news, and how to get it.
    assert all(REASONS not in mail.text for mail in institutions.mail.outbox if address in mail.recipients)
    month = view.complaint.received_at.astimezone(WIB).strftime("%Y-%m")
    sheets = report(institutions, "akseleran", "periodic", month)
    assert number in cells(sheets)


async def test_klikumkm_from_a_question_to_a_forum(institutions: Aduan, rina: Program, phone: str) -> None:
    """U1, U4, U5, U6, U8, U9: a question is answered, a problem takes longer and ends outside."""
    fields = {"channel": "phone", "narrative": "Bagaimana cara mengganti nomor telepon?", "phone": f"+{phone}"}
    status, said = await enter(institutions, "klikumkm", f"tanya-{phone}", fields)
    assert status == 201, said
    question = said["ticket_number"]
    await rina.do(question, "classified", kind="information", urgency="emergency")
    assert ticket(institutions, question).complaint.assessment.urgency == "emergency"
    assert ticket(institutions, question).ticket.deadlines["resolve"]["track"] == "information"
    await rina.do(question, "first_response", text="Lewat menu profil.")
    await rina.do(question, "responded", kind="explanation", finding="no_fault", text="Lewat menu profil.")
    await rina.do(question, "accepted", oral=True, note="Lewat telepon hari ini.")
    assert ticket(institutions, question).ticket.state == "resolved"

    customer = WhatsApp(institutions, "klikumkm", "twilio", phone)
    await customer.say(STORY)
    number = number_in(await customer.receipt())
    await rina.do(number, "first_response", text="Kami memeriksa.")
    no_unit = await rina.refused(number, "escalated", level=2, units=["directors"])
    assert no_unit["rule"]
    due = ticket(institutions, number).ticket.resolve_due
    assert due is not None
    calendar = institutions.installation.organisations["klikumkm"].calendar
    later = calendar.due(due, 3).due
    update = {"ground": "pemeriksaan", "cause": "Kami menunggu data.", "until": later.isoformat()}
    assert (await rina.refused(number, "extension_granted", **update))["sources"] == ["U8"]
    await rina.do(number, "extension_granted", stage_update="Data sudah diminta.", **update)
    assert ticket(institutions, number).ticket.resolve_due == later
    no_ground = await rina.refused(number, "rejected", ground="unrelated", reasons=REASONS)
    assert no_ground["rule"] == "rejection"
    await rina.do(number, "responded", kind="explanation", finding="no_fault", text="Potongan itu adalah cicilan.")
    await rina.do(number, "referred", forum="laps_sjk")
    assert ticket(institutions, number).ticket.state == "referred"
    await rina.do(number, "forum_decided", decision="Damai di LAPS SJK.")
    assert ticket(institutions, number).ticket.state == "resolved"
    result = CliRunner().invoke(
        app, ["report", "klikumkm", "monthly", "2026-01", "--out", "x.xlsx", "--config", str(institutions.config_path)]
    )
    assert result.exit_code == 1
    assert "promises no report" in result.output
