"""What a customer sees and what the company then has: found through the pretended providers, never through our code."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import aiohttp

from harness.installation import Aduan, until
from harness.meta import body_of, signed
from tickets.store import TicketView

#: A further mailbox of KlikACC in the journeys.
SECOND_MAILBOX = "pengaduan@klikacc.demo"
NUMBER = re.compile(r"\b[A-Z]{3}-\d{8}-\d{6}-\d\b")
_CODE = re.compile(r"(?:Kode cek status|Status check code): (\d{6})")


class WhatsApp:
    """One customer's conversation with one institution, through Meta or through Twilio."""

    def __init__(self, aduan: Aduan, slug: str, provider: str, phone: str) -> None:
        self._aduan = aduan
        self._slug = slug
        self._provider = provider
        self.phone = phone

    async def say(self, text: str) -> str:
        """Writes; the provider's id of the message."""
        if self._provider == "meta":
            return await self._aduan.clouds[self._slug].inject_text(self.phone, text)
        return await self._aduan.twilios[self._slug].inject_text(f"+{self.phone}", text)

    async def send_file(self, content: bytes, media_type: str) -> str:
        """Sends a file without a word; the provider's id of the message."""
        if self._provider == "meta":
            kind = media_type.partition("/")[0]
            return await self._aduan.clouds[self._slug].inject_media(kind, self.phone, content, media_type)
        return await self._aduan.twilios[self._slug].inject_media(f"+{self.phone}", content, media_type)

    def heard(self) -> list[str]:
        """What came back, oldest first."""
        if self._provider == "meta":
            return [sent.text for sent in self._aduan.clouds[self._slug].sent if sent.to == self.phone]
        address = f"whatsapp:+{self.phone}"
        return [sent.body for sent in self._aduan.twilios[self._slug].sent if sent.to == address]

    async def receipt(self) -> str:
        """The text of the first answer, once it is there."""
        return (await until(self.heard))[0]


async def post_meta(aduan: Aduan, slug: str, messages: Sequence[Any]) -> int:
    """The status that a genuine POST of Meta with exactly these messages is answered with."""
    cloud = aduan.clouds[slug]
    # The simulator did not see these customers write, so it would find the window for an answer closed.
    cloud.enforce_window = False
    body = body_of(cloud.phone_number_id, messages)
    headers = signed(body, cloud.app_secret)
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{aduan.url}/in/{slug}-whatsapp", data=body, headers=headers) as response,
    ):
        return response.status


def number_in(text: str) -> str:
    """The one ticket number that a text names."""
    (number,) = set(NUMBER.findall(text))
    return str(number)


def code_in(text: str) -> str:
    """The access code that a text names."""
    found = _CODE.search(text)
    assert found is not None, "no access code"
    return str(found[1])


def ticket(aduan: Aduan, number: str) -> TicketView:
    """All that the core store has under a number."""
    view = aduan.running.store.ticket(number)
    assert view is not None
    return view


def views(aduan: Aduan) -> list[TicketView]:
    """Every ticket."""
    return [ticket(aduan, number) for number in aduan.ticket_numbers()]


async def drained(aduan: Aduan) -> None:
    """Returns when every kept delivery is recorded or set aside. Raises TimeoutError after a minute."""
    async with asyncio.timeout(60):
        while (await aduan.running.journal.depth())["waiting"]:
            await asyncio.sleep(0.02)


async def receipt_state(aduan: Aduan, number: str, *states: str) -> None:
    """Returns when the receipt of a ticket stands in one of these states."""
    await until(lambda: ticket(aduan, number).complaint.receipts[0].state in states)
