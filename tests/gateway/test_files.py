"""A download that is cut, at whatever moment, leaves neither an open file nor an unfinished one."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.files import Files


async def slowly() -> AsyncGenerator[bytes, None]:
    """Bytes that never end."""
    while True:
        yield b"x" * 1024
        await asyncio.sleep(0)


@pytest.mark.parametrize("turns", range(8))
async def test_a_download_that_is_cut_leaves_nothing(tmp_path: Path, turns: int) -> None:
    """P22: the next try begins anew; an open file would be a warning, which is an error here."""
    files = Files(tmp_path, max_bytes=1 << 30)
    task = asyncio.create_task(files.put_stream(slowly()))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.05)  # what a thread was writing has ended
    gc.collect()
    assert not files.sweep()
