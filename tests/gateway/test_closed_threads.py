"""A thread whose complaint is closed opens a new one that names it; an open complaint is found behind a closed one."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from harness import Aduan, start_aduan
from harness.customer import drained, post_meta, ticket
from harness.meta import text_message
from harness.settings import only
from tickets.model import Records

PHONE = "6282900000001"


async def say(aduan: Aduan, wamid: str, text: str, quoted: str | None = None) -> None:
    message = text_message(wamid, PHONE, text)
    if quoted is not None:
        message["context"] = {"from": "620000000001", "id": quoted}
    await post_meta(aduan, "klikacc", [message])
    await drained(aduan)


async def test_an_open_complaint_is_found_behind_a_closed_one(tmp_path: Path) -> None:
    """T21: what quotes a settled matter belongs to the complaint that is open in the same chat."""
    async with start_aduan(tmp_path, only("klikacc-whatsapp")) as aduan:
        await say(aduan, "wamid.1", "Dana saya belum cair")
        (first,) = aduan.ticket_numbers()
        closed = replace(ticket(aduan, first).ticket, state="resolved")
        with aduan.running.store.begin() as tx:
            tx.add(Records(updated_tickets=[closed]))
        await say(aduan, "wamid.2", "Sekarang bunganya salah")
        (second,) = set(aduan.ticket_numbers()) - {first}
        assert ticket(aduan, second).complaint.related == (closed.complaint_id,)
        await say(aduan, "wamid.3", "Sama seperti waktu itu", quoted="wamid.1")
        assert set(aduan.ticket_numbers()) == {first, second}
        assert len(ticket(aduan, second).messages) == 2
