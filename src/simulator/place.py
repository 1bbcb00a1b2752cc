"""Where a provider runs, and what every provider can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

import aiohttp
from aiohttp import web

from simulator.weather import Weather


@dataclass(frozen=True, slots=True)
class Place:
    """What a started provider gets: its public address, the address of the media host, and a client."""

    base_url: str
    cdn_url: str
    host: str
    http: aiohttp.ClientSession


@dataclass(frozen=True, slots=True)
class Account:
    """An account of an institution, as its operator configured it."""

    kind: str  # the connector that uses it
    name: str  # the institution
    webhook_url: str
    settings: Mapping[str, Any]  # the keys of that connector, secrets in plain text


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of providers that do not speak HTTP; 0 takes a free one."""

    imap: int = 0
    smtp: int = 0


@dataclass(frozen=True, slots=True)
class Mounted:
    """The API that accounts of one kind share: its routes, and those of its media host, which has its own port."""

    routes: Sequence[web.RouteDef] = ()
    media: Sequence[web.RouteDef] = ()


#: What a customer is known by on a channel.
Asks = Literal["number", "email", "handle"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as a customer sends or receives it."""

    filename: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Choice:
    """A button that the business offers."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a conversation as the customer sees it."""

    at: float  # seconds since the epoch
    mine: bool  # the customer wrote it
    text: str
    note: str = ""  # delivery status, subject, kind of message
    attachments: Sequence[Attachment] = field(default_factory=tuple)
    choices: Sequence[Choice] = field(default_factory=tuple)


class Talk(Protocol):
    """What a visitor can hold a conversation with: one account of one institution on one channel."""

    @property
    def channel(self) -> str:
        """The channel, in words."""

    @property
    def name(self) -> str:
        """The institution."""

    @property
    def address(self) -> str:
        """The number or address that the customer writes to."""

    @property
    def asks(self) -> Asks:
        """What the visitor must give to play a customer here."""

    async def say(self, person: str, text: str, attachment: Attachment | None = None) -> None:
        """Lets a customer write."""

    async def choose(self, person: str, choice: Choice) -> None:
        """Lets a customer tap a button."""

    def conversation(self, person: str) -> list[Line]:
        """What the customer wrote and what came back, oldest first."""


class Provider(Protocol):
    """One provider, pretended."""

    @property
    def kind(self) -> str:
        """The key of its address in `Simulation.urls`."""

    @property
    def path(self) -> str:
        """Where its API lies on the simulator's port ("/graph"); empty for one that does not speak HTTP."""

    @property
    def urls(self) -> Mapping[str, str]:
        """Further addresses, once it is open."""

    weather: Weather

    @classmethod
    def mount(cls, accounts: Sequence[Self]) -> Mounted:
        """The API of all accounts of this kind."""

    async def open(self, place: Place) -> None:
        """Starts what the account needs besides the shared HTTP server."""

    async def aclose(self) -> None:
        """Ends everything the account started."""

    async def settled(self) -> None:
        """Returns when no delivery is under way."""

    def talks(self) -> Sequence[Talk]:
        """What a visitor can write to."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a provider's module offers as `SERVICE`: which connectors it can be pretended to, and how."""

    kinds: Sequence[str]
    providers: Callable[[Sequence[Account], Ports], Sequence[Provider]]
