"""Logging in: TLS that is insisted on, tokens that are kept, and settings that cannot be wrong (T13, T32, pain 23)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import ValidationError

from connectors.email import Email
from connectors.email.oauth import Tokens
from connectors.email.settings import EmailSettings, OAuth2
from connectors.errors import AuthFailed, Unavailable
from connectors_email.kit import NOW, settings
from connectors_email.servers import ImapServer, Introspection
from connectors_email.test_pull import mail

Build = Callable[..., Email]
EXCHANGE = {"client_id": "a", "refresh_token": "b"}


async def first(connector: Email) -> bytes:
    """The body of the first mail that comes."""
    async with contextlib.aclosing(connector.pull(None)) as pulled, asyncio.timeout(20):
        async for batch in pulled:
            if batch.keep:
                return batch.keep[0].body
    raise AssertionError("nothing came")


def login(server: ImapServer, **more: Any) -> dict[str, Any]:
    """Settings that lead to `server`."""
    return {"port": server.port, "user": server.user, "password": server.password, "folder": server.folder, **more}


@pytest.mark.dovecot
@pytest.mark.parametrize("tls", ["implicit", "starttls"])
async def test_tls(tls: str, dovecot_server: ImapServer, build: Build) -> None:
    dovecot_server.fresh()
    dovecot_server.deliver(mail(1))
    port = dovecot_server.tls_port if tls == "implicit" else dovecot_server.port
    trusted = login(dovecot_server, port=port, tls=tls, ca_file=str(dovecot_server.ca_file))
    assert await first(build(settings(trusted))) == mail(1)
    unknown = login(dovecot_server, port=port, tls=tls)
    with pytest.raises(Unavailable, match="certificate"):
        await first(build(settings(unknown)))


@pytest.mark.dovecot
async def test_a_tls_connection_wakes_and_ends_in_time(dovecot_server: ImapServer, build: Build) -> None:
    dovecot_server.fresh()
    connector = build(
        settings(
            login(dovecot_server, port=dovecot_server.tls_port, tls="implicit", ca_file=str(dovecot_server.ca_file))
        )
    )
    waiting = asyncio.create_task(first(connector))
    await asyncio.sleep(0.8)
    await asyncio.to_thread(dovecot_server.deliver, mail(2))
    assert await asyncio.wait_for(waiting, 10) == mail(2)
    idle = asyncio.create_task(first(connector))
    await idle
    async with asyncio.timeout(1.0):
        await connector.aclose()


async def test_without_starttls_no_password_is_sent(pymap_server: ImapServer, build: Build) -> None:
    with pytest.raises(Unavailable):
        await first(build(settings(login(pymap_server, tls="starttls"))))


class Grants:
    """A token endpoint that counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.status = 200
        self.token = Introspection.GOOD

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append({k: str(v) for k, v in (await request.post()).items()})
        return web.json_response(
            {"access_token": self.token, "expires_in": 3600, "refresh_token": f"putaran-{len(self.asked)}"},
            status=self.status,
        )


@pytest.fixture
async def grants() -> AsyncIterator[tuple[Grants, str, aiohttp.ClientSession]]:
    """A running token endpoint, its address, and a session to reach it."""
    found = Grants()
    app = web.Application()
    app.router.add_post("/token", found.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        yield found, f"http://127.0.0.1:{port}/token", session
    await runner.cleanup()


def refreshing(url: str, **more: Any) -> dict[str, Any]:
    """OAuth2 settings that exchange a refresh token."""
    return {"token_url": url, "client_id": "aduan", "client_secret": "rahasia", "refresh_token": "putaran-0", **more}


async def test_a_token_is_kept_until_shortly_before_it_ends(grants: tuple[Grants, str, aiohttp.ClientSession]) -> None:
    endpoint, url, session = grants
    moment = [NOW]
    tokens = Tokens(OAuth2.model_validate(refreshing(url)), lambda: session, lambda: moment[0])
    assert {await tokens.get() for _ in range(50)} == {Introspection.GOOD}
    moment[0] += timedelta(minutes=57)
    await tokens.get()
    assert len(endpoint.asked) == 1
    moment[0] += timedelta(minutes=2)
    await asyncio.gather(*(tokens.get() for _ in range(20)))
    assert [a["refresh_token"] for a in endpoint.asked] == ["putaran-0", "putaran-1"]
    assert endpoint.asked[0]["grant_type"] == "refresh_token"


@pytest.mark.parametrize(
    ("status", "error"), [(400, AuthFailed), (401, AuthFailed), (500, Unavailable), (302, Unavailable)]
)
async def test_a_grant_that_is_gone(
    status: int, error: type[Exception], grants: tuple[Grants, str, aiohttp.ClientSession]
) -> None:
    endpoint, url, session = grants
    endpoint.status = status
    tokens = Tokens(OAuth2.model_validate(refreshing(url)), lambda: session, lambda: NOW)
    with pytest.raises(error) as caught:
        await tokens.get()
    assert "rahasia" not in str(caught.value)
    assert "putaran" not in str(caught.value)


@pytest.mark.dovecot
@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
async def test_dovecot_takes_the_token(
    mechanism: str, dovecot_server: ImapServer, build: Build, grants: tuple[Grants, str, aiohttp.ClientSession]
) -> None:
    endpoint, url, session = grants
    dovecot_server.fresh()
    dovecot_server.deliver(mail(1))
    more = login(dovecot_server, password=None, oauth2=refreshing(url, mechanism=mechanism))
    connector = build(settings(more), lambda: session)
    assert await first(connector) == mail(1)
    assert await first(connector) == mail(1)
    assert len(endpoint.asked) == 1
    endpoint.token = "token-lama"
    refused = build(settings(more), lambda: session)
    with pytest.raises(AuthFailed):
        await first(refused)
    assert len(endpoint.asked) == 3, "a refused token is exchanged once, not for ever"
    given = login(dovecot_server, password=None, oauth2={"token": Introspection.GOOD, "mechanism": mechanism})
    assert await first(build(settings(given))) == mail(1)


@pytest.mark.parametrize(
    ("imap", "smtp", "more", "where"),
    [
        ({"host": "mail.example", "tls": "none"}, {}, {}, "imap"),
        ({}, {"host": "203.0.113.7", "tls": "none"}, {}, "smtp"),
        ({"password": "********"}, {}, {}, "password"),
        ({"password": ""}, {}, {}, "password"),
        ({"password": "••••••"}, {}, {}, "password"),
        ({"password": None}, {}, {}, "imap"),
        ({"oauth2": {"token": "sah"}}, {}, {}, "imap"),
        ({"password": None, "oauth2": {}}, {}, {}, "oauth2"),
        ({"password": None, "oauth2": {"token": "sah", **EXCHANGE, "token_url": "https://x"}}, {}, {}, "oauth2"),
        ({"password": None, "oauth2": {**EXCHANGE, "token_url": "http://x.example/t"}}, {}, {}, "oauth2"),
        ({"tls": "sometimes"}, {}, {}, "tls"),
        ({"check_every_seconds": 3600}, {}, {}, "check_every_seconds"),
        ({}, {"user": "x"}, {}, "smtp"),
        ({}, {"password": "rahasia"}, {}, "smtp"),
        ({}, {}, {"address": "bukan alamat"}, "address"),
        ({}, {}, {"aliases": ["a b@c"]}, "aliases"),
        ({}, {}, {"unknown": 1}, "unknown"),
    ],
)  # fmt: skip
def test_settings_that_cannot_work(
    imap: dict[str, Any], smtp: dict[str, Any], more: dict[str, Any], where: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(imap, smtp, **more)
    assert any(where in map(str, error["loc"]) for error in caught.value.errors())
    assert "rahasia" not in str(caught.value)


def test_settings_hide_their_secrets() -> None:
    found = settings({"password": "kata-sandi-imap"}, {"user": "u", "password": "kata-sandi-smtp"})
    for text in (repr(found), str(found), found.model_dump_json()):
        assert "kata-sandi" not in text
    assert found.address == "cs@akseleran.example"
    assert isinstance(found, EmailSettings)
