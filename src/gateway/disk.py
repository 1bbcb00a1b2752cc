"""What a start takes of the data folder: nobody else may use it, and it must have room."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from pathlib import Path

import structlog

from connectors.errors import Misconfigured

log = structlog.get_logger("aduan")

_CHECK_SECONDS = 2.0


class Disk:
    """Whether the disk has room left, looked at now and then so that no request waits for it."""

    def __init__(self, folder: Path, reserve: int) -> None:
        self._folder = folder
        self._reserve = reserve
        self._low = self._look()

    def _look(self) -> bool:
        return shutil.disk_usage(self._folder).free < self._reserve

    def is_low(self) -> bool:
        """True when less than the reserve is free."""
        return self._low

    async def watch(self) -> None:
        """Looks every two seconds until it is cancelled."""
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            low = self._look()
            if low != self._low:
                log.warning("disk_is_low" if low else "disk_has_room")
            self._low = low


class Lock:
    """Keeps a second process off a data folder. Raises Misconfigured when there is one already."""

    def __init__(self, data_dir: Path) -> None:
        self._handle = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._handle)
            raise Misconfigured(
                "another `aduan serve` uses this data_dir: stop it, or give this one its own"
            ) from error

    def close(self) -> None:
        """Lets the next process in."""
        os.close(self._handle)
