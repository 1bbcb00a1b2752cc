"""A complaint enters by SMS and its receipt comes back there, in calm and bad weather; and SMS as the next way out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.sms_http.segments import size
from harness import start_aduan, until
from harness.customer import drained, number_in, ticket
from harness.settings import impatient, only
from harness.weather import quick
from simulator.sms import Sms

#: Institution -> the channels of its policy whose journey this is.
SHOWN = {"klikacc": ("sms",)}
CUSTOMERS = [f"+62819{n:08}" for n in range(5)]
SAID = "Saldo saya hilang setelah penarikan dana"


def heard(sms: Sms, phone: str) -> list[str]:
    """What a customer was sent."""
    return [text.text for text in sms.sent if f"+{text.to}" == phone]


async def test_a_conversation_is_one_complaint_with_one_receipt(tmp_path: Path) -> None:
    """K2-K4: numbered at once; a short receipt in the cheap alphabet; parts and later texts are added; STOP is none."""
    async with start_aduan(tmp_path, impatient("klikacc-sms")) as aduan:
        sms = quick(aduan, "klikacc", Sms)
        phone, other = CUSTOMERS[:2]
        await sms.inject_text(phone, f"{SAID}. " * 8, in_parts=True)
        await until(lambda: heard(sms, phone))
        (text,) = heard(sms, phone)
        number = number_in(text)
        view = ticket(aduan, number)
        assert (view.complaint.channel, view.complaint.form) == ("sms", "written")
        assert view.complaint.complainant.phone == phone
        assert "KlikACC" in text
        assert re.search(r"Kode \d{6}", text)
        assert size(text).alphabet == "gsm7"
        assert size(text).segments <= 4
        await until(lambda: ticket(aduan, number).complaint.receipts[0].state == "delivered")
        await sms.inject_text(phone, "Nama saya Siti Aminah")
        await sms.inject_text(phone, "TERIMA KASIH")
        await sms.inject_text(other, SAID)
        await until(lambda: heard(sms, other))
        await until(lambda: len(ticket(aduan, number).messages) == 5)
        await sms.inject_text(phone, "BERHENTI")
        await drained(aduan)
        assert len(aduan.ticket_numbers()) == 2
        assert len(heard(sms, phone)) == 1
        assert not aduan.running.store.quarantine()


@pytest.mark.parametrize("honours_stop", [True, False])
async def test_who_said_stop_gets_no_text_and_a_person_is_told(tmp_path: Path, honours_stop: bool) -> None:
    """Sheet A13: whether the aggregator remembers it or not, nothing goes out; a task tells a person."""
    async with start_aduan(tmp_path, impatient("klikacc-sms")) as aduan:
        sms = quick(aduan, "klikacc", Sms)
        sms.honours_stop = honours_stop
        phone, other = CUSTOMERS[:2]
        await sms.inject_text(phone, "STOP")
        await sms.inject_text(phone, SAID)
        (number,) = await until(aduan.ticket_numbers)
        await until(lambda: ticket(aduan, number).outbox[0].state == "failed")
        view = ticket(aduan, number)
        assert view.outbox[0].error_class == "Unreachable"
        assert [task.kind for task in view.tasks] == ["undeliverable"]
        await sms.inject_text(other, "STOP")
        await sms.inject_text(other, "MULAI")
        await sms.inject_text(other, SAID)
        await until(lambda: heard(sms, other))
        assert not heard(sms, phone)


async def test_a_receipt_that_whatsapp_refuses_goes_by_sms(tmp_path: Path) -> None:
    """P14: a number that WhatsApp vouches for has SMS as its next way; the text is the short one."""
    async with start_aduan(tmp_path, only("klikacc-whatsapp", "klikacc-sms")) as aduan:
        sms, cloud = quick(aduan, "klikacc", Sms), aduan.clouds["klikacc"]
        cloud.time_scale = 0.001
        phone = CUSTOMERS[0]
        cloud.unreachable.add(phone.lstrip("+"))
        await cloud.inject_text(phone.lstrip("+"), SAID)
        await until(lambda: heard(sms, phone))
        (text,) = heard(sms, phone)
        number = number_in(text)
        assert ticket(aduan, number).complaint.channel == "whatsapp"
        await until(lambda: ticket(aduan, number).complaint.receipts[0].state == "delivered")
        assert text.startswith("KlikACC: pengaduan diterima")
