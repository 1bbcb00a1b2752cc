"""Webhooks as Standard Webhooks 1.0.0 wants them: signature, rotation, repeats, order, 410, no redirects."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from aiohttp import web

from forward_values import Desk
from gateway.forward_http import ForwardCalls
from gateway.forward_lane import Lane
from normalizer.complaint import json_schema
from simulator.ticket_stores import Fault, Receiver
from store_values import NOW
from tickets.forwarders.errors import Misconfigured, Unavailable
from tickets.forwarders.webhook import signature
from tickets.forwarders.webhook_settings import WebhookSettings

OLD, NEW = b"old key of twenty-four by", b"new key of twenty-four by"


def secret(key: bytes) -> str:
    return f"whsec_{base64.b64encode(key).decode()}"


def settings(url: str, **values: Any) -> WebhookSettings:
    given = {"kind": "webhook", "name": "erp", "url": url, "secrets": [secret(NEW)], "inside": True}
    return WebhookSettings.model_validate(given | {"timeout_seconds": 0.5} | values)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    await made.start()
    yield made
    await made.stop()


def by_hand(key: bytes, id_: str, timestamp: str, body: bytes) -> str:
    """The signature as the specification describes it, with nothing of ours."""
    made = hmac.new(key, id_.encode() + b"." + timestamp.encode() + b"." + body, hashlib.sha256)
    return "v1," + base64.b64encode(made.digest()).decode()


def test_the_signature_of_the_specifications_own_example() -> None:
    """A published vector: the example request of the reference libraries, its signature computed beside ours."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    made = signature([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert made == by_hand(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)


async def test_every_secret_signs_what_was_sent(desk: Desk, receiver: Receiver) -> None:
    """Rotation: while two secrets are configured, a receiver that knows either of them believes the request."""
    lane = desk.lane(settings(receiver.url, secrets=[secret(OLD), secret(NEW)]))
    id_ = desk.complaint()
    await desk.drain(lane)
    (got,) = receiver.received
    headers = got.headers
    assert headers["webhook-id"] == f"{id_}-1"
    assert "." not in headers["webhook-id"]
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    expected = [by_hand(key, headers["webhook-id"], headers["webhook-timestamp"], got.body) for key in (OLD, NEW)]
    assert headers["webhook-signature"].split(" ") == expected


async def test_the_body_is_the_published_complaint_and_holds_no_access_code(desk: Desk, receiver: Receiver) -> None:
    lane = desk.lane(settings(receiver.url))
    id_ = desk.complaint(narrative="saldo terpotong")
    desk.happens(id_, "message.added", "Ini buktinya")
    desk.happens(id_, "ticket.responded", "Kami mohon maaf", state="responded")
    await desk.drain(lane)
    first, second, third = (got.json for got in receiver.received)
    assert [each["type"] for each in (first, second, third)] == [
        "complaint.received", "message.added", "ticket.responded",
    ]  # fmt: skip
    assert first["timestamp"] == "2026-01-05T03:04:05.678901Z"
    jsonschema.validate(third["data"]["complaint"], json_schema())
    assert first["data"]["complaint"]["narrative"] == "saldo terpotong"
    assert [each["data"]["text"] for each in (first, second, third)] == [None, "Ini buktinya", "Kami mohon maaf"]
    assert third["data"]["ticket"]["state"] == "responded"
    assert third["data"]["links"] == {"status": "https://aduan.example.co.id/status"}
    assert b"right-hash" not in b"".join(got.body for got in receiver.received)


@pytest.mark.parametrize("fault", ["fail", "fail_after", "cut", "silent", "html", "bad", "moved", "unauthorized"])
async def test_a_failure_is_tried_again_under_the_same_id(desk: Desk, receiver: Receiver, fault: Fault) -> None:
    """Only 2xx is success, a redirect is not followed, a repeat has the same id and a new time."""
    lane = desk.lane(settings(receiver.url))
    id_ = desk.complaint()
    receiver.fail(fault)
    assert await lane.turn() == 1
    assert desk.states() == {"due": 1}
    assert desk.lines()[0].error_class in {"Ambiguous", "Declined", "Unavailable"}
    await desk.drain(lane)
    assert set(receiver.ids()) == {f"{id_}-1"}
    assert receiver.received[-1].headers["webhook-timestamp"] == str(int(desk.now.timestamp()))
    assert [path for _, path in receiver.requests] == ["/"] * len(receiver.requests)


async def test_retry_after_is_waited_for(desk: Desk, receiver: Receiver) -> None:
    lane = desk.lane(settings(receiver.url))
    desk.complaint()
    receiver.fail("wait")
    await lane.turn()
    desk.wait(6)
    assert await lane.turn() == 0
    desk.wait(2)
    assert await lane.turn() == 1
    assert desk.states() == {"done": 1}


async def test_410_disables_the_target_until_a_person_resumes_it(desk: Desk, receiver: Receiver) -> None:
    lane = desk.lane(settings(receiver.url))
    desk.complaint()
    receiver.fail("gone")
    await lane.turn()
    state = desk.store.forwards.targets()["erp"]
    assert (state.halted, state.waiting) == ("Disabled", 1)
    desk.wait(86_400)
    assert await lane.turn() == 0
    assert not await lane.try_again("Disabled")
    with desk.store.begin() as tx:
        assert tx.forwards.resume("erp")
    await desk.drain(lane)
    assert len(receiver.received) == 1


async def test_what_a_target_declines_for_days_becomes_a_persons_task(desk: Desk, receiver: Receiver) -> None:
    """The rows behind a refused one go on, and a replay hands the refused one over after all."""
    lane = desk.lane(settings(receiver.url, give_up_hours=1))
    id_ = desk.complaint()
    desk.happens(id_, "ticket.responded", "Jawaban")
    receiver.always = "bad"
    while desk.lines()[0].state != "refused":
        await lane.turn()
        desk.wait(60)
        assert desk.now - NOW < timedelta(hours=3)
    (task,) = [each for each in desk.view(id_).tasks if each.kind == "forward_refused"]
    assert task.reason == "erp does not take complaint.received: erp answered HTTP 400"
    receiver.always = None
    await desk.drain(lane)
    assert receiver.ids() == [f"{id_}-2"]
    with desk.store.begin() as tx:
        assert tx.forwards.replay("erp", complaint_id=id_, seq=1, since=None) == 1
    await desk.drain(lane)
    assert receiver.ids() == [f"{id_}-2", f"{id_}-1"]


async def test_an_old_event_has_the_same_patience(desk: Desk, receiver: Receiver) -> None:
    """Owed by a backfill, or entered late: one no is not the end of it, although it happened weeks ago."""
    desk.complaint(received_at=NOW - timedelta(days=30))
    lane = desk.lane(settings(receiver.url))
    with desk.store.begin() as tx:
        assert tx.forwards.backfill("erp", None, "", 10)[0] == 1
    receiver.fail("bad", "unauthorized")
    await desk.drain(lane)
    assert desk.states() == {"done": 1}
    assert len(receiver.received) == 1


class Choking(Receiver):
    """Breaks on one ticket, and takes all others."""

    chokes_on = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("webhook-id", "").startswith(self.chokes_on):
            return web.Response(status=500)
        return await super().answer(request)


async def test_p7_what_breaks_a_target_that_takes_the_rest_becomes_a_persons_task(desk: Desk) -> None:
    """A 500 for one ticket again and again, while others go through, is not a target that is away."""
    receiver = Choking()
    await receiver.start()
    lane = desk.lane(settings(receiver.url, give_up_hours=2))
    bad, good = desk.complaint(), desk.complaint()
    receiver.chokes_on = bad
    desk.happens(bad, "ticket.responded", "Jawaban")
    for _ in range(60):
        desk.happens(good, "message.added", "Halo")
        await lane.turn()
        await lane.turn()
        desk.wait(600)
        if desk.lines()[0].state == "refused":
            break
    assert desk.now - NOW > timedelta(hours=2)
    (task,) = [each for each in desk.view(bad).tasks if each.kind == "forward_refused"]
    assert task.reason == "erp does not take complaint.received: erp answered HTTP 500"
    await receiver.stop()


async def test_p7_a_target_that_is_away_for_long_is_waited_for(desk: Desk, receiver: Receiver) -> None:
    """Nothing goes through: then no row is given up, however long that takes."""
    lane = desk.lane(settings(receiver.url, give_up_hours=2))
    for _ in range(3):
        desk.complaint()
    receiver.always = "fail"
    for _ in range(100):
        await lane.turn()
        desk.wait(600)
    assert desk.states() == {"due": 3}
    receiver.always = None
    await desk.drain(lane)
    assert desk.states() == {"done": 3}


async def test_a_replay_since_a_moment_keeps_ids_and_order(desk: Desk, receiver: Receiver) -> None:
    lane = desk.lane(settings(receiver.url))
    first = desk.complaint()
    desk.happens(first, "ticket.responded", "Jawaban")
    await desk.drain(lane)
    desk.wait(3600)
    second = desk.complaint()
    desk.happens(first, "ticket.accepted")
    desk.happens(first, "ticket.reopened")
    await desk.drain(lane)
    sent = receiver.ids()
    with desk.store.begin() as tx:
        assert tx.forwards.replay("erp", complaint_id=None, seq=None, since=NOW + timedelta(seconds=1)) == 2
    await desk.drain(lane)
    assert receiver.ids()[len(sent) :] == [f"{first}-3", f"{first}-4"]
    assert f"{second}-1" in sent


@pytest.mark.parametrize("least", [OLD[:8], OLD * 3])
def test_a_secret_that_the_specification_forbids_is_refused(least: bytes) -> None:
    with pytest.raises(ValueError, match="24 to 64 random bytes"):
        settings("https://erp.example.co.id", secrets=[secret(least)])


@pytest.mark.parametrize("masked", ["", "********"])
def test_t32_a_mask_is_no_secret(masked: str) -> None:
    with pytest.raises(ValueError, match="mask of a secret"):
        settings("https://erp.example.co.id", secrets=[masked])


def test_secrets_never_show() -> None:
    made = settings("https://erp.example.co.id")
    assert secret(NEW) not in repr(made)
    assert "new key" not in str(made.model_dump())


@pytest.mark.parametrize(
    ("url", "inside", "error", "says"),
    [
        ("https://127.0.0.1:1", False, Misconfigured, "inside the network"),
        ("https://[::ffff:10.0.0.1]:1", False, Misconfigured, "inside the network"),
        ("https://localhost:1", False, Unavailable, "cannot be reached"),
        ("http://127.0.0.1:1", True, Unavailable, "cannot be reached"),
    ],
)
async def test_p22_only_public_addresses_unless_the_operator_allows(
    url: str, inside: bool, error: type[Exception], says: str
) -> None:
    call = ForwardCalls(settings(url, inside=inside), lambda: NOW)
    with pytest.raises(error, match=says):
        await call("POST", url, headers={}, body=b"{}", writes=True)
    with pytest.raises(Misconfigured, match="only its own address"):
        await call("GET", "https://other.example.co.id/", headers={}, writes=False)
    await call.aclose()


async def test_p30_no_error_text_holds_what_a_customer_wrote(desk: Desk, receiver: Receiver) -> None:
    lane: Lane = desk.lane(settings(receiver.url))
    desk.complaint(narrative="RAHASIA-123")
    receiver.fail("html")
    await lane.turn()
    assert "RAHASIA" not in json.dumps([line.reason for line in desk.lines()])


async def test_a_name_inside_the_network_says_what_is_missing(desk: Desk) -> None:
    """An internal host is refused like a name that does not exist: the reason names the setting."""
    given = settings("https://localhost", inside=False)
    calls = ForwardCalls(given, lambda: NOW)
    with pytest.raises(Unavailable, match="needs `inside: true`"):
        await calls("POST", given.url, headers={}, body=b"{}", writes=True)
    await calls.aclose()
