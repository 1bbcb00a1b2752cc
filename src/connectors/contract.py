"""The connector contract: start here. One folder per provider implements it; nothing else in the tree names a provider.

A connector is one configured account at one provider. It turns requests into `Raw` (authentic or refused), `Raw` into
events (pure), and `Outgoing` into `Sent` (the only write). Errors are the classes of `connectors.errors`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, ClassVar, Protocol, runtime_checkable
from urllib.parse import quote

import aiohttp
from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field

from connectors.errors import Rejected
from connectors.facts import Facts
from normalizer.message import Attachment, Channel, Event, Outgoing, Raw, Sent


class Request(Struct, frozen=True, kw_only=True):
    """One HTTP request as a value: what `receive` judges."""

    method: str
    #: Path and query exactly as they came.
    target: str
    #: Every header line, names in lower case, order kept.
    headers: tuple[tuple[str, str], ...]
    body: bytes
    received_at: datetime
    #: Address of the peer; for rate limits only.
    remote: str = ""

    def header(self, name: str) -> str | None:
        """The value of a header that may stand once. Raises Rejected(400) when it stands twice: a forger's trick."""
        found = [value for key, value in self.headers if key == name]
        if len(found) > 1:
            raise Rejected(400, f"header {name} stands {len(found)} times")
        return found[0] if found else None


class Answer(Struct, frozen=True, kw_only=True):
    """What the provider gets back."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain"


class Intake(Struct, frozen=True, kw_only=True):
    """What to keep before anything else happens, and what to answer once it is kept."""

    keep: tuple[Raw, ...] = ()
    answer: Answer = Answer()
    #: True: a customer waits for the answer, and `Answering.answer` makes it from what became of the request.
    waits: bool = False


class Hours(Struct, frozen=True, kw_only=True):
    """The official hours of a channel on working days (WIB), and what they mean for an oral message that comes now."""

    open: time
    close: time
    is_open: bool
    #: Day 0 of a complaint that is spoken now (WIB; K6, A6).
    counts_from: date


class Filed(Struct, frozen=True, kw_only=True):
    """What a customer who waits for the answer may be told."""

    #: Of the complaints in the request; empty when nothing was kept, or when recording took too long for a wait.
    ticket_numbers: tuple[str, ...] = ()
    #: None where the policy publishes none.
    hours: Hours | None = None


class Batch(Struct, frozen=True, kw_only=True):
    """Pulled items and the cursor that follows them: stored in one transaction."""

    keep: tuple[Raw, ...]
    cursor: str


class ChannelSettings(BaseModel):
    """Keys that every channel has. Each connector's settings extend it: one sentence per field."""

    # No error text repeats what stands in the file: it may be a secret under a wrong key.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    #: Optional keys that an example gives all the same, where one of several is needed ("imap.password").
    example_keys: ClassVar[tuple[str, ...]] = ()
    kind: str = Field(description="Which connector serves this channel.")
    organisation: str = Field(
        description="The organisation (a key under `organisations`) that this channel belongs to."
    )
    sends_per_second: float | None = Field(
        default=None, gt=0, description="How fast this account may send; null: what the provider's facts say."
    )


class Setup(Struct, frozen=True, kw_only=True):
    """What a connector is built from: nothing global, time and network included."""

    channel_id: str
    settings: Any
    facts: Facts
    #: What providers and customers see ("https://aduan.example.co.id"); signatures are checked against it.
    public_url: str
    #: Lends the shared client session; call it when you send, not when you are built.
    session: Callable[[], aiohttp.ClientSession]
    #: 32 bytes of this installation, for tokens that must come back unforged. Never log it.
    secret: bytes
    now: Callable[[], datetime]

    @property
    def address(self) -> str:
        """Where the provider calls this channel ("https://aduan.example.co.id/in/aks-wa")."""
        return f"{self.public_url.rstrip('/')}/in/{quote(self.channel_id, safe='')}"


class Connector(Protocol):
    """What every connector can do."""

    channel_id: str
    facts: Facts

    def parse(self, raw: Raw) -> Sequence[Event]:
        """Events of `raw`: pure, never empty (say `Ignored`). Raises Malformed when nothing in it can be read."""

    async def send(self, out: Outgoing) -> Sent:
        """Hands one text to the provider: the only write. Raises a class of `connectors.errors`."""

    async def check(self) -> None:
        """Asks the provider whether the credentials are good; changes nothing. Raises AuthFailed, Unavailable, ..."""

    async def aclose(self) -> None:
        """Gives up what it holds; safe to call twice."""


@runtime_checkable
class Push(Protocol):
    """A channel whose provider calls us."""

    def receive(self, request: Request) -> Intake:
        """Judges one request: pure and synchronous. Raises Rejected(status) for what is not authentic."""


@runtime_checkable
class Answering(Protocol):
    """A pushed channel on which a customer waits for the answer: a call that reads out the ticket number."""

    def answer(self, request: Request, filed: Filed) -> Answer:
        """The answer to a request whose `Intake` waits: pure and synchronous, the same for the same values."""


@runtime_checkable
class Pull(Protocol):
    """A channel that we ask: polling, or a long-lived connection."""

    def pull(self, cursor: str | None) -> AsyncGenerator[Batch, None]:
        """Batches after `cursor`, for ever; resumes where the stored cursor stands. Raises AuthFailed, Unavailable."""


@runtime_checkable
class Media(Protocol):
    """A channel whose attachments are fetched afterwards."""

    def open(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """The bytes of an attachment in chunks. Raises Unavailable (again later) or Unreachable (gone for good)."""


@runtime_checkable
class Reconcile(Protocol):
    """A channel whose provider has a history: lists what the webhook may have missed."""

    def since(self, moment: datetime) -> AsyncGenerator[Batch, None]:
        """Everything inbound that the provider knows since `moment` (UTC), as raws that `parse` reads."""


@runtime_checkable
class Lookup(Protocol):
    """A channel that can find out whether an ambiguous send went through (sheet A13)."""

    async def find(self, out: Outgoing) -> Sent | None:
        """What the provider knows of an earlier attempt of `out`, or None when it knows none."""


@runtime_checkable
class Priced(Protocol):
    """A channel whose provider bills single calls (sheet A0.4)."""

    @property
    def costs(self) -> Mapping[str, float]:
        """US dollars spent since the process started, by what was called."""


class Spec(Struct, frozen=True, kw_only=True):
    """What a connector's module ends with: CONNECTOR = Spec(...); found by folder name or entry point."""

    kind: str
    #: Channels of the complaint schema that this connector serves.
    channels: tuple[Channel, ...]
    settings: type[ChannelSettings]
    facts: Facts
    build: Callable[[Setup], Connector]
    #: True: `parse` runs in a worker process with memory and time limits, because its input is hostile by nature.
    isolate: bool = False
