"""Hands tickets to other ticket stores, each target for itself: none of them waits for another."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import structlog

from gateway.forward_lane import Lane
from gateway.forward_settings import Target
from gateway.forward_targets import forwarder_of, routes_of
from gateway.worker import RunInThread
from tickets.forwarders.errors import ForwardError
from tickets.store import Store

log = structlog.get_logger("aduan.forward")

_AWAY_SECONDS = 1.0


class Forwarding:
    """The loops of all targets. `run` works until it is cancelled; what is on its way then is looked for later."""

    def __init__(
        self,
        targets: Sequence[Target],
        organisations: Sequence[str],
        *,
        store: Store,
        run: RunInThread,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        public_url: str,
        observe: Callable[[str, str], None] = lambda target, outcome: None,
        jitter: Callable[[], float] = random.random,
        poll_seconds: float = 1.0,
        check_seconds: float = 60.0,
    ) -> None:
        self._routes = routes_of(targets, organisations)
        self._store = store
        self._run = run
        self._now = now
        self._poll = poll_seconds
        self._check_every = check_seconds
        self._woken = {each.name: asyncio.Event() for each in targets}

        def links(_: str) -> Mapping[str, str]:
            return {"status": f"{public_url}/status"}

        self.lanes = {
            each.name: Lane(
                forwarder_of(each, now), each, store=store, run=run, now=now, new_id=new_id, jitter=jitter,
                links=links, observe=observe,
            )
            for each in targets
        }  # fmt: skip

    def wake(self) -> None:
        """Makes every target look for what it is owed: to be called after a commit that added some."""
        for event in self._woken.values():
            event.set()

    async def run(self) -> None:
        """Works until it is cancelled."""
        await self._insist(self._configure)
        async with asyncio.TaskGroup() as group:
            for lane in self.lanes.values():
                group.create_task(self._serve(lane))
                group.create_task(self._watch(lane))

    async def aclose(self) -> None:
        """Closes the connections to all targets."""
        for lane in self.lanes.values():
            await lane.forwarder.aclose()

    def states(self) -> Mapping[str, Any]:
        """How each target is doing, from the store and from what was tried lately. Reads the store: in a thread."""
        found = self._store.forwards.targets()
        states = {}
        for name, lane in self.lanes.items():
            kept = found.get(name)
            since, why = lane.trouble or (None, None)
            halted = kept.halted if kept else None
            states[name] = {
                "state": "halted" if halted else "troubled" if why else "good",
                "reason": kept.reason if kept and halted else why,
                "since": (kept.since if kept and halted else since),
                "waiting": kept.waiting if kept else 0,
                "refused": kept.refused if kept else 0,
            }
        return states

    def todo(self, states: Mapping[str, Any]) -> list[str]:
        """What a person must do, from `states`."""
        todo = []
        for name, state in states.items():
            if state["state"] == "halted":
                told = f"forward target {name} is halted ({state['reason']}); {state['waiting']} hand-overs wait"
                todo.append(f"{told}: mend it, then `aduan forwards resume {name}`")
            elif state["since"] is not None:
                seconds = (self._now() - state["since"]).total_seconds()
                if seconds >= self.lanes[name].settings.tell_after_seconds:
                    told = f"forward target {name} does not take anything ({state['reason']})"
                    todo.append(f"{told}; {state['waiting']} hand-overs wait and are tried again")
        return todo

    def _configure(self) -> None:
        if dict(self._store.forwards.routes()) != dict(self._routes):
            with self._store.begin() as tx:
                tx.forwards.configure(self._routes)
        for lane in self.lanes.values():
            lane.recover()

    async def _serve(self, lane: Lane) -> None:
        """Keeps at most `at_once` tickets of the target on their way."""
        woken = self._woken[lane.name]
        async with asyncio.TaskGroup() as group:
            tasks: set[asyncio.Task[None]] = set()

            def ended(task: asyncio.Task[None]) -> None:
                tasks.discard(task)
                woken.set()

            while True:
                woken.clear()
                room = lane.settings.at_once - len(tasks)
                try:
                    items = await lane.claim(room) if room else ()
                except Exception as error:
                    log.error("forward_store_failed", target=lane.name, error=type(error).__name__)
                    await asyncio.sleep(_AWAY_SECONDS)
                    continue
                for item in items:
                    task = group.create_task(lane.deliver(item))
                    tasks.add(task)
                    task.add_done_callback(ended)
                if len(items) < room or not room:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(max(self._poll, lane.rest)):
                            await woken.wait()

    async def _watch(self, lane: Lane) -> None:
        """Asks what others changed there, and whether a halted target works again."""
        while True:
            wait = self._check_every
            try:
                state = (await asyncio.to_thread(self._store.forwards.targets)).get(lane.name)
                if state is not None and state.halted is not None:
                    if await lane.try_again(state.halted):
                        self._woken[lane.name].set()
                else:
                    await lane.look()
                    wait = lane.settings.look_seconds
            except (ForwardError, TimeoutError) as error:
                log.warning("forward_look_failed", target=lane.name, error=type(error).__name__)
            except Exception as error:  # the store may be away: the next look tries again
                log.exception("forward_watch_failed", target=lane.name, error=type(error).__name__)
            await asyncio.sleep(wait)

    async def _insist(self, work: Callable[[], None]) -> None:
        """Does store work, again and again while the store is away."""
        while True:
            try:
                await self._run(work)
            except Exception as error:
                log.error("forward_store_failed", error=type(error).__name__)
                await asyncio.sleep(_AWAY_SECONDS)
            else:
                return
