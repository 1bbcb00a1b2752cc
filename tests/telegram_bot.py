"""A bot at the pretended Telegram and the connector that is configured for it, for the tests of both modes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp

from connectors.contract import Setup
from connectors.telegram import FACTS, Telegram, TelegramPoll, TelegramWebhook, build
from connectors.telegram.settings import Settings
from simulator.app import start
from simulator.telegram import Telegram as Bot

TOKEN = "7123456789:invented-bot-token-of-these-tests"
SECRET = "invented-secret-token"
PUBLIC_URL = "https://aduan.example.co.id"


@asynccontextmanager
async def running_bot(**settings: Any) -> AsyncIterator[Bot]:
    """A bot without webhook; nothing is delivered until a test asks for it."""
    bot = Bot(bot_token=TOKEN, time_scale=0.001, **settings)
    async with await start([bot]):
        yield bot


@asynccontextmanager
async def connected(
    api_base: str,
    *,
    public_url: str = PUBLIC_URL,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    **settings: Any,
) -> AsyncIterator[Telegram]:
    """The connector that talks to `api_base`, impatient."""
    given = {
        "kind": "telegram", "organisation": "akseleran", "bot_token": TOKEN, "secret_token": SECRET,
        "api_base": api_base, "timeout_seconds": 0.5, **settings,
    }  # fmt: skip
    async with aiohttp.ClientSession() as session:
        connector = build(
            Setup(
                channel_id="akseleran-telegram",
                settings=Settings.model_validate(given),
                facts=FACTS,
                public_url=public_url,
                session=lambda: session,
                secret=b"x" * 32,
                now=now,
            )
        )
        assert isinstance(connector, TelegramWebhook | TelegramPoll)
        try:
            yield connector
        finally:
            await connector.aclose()
