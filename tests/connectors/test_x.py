"""X against the simulator: sends in both forms, refusals by their names, files, checks, costs (P13, P14, A0.4, A9)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from connectors.contract import Priced
from connectors.errors import (
    CLASSES,
    Ambiguous,
    AuthFailed,
    Misconfigured,
    Refused,
    Throttled,
    Unavailable,
    Unreachable,
)
from connectors.x import Account, Asking, CalledByX, build
from connectors.x.lists import alike
from connectors.x.webhook import WANTED
from harness.serving import MakeSetup, Serve
from harness.webhook import Webhook
from harness.x_account import TOKEN, US, x_account
from normalizer.message import NO_PUBLIC_ANSWER, Attachment, Delivery, Ignored, Message, Outgoing, Raw, Unreadable
from simulator.place import Attachment as File
from simulator.x import X

OAUTH2 = {"client_id": "invented-client", "client_secret": "invented-client-secret", "refresh_token": "invented-first"}


@pytest.fixture
async def x() -> AsyncIterator[X]:
    """X, pretended."""
    async with x_account(**TOKEN, **OAUTH2) as account:
        yield account


@pytest.fixture
async def ours(serve: Serve, x: X) -> Webhook:
    """Our webhook at the address that X is told."""
    ours = Webhook()
    x.webhook_url = f"{await serve(ours.answer)}/in/akseleran-x"
    x.valid = True
    return ours


@pytest.fixture
async def connector(ours: Webhook, x: X, make_setup: MakeSetup) -> AsyncIterator[CalledByX]:
    """The connector behind our webhook."""
    public_url = x.webhook_url.partition("/in/")[0]
    connector = CalledByX(make_setup("x", api_base=x.base_url, public_url=public_url, timeout_seconds=0.5))
    ours.connector = connector
    yield connector
    await connector.aclose()


def out(x: X, handle: str = "budi_s", **changes: Any) -> Outgoing:
    """A receipt on its way to somebody."""
    return Outgoing(**{"key": "r-17.1", "recipient": x.meet(handle).id, "text": "Nomor: KLA-1", **changes})


async def test_a_message_is_answered_in_the_same_talk(ours: Webhook, x: X, connector: CalledByX) -> None:
    """A0.3, T33: message in, receipt out, our echo ignored, the read mark finds the receipt."""
    await x.inject_text("budi_s", "Dana saya <belum> cair & hilang: https://contoh.example/bukti 🙏")
    (message,) = ours.events
    assert isinstance(message, Message)
    assert message.text == "Dana saya <belum> cair & hilang: https://contoh.example/bukti 🙏"
    assert (message.channel, message.visibility, message.sender.handle) == ("x_dm", "private", "budi_s")
    assert message.reply is not None
    sent = await connector.send(out(x, recipient=message.reply.recipient))
    assert sent.provider_id == x.sent[0].id
    assert sent.registers == message.thread_refs
    await x.inject_read(x.sent[0])
    await x.settled()
    told = [event for event in ours.events if isinstance(event, Delivery)]
    assert [(event.state, event.provider_id) for event in told] == [("read", sent.provider_id)]
    assert sum(isinstance(event, Ignored) for event in ours.events) == 1
    assert isinstance(connector, Priced)
    assert connector.costs["dm_send"] == pytest.approx(0.015)


async def test_a_mention_is_answered_in_public_once_and_in_private(ours: Webhook, x: X, connector: CalledByX) -> None:
    """A5, section 8: one recipient holds both ways; what is not public goes out in private whatever it answers."""
    id_ = await x.inject_mention("sari_d", "saldo saya hilang")
    (message,) = ours.events
    assert isinstance(message, Message)
    assert (message.channel, message.visibility, message.flags) == ("x_mention", "public", ())
    assert message.reply is not None
    to = message.reply.recipient
    await connector.send(out(x, recipient=to, text="Mohon lanjutkan lewat DM.", public=True))
    await connector.send(out(x, recipient=to))
    assert [(each.text, each.in_reply_to and each.in_reply_to.id) for each in x.answers] == [
        ("Mohon lanjutkan lewat DM.", id_)
    ]
    assert [(each.recipient.handle, each.text) for each in x.sent] == [("sari_d", "Nomor: KLA-1")]
    with pytest.raises(Refused):
        await connector.send(out(x, recipient=to, text="Mohon lanjutkan lewat DM.", public=True))
    again = await connector.send(
        out(x, recipient=to, text="Mohon lanjutkan lewat DM.", public=True, possible_duplicate=True)
    )
    assert again.provider_id == id_
    assert len(x.answers) == 1
    with pytest.raises(Refused):
        await connector.send(out(x, public=True))
    for wrong in (out(x, recipient=to, text="x" * 281, public=True), out(x, text="x" * 10_001), out(x, text="")):
        with pytest.raises(Refused):
            await connector.send(wrong)
    with pytest.raises(Unreachable):
        await connector.send(out(x, recipient="../users"))
    assert connector.costs["summoned_reply"] == pytest.approx(0.010)


async def test_who_did_not_summon_us_gets_no_public_answer(ours: Webhook, x: X, connector: CalledByX) -> None:
    """A0.4: X takes a public answer only where our name was written or our post quoted; the complaint stands anyway."""
    ours_post = x.own_post("Pengumuman")
    await x.inject_reply("budi_s", "kenapa dana saya belum cair?", ours_post)
    await x.inject_quote("sari_d", "penipuan?", ours_post)
    await x.inject_mention("dewi", "tolong @akseleran dana saya", reply_to=ours_post)
    messages = [event for event in ours.events if isinstance(event, Message)]
    assert [event.sender.handle for event in messages] == ["budi_s", "sari_d", "dewi"]
    assert [NO_PUBLIC_ANSWER in event.flags for event in messages] == [True, False, False]
    assert all(event.reply is not None for event in messages)
    assert messages[0].reply is not None
    with pytest.raises(Refused):
        await connector.send(out(x, recipient=messages[0].reply.recipient, public=True))
    await connector.send(out(x, recipient=messages[0].reply.recipient))


@pytest.mark.usefixtures("connector")
async def test_encrypted_messages_reach_a_person(ours: Webhook, x: X) -> None:
    """A0.3: nobody here can read XChat; it is set aside with a sentence that says what to do."""
    await x.inject_encrypted("budi_s")
    (event,) = ours.events
    assert isinstance(event, Unreadable)
    assert "aplikasi X" in event.reason
    assert "X app" in event.reason


@pytest.mark.usefixtures("connector")
async def test_the_old_shapes_mean_the_same(ours: Webhook, x: X) -> None:
    """Sheet A9: the deprecated Account Activity API; the whole text of a long post is taken."""
    long = "@akseleran " + "saldo saya hilang " * 12
    await x.inject_old("budi_s", text="Akun saya terkunci", post=long.strip())
    dm, post = ours.events
    assert isinstance(dm, Message)
    assert isinstance(post, Message)
    assert (dm.text, dm.sender.handle, post.text, post.flags) == (
        "Akun saya terkunci", "budi_s", long.strip(), ()
    )  # fmt: skip


@pytest.mark.usefixtures("connector")
async def test_an_edited_post_is_a_version_of_the_first(ours: Webhook, x: X) -> None:
    """P10: whether or not the first version was seen, it is one message."""
    id_ = await x.inject_mention("sari_d", "saldo hilang")
    await x.inject_edit(id_, "@akseleran saldo hilang lima juta")
    first, second, edit = ours.events
    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert first.key == second.key == getattr(edit, "message_key", None)
    assert getattr(edit, "text", None) == "@akseleran saldo hilang lima juta"


@pytest.mark.parametrize(
    ("code", "private", "public"),
    [(32, "AuthFailed", "AuthFailed"), (64, "AuthFailed", "AuthFailed"), (89, "AuthFailed", "AuthFailed"),
     (226, "AuthFailed", "AuthFailed"), (261, "AuthFailed", "AuthFailed"), (326, "AuthFailed", "AuthFailed"),
     (402, "AuthFailed", "AuthFailed"), (429, "AuthFailed", "AuthFailed"), (453, "AuthFailed", "AuthFailed"),
     (88, "Throttled", "Throttled"), (130, "Unavailable", "Unavailable"), (131, "Unavailable", "Unavailable"),
     (34, "Unreachable", "Unreachable"), (150, "Unreachable", "Unreachable"), (179, "Unreachable", "Unreachable"),
     (349, "Unreachable", "Unreachable"), (385, "Unreachable", "Unreachable"), (403, "Unreachable", "Refused"),
     (187, "Refused", "Refused"), (214, "Refused", "Refused"), (354, "Refused", "Refused"),
     (433, "Refused", "Refused")],
)  # fmt: skip
async def test_refusals_in_the_providers_own_shape(
    x: X, connector: CalledByX, code: int, private: str, public: str
) -> None:
    """P13: each refusal of the simulator gives the class of codes.yaml, for a message and for a post."""
    post = x.posted("budi_s", "@akseleran halo")
    answer = out(x, recipient=f"{post.author.id}/{post.id}", public=True)
    for name, sending in ((private, out(x)), (public, answer)):
        x.faults.code(code)
        with pytest.raises(CLASSES[name]) as caught:
            await connector.send(sending)
        assert "invented" not in str(caught.value)
        assert post.author.id not in str(caught.value)


async def test_trouble_on_the_way(x: X, connector: CalledByX) -> None:
    """P13: 429 with every way to say how long, 5xx with and without JSON, 200 with errors, an answer without a name."""
    now = datetime.now(UTC).timestamp()
    for headers, least, most in (
        ({"Retry-After": "7"}, 7, 7),
        ({"x-rate-limit-reset": str(int(now) + 60)}, 55, 65),
        ({"x-rate-limit-remaining": "3", "x-rate-limit-reset": str(int(now) + 60),
          "x-user-limit-24hour-remaining": "0", "x-user-limit-24hour-reset": str(int(now) + 5_000)}, 4_990, 5_010),
        ({"x-rate-limit-reset": "1"}, 1, 1),
        ({"x-rate-limit-reset": "٣"}, 900, 900),
        ({}, 900, 900),
    ):  # fmt: skip
        x.faults.http(429, b"", headers=headers)
        with pytest.raises(Throttled) as throttled:
            await connector.send(out(x))
        assert least <= throttled.value.after <= most
    for status, body in ((500, b'{"title":1}'), (502, b"<html>"), (500, b'{"title":'), (503, b"")):
        x.faults.http(status, body)
        with pytest.raises(Unavailable):
            await connector.send(out(x))
    for body in (b"{}", b"<html>", b'{"data":{"dm_ev', b'{"data":{}}'):
        x.faults.http(201, body)
        with pytest.raises(Ambiguous):
            await connector.send(out(x))
    problem = (
        b'{"errors":[{"title":"Forbidden","detail":"You do not have permission to DM this user","type":"about:blank"}]}'
    )
    x.faults.http(200, problem, content_type="application/json")
    with pytest.raises(Unreachable):
        await connector.send(out(x))
    x.faults.stall(2)
    x.faults.reset()
    x.faults.http(504)
    for _ in range(3):
        with pytest.raises(Ambiguous):
            await connector.send(out(x))
    x.faults.http(302, headers={"Location": "http://127.0.0.1:9/"})
    with pytest.raises(Unavailable):
        await connector.send(out(x))


async def test_an_ambiguous_message_is_looked_for_before_a_retry(x: X, connector: CalledByX) -> None:
    """Sheet A13: the conversation tells whether it went; X's short links, other texts and people do not confuse it."""
    text = "Nomor: KLA-1. Cek: https://aduan.example.co.id/status & simpan."
    begun = datetime.now(UTC)
    x.meet("budi_s")
    x.wrote("budi_s", text)
    x.faults.stall(2, accepted=True)
    with pytest.raises(Ambiguous):
        await connector.send(out(x, text=text))
    for number in range(7):
        x.wrote("budi_s", f"pesan {number}")
    found = await connector.find(out(x, text=text, first_attempt_at=begun))
    assert found is not None
    assert found.provider_id == x.sent[0].id
    assert await connector.find(out(x, text="Nomor: KLA-2", first_attempt_at=begun)) is None
    assert await connector.find(out(x, "sari_d", text=text, first_attempt_at=begun)) is None
    assert await connector.find(out(x, text=text, first_attempt_at=begun + timedelta(hours=1))) is None
    assert await connector.find(out(x, text=text)) is None
    assert await connector.find(out(x, text=text, first_attempt_at=begun, public=True)) is None
    x.list_faults.code(88, headers={"Retry-After": "3"})
    with pytest.raises(Throttled):
        await connector.find(out(x, text=text, first_attempt_at=begun))


async def test_who_takes_no_messages_cannot_be_reached_here(x: X, connector: CalledByX) -> None:
    """Sheet A5: the receipt of a mention is tried by direct message; 403 means the next route."""
    x.closed.add("sari_d")
    x.blocked.add("budi_s")
    x.wrote("budi_s", "halo")
    for handle in ("sari_d", "budi_s"):
        with pytest.raises(Unreachable):
            await connector.send(out(x, handle))
    x.wrote("sari_d", "halo")
    await connector.send(out(x, "sari_d"))
    with pytest.raises(Unreachable):
        await connector.send(out(x, recipient="999"))


async def test_limits_are_waited_for(make_setup: MakeSetup, x: X) -> None:
    """Sheet A9: 15 messages in 15 minutes; the sixteenth waits until X says that the window is over."""
    x.enforce_limits = True
    connector = CalledByX(make_setup("x", api_base=x.base_url))
    for number in range(15):
        await connector.send(out(x, text=f"Nomor: KLA-{number}"))
    with pytest.raises(Throttled) as throttled:
        await connector.send(out(x))
    assert 880 <= throttled.value.after <= 905
    assert len(x.sent) == 15
    await connector.aclose()


async def fetched(connector: Account, attachment: Attachment) -> bytes:
    """The bytes of an attachment."""
    found = bytearray()
    async with aclosing(connector.open(attachment)) as chunks:
        async for chunk in chunks:
            found += chunk
    return bytes(found)


async def test_files_of_messages_and_posts(
    ours: Webhook, x: X, connector: CalledByX, make_setup: MakeSetup, tmp_path: Any
) -> None:
    """Sheet A9: a post's file is fetched from the media host, a message's through the API, which wants OAuth 2.0."""
    content = bytes(range(256)) * 50
    await x.inject_mention("sari_d", "lihat", files=[File("bukti.jpg", "image/jpeg", content)])
    await x.inject_file("budi_s", content, "image/jpeg", text="lihat")
    post, message = ours.events
    assert isinstance(post, Message)
    assert isinstance(message, Message)
    assert await fetched(connector, post.attachments[0]) == content
    with pytest.raises(Unreachable, match=r"OAuth 2\.0"):
        await fetched(connector, message.attachments[0])
    oauth2 = {**OAUTH2, "token_file": str(tmp_path / "token")}
    modern = build(make_setup("x", api_base=x.base_url, access_token=None, access_token_secret=None, oauth2=oauth2))
    assert isinstance(modern, Account)
    assert await fetched(modern, message.attachments[0]) == content
    x.tokens.clear()
    assert await fetched(modern, message.attachments[0]) == content, "a withdrawn token is renewed"
    for wrong in (
        Attachment(url="https://evil.example/x"), Attachment(url="http://127.0.0.1:22/"), Attachment(),
        Attachment(ref="dm/../../2/users/me"), Attachment(ref="dm/1/2/x"),
    ):  # fmt: skip
        with pytest.raises(Unreachable):
            await fetched(modern, wrong)
    await modern.aclose()


async def test_check_asks_who_we_are_and_whether_we_hear(
    ours: Webhook, x: X, connector: CalledByX, make_setup: MakeSetup
) -> None:
    """A0.7, A9: account, webhook, its validity, subscriptions; each lack is named; nothing is sent."""
    await connector.check()
    x.subscriptions.discard("chat.received")
    with pytest.raises(Misconfigured, match=r"chat\.received"):
        await connector.check()
    x.valid = False
    with pytest.raises(Misconfigured, match="invalid"):
        await connector.check()
    x.webhook_url = "https://elsewhere.example/in/x"
    with pytest.raises(Misconfigured, match="no webhook"):
        await connector.check()
    for wrong, error in (
        ({"access_token_secret": "wrong-secret"}, AuthFailed),
        ({"consumer_keys": [{"key": "Other", "secret": "other-secret"}]}, AuthFailed),
        ({"user_id": "2222"}, Misconfigured),
    ):
        with pytest.raises(error) as caught:
            await CalledByX(make_setup("x", api_base=x.base_url, **wrong)).check()
        assert "secret" not in str(caught.value)
    asking = build(make_setup("x", api_base=x.base_url, mode="poll"))
    assert isinstance(asking, Asking)
    await asking.check()
    assert len(x.sent) == 0


async def test_subscriptions_of_another_webhook_are_none_of_ours(serve: Serve, make_setup: MakeSetup) -> None:
    """A webhook that was registered anew hears nothing until the subscriptions lead to it."""
    leads_to = ["old"]

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/2/activity/subscriptions":
            each = {"filter": {"user_id": US}, "webhook_id": leads_to[0]}
            return web.json_response({"data": [{"event_type": type_, **each} for type_ in WANTED]})
        if request.path == "/2/webhooks":
            return web.json_response(
                {"data": [{"id": "new", "url": "https://a.example/in/akseleran-x", "valid": True}]}
            )
        return web.json_response({"data": {"id": US}, "access_token": "invented"})

    connector = CalledByX(make_setup("x", api_base=await serve(answer), public_url="https://a.example"))
    with pytest.raises(Misconfigured, match="not subscribed here"):
        await connector.check()
    leads_to[0] = "new"
    await connector.check()
    await connector.aclose()


async def test_a_suspended_customer_halts_nobody_else(x: X, connector: CalledByX) -> None:
    """X names the person's suspension by a type of its own; only our own account's ends all sending."""
    problem = '{"title":"Forbidden","status":403,"detail":"%s","type":"https://api.x.com/2/problems/%s"}'
    for detail, kind, error in (
        ("User has been suspended.", "user-suspended", Unreachable),
        ("Your account is suspended and is not permitted to access this feature.", "about:blank", AuthFailed),
    ):
        x.faults.http(403, (problem % (detail, kind)).encode(), content_type="application/json")
        with pytest.raises(error):
            await connector.send(out(x))


def test_comparing_what_was_sent_takes_time_in_proportion() -> None:
    """P29: a long word without a dot is looked at once, not once for each of its letters."""
    assert alike("x" * 3_000_000) == "x" * 3_000_000
    assert alike("Cek\n https://t.co/abc  di x. .y") == "Cek … di x. .y"


@pytest.mark.usefixtures("connector")
async def test_the_challenge_is_answered_and_proves_nothing_else(ours: Webhook, x: X) -> None:
    """A9, P18: X calls the webhook valid; a body whose signature was begged as a challenge is not taken."""
    assert (await x.challenge()).ok
    begged = await x.challenge('{"data":{"event_type":"dm.received"}}')
    assert begged.status == 400
    signed = await x.inject_raw(b"QUJDREVG")
    assert signed.status == 400
    assert (await x.inject_raw(b'{"data":', secret="other-secret")).status == 401
    assert (await x.inject_raw(b"{}", secret="")).status == 401
    assert not ours.events


async def test_what_stands_in_no_list_is_pushed_again(ours: Webhook, x: X, connector: CalledByX) -> None:
    """A0.3, P6: an encrypted message and a quotation that met no webhook come by a replay, asked for once."""
    before = datetime.now(UTC) - timedelta(hours=30)
    x.clock = lambda: datetime.now(UTC).timestamp() - 120
    ours.statuses = [503, 503]
    await x.inject_encrypted("budi_s")
    await x.inject_quote("sari_d", "penipuan?", x.own_post("Pengumuman"))
    assert not ours.events
    x.clock = lambda: datetime.now(UTC).timestamp()
    for _ in range(2):
        async with aclosing(connector.since(before)) as listed:
            assert not [raw async for batch in listed for raw in batch.keep]
        await x.settled()
    kinds = [type(event) for event in ours.events]
    assert kinds == [Unreadable, Message, Ignored]


async def test_a_replay_is_asked_for_although_the_lists_are_refused(ours: Webhook, x: X, connector: CalledByX) -> None:
    """X pushes again for 24 hours only: what no list shows must not wait until the lists can be read."""
    x.clock = lambda: datetime.now(UTC).timestamp() - 120
    ours.statuses = [503]
    await x.inject_encrypted("budi_s")
    x.clock = lambda: datetime.now(UTC).timestamp()
    x.list_faults.code(403)

    async def look() -> None:
        async with aclosing(connector.since(datetime.now(UTC) - timedelta(hours=1))) as listed:
            assert not [raw async for batch in listed for raw in batch.keep]

    with pytest.raises(AuthFailed):
        await look()
    await x.settled()
    assert [type(event) for event in ours.events][:1] == [Unreadable]


async def test_a_replay_that_x_does_not_grant_is_told_once(x: X, make_setup: MakeSetup) -> None:
    """The first look after a start says it, after everything that is listed; the next ones are whole."""
    x.wrote("budi_s", "halo")
    x.webhook_url = "https://aduan.example.co.id/in/akseleran-x"
    x.console_faults.code(453)
    connector = CalledByX(make_setup("x", api_base=x.base_url))
    for number in range(2):
        found: list[Raw] = []
        with pytest.raises(Refused) if number == 0 else nullcontext():
            async with aclosing(connector.since(datetime.now(UTC) - timedelta(hours=1))) as listed:
                async for batch in listed:
                    found += batch.keep
        assert len(found) == 1
    await connector.aclose()
