"""The dates that a complaint gets from when it really arrived, also when it comes in late (K7, A8, U5-U7, R1-R10)."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from harness import Aduan, until
from harness.customer import post_meta, receipt_state, ticket
from harness.meta import text_message
from tickets.store import TicketView

pytestmark = pytest.mark.asyncio(loop_scope="module")

WIB = ZoneInfo("Asia/Jakarta")
STORY = "Dana pinjaman saya dipotong dua kali"

#: Arrival in Jakarta -> first response of KlikACC, resolution of KlikACC, range of klikUMKM (problem).
CASES = [
    # A Monday; three working days are Tuesday to Thursday.
    ("2026-01-05 10:00", "2026-01-08", "2026-02-03", "2026-01-06", "2026-01-12"),
    # A minute before the office closes on a Friday: written channels know no hours (R5).
    ("2026-01-09 16:59", "2026-01-14", "2026-02-09", "2026-01-12", "2026-01-19"),
    # A Saturday is day 0 like any other.
    ("2026-01-10 10:00", "2026-01-14", "2026-02-09", "2026-01-12", "2026-01-19"),
    # Half an hour before midnight in Jakarta is still the 15th there; the 16th is a holiday.
    ("2026-01-15 23:30", "2026-01-21", "2026-02-13", "2026-01-19", "2026-01-23"),
    # Joint leave and Eid: 18 to 24 March do not count, nor does 3 April.
    ("2026-03-02 09:00", "2026-03-05", "2026-04-07", "2026-03-03", "2026-03-09"),
]


@pytest.mark.parametrize(("arrived", "answer", "resolve", "earliest", "latest"), CASES)
async def test_dates_count_from_the_true_arrival(
    institutions: Aduan, arrived: str, answer: str, resolve: str, earliest: str, latest: str, phone: str
) -> None:
    """K7, K10, U6, R2, R3, R10: a message that comes in months late keeps its arrival, and with it its dates."""
    at = datetime.fromisoformat(arrived).replace(tzinfo=WIB)
    klikacc = await _tell(institutions, "klikacc", phone, at)
    assert klikacc.complaint.received_at == at
    assert klikacc.ticket.first_response_due == date.fromisoformat(answer)
    assert klikacc.ticket.resolve_due == date.fromisoformat(resolve)
    assert klikacc.ticket.ticket_number.startswith(f"KLA-{at:%Y%m%d}-")
    akseleran = await _tell(institutions, "akseleran", phone, at)
    assert akseleran.ticket.first_response_due is None
    assert akseleran.ticket.resolve_due is None
    klikumkm = await _tell(institutions, "klikumkm", phone, at)
    assert klikumkm.ticket.first_response_due is None
    assert klikumkm.ticket.resolve_earliest == date.fromisoformat(earliest)
    assert klikumkm.ticket.resolve_due == date.fromisoformat(latest)


async def test_a_question_has_the_shorter_promise(institutions: Aduan, phone: str) -> None:
    """U5: information within one to two working days."""
    at = datetime(2026, 1, 5, 10, tzinfo=WIB)
    view = await _tell(institutions, "klikumkm", phone, at, "Mau tanya, apa syarat mengajukan pinjaman?")
    assert view.complaint.kind == "information"
    assert (view.ticket.resolve_earliest, view.ticket.resolve_due) == (date(2026, 1, 6), date(2026, 1, 7))


async def test_a_late_arrival_is_a_persons_task(institutions: Aduan, phone: str) -> None:
    """P14: the 24 hours for an answer are over, so nothing is sent and a person is told; the clock runs on."""
    view = await _tell(institutions, "akseleran", phone, datetime(2026, 1, 5, 10, tzinfo=WIB))
    (view,) = await until(lambda: _with_task(institutions, view.ticket.ticket_number))
    assert view.outbox[0].state in ("suppressed", "failed")
    assert [task.kind for task in view.tasks] == ["no_route"]
    assert not [sent for sent in institutions.clouds["akseleran"].sent if sent.to == phone]


async def test_a_late_arrival_is_answered_by_the_next_lawful_way(institutions: Aduan, phone: str) -> None:
    """P14, sheet A13: where the institution has SMS, a number that WhatsApp vouches for gets its receipt there."""
    view = await _tell(institutions, "klikacc", phone, datetime(2026, 1, 5, 10, tzinfo=WIB))
    await receipt_state(institutions, view.ticket.ticket_number, "delivered")
    (receipt,) = ticket(institutions, view.ticket.ticket_number).complaint.receipts
    assert receipt.channel == "sms"
    assert not [sent for sent in institutions.clouds["klikacc"].sent if sent.to == phone]


async def test_a_clock_that_runs_ahead_is_not_believed(institutions: Aduan, phone: str) -> None:
    """R10: a timestamp in the future is replaced by ours and flagged."""
    view = await _tell(institutions, "klikacc", phone, datetime(2031, 1, 5, 10, tzinfo=WIB))
    assert view.complaint.received_at == view.complaint.ingested_at
    assert "future_timestamp" in view.complaint.flags


async def _tell(aduan: Aduan, slug: str, phone: str, at: datetime, text: str = STORY) -> TicketView:
    """The ticket of a message that Meta says was sent at `at`."""
    wamid = f"wamid.{slug}.{phone}"
    assert await post_meta(aduan, slug, [text_message(wamid, phone, text, at.timestamp())]) == 200
    return (await until(lambda: _of(aduan, slug, wamid)))[0]


def _of(aduan: Aduan, slug: str, wamid: str) -> list[TicketView]:
    for line in aduan.running.store.tickets(organisation=slug, limit=20):
        view = ticket(aduan, line.ticket_number)
        if view.messages[0].row.message.external_id == wamid:
            return [view]
    return []


def _with_task(aduan: Aduan, number: str) -> list[TicketView]:
    view = ticket(aduan, number)
    return [view] if view.tasks else []
