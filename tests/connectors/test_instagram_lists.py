"""Instagram's lists and answers, however Meta gives them: nothing is said twice, no comment is missed (P6, A13)."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from connectors.contract import Setup
from connectors.errors import Ambiguous, Misconfigured, Unreachable
from connectors.instagram import Instagram
from normalizer.message import Event, Ignored, Message, Outgoing, Raw
from simulator.app import start
from simulator.instagram import Instagram as Meta

MakeSetup = Callable[..., Setup]
Serve = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]
ACCOUNT = "17841400000000001"
NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
async def meta() -> AsyncIterator[Meta]:
    """The account at Meta, pretended."""
    account = Meta(
        account_id=ACCOUNT,
        access_token="invented-access-token",
        app_secret="invented-app-secret",
        verify_token="invented-verify-token",
    )
    simulation = await start([account])
    yield account
    await simulation.aclose()


@pytest.fixture
async def connect(make_setup: MakeSetup) -> AsyncIterator[Callable[..., Instagram]]:
    """Makes the connector of an account that answers at an address."""
    made: list[Instagram] = []

    def connect(base: str, **settings: Any) -> Instagram:
        made.append(Instagram(make_setup("instagram", api_base=base, timeout_seconds=0.5, **settings)))
        return made[-1]

    yield connect
    for each in made:
        await each.aclose()


Connect = Callable[..., Instagram]


@pytest.mark.parametrize("flagged", [True, False])
async def test_a_line_is_looked_for_before_every_later_try(meta: Meta, connect: Connect, flagged: bool) -> None:
    """Sheet A13: a 5xx is no flagged doubt, the line may stand there, also below more replies than one page lists."""
    connector = connect(meta.base_url)
    comment = meta.commented("sari.w", "Dana saya?")
    for number in range(120):
        meta.commented(f"orang_{number}", "Saya juga", parent=comment.id)
    first_attempt = datetime.now(UTC) - timedelta(seconds=2)
    line = Outgoing(key="p.1", recipient=f"comment:{comment.id}/1784", text="Lewat DM ya.", public=True)
    meta.faults.reset(accepted=True)
    with pytest.raises(Ambiguous):
        await connector.send(line)
    again = Outgoing(
        key=line.key, recipient=line.recipient, text=line.text, public=True,
        possible_duplicate=flagged, first_attempt_at=first_attempt,
    )  # fmt: skip
    assert (await connector.send(again)).provider_id == meta.answers[0].id
    assert len(meta.answers) == 1


async def test_a_recipient_that_is_a_number_is_read(serve: Serve, connect: Connect) -> None:
    """An answer that names the person otherwise is still an answer: not sent again, and the person is recognized."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"recipient_id": 1784140555001, "message_id": "aWdf1"})

    connector = connect(await serve(answer))
    sent = await connector.send(Outgoing(key="r.1", recipient="comment:178/1784140555001", text="Nomor tiket: AKS-1"))
    assert sent.registers == (f"ig:{ACCOUNT}:aWdf1", f"ig:{ACCOUNT}:ig:1784140555001")


async def test_nobody_there_is_not_answered_already(serve: Serve, connect: Connect) -> None:
    """P14: the contested number means "no such person" where the conversation says so too: nothing was sent."""

    async def answer(request: web.Request) -> web.StreamResponse:
        code = {"code": 100, "error_subcode": 2534014} if request.method == "POST" else {"code": 551}
        return web.json_response({"error": code}, status=400)

    connector = connect(await serve(answer))
    with pytest.raises(Unreachable):
        await connector.send(Outgoing(key="r.1", recipient="comment:178/1784140555001", text="Nomor tiket: AKS-1"))


def comment(id_: str, at: datetime, **more: Any) -> dict[str, Any]:
    """A comment as Meta lists it."""
    return {"id": id_, "text": "Halo", "timestamp": at.isoformat(), "from": {"id": "1784140555001"}, **more}


async def test_a_post_that_is_refused_does_not_end_the_look(serve: Serve, connect: Connect) -> None:
    """P6: it was deleted a moment ago; those of all other posts are still missing. Empty pages end nothing."""
    asked = itertools.count()

    async def answer(request: web.Request) -> web.StreamResponse:
        node = request.path.split("/")[-2]
        if request.path.endswith("/media"):
            return web.json_response({"data": [{"id": "1"}, {"id": "2"}, {"id": "3"}]})
        if node == "2":
            return web.json_response({"error": {"code": 100, "error_subcode": 33}}, status=400)
        number = next(asked)
        paging = {"next": "https://graph.facebook.com/", "cursors": {"after": f"page-{number}"}} if number < 2 else {}
        found = [] if number == 1 else [comment(f"{node}{number}", NOW)]
        return web.json_response({"data": found, "paging": paging})

    found = await listed(connect(await serve(answer)))
    assert [event.external_id for event in found if isinstance(event, Message)] == ["10", "12", "33"]


async def test_our_own_comment_in_a_list_is_no_complaint(serve: Serve, connect: Connect) -> None:
    """T33: a list may name the account by its scoped id, or not at all; then only `user` tells that it is ours."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/media"):
            return web.json_response({"data": [{"id": "1"}]})
        assert "user" in request.query["fields"].split(",")
        own = comment("11", NOW, user={"id": ACCOUNT})
        nameless = {key: value for key, value in comment("12", NOW, user={"id": ACCOUNT}).items() if key != "from"}
        return web.json_response({"data": [own, nameless]})

    assert await listed(connect(await serve(answer))) == [Ignored(reason="own comment")] * 2


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+0100", "9999-12-31T23:59:59-0100", "kemarin", None, ""])
async def test_a_time_that_is_none_costs_no_comment(serve: Serve, connect: Connect, at: str | None) -> None:
    """P32: whatever the list says of the time, the comment is a complaint and the look goes on."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/media"):
            return web.json_response({"data": [{"id": "1"}]})
        return web.json_response({"data": [comment("11", NOW) | {"timestamp": at}]})

    (found,) = await listed(connect(await serve(answer)))
    assert isinstance(found, Message)
    assert "no_timestamp" in found.flags


@pytest.mark.parametrize(("page_id", "named"), [(None, {"id": "9876", "user_id": ACCOUNT}), ("106", {"id": ACCOUNT})])
async def test_a_check_knows_the_account_by_either_login(
    serve: Serve, connect: Connect, page_id: str | None, named: dict[str, str]
) -> None:
    """With Instagram Login `id` is the app's and `user_id` is what webhooks name; else there is no `user_id`."""
    known = dict(named)

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("subscribed_apps"):
            return web.json_response({"data": [{"subscribed_fields": ["messages", "comments"]}]})
        if page_id is not None and "user_id" in request.query["fields"]:
            return web.json_response({"error": {"code": 100}}, status=400)
        return web.json_response(known)

    connector = connect(await serve(answer), page_id=page_id)
    await connector.check()
    known.update(dict.fromkeys(known, "1"))
    with pytest.raises(Misconfigured, match="account_id"):
        await connector.check()


async def listed(connector: Instagram) -> list[Event]:
    """What the comments mean that the connector lists."""
    raws: list[Raw] = [raw async for batch in connector.since(NOW - HOUR) for raw in batch.keep]
    assert all(json.loads(raw.body)["account"] == ACCOUNT for raw in raws)
    return [event for raw in raws for event in connector.parse(raw)]
