"""A task ends also when something in it swallowed the first request to end."""

from __future__ import annotations

import asyncio

import pytest

from gateway.tasks import cancel


async def test_a_task_that_lost_the_request_is_asked_again() -> None:
    """As `asyncio.wait_for` does when its wait ends at the moment of the request."""
    asked = 0

    async def forgetful() -> None:
        nonlocal asked
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                asked += 1
                if asked > 1:
                    raise

    task = asyncio.create_task(forgetful())
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await cancel(task)
    assert task.cancelled()
    assert asked == 2


@pytest.mark.parametrize("error", [ValueError("x"), None])
async def test_what_a_task_raised_is_nobodys_trouble_at_its_end(error: Exception | None) -> None:
    """Ended or failed before: there is nothing to wait for, and nothing is reported as forgotten."""

    async def ends() -> None:
        if error is not None:
            raise error

    task = asyncio.create_task(ends())
    await asyncio.sleep(0)
    await cancel(task)
    assert task.done()
