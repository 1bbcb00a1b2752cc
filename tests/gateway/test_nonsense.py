"""Authentic deliveries and forms that make no sense: never dropped, never 500 (P27, P32)."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from harness import Aduan, start_aduan
from harness.hostile import API, GOOD, META, kept, secret_of
from harness.meta import body_of, signed, text_message
from harness.settings import only

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aduan]:
    change = only("klikacc-whatsapp", "klikacc-twilio", "klikacc-form", "klikacc-app", header_seconds=1, body_seconds=1)
    async with start_aduan(tmp_path_factory.mktemp("aduan"), change) as running:
        yield running


DEEP = b'{"object":' + b"[" * 10_000 + b"]" * 10_000 + b"}"

MALFORMED: list[tuple[str, bytes]] = [
    ("no JSON", b"not json"),
    ("nothing", b""),
    ("truncated", GOOD[:-30]),
    ("10,000 levels", DEEP),
    ("null", b"null"),
    ("a number", b"1e999"),
    ("not a number", b'{"object":NaN}'),
    ("NUL bytes", b"\x00" * 100),
    ("UTF-16", GOOD.decode().encode("utf-16")),
    ("not UTF-8", b'{"object":"\xff\xfe"}'),
    ("wrong types", b'{"object":5,"entry":"x"}'),
    ("entry of numbers", b'{"object":"whatsapp_business_account","entry":[1,null,"a",[],{}]}'),
    ("huge integers", b'{"object":"whatsapp_business_account","entry":[{"id":' + b"9" * 5000 + b"}]}"),
    ("double keys", b'{"object":"a","object":"whatsapp_business_account","entry":[]}'),
]


@pytest.mark.parametrize(("what", "body"), MALFORMED, ids=[name for name, _ in MALFORMED])
async def test_signed_nonsense_is_kept_for_a_person(gateway: Aduan, what: str, body: bytes) -> None:
    """P32: what is authentic is never dropped and never 500: 200, then quarantine or counted as nothing."""
    before = await kept(gateway)
    headers = signed(body, secret_of(gateway))
    async with (
        aiohttp.ClientSession() as session,
        session.post(gateway.url + META, data=body, headers=headers) as response,
    ):
        assert response.status == 200
    after = await kept(gateway)
    assert after[0] == before[0]
    assert after[2] == before[2]


@pytest.mark.parametrize(
    "text", ["a\ud800b", "\x00", "\u202egnp.exe", "\x1b[31m", "{0.__class__}", "=cmd|' /C calc'!A0"]
)
async def test_hostile_texts_are_only_text(gateway: Aduan, text: str) -> None:
    """P27, P32: lone surrogates, NUL, direction marks, escapes: a complaint, and nothing else happens."""
    before = await kept(gateway)
    wamid = f"wamid.text.{zlib.crc32(repr(text).encode())}"
    message = text_message(wamid, f"62819{zlib.crc32(text.encode('utf-8', 'replace')) % 10**8:08}", text)
    body = body_of("100000000001", [message])
    async with (
        aiohttp.ClientSession() as session,
        session.post(gateway.url + META, data=body, headers=signed(body, secret_of(gateway))) as response,
    ):
        assert response.status == 200
    assert await kept(gateway) == (before[0] + 1, before[1], before[2])


NONSENSE: list[tuple[str, Any]] = [
    ("deep", DEEP), ("list", b"[]"), ("null", b"null"), ("NaN", b'{"narrative":NaN}'), ("NUL", b"\x00"),
    ("wrong types", json.dumps({"narrative": {"a": 1}, "loss": [1], "email": 5}).encode()),
    ("surrogate", b'{"narrative":"a\\ud800b", "email": 5}'),
    ("double key", b'{"narrative":"a","narrative":"b"}'),
    ("not UTF-8", b'{"narrative":"\xff"}'),
    ("unknown field", b'{"narrative":"halo","is_admin":true}'),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body"), NONSENSE, ids=[name for name, _ in NONSENSE])
async def test_the_form_api_names_what_is_wrong(gateway: Aduan, what: str, body: bytes) -> None:
    """P32: 400 and problem+json, never 500; nothing is recorded."""
    before = await kept(gateway)
    headers = {"Content-Type": "application/json", "Idempotency-Key": "key-" + what.replace(" ", "-") + "-1"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(gateway.url + API, data=body, headers=headers) as response,
    ):
        assert response.status == 400, await response.text()
        assert response.content_type == "application/problem+json"
    assert await kept(gateway) == before
