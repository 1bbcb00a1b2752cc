"""The pretended Facebook page: signatures, shapes, windows, private replies, lists, files, and what a visitor sees."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import simulator
from simulator import Weather
from simulator.facebook import Facebook, Update
from simulator.place import Attachment, Choice

SPECS = Path(__file__).parents[3] / "shared" / "specs" / "meta" / "graph-specs"
SARI = "24900000000001"


@pytest.fixture
async def page(business: Any) -> AsyncIterator[Facebook]:
    account = Facebook(
        app_secret="app-secret",
        page_token="token-1",
        page_id="1029",
        verify_token=business.verify_token,
        webhook_url=business.url + "/in/fb",
        name="Akseleran",
        time_scale=0.001,
        report_delays={"sent": 0.0, "delivered": 0.0, "read": 0.0},
    )
    account.subscribe()
    async with await simulator.start([account]):
        yield account


async def call(page: Facebook, method: str, path: str, token: str = "token-1", **request: Any) -> tuple[int, Any]:
    """The answer of one call: (status, JSON)."""
    headers = {"Authorization": f"Bearer {token}"}
    async with page.place.http.request(method, f"{page.base_url}/v26.0/{path}", headers=headers, **request) as answer:
        return answer.status, await answer.json()


async def send(page: Facebook, recipient: dict[str, str], text: str = "Halo", **body: Any) -> tuple[int, Any]:
    """The answer to one send."""
    message = {"text": text} | body.pop("message", {})
    given = {"recipient": recipient, "messaging_type": "RESPONSE", "message": message} | body
    return await call(page, "POST", "1029/messages", json=given)


def items(business: Any, kind: str = "messaging") -> list[Any]:
    """Every item of one list in every webhook so far."""
    bodies = [json.loads(each.body) for each in business.calls]
    return [item for body in bodies for entry in body["entry"] for item in entry.get(kind, [])]


async def test_webhooks_are_signed_and_shaped(page: Facebook, business: Any) -> None:
    """HMAC-SHA256 over the raw bytes; non-ASCII escaped; the page in entry and recipient; milliseconds."""
    mid = await page.inject_text(SARI, "Halo ä", at=1_767_573_000)
    (webhook,) = business.calls
    expected = hmac.new(b"app-secret", webhook.body, hashlib.sha256).hexdigest()
    assert webhook.headers["X-Hub-Signature-256"] == f"sha256={expected}"
    assert b"\\u00e4" in webhook.body
    body = json.loads(webhook.body)
    assert (body["object"], body["entry"][0]["id"]) == ("page", "1029")
    assert items(business) == [
        {"sender": {"id": SARI}, "recipient": {"id": "1029"}, "timestamp": 1_767_573_000_000,
         "message": {"mid": mid, "text": "Halo ä"}}
    ]  # fmt: skip


async def test_several_items_share_a_post(page: Facebook, business: Any) -> None:
    """Each item in an entry of its own."""
    like = {"field": "feed", "value": {"item": "like"}}
    read = page.item(SARI, read={"watermark": 1})
    await page.inject_batch([Update("messaging", read, 0.0), Update("changes", like, 0.0)])
    assert len(business.calls) == 1
    assert (len(items(business)), len(items(business, "changes"))) == (1, 1)


async def test_a_send_is_echoed_delivered_and_read(page: Facebook, business: Any) -> None:
    """message_echoes with app_id and metadata, message_deliveries with mids, message_reads with a watermark."""
    await page.inject_text(SARI, "Halo")
    status, taken = await send(page, {"id": SARI}, message={"metadata": "r-1"})
    assert (status, taken["recipient_id"]) == (200, SARI)
    await page.settled()
    _, echo, delivered, read = items(business)
    assert (echo["sender"]["id"], echo["recipient"]["id"]) == ("1029", SARI)
    assert (echo["message"]["is_echo"], echo["message"]["metadata"]) == (True, "r-1")
    assert delivered["delivery"]["mids"] == [taken["message_id"]] == [echo["message"]["mid"]]
    assert "watermark" in read["read"]


@pytest.mark.parametrize(
    ("recipient", "body", "numbers"),
    [
        ({"id": SARI}, {"text": "x" * 2_001}, (100, None)),
        ({"id": SARI}, {"text": ""}, (100, None)),
        ({"id": SARI}, {"message": {"metadata": "x" * 1_001}}, (100, None)),
        ({"id": SARI}, {"message": {"quick_replies": [{"title": "x" * 21}]}}, (100, None)),
        ({"id": SARI, "comment_id": "1"}, {}, (100, None)),
        ({"id": SARI}, {"messaging_type": "SHOUT"}, (100, None)),
        ({"id": SARI}, {"messaging_type": "MESSAGE_TAG", "tag": "CONFIRMED_EVENT_UPDATE"}, (100, None)),
        ({"id": "777"}, {}, (100, 2018001)),
        ({"comment_id": "1_1"}, {}, (100, 33)),
    ],
)
async def test_what_a_send_may_not_be(
    page: Facebook, recipient: dict[str, str], body: dict[str, Any], numbers: tuple[int, int | None]
) -> None:
    """Refused with the numbers that Meta's reference lists."""
    await page.inject_text(SARI, "Halo")
    status, answer = await send(page, recipient, **body)
    assert status == 400
    assert (answer["error"]["code"], answer["error"].get("error_subcode")) == numbers


async def test_the_window(page: Facebook) -> None:
    """24 hours after the last message; a reaction does not renew it; people may write for seven days."""
    await page.inject_text(SARI, "Halo", at=page.clock() - 86_500)
    await page.inject_reaction(SARI, "m_1")
    status, answer = await send(page, {"id": SARI})
    assert (status, answer["error"]["code"], answer["error"]["error_subcode"]) == (403, 10, 2018278)
    assert (await send(page, {"id": SARI}, messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT"))[0] == 200
    page.unreachable.add(SARI)
    assert (await send(page, {"id": SARI}))[1]["error"]["code"] == 551


async def test_one_private_reply_for_a_comment(page: Facebook) -> None:
    """Once, within seven days; afterwards the comment says so."""
    comment = await page.comment("sari.w", "Dana saya belum kembali!")
    fields = {"fields": "can_reply_privately,private_reply_conversation,from"}
    before = (await call(page, "GET", comment, params=fields))[1]
    assert before["can_reply_privately"] is True
    assert before["from"]["name"] == "sari.w"
    assert (await send(page, {"comment_id": comment}))[0] == 200
    assert (await send(page, {"comment_id": comment}))[1]["error"]["code"] == 10900
    after = (await call(page, "GET", comment, params=fields))[1]
    assert after["can_reply_privately"] is False
    assert after["private_reply_conversation"]["id"]
    old = await page.comment(SARI, "lama", at=page.clock() - 8 * 86_400)
    assert (await send(page, {"comment_id": old}))[1]["error"]["error_subcode"] == 2018278


async def test_the_pages_own_comment_comes_back(page: Facebook, business: Any) -> None:
    """As a webhook like any other: who answers everything answers itself."""
    root = await page.comment(SARI, "Halo")
    status, made = await call(page, "POST", f"{root}/comments", json={"message": "Mohon lewat DM"})
    assert status == 200
    await page.settled()
    own = items(business, "changes")[-1]["value"]
    assert (own["from"]["id"], own["parent_id"], own["comment_id"]) == ("1029", root, made["id"])
    assert (await call(page, "POST", f"{root}/comments", json={"message": ""}))[0] == 400
    await page.remove_comment(root)
    assert (await call(page, "POST", f"{root}/comments", json={"message": "x"}))[1]["error"]["error_subcode"] == 33


async def test_nested_comments_stand_below_the_first(page: Facebook, business: Any) -> None:
    """Two levels: an answer to an answer has the first comment as its parent."""
    root = await page.comment(SARI, "satu")
    below = await page.comment("tono", "dua", parent=root)
    await page.comment(SARI, "tiga", parent=below)
    await page.edit_comment(root, "satu!")
    await page.hide_comment(root)
    values = [item["value"] for item in items(business, "changes")]
    assert [value["parent_id"] for value in values[:3]] == ["1029_1", root, root]
    assert [value["verb"] for value in values[3:]] == ["edited", "hide"]


async def test_lists_page_by_page(page: Facebook) -> None:
    """since, order, filter, cursors; `next` only while there is more; only the fields that were asked for."""
    page.page_size = 2
    now = page.clock()
    ids = [await page.comment(SARI, str(n), at=now - 50 + n) for n in range(3)]
    nested = await page.comment("tono", "n", parent=ids[0], at=now)
    await page.comment(SARI, "lama", at=now - 5_000)
    query = {"filter": "stream", "order": "reverse_chronological", "since": str(int(now - 100)), "fields": "id,message"}
    first = (await call(page, "GET", "1029_1/comments", params=query))[1]
    assert [each["id"] for each in first["data"]] == [nested, ids[2]]
    assert set(first["data"][0]) == {"id", "message"}
    more = query | {"after": first["paging"]["cursors"]["after"]}
    second = (await call(page, "GET", "1029_1/comments", params=more))[1]
    assert [each["id"] for each in second["data"]] == [ids[1], ids[0]]
    assert "next" not in second["paging"]
    top = (await call(page, "GET", "1029_1/comments"))[1]
    assert nested not in {each["id"] for each in top["data"]}
    assert [each["id"] for each in (await call(page, "GET", f"{ids[0]}/comments"))[1]["data"]] == [nested]
    assert (await call(page, "GET", "1029/feed"))[1]["data"][0]["id"] == "1029_1"


async def test_who_may_call(page: Facebook) -> None:
    """Another token, another version, an unknown object."""
    assert (await call(page, "GET", "1029", token="x"))[1]["error"]["code"] == 190
    assert (await call(page, "GET", "me"))[1] == {"id": "1029", "name": "Akseleran"}
    assert (await call(page, "GET", "1030"))[1]["error"]["error_subcode"] == 33
    page.weather = Weather.named("expired-token")
    assert (await call(page, "GET", "1029"))[1]["error"]["code"] == 190


async def test_subscriptions(page: Facebook, business: Any) -> None:
    """Without one nothing goes out; unknown fields are refused."""
    assert (await call(page, "DELETE", "1029/subscribed_apps"))[0] == 200
    assert (await call(page, "GET", "1029/subscribed_apps"))[1] == {"data": []}
    await page.inject_text(SARI, "hilang")
    assert business.calls == []
    wrong = await call(page, "POST", "1029/subscribed_apps", params={"subscribed_fields": "messages,smoke"})
    assert wrong[1]["error"]["code"] == 100
    await call(page, "POST", "1029/subscribed_apps", params={"subscribed_fields": "messages,feed"})
    (app,) = (await call(page, "GET", "1029/subscribed_apps"))[1]["data"]
    assert app["subscribed_fields"] == ["messages", "feed"]


async def test_retries_until_accepted(page: Facebook, business: Any) -> None:
    """Anything but 200 is tried again, with the same bytes."""
    business.statuses = [500, 204]
    await page.inject_text(SARI, "Halo")
    await page.settled()
    assert len(business.calls) == 3
    assert len({each.body for each in business.calls}) == 1
    assert page.deliveries[-1].status == 200


@pytest.mark.parametrize("name", ["rate-limit", "server-errors", "window-closed"])
async def test_weather_ends_by_itself(page: Facebook, name: str) -> None:
    """Calls meet troubles of that kind, and one after the other goes well unless the weather never ends."""
    await page.inject_text(SARI, "Halo")
    page.weather = Weather.named(name, 1)
    statuses = []
    for _ in range(12):
        try:
            statuses.append((await send(page, {"id": SARI}))[0])
        except (aiohttp.ClientError, ValueError):  # a broken connection, or an answer that is no JSON
            statuses.append(0)
    assert any(status != 200 for status in statuses)
    assert (200 in statuses) == (name != "window-closed")


async def test_a_visitor_plays_the_customer(page: Facebook, business: Any) -> None:
    """The page's two talks: the inbox, and the comments with the public and the private answer."""
    messenger, comments = page.talks()
    assert (messenger.asks, comments.asks, messenger.name) == ("handle", "handle", "Akseleran")
    await messenger.say("budi.s", "Halo", Attachment("a.pdf", "application/pdf", b"%PDF"))
    person = page.received[0].person
    quick = {"quick_replies": [{"content_type": "text", "title": "Ya", "payload": "YA"}]}
    await send(page, {"id": person}, "Benar?", message=quick)
    await messenger.choose("budi.s", Choice("YA", "Ya"))
    assert [(line.mine, line.text) for line in messenger.conversation("budi.s")] == [
        (True, "Halo"), (False, "Benar?"), (True, "Ya"),
    ]  # fmt: skip
    await comments.say("budi.s", "Dana saya belum kembali!")
    await comments.say("budi.s", "Tolong!")
    root = next(iter(page.comments))
    await call(page, "POST", f"{root}/comments", json={"message": "Mohon lewat DM"})
    await send(page, {"comment_id": root}, "Nomor tiket: X")
    lines = comments.conversation("budi.s")
    assert [(line.mine, line.text) for line in lines] == [
        (True, "Dana saya belum kembali!"), (True, "Tolong!"), (False, "Mohon lewat DM"), (False, "Nomor tiket: X"),
    ]  # fmt: skip
    assert "private" in lines[-1].note
    assert comments.conversation("tono") == []
    assert page.comments[list(page.comments)[1]].parent_id == root


@pytest.mark.skipif(not SPECS.is_dir(), reason="the official contracts do not lie beside the repository")
async def test_against_metas_own_lists_of_fields(page: Facebook) -> None:
    """What the pretended API shows and takes exists in Meta's published description of it."""
    comment = json.loads((SPECS / "Comment.json").read_text("utf-8"))
    page_spec = json.loads((SPECS / "Page.json").read_text("utf-8"))
    known = {each["name"] for each in comment["fields"]}
    root = await page.comment(SARI, "x", photo=Attachment("a.jpg", "image/jpeg", b"x"))
    nested = await page.comment("tono", "y", parent=root)
    await send(page, {"comment_id": root})
    for id_ in (root, nested):
        shown = (await call(page, "GET", id_, params={"fields": ",".join(sorted(known))}))[1]
        assert set(shown) <= known
        assert {"id", "message", "from", "created_time"} <= set(shown)
    edges = {(each["method"], each["endpoint"]): each for each in page_spec["apis"] if "endpoint" in each}
    assert {("POST", "messages"), ("GET", "feed"), ("GET", "subscribed_apps"), ("POST", "subscribed_apps")} <= set(
        edges
    )
    taken = {each["name"] for each in edges["POST", "messages"]["params"]}
    assert {"recipient", "message", "messaging_type", "tag"} <= taken
    listing = next(each for each in comment["apis"] if each.get("endpoint") == "comments" and each["method"] == "GET")
    assert {"filter", "order", "since"} <= {each["name"] for each in listing["params"]}
