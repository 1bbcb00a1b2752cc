"""X, pretended: webhooks and challenges as X makes them, logins, limits, lists, the summoned reply (sheet A9)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest
from aiohttp import web

from simulator import Weather
from simulator.app import Simulation, start
from simulator.place import Attachment
from simulator.x import X
from simulator.x.records import weight
from simulator.x.signing import oauth_parameters, oauth_proves

SPEC = Path(__file__).parents[3] / "shared" / "specs" / "x" / "openapi.json"
SECRET = "invented-api-secret"


class Business:
    """A webhook that notes what comes and answers challenges."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.secret = SECRET
        self.status = 200

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What X gets."""
        if request.method == "GET":
            proof = hmac.new(self.secret.encode(), request.query["crc_token"].encode(), hashlib.sha256).digest()
            return web.json_response({"response_token": f"sha256={base64.b64encode(proof).decode()}"})
        self.requests.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status)

    def events(self) -> list[Any]:
        """The bodies that came."""
        return [json.loads(body) for _, body in self.requests]


@pytest.fixture
async def business() -> AsyncIterator[tuple[Business, str]]:
    """The business's webhook and its address."""
    found = Business()
    app = web.Application()
    app.router.add_route("*", "/in/x", found.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield found, f"http://127.0.0.1:{runner.addresses[0][1]}/in/x"
    await runner.cleanup()


@pytest.fixture
async def x(business: tuple[Business, str]) -> AsyncIterator[X]:
    """An account with OAuth 2.0, whose first token is already there."""
    account = X(
        user_id="111",
        username="akseleran",
        consumer_key="key",
        consumer_secret=SECRET,
        client_id="client",
        refresh_token="first",
        webhook_url=business[1],
    )
    account.tokens["good"] = account.clock() + 60
    simulation: Simulation = await start([account])
    yield account
    await simulation.aclose()


async def call(x: X, method: str, path: str, *, token: str = "good", **more: Any) -> tuple[int, Any, dict[str, str]]:
    """Status, body and headers of a call."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{x.base_url}{path}", headers=headers, **more) as answer,
    ):
        text = await answer.text()
        return answer.status, json.loads(text) if text else None, {k.lower(): v for k, v in answer.headers.items()}


async def test_webhooks_are_signed_and_told_once(x: X, business: tuple[Business, str]) -> None:
    """The signature is that of the bytes; a failed webhook is not repeated, but can be replayed."""
    ours, _ = business
    ours.status = 503
    await x.inject_text("budi", "halo 🙏")
    headers, body = ours.requests[0]
    proof = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    assert headers["x-twitter-webhooks-signature"] == f"sha256={proof}"
    await x.settled()
    assert len(ours.requests) == 1
    assert x.deliveries[0].given_up
    ours.status = 200
    assert await x.replay(0, x.clock() + 1) == 1
    again, done = ours.events()[1:]
    assert again == json.loads(body)
    assert done["replay_job_status"]["job_state"] == "Complete"


async def test_a_webhook_that_fails_its_challenge_gets_nothing(x: X, business: tuple[Business, str]) -> None:
    """Sheet A9: invalid until it is validated again."""
    ours, url = business
    assert (await x.challenge()).ok
    ours.secret = "wrong"
    assert not (await x.challenge()).ok
    await x.inject_text("budi", "halo")
    assert not ours.requests
    status, found, _ = await call(x, "GET", "/2/webhooks", token=x.bearer)
    assert (status, found["data"][0]["valid"]) == (200, False)
    ours.secret = SECRET
    assert (await call(x, "PUT", f"/2/webhooks/{x.webhook_id}", token=x.bearer))[1] == {"data": {"valid": True}}
    assert (await call(x, "POST", "/2/webhooks", token=x.bearer, json={"url": url}))[0] == 200
    assert (await call(x, "GET", "/2/webhooks"))[0] == 401, "the account's token is not the app's"


async def test_only_who_summoned_us_is_answered_in_public(x: X) -> None:
    """A0.4: the name in the text or a quotation; the names that X puts before a reply are none."""
    ours = x.own_post("promo")
    named = x.posted("budi", "halo @akseleran")
    quoted = x.posted("sari", "penipuan", quotes=ours)
    below = x.posted("dewi", "kapan?", reply_to=ours)
    for post, status in ((named, 201), (quoted, 201), (below, 403)):
        reply = {"in_reply_to_tweet_id": post.id}
        assert (await call(x, "POST", "/2/tweets", json={"text": "Mohon DM", "reply": reply}))[0] == status
    reply = {"in_reply_to_tweet_id": named.id}
    status, problem, _ = await call(x, "POST", "/2/tweets", json={"text": "Mohon DM", "reply": reply})
    assert (status, "duplicate content" in problem["detail"]) == (403, True)
    assert (await call(x, "POST", "/2/tweets", json={"text": "日" * 141, "reply": reply}))[0] == 400
    assert (await call(x, "POST", "/2/tweets", json={"text": "a", "reply": {"in_reply_to_tweet_id": "5"}}))[0] == 403
    assert (await call(x, "POST", "/2/tweets", data=b"{"))[0] == 400


async def test_limits_are_told_in_headers(x: X) -> None:
    """Sheet A9: 15 calls in 15 minutes, then 429 until the window is over."""
    now = [x.clock()]
    x.clock = lambda: now[0]
    x.tokens["good"] = now[0] + 5_000
    x.wrote("budi", "halo")
    for left in range(14, -1, -1):
        status, _, headers = await call(x, "GET", "/2/dm_events")
        assert (status, headers["x-rate-limit-remaining"]) == (200, str(left))
    status, _, headers = await call(x, "GET", "/2/dm_events")
    assert status == 429
    assert 895 <= float(headers["x-rate-limit-reset"]) - now[0] <= 902
    now[0] += 901
    assert (await call(x, "GET", "/2/dm_events"))[0] == 200


async def test_lists_show_what_was_asked_for(x: X) -> None:
    """Newest first, page by page; fields and people only when they are named; nobody's own posts among the mentions."""
    x.enforce_limits = False
    for number in range(5):
        x.wrote("budi", f"pesan {number} https://contoh.example/{number}")
        x.posted("sari", f"@akseleran {number}")
    x.own_post("@akseleran")
    _, bare, _ = await call(x, "GET", "/2/dm_events")
    assert set(bare["data"][0]) == {"id", "event_type", "text"}
    assert "t.co" in bare["data"][0]["text"]
    seen: list[str] = []
    token: dict[str, str] = {}
    fields = {"dm_event.fields": "sender_id,created_at,entities", "expansions": "sender_id", "max_results": "2"}
    while True:
        _, page, _ = await call(x, "GET", "/2/dm_events", params={**fields, **token})
        seen += [each["id"] for each in page["data"]]
        assert page["includes"]["users"][0]["username"] == "budi"
        if "next_token" not in page["meta"]:
            break
        token = {"pagination_token": page["meta"]["next_token"]}
    assert seen == sorted(seen, key=int, reverse=True)
    assert len(seen) == 5
    _, found, _ = await call(x, "GET", "/2/users/111/mentions")
    assert len(found["data"]) == 5
    since = {"since_id": found["data"][1]["id"]}
    assert [each["id"] for each in (await call(x, "GET", "/2/users/111/mentions", params=since))[1]["data"]] == [
        found["data"][0]["id"]
    ]
    assert (await call(x, "GET", "/2/users/222/mentions"))[0] == 404


async def test_a_refresh_token_works_once(x: X) -> None:
    """Sheet A9: the second use is refused, the new one works; access tokens end."""
    form = {"grant_type": "refresh_token", "client_id": "client", "refresh_token": "first"}
    status, found, _ = await call(x, "POST", "/2/oauth2/token", data=form)
    assert status == 200
    assert (await call(x, "POST", "/2/oauth2/token", data=form))[0] == 400
    assert (await call(x, "GET", "/2/users/me", token=found["access_token"]))[0] == 200
    assert (await call(x, "POST", "/2/oauth2/token", data=form | {"refresh_token": found["refresh_token"]}))[0] == 200
    x.tokens.clear()
    assert (await call(x, "GET", "/2/users/me", token=found["access_token"]))[0] == 401


async def test_weather_on_the_way_out(x: X, business: tuple[Business, str]) -> None:
    """Direct messages share deliveries in batches; unsubscribed, nothing comes and the console says so."""
    ours, _ = business
    x.weather = Weather.named("batches", seed=3)
    for number in range(20):
        await x.inject_text("budi", f"pesan {number}")
    await x.settled()
    events = ours.events()
    assert len(events) < 20
    assert sum(len(each["data"]["payload"]["direct_message_events"]) for each in events) == 20
    x.weather = Weather.named("unsubscribed")
    await x.inject_mention("sari", "halo")
    await x.settled()
    assert len(ours.requests) == len(events)
    assert (await call(x, "GET", "/2/activity/subscriptions", token=x.bearer))[1]["data"] == []


async def test_a_visitor_sees_both_answers(x: X) -> None:
    """The page: a message and its answer; a mention with its public line and its private receipt."""
    messages, mentions = x.talks()
    await messages.say("budi", "halo", Attachment("a.jpg", "image/jpeg", b"x"))
    await mentions.say("budi", "tolong saya")
    post = next(each for each in x.posts if each.author.handle == "budi")
    await call(x, "POST", f"/2/dm_conversations/with/{post.author.id}/messages", json={"text": "Nomor: KLA-1"})
    await call(x, "POST", "/2/tweets", json={"text": "Mohon DM", "reply": {"in_reply_to_tweet_id": post.id}})
    assert [(line.mine, line.text) for line in messages.conversation("budi")] == [
        (True, "halo"),
        (False, "Nomor: KLA-1"),
    ]
    assert [(line.mine, line.text, line.note) for line in mentions.conversation("budi")] == [
        (True, "@akseleran tolong saya", "kiriman publik"),
        (False, "Nomor: KLA-1", "balasan pribadi"),
        (False, "Mohon DM", "balasan publik"),
    ]
    assert messages.conversation("budi")[0].attachments[0].content == b"x"


def test_signatures_of_calls() -> None:
    """RFC 5849: a call whose moment is long past proves nothing; another scheme is none of these."""
    header = (
        'OAuth oauth_consumer_key="key", oauth_nonce="n", oauth_signature="c2ln", oauth_signature_method="HMAC-SHA1", '
        'oauth_timestamp="1318622958", oauth_token="t", oauth_version="1.0"'
    )
    given = oauth_parameters(header)
    assert given is not None
    assert given["oauth_token"] == "t"
    assert not oauth_proves(given, "POST", "https://api.x.com/2/tweets", "", "secret", "secret")
    assert oauth_parameters("Bearer x") is None


def test_posts_are_weighed() -> None:
    """twitter-text 3: Latin counts one, everything else two, a link 23."""
    for text, expected in (
        ("abc é", 5),
        ("日本", 4),
        ("“a”", 3),
        ("lihat https://aduan.example.co.id/status/halaman", 29),
    ):
        assert weight(text) == expected


@pytest.mark.skipif(not SPEC.is_file(), reason="the official contracts do not lie beside the repository")
async def test_lists_keep_the_official_contract(x: X) -> None:
    """What the lists show fits X's own OpenAPI description, as far as its names are those that the API sends."""
    contract = json.loads(SPEC.read_text("utf-8"))
    x.wrote("budi", "halo", attachment=Attachment("a.jpg", "image/jpeg", b"x"))
    x.posted("sari", "@akseleran halo", files=[Attachment("a.jpg", "image/jpeg", b"x")])
    params = {
        "dm_event.fields": "sender_id,created_at,entities,attachments,dm_conversation_id",
        "expansions": "sender_id,attachments.media_keys",
    }
    _, messages, _ = await call(x, "GET", "/2/dm_events", params=params)
    _, posts, _ = await call(x, "GET", "/2/users/111/mentions")
    for name, item in (("DmEvent", messages["data"][0]), ("Post", posts["data"][0])):
        schema = {"$ref": f"#/components/schemas/{name}", "components": contract["components"]}
        jsonschema.validate(item, schema)
