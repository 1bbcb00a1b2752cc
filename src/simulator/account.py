"""What every pretended account has in common: where it runs, its weather and faults, and what it delivers."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypedDict, TypeVar, Unpack

from simulator import delivery
from simulator.delivery import Delivery, Mixer, Record, RetryPolicy, Tasks
from simulator.faults import Faults
from simulator.place import Asks, Place
from simulator.weather import Weather

MOST_DELIVERED = 2_000
MOST_RETRYING = 20_000  # webhooks that wait for another attempt; further ones are given up

T = TypeVar("T")


class Options(TypedDict, total=False):
    """What every account may be given; `webhook_url` may also be set later, when the business starts later."""

    webhook_url: str
    name: str  # the institution
    time_scale: float  # shortens the provider's waits
    weather: Weather | None
    clock: Callable[[], float]  # seconds since the epoch
    keep: int  # most items of a record


class PretendedAccount(ABC, Generic[T]):
    """An account with an HTTP API; what happens at it becomes deliveries of `T`, which the weather may rearrange."""

    kind: str
    path: str
    urls: Mapping[str, str] = {}
    name: str = ""
    time_scale: float = 1.0
    clock: Callable[[], float]
    weather: Weather
    _keep: int = 10_000
    _place: Place | None = None

    def __init__(self, **options: Unpack[Options]) -> None:
        self.webhook_url = options.get("webhook_url", "")
        self.name = options.get("name", self.name)
        self.time_scale = options.get("time_scale", self.time_scale)
        self.clock = options.get("clock", time.time)
        self.weather = options.get("weather") or Weather()
        self._keep = options.get("keep", self._keep)
        self.faults = Faults()  # met by what the business sends
        self.media_faults = Faults()  # met by every step of a download
        self.deliveries: Record[Delivery] = Record(min(self._keep, MOST_DELIVERED))
        self.tasks = Tasks()
        self._mixer: Mixer[T] = Mixer(self._post, self.tasks)

    async def open(self, place: Place) -> None:
        """Remembers where the account runs."""
        self._place = place

    async def aclose(self) -> None:
        """Ends every retry and report under way."""
        await self.tasks.aclose()
        self._place = None

    async def settled(self) -> None:
        """Returns when every webhook was accepted or given up."""
        self._mixer.flush(self.weather)
        await self.tasks.settled()

    @property
    def place(self) -> Place:
        """Where the account runs; raises RuntimeError before it is started."""
        if self._place is None:
            raise RuntimeError("this provider is not started; call simulator.start first")
        return self._place

    @property
    def base_url(self) -> str:
        """What a business gives as the address of the API."""
        return self.place.base_url

    @abstractmethod
    async def _post(self, items: list[T]) -> None:
        """Posts these together, as the weather grouped them."""

    async def _post_once(self, sending: Delivery, policy: RetryPolicy) -> Delivery:
        """Posts and records it, with no second attempt."""
        await delivery.attempt(self.place.http, sending, policy)
        self.deliveries.append(sending)
        return sending

    async def _post_until_accepted(self, sending: Delivery, policy: RetryPolicy) -> Delivery:
        """Records and posts it; further attempts go on in the background."""
        self.deliveries.append(sending)
        first = await delivery.attempt(self.place.http, sending, policy)
        if policy.wanted(first) and len(self.tasks) < MOST_RETRYING:
            self.tasks.spawn(self._retry(sending, policy))
        else:
            sending.given_up = policy.wanted(first)
        return sending

    async def _retry(self, sending: Delivery, policy: RetryPolicy) -> None:
        await delivery.retry(self.place.http, sending, policy, self.time_scale)
        if sending.given_up:
            self._gave_up(policy)

    def _gave_up(self, policy: RetryPolicy) -> None:
        """What the provider does after the last attempt of a policy failed."""


class Named(Protocol):
    """An account with a user name."""

    @property
    def name(self) -> str:
        """The institution."""

    @property
    def username(self) -> str:
        """The name that customers write to, without @."""


A = TypeVar("A", bound=Named)


class Counterpart(Generic[A]):
    """What several talks of one account share: who stands behind them."""

    asks: Asks = "handle"

    def __init__(self, account: A) -> None:
        self._account = account

    @property
    def name(self) -> str:
        """The institution."""
        return self._account.name

    @property
    def address(self) -> str:
        """The account's user name."""
        return f"@{self._account.username}"
