"""Takes what was committed over from the write-ahead log into the database: beside the commits, not in one of them.

SQLite does it inside the commit that makes the log long: some 60 ms in which nobody is acknowledged. Here a thread with
a connection of its own does nearly all of it while commits go on; the writer then takes over the few pages that came
meanwhile, and only that lets SQLite write the log from its beginning again (https://sqlite.org/wal.html, section 3.1).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

log = structlog.get_logger("aduan.journal")

#: Bytes committed since the last time, from which on it is done again.
_MUCH = 12 * 1024 * 1024
_CHECKPOINT = "pragma wal_checkpoint(passive)"


class WriteAheadLog:
    """Keeps the log of one journal short; lives on the event loop."""

    def __init__(self, path: Path, connect: Callable[[], sqlite3.Connection]) -> None:
        self._file = path.with_name(path.name + "-wal")
        self._connect = connect
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal-log")
        self._db: sqlite3.Connection | None = None
        self._grown = 0
        self._checkpointing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connects; what an earlier run left in the log counts. Raises sqlite3.Error."""
        self._db = await asyncio.get_running_loop().run_in_executor(self._thread, self._connect)
        self._grown = self._file.stat().st_size if self._file.exists() else 0

    def grew(self, size: int, write: Callable[[Callable[[sqlite3.Connection], object]], Awaitable[object]]) -> None:
        """Says that `size` bytes were committed; `write` runs work in the thread of the writer, between two commits."""
        self._grown += size
        if self._grown >= _MUCH and self._checkpointing is None:
            self._grown = 0
            self._checkpointing = asyncio.get_running_loop().create_task(self._checkpoint(write))

    async def _checkpoint(self, write: Callable[[Callable[[sqlite3.Connection], object]], Awaitable[object]]) -> None:
        db = self._db
        assert db is not None
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, lambda: db.execute(_CHECKPOINT).fetchall())
            await write(lambda writer: writer.execute(_CHECKPOINT).fetchall())
        except sqlite3.Error as error:
            # Nothing is lost: the log is as durable as the database, and only grows until the next time.
            log.warning("checkpoint_failed", error=type(error).__name__)
        finally:
            self._checkpointing = None

    async def aclose(self) -> None:
        """Ends what is under way and disconnects."""
        if self._checkpointing is not None:
            await asyncio.wait([self._checkpointing])
        if self._db is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._db.close)
        self._thread.shutdown()
