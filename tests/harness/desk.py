"""People of the desk of a running installation, and the programs that work for them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import aiohttp

from harness.installation import Aduan
from tickets.people import Person, Role, new_token


class Program:
    """A program of somebody at the desk, by the API."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self.headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        """Status and JSON of a GET."""
        return await self._ask("GET", path, headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of a POST, None without a body."""
        return await self._ask("POST", path, headers, json=body)

    async def do(self, number: str, event: str, **fields: Any) -> Any:
        """What an event did. Raises AssertionError with the answer when it was refused."""
        status, said = await self.post(f"/api/v1/tickets/{number}/events", {"event": event, **fields})
        assert status == 200, said
        return said

    async def refused(self, number: str, event: str, **fields: Any) -> Any:
        """The refusal of an event. Raises AssertionError when it was not refused by a rule."""
        status, said = await self.post(f"/api/v1/tickets/{number}/events", {"event": event, **fields})
        assert status == 422, said
        return said

    async def _ask(self, method: str, path: str, headers: dict[str, str], **given: Any) -> tuple[int, Any]:
        async with (
            aiohttp.ClientSession(self._url) as session,
            session.request(method, path, headers=self.headers | headers, **given) as answer,
        ):
            return answer.status, json.loads(await answer.read() or b"null")


def hire(aduan: Aduan, name: str, role: Role = "supervisor", organisations: tuple[str, ...] = ("*",)) -> Program:
    """Somebody new at the desk, with a program."""
    now = datetime.now(UTC)
    token, text = new_token(name, "test", now=now)
    with aduan.running.store.begin() as tx:
        tx.people.add(Person(name=name, role=role, organisations=organisations, created_at=now), "root")
        tx.people.add_token(token, "root")
    return Program(aduan.url, text)
