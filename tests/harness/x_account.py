"""X, pretended, as the tests of its connector know it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from simulator.app import start
from simulator.x import X

US = "1111111111111111111"
KEYS: dict[str, Any] = {"consumer_key": "InventedApiKey", "consumer_secret": "invented-api-secret"}
TOKEN = {"access_token": "1111-invented-access-token", "access_token_secret": "invented-access-token-secret"}


@asynccontextmanager
async def x_account(**given: Any) -> AsyncIterator[X]:
    """A running account; `given` says how it logs in besides its keys."""
    account = X(user_id=US, username="akseleran", limits=False, **KEYS, **given)
    async with await start([account]):
        yield account
