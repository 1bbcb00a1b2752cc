"""Connectors built from settings as an operator gives them, talking to the simulator or a small server on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from connectors import registry
from connectors.contract import Setup
from connectors.facts import Facts
from harness.serving import MakeSetup, Serve, small_servers

NOW = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
MINIMAL: dict[str, dict[str, Any]] = {
    "facebook": {
        "page_id": "102900000000001",
        "page_token": "invented-page-token",
        "app_secrets": ["invented-app-secret"],
        "verify_token": "invented-verify-token",
    },
    "instagram": {
        "account_id": "17841400000000001",
        "access_token": "invented-access-token",
        "app_secrets": ["invented-app-secret"],
        "verify_token": "invented-verify-token",
    },
    "whatsapp_cloud": {
        "phone_number_id": "106540352242922",
        "access_token": "invented-system-user-token",
        "app_secrets": ["invented-app-secret"],
        "verify_token": "invented-verify-token",
    },
    "whatsapp_twilio": {
        "account_sid": "ACd1a0b1c2d3e4f5061728394a5b6c7d8e",
        "auth_tokens": ["invented-auth-token"],
        "from": "whatsapp:+622150996000",
    },
    "whatsapp_vonage": {
        "number": "+622150996000",
        "api_key": "a1b2c3d4",
        "api_secret": "invented-api-secret",
        "signature_secrets": ["invented-signature-secret"],
    },
    "x": {
        "user_id": "1111111111111111111",
        "username": "akseleran",
        "consumer_keys": [{"key": "InventedApiKey", "secret": "invented-api-secret"}],
        "access_token": "1111-invented-access-token",
        "access_token_secret": "invented-access-token-secret",
    },
    "sms_http": {
        "sender": "+6281190009000",
        "send_url": "https://api.contoh-sms.example/v1/messages",
        "secrets": ["invented-webhook-secret"],
    },
}


@pytest.fixture
async def make_setup() -> AsyncIterator[MakeSetup]:
    """Makes the Setup of a kind; further arguments are settings."""
    sessions: list[aiohttp.ClientSession] = []

    def session() -> aiohttp.ClientSession:
        if not sessions:
            sessions.append(aiohttp.ClientSession())
        return sessions[0]

    def make(
        kind: str, *, facts: Facts | None = None, public_url: str = "https://aduan.example.co.id", **settings: Any
    ) -> Setup:
        spec = registry.find(kind)
        given = {"kind": kind, "organisation": "akseleran", **MINIMAL[kind], **settings}
        return Setup(
            channel_id=f"akseleran-{kind}",
            settings=spec.settings.model_validate(given),
            facts=facts or spec.facts,
            public_url=public_url,
            session=session,
            secret=b"x" * 32,
            now=lambda: datetime.now(UTC),
        )

    yield make
    for each in sessions:
        await each.close()


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a small server that gives every request to one function; returns its address."""
    async with small_servers() as start_one:
        yield start_one
