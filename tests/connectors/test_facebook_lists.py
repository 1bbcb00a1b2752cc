"""Facebook's lists: what is looked for before a second try, and the comments of a gap, as Meta lists them (P6, A13)."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from connectors.errors import Ambiguous
from connectors.facebook import Facebook
from harness.facebook_page import SARI, TONO, Ours, out, page_of
from harness.serving import MakeSetup, Serve
from normalizer.message import Message
from simulator.facebook import Facebook as Page

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC)


@pytest.fixture
async def ours() -> Ours:
    """Our side."""
    return Ours()


@pytest.fixture
async def page(ours: Ours, serve: Serve, make_setup: MakeSetup) -> AsyncIterator[Page]:
    """Meta's side."""
    async with page_of(ours, serve, make_setup) as page:
        yield page


async def test_a_doubtful_line_below_a_reply_is_looked_for_where_it_stands(page: Page, ours: Ours) -> None:
    """Sheet A13, A7: Meta knows one level of answers, the line may stand below the comment that begins the thread."""
    root = await page.comment(SARI, "Dana saya belum kembali!")
    await page.comment(TONO, "Saya juga", parent=root)
    reply = ours.last(Message).reply
    assert reply is not None
    line = {"recipient": reply.recipient, "in_reply_to": reply.in_reply_to, "public": True}
    page.faults.reset(accepted=True)
    with pytest.raises(Ambiguous):
        await ours.facebook.send(out(**line))
    again = await ours.facebook.send(out(**line, possible_duplicate=True, first_attempt_at=datetime.now(UTC)))
    assert [answer.id for answer in page.answers] == [again.provider_id]


async def test_the_line_to_somebody_else_is_not_taken_for_ours(page: Page, ours: Ours) -> None:
    """Everybody gets the same words: only a line that is not older than the first try can be its result."""
    root = await page.comment(SARI, "Dana saya belum kembali!")
    page.add_comment(page.page_id, page.name, "Lewat DM ya", parent=root, post=None, at=page.clock() - 3600)
    await page.comment(TONO, "Saya juga", parent=root)
    reply = ours.last(Message).reply
    assert reply is not None
    await ours.facebook.send(out(
        recipient=reply.recipient, in_reply_to=reply.in_reply_to, public=True, text="Lewat DM ya",
        possible_duplicate=True, first_attempt_at=datetime.now(UTC),
    ))  # fmt: skip
    assert len(page.answers) == 1


def comment(id_: str, at: datetime) -> dict[str, Any]:
    """A comment as Meta lists it."""
    return {"id": id_, "message": "Halo", "from": {"id": SARI}, "created_time": at.isoformat()}


async def test_a_post_that_is_refused_does_not_end_the_look(serve: Serve, make_setup: MakeSetup) -> None:
    """P6: it was deleted a moment ago, or is of a kind without comments; those of all other posts are still missing."""

    async def answer(request: web.Request) -> web.StreamResponse:
        node = request.path.split("/")[-2]
        if request.path.endswith("/feed"):
            return web.json_response({"data": [{"id": "9_1"}, {"id": "9_2"}, {"id": "9_3"}]})
        if node == "9_2":
            error = {"code": 100, "error_subcode": 33}
            return web.json_response({"error": error}, status=400)
        return web.json_response({"data": [comment(f"{node}1", NOW)]})

    assert await listed(make_setup, await serve(answer)) == ["9_11", "9_31"]


async def test_a_list_that_heeds_no_moment_ends(serve: Serve, make_setup: MakeSetup) -> None:
    """Newest first: behind a page on which everything is older nothing new stands, however many pages there are."""
    asked = itertools.count()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/feed"):
            return web.json_response({"data": [{"id": "9_1"}]})
        number = next(asked)
        paging = {"next": "https://graph.facebook.com/", "cursors": {"after": f"page-{number}"}}
        # The second page is empty, as Meta's are where everything on it is hidden.
        found = [] if number == 1 else [comment(f"9_1{number}", NOW - number * HOUR)]
        return web.json_response({"data": found, "paging": paging} if number < 50 else {"data": []})

    assert await listed(make_setup, await serve(answer), NOW - 2.5 * HOUR) == ["9_10", "9_12"]
    assert next(asked) == 4


async def test_a_list_that_leads_back_to_itself_ends(serve: Serve, make_setup: MakeSetup) -> None:
    """A position that was asked for before is not asked for again."""
    asked = itertools.count()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/feed"):
            return web.json_response({"data": [{"id": "9_1"}]})
        number = next(asked)
        paging = {"next": "https://graph.facebook.com/", "cursors": {"after": f"page-{number % 3}"}}
        assert number < 10
        return web.json_response({"data": [comment("9_10", NOW)], "paging": paging})

    assert set(await listed(make_setup, await serve(answer))) == {"9_10"}


async def listed(make_setup: MakeSetup, base: str, since: datetime = NOW - HOUR) -> list[str]:
    """The ids of the comments that the connector lists."""
    ours = Ours()
    ours.connector = Facebook(make_setup("facebook", api_base=base))
    found = [event.external_id for event in await ours.listed(since) if isinstance(event, Message)]
    await ours.facebook.aclose()
    return found
