"""One thread for one blocking library, asked from the event loop and left behind at once when it hangs."""

from __future__ import annotations

import asyncio
import functools
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
Job = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class OwnThread:
    """Runs one call after the other. It is a daemon: a call that hangs in a name lookup never holds up the end."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def run(self, call: Callable[..., T], *args: Any) -> T:
        """What `call(*args)` returns or raises in the thread."""
        done: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put((lambda: call(*args), done))
        return await done

    async def end(self, seconds: float) -> bool:
        """Lets the thread end after its present call; returns whether it did within `seconds`."""
        self._jobs.put(None)
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return False
        self._thread.join(seconds)
        return True

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            call, done = job
            try:
                result, error = call(), None
            except BaseException as raised:  # carried to the caller, whatever it is
                result, error = None, raised
            self._tell(functools.partial(self._settle, done, result, error))
        self._tell(self._ended.set)

    def _tell(self, call: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            return  # the loop has ended: nobody waits any more

    @staticmethod
    def _settle(done: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)
