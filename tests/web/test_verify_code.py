"""The QR code of a printed receipt leads to a verdict on what it states, without the file."""

from __future__ import annotations

import aiohttp

from harness import Aduan
from receipts.signature import open_key, sign_statement, statement_of


async def test_a_code_that_we_signed_and_one_that_we_did_not(front: Aduan, client: aiohttp.ClientSession) -> None:
    body = {"narrative": "Dana saya belum masuk."}
    address = "/api/v1/organisations/klikacc/complaints"
    async with client.post(address, json=body, headers={"Idempotency-Key": "qr-code-0001"}) as answer:
        assert answer.status == 201, await answer.text()
        number = (await answer.json())["ticket_number"]
    view = front.running.store.ticket(number)
    assert view is not None
    key = open_key(front.installation.data_dir / "keys")
    statement = statement_of(
        view.complaint, view.ticket, organisation="KlikACC", response_due=view.ticket.first_response_due, by=key.key_id
    )
    code = sign_statement(statement, key)
    async with client.get("/verify", params={"s": code, "lang": "id"}) as answer:
        page = await answer.text()
        assert answer.status == 200
        assert number in page
        assert "Asli" in page
    for forged in (code[:-2] + ("AA" if not code.endswith("AA") else "BB"), "x", "." * 5000, "\u0000", "a.b"):
        async with client.get("/verify", params={"s": forged, "lang": "id"}) as answer:
            page = await answer.text()
            assert answer.status == 200
            assert number not in page
            assert "bukan dari tanda terima kami" in page
