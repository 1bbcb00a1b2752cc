"""`/readyz` and `/metrics`: for the people and programs that keep it running."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from connectors.contract import Connector, Priced
from gateway.forwarding import Forwarding
from gateway.health import Health
from gateway.installation import Installation
from gateway.journal import Journal
from gateway.metrics import Metrics
from receipts.outbox import Outbox
from tickets.store import Store

_LOOPBACK = frozenset({"127.0.0.1", "::1"})


class Operations:
    """Answers from the parts themselves; nothing is cached, nothing is a person's data."""

    def __init__(
        self,
        installation: Installation,
        *,
        connectors: Mapping[str, Connector],
        journal: Journal,
        store: Store,
        health: Health,
        metrics: Metrics,
        outbox: Outbox,
        forwarding: Forwarding,
        disk: Callable[[], bool],
    ) -> None:
        self._installation = installation
        self._priced = {id_: each for id_, each in connectors.items() if isinstance(each, Priced)}
        self._journal = journal
        self._store = store
        self._health = health
        self._metrics = metrics
        self._outbox = outbox
        self._forwarding = forwarding
        self._disk_is_low = disk

    def routes(self) -> list[web.RouteDef]:
        """The two addresses."""
        return [
            web.get("/readyz", self._readyz),
            web.get("/metrics", self._metrics_page),
        ]

    async def _readyz(self, _: web.Request) -> web.Response:
        """Every channel's state; 503 when something a human must do is open."""
        waiting = await self._journal.depth()
        counts = await asyncio.to_thread(self._store.counts)
        halted = self._outbox.halted
        targets = await asyncio.to_thread(self._forwarding.states)
        todo = [*self._todo(waiting, counts, halted), *self._forwarding.todo(targets)]
        channels: dict[str, Any] = {}
        for id_, state in self._health.states.items():
            channels[id_] = msgspec.to_builtins(state) | {"sending": halted.get(id_, "on")}
        body = {
            "status": "attention" if todo else "ready",
            "todo": todo,
            "journal": dict(waiting),
            "store": dict(counts),
            "channels": channels,
            "forward": msgspec.to_builtins(targets),
        }
        return web.json_response(body, status=503 if todo else 200)

    def _todo(self, waiting: Mapping[str, int], counts: Mapping[str, int], halted: Mapping[str, str]) -> list[str]:
        todo = [f"channel {id_}: {s.reason}" for id_, s in self._health.states.items() if s.state == "broken"]
        todo += [f"channel {id_}: sending is halted ({why}); renew the credentials" for id_, why in halted.items()]
        if waiting["parked"]:
            todo.append(f"{waiting['parked']} deliveries could not be recorded: `aduan inbox list`")
        if counts.get("quarantine_open"):
            todo.append(f"{counts['quarantine_open']} items are in quarantine: `aduan inbox list`")
        if counts.get("tasks_open"):
            todo.append(f"{counts['tasks_open']} tasks are open: `aduan tickets list --tasks`")
        if self._disk_is_low():
            todo.append("the disk is nearly full: nothing is taken in; make room")
        return todo

    async def _metrics_page(self, request: web.Request) -> web.Response:
        token = self._installation.config.metrics_token
        if token is None:
            if request.remote not in _LOOPBACK or "X-Forwarded-For" in request.headers:
                return web.Response(status=403, text="set metrics_token to read metrics from elsewhere")
        else:
            given = request.headers.get("Authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {token.get_secret_value()}".encode()):
                return web.Response(status=401, text="a bearer token is needed", headers={"WWW-Authenticate": "Bearer"})
        for state, count in (await self._journal.depth()).items():
            self._metrics.depth.labels("journal", state).set(count)
        for state, count in (await asyncio.to_thread(self._store.counts)).items():
            self._metrics.depth.labels("store", state).set(count)
        for id_, priced in self._priced.items():
            for call, dollars in priced.costs.items():
                self._metrics.costs.labels(id_, call).set(dollars)
        return web.Response(body=self._metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"})
