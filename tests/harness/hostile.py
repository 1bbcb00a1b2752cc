"""A gateway that hostile clients speak to, and what it kept of what they said."""

from __future__ import annotations

from harness.customer import drained
from harness.installation import Aduan
from harness.meta import body_of, text_message

META, TWILIO = "/in/klikacc-whatsapp", "/in/klikacc-twilio"
API = "/api/v1/organisations/klikacc/complaints"
GOOD = body_of("100000000001", [text_message("wamid.hostile", "6281800000001", "Halo")])


async def kept(aduan: Aduan) -> tuple[int, int, int]:
    """What there is: tickets, quarantined items, deliveries in the journal."""
    await drained(aduan)
    waiting = await aduan.running.journal.depth()
    return len(aduan.ticket_numbers()), len(aduan.running.store.quarantine(limit=10_000)), sum(waiting.values())


def secret_of(aduan: Aduan) -> str:
    """The secret that Meta signs KlikACC's webhooks with."""
    return aduan.clouds["klikacc"].app_secret
