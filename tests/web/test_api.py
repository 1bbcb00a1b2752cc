"""Complaints by program: sheet A12. Everything against the real gateway."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

from gateway.handling_values import Done
from harness import Aduan
from tickets.lifecycle_events import Dismissed

PATH = "/api/v1/organisations/akseleran/complaints"
STORY = {"narrative": "Dana saya belum masuk sejak 2 Januari.", "email": "siti@contoh.id", "full_name": "Siti"}


async def post(
    client: aiohttp.ClientSession, body: Any, key: str | None = "key-0001", path: str = PATH, **headers: str
) -> tuple[int, dict[str, Any]]:
    found = {name.replace("_", "-"): value for name, value in headers.items()}
    if key is not None:
        found["Idempotency-Key"] = key
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    found.setdefault("Content-Type", "application/json")
    async with client.post(path, data=data, headers=found) as response:
        assert response.content_type == (
            "application/json" if response.status == 201 else "application/problem+json"
        ), await response.text()
        return response.status, await response.json(content_type=None)


def codes(answer: dict[str, Any]) -> dict[str, str]:
    return {error["field"]: error["code"] for error in answer["errors"]}


async def test_created_with_what_must_be_kept(front: Aduan, client: aiohttp.ClientSession) -> None:
    status, answer = await post(client, STORY)
    assert status == 201
    assert list(answer) == [
        "ticket_number", "access_code", "received_at", "received_date", "contact",
        "first_response_due", "resolve_due", "status_url", "receipt_pdf_url",
    ]  # fmt: skip
    assert answer["ticket_number"].startswith("AKS-")
    assert answer["received_at"].endswith("+07:00")
    assert answer["received_at"].startswith(answer["received_date"])
    view = front.running.store.ticket(answer["ticket_number"])
    assert view is not None
    assert view.complaint.narrative == STORY["narrative"]
    assert view.complaint.channel == "web_form"
    assert view.complaint.complainant.email == "siti@contoh.id"
    assert view.complaint.complainant.verified is False


async def test_same_key_and_body_gives_the_same_answer(front: Aduan, client: aiohttp.ClientSession) -> None:
    first = await post(client, STORY)
    assert await post(client, STORY) == first
    assert len(front.ticket_numbers()) == 1
    status, answer = await post(client, {**STORY, "narrative": "Lain."})
    assert (status, answer["type"]) == (422, "urn:aduan:problem:key_reused")
    assert (await post(client, {**STORY, "narrative": "Lain."}, "key-0002"))[0] == 201
    assert len(front.ticket_numbers()) == 2


async def test_a_storm_of_one_key_makes_one_complaint(front: Aduan, client: aiohttp.ClientSession) -> None:
    """P8: the same request forty times at once; each answer is the one complaint, or "still being worked on"."""
    answers = await asyncio.gather(*(post(client, STORY, "storm-0001") for _ in range(40)))
    assert {status for status, _ in answers} <= {201, 409}
    assert len({answer["ticket_number"] for status, answer in answers if status == 201}) == 1
    assert len(front.ticket_numbers()) == 1


async def test_every_wrong_field_is_named(client: aiohttp.ClientSession) -> None:
    wrong = {
        "narrative": "x" * 20_001, "email": "bukan", "phone": "12", "role": "owner", "category": "no_such",
        "transaction_date": "31-01-2026", "transaction_amount_idr": -1, "publish_narrative": "maybe",
        "full_name": "a\nb", "subject": "\ud83d", "customer_ref": "\0", "kind": 7, "surprise": 1,
    }  # fmt: skip
    status, answer = await post(client, wrong)
    assert status == 400
    assert codes(answer) == {
        "narrative": "too_long", "email": "not_an_email", "phone": "not_a_phone", "role": "not_a_choice",
        "category": "not_a_choice", "transaction_date": "not_a_date", "transaction_amount_idr": "not_an_amount",
        "publish_narrative": "not_a_flag", "full_name": "not_one_line", "subject": "not_characters",
        "customer_ref": "not_characters", "kind": "not_text", "surprise": "unknown_field",
    }  # fmt: skip
    assert all(error["message_id"] and error["message_en"] for error in answer["errors"])
    assert "bukan" not in json.dumps(answer)


async def test_the_groups_of_the_complaint_schema_are_understood(front: Aduan, client: aiohttp.ClientSession) -> None:
    body = {
        "narrative": "Penarikan gagal.",
        "complainant": {"full_name": "Budi", "phone": "0812 3456 7890", "role": "lender"},
        "transaction": {"type": "penarikan", "date": "2026-01-02", "amount_idr": 1_500_000},
        "representative": None,
    }
    status, answer = await post(client, body)
    assert status == 201
    view = front.running.store.ticket(answer["ticket_number"])
    assert view is not None
    assert view.complaint.complainant.phone == "+6281234567890"
    assert view.complaint.transaction is not None
    assert view.complaint.transaction.amount_idr == 1_500_000
    status, answer = await post(
        client, {"narrative": "x", "phone": "0812 3456 7890", "complainant": {"phone": "1", "x": 2}}
    )
    assert codes(answer) == {"phone": "given_twice", "complainant.x": "unknown_field"}


async def test_idempotency_key_is_required(client: aiohttp.ClientSession) -> None:
    keys = [(None, "required"), ("short", "not_a_key"), ("x" * 129, "not_a_key"), ("with space", "not_a_key")]
    for key, code in keys:
        status, answer = await post(client, STORY, key)
        assert (status, codes(answer)) == (400, {"Idempotency-Key": code})


HOSTILE = [
    b"", b"null", b"[]", b'"x"', b"{", b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b'{"narrative": NaN}',
    b'{"narrative": "a", "narrative": "b"}', b'{"narrative": ' + b"[" * 10_000,
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b'{"narrative": "x", "loss_amount_idr": ' + b"9" * 5_000 + b"}", b'{"narrative": "\xed\xa0\x80"}',
    b'{"narrative": {"__proto__": {}}}', b'{"narrative": "x", "__proto__": {"role": "user"}}', b'{"narrative": ""}',
    b'{"narrative": " \\n\\t "}', b'{"narrative": "x", "email": "a@b.id\\r\\nBcc: c@d.id"}',
]  # fmt: skip


async def test_hostile_json_is_bad_input_and_nothing_else(front: Aduan, client: aiohttp.ClientSession) -> None:
    """P32: never 500, nothing kept."""
    for number, body in enumerate(HOSTILE):
        status, answer = await post(client, body, f"hostile-{number:04}")
        assert status == 400, body[:60]
        assert answer["status"] == 400
    assert front.ticket_numbers() == []


async def test_payloads_stay_text(front: Aduan, client: aiohttp.ClientSession) -> None:
    """P27: what looks like code in some language is a complaint about it (U3)."""
    payloads = ["{{7*7}}", "${jndi:ldap://x}", "{0.__class__}", "%n%s", "</Say><Hangup/>", "=cmd|' /C calc'!A0",
                "\u202egnp.exe", "'; DROP TABLE tickets;--", "<script>alert(1)</script>", "a\u200bb"]  # fmt: skip
    for number, payload in enumerate(payloads):
        status, answer = await post(client, {"narrative": payload}, f"payload-{number:04}")
        assert status == 201, payload
        view = front.running.store.ticket(answer["ticket_number"])
        assert view is not None
        # Characters that turn or hide text are taken out by the normalizer; every other one stays.
        assert view.complaint.narrative == payload.replace("\u202e", "").replace("\u200b", "")


async def test_too_large_and_wrong_kind_of_body(client: aiohttp.ClientSession) -> None:
    assert (await post(client, {"narrative": "x" * 300_000}))[0] == 413
    assert (await post(client, b"narrative=x", Content_Type="application/x-www-form-urlencoded"))[0] == 415
    async with client.post(
        PATH,
        data=b"x",
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip", "Idempotency-Key": "k" * 8},
    ) as response:
        assert response.status in {400, 415}


async def test_the_app_has_its_own_door(front: Aduan, client: aiohttp.ClientSession) -> None:
    settings: Any = front.installation.channels["akseleran-app"].settings
    key = settings.api_keys[0].get_secret_value()
    status, answer = await post(client, STORY, "app-key-0001", X_Api_Key=key)
    assert status == 201
    view = front.running.store.ticket(answer["ticket_number"])
    assert view is not None
    assert view.complaint.channel == "app_form"
    for wrong in ("", "wrong", key[:-1], key + "x"):
        status, answer = await post(client, STORY, "app-key-0002", X_Api_Key=wrong)
        assert status == 401
        assert key not in json.dumps(answer)
    # The same key of idempotency at another door is another complaint.
    assert (await post(client, STORY, "app-key-0001"))[0] == 201
    assert len(front.ticket_numbers()) == 2


async def test_only_our_own_front_reaches_the_form_channel(front: Aduan, client: aiohttp.ClientSession) -> None:
    """P18: the webhook address of the channel takes nothing without the seal, so nobody names a file by its digest."""
    document: dict[str, Any] = {
        "fields": {"narrative": "x"},
        "attachments": [],
        "idempotency_key": "k" * 8,
        "form": None,
    }
    async with client.post("/in/akseleran-form", json=document) as response:
        assert response.status == 401
    assert front.ticket_numbers() == []


ORIGINS = [(None, 201), ("https://www.partner.example", 201), ("https://evil.example", 403), ("null", 403)]


async def test_other_sites_only_by_the_allow_list(client: aiohttp.ClientSession) -> None:
    for origin, status in ORIGINS:
        headers = {"Origin": origin} if origin else {}
        allowed = origin if origin and status == 201 else None
        async with client.options(PATH, headers=headers) as response:
            assert response.status == (204 if status == 201 else 403)
            assert response.headers.get("Access-Control-Allow-Origin") == allowed
        async with client.post(PATH, json=STORY, headers={**headers, "Idempotency-Key": "cors-0001"}) as response:
            assert response.status == status
            assert response.headers.get("Access-Control-Allow-Origin") == allowed
            assert "Origin" in response.headers["Vary"]


async def test_unknown_organisation(client: aiohttp.ClientSession) -> None:
    assert (await post(client, STORY, path="/api/v1/organisations/nobody/complaints"))[0] == 404


async def test_status_tells_a_stranger_nothing(client: aiohttp.ClientSession) -> None:
    """Unknown number and wrong code are answered alike, byte for byte; three wrong codes lock (B6)."""
    _, created = await post(client, STORY)
    number, code = created["ticket_number"], created["access_code"]

    async def ask(number: str, code: str | None) -> tuple[int, dict[str, Any]]:
        headers = {"X-Access-Code": code} if code is not None else {}
        async with client.get(f"/api/v1/complaints/{number}", headers=headers) as response:
            return response.status, await response.json(content_type=None)

    status, answer = await ask(number, code)
    assert status == 200
    assert answer["status"] == "received"
    assert answer["status_label"]["id"] == "diterima"
    assert set(answer) == {"ticket_number", "status", "status_label", "last_update", "next_due"}
    assert (await ask(number, None))[0] == 401
    wrong = "000000" if code != "000000" else "000001"
    assert await ask(number, wrong) == await ask("AKS-20260105-999999-9", wrong)
    for _ in range(3):
        status, _answer = await ask(number, wrong)
    assert status == 429
    assert (await ask(number, code))[0] == 429


async def test_the_link_of_an_erased_complaint_leads_nowhere(front: Aduan, client: aiohttp.ClientSession) -> None:
    """UU 27/2022: neither the page nor the document behind the link of the receipt is there any more."""
    _, said = await post(client, STORY)
    pdf = said["receipt_pdf_url"].removeprefix(front.url)
    links = (pdf, pdf.removesuffix(".pdf"))
    for link in links:
        assert (await client.get(link)).status == 200
    done = await front.running.handling.handle(said["ticket_number"], Dismissed(reason="test"), actor="rina")
    assert isinstance(done, Done)
    with front.running.store.begin() as tx:
        tx.records.erase(said["ticket_number"], "request", "rina")
    for link in links:
        assert (await client.get(link)).status == 404
