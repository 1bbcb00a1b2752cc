"""The retention of deliveries (D6)."""

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


async def test_deliveries_are_deleted_after_their_days_and_the_complaint_stays(aduan: Aduan) -> None:
    """D6: 90 days."""
    await aduan.clouds["klikacc"].inject_text("6281234567890", "Dana saya belum cair.")
    view = await one_ticket(aduan)
    raw_id = view.messages[0].row.raw_id
    now = datetime.now(UTC)
    assert await keeper(aduan, now + timedelta(days=89)).look() == 0
    assert aduan.running.store.raw(raw_id) is not None
    # What other channels kept at their start (X says that it pushed again) goes with it.
    assert await keeper(aduan, now + timedelta(days=91)).look() >= 1
    assert aduan.running.store.raw(raw_id) is None
    assert (await one_ticket(aduan)).messages[0].text == "Dana saya belum cair."
