"""Outboxes at work: a real store, a messaging provider on loopback that can fail in every way, and its connector."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import aiohttp
from aiohttp import web
from ulid import ULID

from connectors.errors import Ambiguous, AuthFailed, Refused, Throttled, Unavailable, Unreachable, WindowClosed
from connectors.facts import Facts
from normalizer.complaint import Complaint
from normalizer.message import Delivery, Event, Ignored, Outgoing, Raw, Sent
from receipts.lane import Channel
from receipts.outbox import Outbox
from receipts.outcome import Patience
from receipts.writer import ReceiptWriter
from tickets.model import OutboxItem, OutboxRow, Records, Route, Ticket
from tickets.store import Store, TicketView

T = TypeVar("T")
MakeFacts = Callable[..., Facts]
MakeComplaint = Callable[..., Complaint]
MakeItem = Callable[..., OutboxItem]
QUICK = Patience(first_wait=0.02, longest_wait=0.05, give_up=30.0)


def now() -> datetime:
    return datetime.now(UTC)


class Provider:
    """A messaging provider on loopback: takes messages, and fails in the ways that recipients are scripted to."""

    def __init__(self) -> None:
        #: What happens to the next sends to a recipient: "ok" when the list has ended.
        self.script: dict[str, list[str]] = {}
        self.taken: list[dict[str, Any]] = []
        self.tries: list[str] = []
        self.token = "good"
        self.release = asyncio.Event()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/messages", self._take)
        app.router.add_get("/messages", self._list)
        app.router.add_get("/me", self._me)
        return app

    def texts(self, recipient: str) -> list[str]:
        return [message["text"] for message in self.taken if message["to"] == recipient]

    async def _me(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if request.headers["Authorization"] == self.token else 401)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response([m for m in self.taken if m["key"] == request.query["key"]])

    async def _take(self, request: web.Request) -> web.StreamResponse:
        message = await request.json()
        self.tries.append(message["to"])
        if request.headers["Authorization"] != self.token:
            return web.Response(status=401)
        steps = self.script.get(message["to"], [])
        step = steps.pop(0) if steps else "ok"
        if step in {"ok", "taken-then-cut", "taken-then-stalled"}:
            self.taken.append({**message, "id": f"p{len(self.taken)}"})
        if step.endswith("stalled"):
            await self.release.wait()
        if step.endswith(("cut", "stalled")):
            assert request.transport is not None
            request.transport.close()
        status, body = {
            "429": (429, "0.05"),
            "500": (500, ""),
            "blocked": (410, ""),
            "window": (409, ""),
            "refused": (422, ""),
        }.get(step, (200, self.taken[-1]["id"] if self.taken else ""))
        return web.Response(status=status, text=body)


class HttpConnector:
    """A complete connector of the provider above."""

    def __init__(self, channel_id: str, facts: Facts, url: str, session: aiohttp.ClientSession) -> None:
        self.channel_id = channel_id
        self.facts = facts
        self.token = "good"
        self._url = url
        self._session = session

    def parse(self, raw: Raw) -> Sequence[Event]:
        return (Ignored(reason=f"{raw.channel_id} has no inbound"),)

    async def send(self, out: Outgoing) -> Sent:
        body = {"to": out.recipient, "text": out.text, "key": out.key, "flag": out.possible_duplicate}
        headers = {"Authorization": self.token}
        try:
            async with self._session.post(f"{self._url}/messages", json=body, headers=headers) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Ambiguous("the connection was cut") from error
        match answer.status:
            case 200:
                return Sent(provider_id=text, at=now(), registers=(f"http:{text}",))
            case 401:
                raise AuthFailed("the token is refused")
            case 409:
                raise WindowClosed("the window has closed")
            case 410:
                raise Unreachable("blocked")
            case 422:
                raise Refused("422", "the text is refused")
            case 429:
                raise Throttled("slow down", after=float(text))
            case status:
                raise Unavailable(f"HTTP {status}")

    async def find(self, out: Outgoing) -> Sent | None:
        async with self._session.get(f"{self._url}/messages", params={"key": out.key}) as answer:
            found = await answer.json()
        return Sent(provider_id=found[0]["id"], at=now()) if found else None

    async def check(self) -> None:
        async with self._session.get(f"{self._url}/me", headers={"Authorization": self.token}) as answer:
            if answer.status == 401:
                raise AuthFailed("the token is refused")

    async def aclose(self) -> None:
        return None


class Bench:
    """One installation: a provider, a store on disk, its one writing thread, and outboxes over them."""

    def __init__(
        self, store: Store, provider: Provider, url: str, session: aiohttp.ClientSession, writer: ReceiptWriter,
        make_facts: MakeFacts, make_complaint: MakeComplaint, make_item: MakeItem,
    ) -> None:  # fmt: skip
        self.store = store
        self.provider = provider
        self.writer = writer
        self.events: Counter[tuple[str, str]] = Counter()
        self.fail_next = 0
        self._url = url
        self._session = session
        self._thread = ThreadPoolExecutor(1)
        self._make = (make_facts, make_complaint, make_item)
        self.connectors: dict[str, HttpConnector] = {}
        self._numbers = 0

    def channel(self, name: str, *, evidence: str = "none", wait: float = 0.0, **changes: Any) -> Channel:
        limits = {key: changes.pop(key) for key in ("sends_per_second", "concurrent_sends") if key in changes}
        facts = self._make[0](ambiguous_evidence=evidence, ambiguous_wait_seconds=wait, **changes)
        self.connectors[name] = HttpConnector(name, facts, self._url, self._session)
        return Channel(connector=self.connectors[name], facts=facts, **limits)

    def run(self, work: Callable[[], T], /) -> Awaitable[T]:
        if self.fail_next > 0:
            self.fail_next -= 1
            raise OSError("the disk is full")
        return asyncio.get_running_loop().run_in_executor(self._thread, work)

    def outbox(self, channels: dict[str, Channel], **changes: Any) -> Outbox:
        return Outbox(
            **{
                "store": self.store,
                "run": self.run,
                "channels": channels,
                "writer": self.writer,
                "now": now,
                "new_id": lambda: str(ULID()),
                "observe": lambda event, channel_id, seconds: self.events.update([(event, channel_id)]),
                "patience": QUICK,
                "poll_seconds": 0.02,
                **changes,
            }
        )

    async def owe(self, *routes: Route, template: str = "receipt", **changes: Any) -> str:
        """Records one complaint with its receipt due; returns the ticket's number."""
        self._numbers += 1
        number = f"KLA-20260105-{self._numbers:06}-0"
        complaint_id = str(ULID())
        made = self._make[1](
            "klikacc", complaint_id=complaint_id, ticket_number=number, channel_id=routes[0].channel_id
        )
        item = self._make[2](made, template=template, key=str(ULID()), routes=routes, due_at=now(), **changes)
        assert isinstance(item.ticket, Ticket)
        records = Records(complaints=[made], tickets=[item.ticket], outbox=[item.row])

        def add() -> None:
            with self.store.begin() as tx:
                tx.add(records)

        await asyncio.get_running_loop().run_in_executor(self._thread, add)
        return number

    def view(self, number: str) -> TicketView:
        view = self.store.ticket(number)
        assert view is not None
        return view

    def row(self, number: str) -> OutboxRow:
        return self.view(number).outbox[0]

    async def report(self, channel_id: str, delivery: Delivery) -> None:
        def apply() -> None:
            with self.store.begin() as tx:
                tx.deliveries(channel_id, [delivery])

        await asyncio.get_running_loop().run_in_executor(self._thread, apply)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.01)

    async def until_state(self, number: str, *states: str) -> OutboxRow:
        await self.until(lambda: self.row(number).state in states)
        return self.row(number)

    def close(self) -> None:
        self._thread.shutdown()
        self.store.close()


@asynccontextmanager
async def serving(outbox: Outbox, grace: float = 5.0) -> AsyncIterator[Outbox]:
    task = asyncio.create_task(outbox.serve())
    try:
        yield outbox
    finally:
        await outbox.stop(grace)
        await task


def to(channel_id: str, recipient: str, **changes: Any) -> Route:
    return Route(channel_id=channel_id, recipient=recipient, channel="whatsapp", **changes)
