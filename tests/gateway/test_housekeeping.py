"""Clocks that start by themselves (G7) or when documents are complete (A8), and the retention of deliveries (D6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.housekeeping import Housekeeping
from harness import Aduan, until
from tickets.store import TicketView


def keeper(aduan: Aduan, now: datetime) -> Housekeeping:
    """The housekeeping of a running gateway, at another time; the store is written by this thread alone."""

    async def run(work):  # type: ignore[no-untyped-def]  # the generic protocol of the gateway's own runner
        return work()

    return Housekeeping(aduan.installation, store=aduan.running.store, run=run, now=lambda: now)


async def one_ticket(aduan: Aduan) -> TicketView:
    await until(aduan.ticket_numbers)
    view = aduan.running.store.ticket(aduan.ticket_numbers()[0])
    assert view is not None
    return view


async def test_nobody_asked_for_documents_in_time(aduan: Aduan) -> None:
    """G7: two working days later the complaint counts as complete at receipt, and its dates are those of receipt."""
    await aduan.clouds["akseleran"].inject_text("6281234567890", "Dana saya belum cair.")
    view = await one_ticket(aduan)
    assert view.ticket.first_response_due is None
    early = await keeper(aduan, datetime.now(UTC)).look()
    assert early == (0, 0)
    late = datetime.now(UTC) + timedelta(days=30)
    assert (await keeper(aduan, late).look())[0] == 1
    view = await one_ticket(aduan)
    organisation = aduan.installation.organisations["akseleran"]
    expected = organisation.calendar.due(view.complaint.effective_received_date, 2)
    assert view.ticket.first_response_due == expected.due
    assert view.ticket.deadlines["first_response"]["due"] == expected.due.isoformat()
    assert "clocks.started" in [event.type for event in view.audit]
    assert (await keeper(aduan, late).look())[0] == 0


async def test_deliveries_are_deleted_after_their_days_and_the_complaint_stays(aduan: Aduan) -> None:
    """D6: 90 days."""
    await aduan.clouds["klikacc"].inject_text("6281234567890", "Dana saya belum cair.")
    view = await one_ticket(aduan)
    raw_id = view.messages[0].row.raw_id
    now = datetime.now(UTC)
    assert (await keeper(aduan, now + timedelta(days=89)).look())[1] == 0
    assert aduan.running.store.raw(raw_id) is not None
    # What other channels kept at their start (X says that it pushed again) goes with it.
    assert (await keeper(aduan, now + timedelta(days=91)).look())[1] >= 1
    assert aduan.running.store.raw(raw_id) is None
    assert (await one_ticket(aduan)).messages[0].text == "Dana saya belum cair."
