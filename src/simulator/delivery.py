"""Webhooks on their way to the business: attempts, retries, and the tasks that carry them."""

from __future__ import annotations

import asyncio
import io
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import aiohttp
from yarl import URL

from simulator.weather import Weather

T = TypeVar("T")

HOLD_SECONDS = 0.05  # how long weather collects deliveries before it arranges them
MOST_HELD = 200
DAY_SECONDS = 0.05  # how long a day lasts that weather waits for: nobody's clock is moved, the same bytes come again
KEPT_ANSWER_BYTES = 65_536
LARGE_BODY = 1_000_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST of a webhook; status None means that no answer came."""

    status: int | None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    connected: bool = True


@dataclass(slots=True)
class Delivery:
    """One webhook: the exact bytes, and what the business answered to each attempt."""

    url: str
    body: bytes
    headers: dict[str, str]
    attempts: list[Attempt] = field(default_factory=list)
    given_up: bool = False
    at: float = field(default_factory=time.time)

    @property
    def status(self) -> int | None:
        """The last answer's status, None before the first answer."""
        return self.attempts[-1].status if self.attempts else None


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a provider tries again; waits are in the provider's seconds, before scaling."""

    waits: Sequence[float]
    wanted: Callable[[Attempt], bool]  # True: try again
    timeout: float = 20.0
    connect_timeout: float = 5.0


class Tasks:
    """Background tasks of one provider; none outlives `aclose`."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Runs this in the background."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def __len__(self) -> int:
        return len(self._tasks)

    async def settled(self) -> None:
        """Returns when nothing is under way; a failed task's error is raised here."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def aclose(self) -> None:
        """Cancels what is under way and waits for it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def attempt(
    http: aiohttp.ClientSession, delivery: Delivery, policy: RetryPolicy, *, method: str = "POST"
) -> Attempt:
    """Posts the webhook once and records the answer; a refused connection or a time-out is an answer too."""
    # The address goes out exactly as it was configured and signed: yarl must not re-encode it.
    # aiohttp warns when a large body is given as bytes.
    data = delivery.body if len(delivery.body) < LARGE_BODY else io.BytesIO(delivery.body)
    timeout = aiohttp.ClientTimeout(total=policy.timeout, sock_connect=policy.connect_timeout)
    try:
        async with http.request(
            method,
            URL(delivery.url, encoded=True),
            data=data,
            headers=delivery.headers,
            timeout=timeout,
            allow_redirects=False,
        ) as answer:
            body = await answer.content.read(KEPT_ANSWER_BYTES)
            result = Attempt(answer.status, body, dict(answer.headers))
    except aiohttp.ClientConnectorError as refused:
        result = Attempt(None, error=type(refused).__name__, connected=False)
    except (aiohttp.ClientError, TimeoutError, ValueError) as broken:
        result = Attempt(None, error=type(broken).__name__)
    delivery.attempts.append(result)
    return result


async def retry(http: aiohttp.ClientSession, delivery: Delivery, policy: RetryPolicy, time_scale: float) -> None:
    """Tries again as the policy says until the business accepts or the provider gives up."""
    for wait in policy.waits:
        if not policy.wanted(delivery.attempts[-1]):
            return
        await asyncio.sleep(wait * time_scale)
        await attempt(http, delivery, policy)
    delivery.given_up = policy.wanted(delivery.attempts[-1])


class Mixer(Generic[T]):
    """Stands between what happens and what is delivered, and lets the weather rearrange it."""

    def __init__(self, deliver: Callable[[list[T]], Awaitable[None]], tasks: Tasks) -> None:
        self._deliver = deliver
        self._tasks = tasks
        self._held: list[T] = []
        self._timer: asyncio.TimerHandle | None = None

    async def put(self, item: T, weather: Weather) -> None:
        """Delivers at once in calm weather, otherwise within HOLD_SECONDS."""
        if weather.climate.unsubscribed:
            return
        if not weather.holds_deliveries:
            await self._deliver([item])
            return
        self._held.append(item)
        if len(self._held) >= MOST_HELD:
            self.flush(weather)
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(HOLD_SECONDS, self.flush, weather)

    def flush(self, weather: Weather) -> None:
        """Sends what is held on its way."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        held, self._held = self._held, []
        if held:
            self._tasks.spawn(self._send(weather.arrange(held), weather.climate.again_days))

    async def _send(self, groups: Sequence[list[T]], again_days: float) -> None:
        for group in groups:
            await self._deliver(group)
        if again_days:
            await asyncio.sleep(again_days * DAY_SECONDS)
            for group in groups:
                await self._deliver(group)


class Record(Generic[T]):
    """A bounded list that a test can wait on."""

    def __init__(self, most: int) -> None:
        self._items: deque[T] = deque(maxlen=most)
        self._total = 0
        self._changed: asyncio.Event | None = None

    def append(self, item: T) -> None:
        """Adds an item; the oldest drops off when the record is full."""
        self._items.append(item)
        self._total += 1
        if self._changed is not None:
            self._changed.set()

    @property
    def total(self) -> int:
        """How many items were ever added."""
        return self._total

    def clear(self) -> None:
        """Forgets the items, not the total."""
        self._items.clear()

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(tuple(self._items))

    def __getitem__(self, index: int) -> T:
        return self._items[index]

    async def wait(self, count: int = 1, within: float = 5.0) -> list[T]:
        """The items as soon as there are `count` of them; raises TimeoutError after `within` seconds."""
        async with asyncio.timeout(within):
            while len(self._items) < count:
                self._changed = self._changed or asyncio.Event()
                self._changed.clear()
                await self._changed.wait()
        return list(self._items)
