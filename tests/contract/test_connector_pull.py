"""Connectors that pull: a pull cut anywhere resumes without loss, repeats rather than skips, and ends at once (P1, P6).

A kind that pulls has a `pull.py` beside its fixtures with

    source(items) -> async context manager: a provider on loopback that holds `items` items;
                     yields the settings that lead to it, to be laid over settings.json
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

from connectors.contract import Batch, Connector, Pull
from contract.connector_kit import Kind

ITEMS = 120


async def test_a_pull_cut_anywhere_resumes_without_loss(kind: Kind) -> None:
    """Cut after every batch, its cursor stored or (a crash) not: nothing is skipped, repeats are the same items."""
    if not isinstance(kind.build(), Pull):
        return
    async with kind.module("pull.py", "the contract pulls from it").source(ITEMS) as settings:
        stored: dict[str, bytes] = {}
        cursor: str | None = None
        crashed = False
        while len(stored) < ITEMS:
            batch = await _next(kind, settings, cursor)
            again = await _next(kind, settings, cursor) if not crashed else batch
            assert [raw.ref for raw in again.keep] == [raw.ref for raw in batch.keep], "a crash repeats the batch"
            crashed = True
            for raw in batch.keep:
                assert stored.setdefault(raw.ref, raw.body) == raw.body
            cursor = batch.cursor
        assert len(stored) == ITEMS
        assert all(stored), "each pulled item has the provider's own position"


async def test_a_waiting_pull_closes_within_a_second(kind: Kind) -> None:
    """A pull that waits for something new ends when it is told to, its connection with it."""
    if not isinstance(kind.build(), Pull):
        return
    async with kind.module("pull.py", "the contract pulls from it").source(1) as settings:
        connector = _connector(kind, settings)
        assert isinstance(connector, Pull)
        seen: list[str] = []

        async def wait_for_ever() -> None:
            async with aclosing(connector.pull(None)) as pulled:
                async for batch in pulled:
                    seen.extend(raw.ref for raw in batch.keep)

        waiting = asyncio.create_task(wait_for_ever())
        async with asyncio.timeout(20):
            while not seen:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)  # now it waits for the next item
        async with asyncio.timeout(1):
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await connector.aclose()


def _connector(kind: Kind, settings: dict[str, Any]) -> Connector:
    return kind.spec.build(kind.setup(settings))


async def _next(kind: Kind, settings: dict[str, Any], cursor: str | None) -> Batch:
    """The first batch with something in it, by a connector that is built and closed for it alone."""
    connector = _connector(kind, settings)
    assert isinstance(connector, Pull)
    async with asyncio.timeout(30), aclosing(connector.pull(cursor)) as pulled:
        async for batch in pulled:
            if batch.keep:
                await connector.aclose()
                return batch
    raise AssertionError("a pull never ends by itself")
