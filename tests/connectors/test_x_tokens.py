"""OAuth 2.0 at X: tokens are renewed in time and stored before they are used (A9)."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from connectors.errors import AuthFailed, Misconfigured, Unavailable
from connectors.x import CalledByX
from harness.serving import MakeSetup, Serve
from harness.x_account import x_account
from normalizer.message import Outgoing
from simulator.x import X


@pytest.fixture
async def x() -> AsyncIterator[X]:
    """X, pretended; the account logs in by OAuth 2.0."""
    async with x_account(
        client_id="invented-client", client_secret="invented-client-secret", refresh_token="invented-first-refresh"
    ) as account:
        yield account


@pytest.fixture
def make(x: X, make_setup: MakeSetup, tmp_path: Path) -> Callable[..., CalledByX]:
    """Makes the connector; arguments change `oauth2`."""

    def made(api_base: str = x.base_url, **changes: Any) -> CalledByX:
        oauth2 = {
            "client_id": "invented-client",
            "client_secret": "invented-client-secret",
            "refresh_token": "invented-first-refresh",
            "token_file": str(tmp_path / "tokens" / "x.json"),
            **changes,
        }
        return CalledByX(make_setup("x", api_base=api_base, access_token=None, access_token_secret=None, oauth2=oauth2))

    (tmp_path / "tokens").mkdir(exist_ok=True)
    return made


def out(x: X, text: str = "Nomor: KLA-1") -> Outgoing:
    """A receipt on its way to Budi."""
    return Outgoing(key="r-1", recipient=x.meet("budi_s").id, text=text)


def stored(file: Path) -> list[str]:
    """The refresh tokens in a file, one for each login."""
    return [pair["refresh_token"] for pair in json.loads(file.read_bytes()).values()]


async def test_two_accounts_in_one_file_keep_their_tokens(serve: Serve, make: Callable[..., CalledByX]) -> None:
    """An operator copied a channel and its token_file: neither account throws away the other's only token."""
    spent: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("/oauth2/token"):
            given = str((await request.post())["refresh_token"])
            if given in spent:
                return web.json_response({"error": "invalid_request"}, status=400)
            spent.append(given)
            return web.json_response({"access_token": f"access-{len(spent)}", "refresh_token": f"{given}+"})
        return web.json_response({"data": {"dm_event_id": "7"}}, status=201)

    api_base = await serve(answer)
    for _ in range(2):
        for login in ("invented-first", "invented-other"):
            connector = make(api_base, refresh_token=login)
            await connector.send(Outgoing(key="r-1", recipient="22", text="Nomor: KLA-1"))
            await connector.aclose()
    assert spent == ["invented-first", "invented-other"]


async def test_a_new_token_is_stored_before_it_is_used(x: X, make: Callable[..., CalledByX], tmp_path: Path) -> None:
    """One renewal for many calls at once; the file is ours alone and outlives the process."""
    connector = make()
    await asyncio.gather(*(connector.send(out(x, f"Nomor: KLA-{n}")) for n in range(5)))
    assert list(x.renewals) == ["invented-first-refresh"]
    file = tmp_path / "tokens" / "x.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stored(file) == [x.refresh_token]
    await make().send(out(x))
    assert len(x.renewals) == 1, "another process takes the token that is still good"
    x.tokens.clear()
    await make().send(out(x))
    assert len(x.renewals) == 2, "a token that X withdrew is renewed once"
    assert stored(file) == [x.refresh_token]


async def test_two_processes_renew_once(x: X, make: Callable[..., CalledByX]) -> None:
    """A refresh token works once: who comes second takes what the first stored."""
    connectors = [make() for _ in range(4)]
    await asyncio.gather(*(each.send(out(x, f"Nomor: KLA-{n}")) for n, each in enumerate(connectors)))
    assert len(x.renewals) == 1


async def test_a_pair_that_could_not_be_stored_is_not_used(
    x: X, make: Callable[..., CalledByX], tmp_path: Path
) -> None:
    """The disk refuses: nothing is sent with the new token; it is used when the disk is mended."""
    connector = make()
    file = tmp_path / "tokens" / "x.json"
    (tmp_path / "tokens" / "x.json.new").mkdir()
    for _ in range(2):
        with pytest.raises(Misconfigured, match="cannot be written"):
            await connector.send(out(x))
    assert len(x.sent) == 0
    assert len(x.renewals) == 1
    assert not file.exists()
    (tmp_path / "tokens" / "x.json.new").rmdir()
    await connector.send(out(x))
    assert len(x.renewals) == 1
    assert stored(file) == [x.refresh_token]


async def test_a_login_that_ended_is_told(x: X, make: Callable[..., CalledByX], tmp_path: Path) -> None:
    """A spent refresh token needs a person; a new login in the settings replaces what the file holds."""
    for wrong in ({"refresh_token": "spent-refresh-token"}, {"client_secret": "wrong-client-secret"}):
        with pytest.raises(AuthFailed) as caught:
            await make(**wrong).check()
        assert "token " not in str(caught.value).replace("refresh_token)", "")
    await make().send(out(x))
    x.refresh_token = "invented-second-login"
    x.tokens.clear()
    with pytest.raises(AuthFailed):
        await make().send(out(x))
    await make(refresh_token="invented-second-login").send(out(x))
    file = tmp_path / "tokens" / "x.json"
    file.write_bytes(b"{broken")
    with pytest.raises(Misconfigured, match="cannot be read"):
        await make().send(out(x))
    with pytest.raises(Misconfigured, match="cannot be used"):
        await make(token_file=str(tmp_path / "nowhere" / "x.json")).send(out(x))


async def test_trouble_while_renewing(x: X, make: Callable[..., CalledByX]) -> None:
    """5xx, HTML, half an answer: tried again later; the credentials stand in no text."""
    for status, body in ((503, b"<html>"), (200, b"<html>"), (200, b'{"access_tok'), (200, b"{}"), (429, b"")):
        x.token_faults.http(status, body)
        with pytest.raises(Unavailable) as caught:
            await make().send(out(x))
        assert "invented" not in str(caught.value)
    await make().send(out(x))


async def test_a_renewal_that_nobody_waits_for_any_more_is_stored(
    serve: Serve, make: Callable[..., CalledByX], tmp_path: Path
) -> None:
    """Cut off while X renews, by a time-out or at the end: the token is spent, so its successor must reach the disk."""
    spent: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        spent.append(str((await request.post())["refresh_token"]))
        await asyncio.sleep(0.3)
        return web.json_response({"access_token": "invented-access", "refresh_token": "invented-second"})

    connector = make(await serve(answer))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await connector.check()
    await connector.aclose()
    assert stored(tmp_path / "tokens" / "x.json") == ["invented-second"]
    assert spent == ["invented-first-refresh"]
