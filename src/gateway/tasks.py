"""Repeats work for ever, and ends tasks that run for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

log = structlog.get_logger("aduan.tasks")

#: Seconds after which a task that was asked to end is asked again.
_AGAIN_SECONDS = 1.0


async def repeat(look: Callable[[], Awaitable[object]], every: float, name: str) -> None:
    """Looks every so many seconds until it is cancelled; after an error, logged with the job's name, it looks again."""
    while True:
        try:
            await look()
        except Exception as error:  # nothing else waits for it
            log.exception("job_failed", job=name, error=type(error).__name__)
        await asyncio.sleep(every)


async def cancel(task: asyncio.Future[Any]) -> None:
    """Returns when the task has ended, whatever it raised.

    It is asked more than once: what waits by `asyncio.wait_for` may lose the request when its wait ends at the same
    moment (Python before 3.12), and the task would go on as if nobody had asked.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_AGAIN_SECONDS)
    if not task.cancelled():
        task.exception()  # looked at, so that nobody reports it as forgotten
