"""What Instagram sends, read by us: the simulator's webhooks over the wire, by both logins (T1, T6, T22, T33, T35)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.instagram import Instagram
from harness.serving import MakeSetup, Serve
from harness.webhook import Webhook
from normalizer.message import Deletion, Delivery, Edit, Ignored, Message, Outgoing
from simulator.app import start
from simulator.instagram import Instagram as Meta

ACCOUNT = "17841400000000001"
SARI, BUDI = "sari.w", "budi_s"


def messages(ours: Webhook) -> list[Message]:
    """What customers said."""
    return [event for event in ours.events if isinstance(event, Message)]


@pytest.fixture
def ours() -> Webhook:
    """Our webhook."""
    return Webhook()


@pytest.fixture(params=[None, "106540352249001"], ids=["instagram-login", "facebook-login"])
async def meta(
    request: pytest.FixtureRequest, ours: Webhook, serve: Serve, make_setup: MakeSetup
) -> AsyncIterator[Meta]:
    """Meta, pretended, whose webhooks come to us."""
    account = Meta(
        account_id=ACCOUNT,
        page_id=request.param,
        access_token="invented-access-token",
        app_secret="invented-app-secret",
        verify_token="invented-verify-token",
        webhook_url=await serve(ours.answer) + "/in/ig",
    )
    simulation = await start([account])
    connector = Instagram(make_setup("instagram", api_base=account.base_url, page_id=request.param))
    ours.connector = connector
    yield account
    await connector.aclose()
    await simulation.aclose()


async def test_every_kind_of_event_over_the_wire(ours: Webhook, meta: Meta) -> None:
    """Signed by the simulator, accepted and read by us, in the form of either login."""
    first = await meta.inject_text(SARI, "Dana belum cair — 🙏")
    await meta.inject_file(SARI, b"bukti", "image/jpeg", filename="bukti.jpg")
    await meta.inject_file(SARI, b"suara", "audio/mp4")
    await meta.inject_comment(BUDI, "Tolong dicek min")
    await meta.inject_mention(BUDI, "@akseleran halo?")
    await meta.inject_edit(SARI, first, "Dana belum cair 4 hari")
    await meta.inject_deleted(SARI, first)
    await meta.inject_seen(SARI, "aWdfOURS")
    await meta.inject_echo(SARI, "Kami sedang memeriksa")
    await meta.inject_event(SARI, {"reaction": {"mid": first, "action": "react", "emoji": "👍"}})
    await meta.settled()
    kinds = [type(event) for event in ours.events]
    assert kinds == [Message] * 5 + [Edit, Deletion, Delivery, Ignored, Ignored]
    assert [message.channel for message in messages(ours)] == ["instagram_dm"] * 3 + ["instagram_comment"] * 2
    assert [message.text for message in messages(ours)] == ["Dana belum cair — 🙏", "", "", "Tolong dicek min", ""]
    edit, deletion = ours.events[5], ours.events[6]
    assert isinstance(edit, Edit)
    assert isinstance(deletion, Deletion)
    assert edit.message_key == deletion.message_key == messages(ours)[0].key
    assert all(delivery.status == 200 for delivery in meta.deliveries)


async def test_what_we_said_ourselves_never_comes_back_as_a_complaint(ours: Webhook, meta: Meta) -> None:
    """T33: the echo, even before our send is answered, and the webhook of our own public answer."""
    meta.echo_first = True
    await meta.inject_text(SARI, "Halo")
    comment = await meta.inject_comment(BUDI, "Halo")
    assert isinstance(ours.connector, Instagram)
    recipient = messages(ours)[0].sender.key.removeprefix("ig:")
    await ours.connector.send(Outgoing(key="r-1", recipient=recipient, text="Nomor tiket: AKS-1"))
    await ours.connector.send(Outgoing(key="r-2", recipient=f"comment:{comment}", text="Lewat DM ya.", public=True))
    await ours.connector.send(Outgoing(key="r-3", recipient=f"comment:{comment}", text="Nomor tiket: AKS-2"))
    await meta.settled()
    assert len(messages(ours)) == 2
    assert [event.reason for event in ours.events if isinstance(event, Ignored)].count("own comment") == 1


async def test_a_batch_is_read_whole(ours: Webhook, meta: Meta) -> None:
    """T1, T6: messages and comments of many people in one POST; each keeps its own kind and person."""
    updates = [meta.update(f"orang_{each}", {"text": f"pesan {each}"}) for each in range(100)]
    updates += [meta.comment_update(meta.commented(f"orang_{each}", f"komentar {each}")) for each in range(100)]
    assert (await meta.inject_batch(updates)).status == 200
    found = messages(ours)
    assert len({message.key for message in found}) == 200
    assert len({message.sender.key for message in found}) == 100
    assert [message.channel for message in found] == ["instagram_dm"] * 100 + ["instagram_comment"] * 100


async def test_the_handshake(meta: Meta) -> None:
    """Meta registers our webhook only when it gets its challenge back; a forged POST is refused."""
    assert (await meta.handshake()).ok
    assert (await meta.handshake(verify_token="another-token")).status == 403
    assert (await meta.inject_raw({"object": "instagram", "entry": []}, secret="another-secret")).status == 401


SPECS = Path(__file__).parents[3] / "shared" / "specs" / "meta" / "graph-specs"
#: What the connector calls, and where Meta's own description of the API has it.
CALLED = [
    ("IGUserForIGOnlyAPI", "POST", "messages"),
    ("IGUserForIGOnlyAPI", "POST", "mentions"),
    ("IGUserForIGOnlyAPI", "GET", "conversations"),
    ("IGUserForIGOnlyAPI", "GET", "subscribed_apps"),
    ("IGUser", "GET", "media"),
    ("IGUser", "POST", "mentions"),
    ("IGMedia", "GET", "comments"),
    ("IGComment", "GET", "replies"),
    ("IGComment", "POST", "replies"),
    ("Page", "POST", "messages"),
    ("Page", "GET", "conversations"),
    ("Page", "GET", "subscribed_apps"),
]


@pytest.mark.skipif(not SPECS.is_dir(), reason="the collection of official descriptions is not on this machine")
def test_what_is_called_exists_at_meta() -> None:
    """Every edge and field that the connector asks for stands in Meta's own description of the Graph API."""
    for name, method, edge in CALLED:
        apis = json.loads((SPECS / f"{name}.json").read_bytes())["apis"]
        assert any((api["method"], api.get("endpoint", "").strip("/")) == (method, edge) for api in apis), (name, edge)
    fields = {each["name"] for each in json.loads((SPECS / "IGComment.json").read_bytes())["fields"]}
    assert fields >= {"id", "text", "timestamp", "from", "user", "parent_id"}
    fields = {each["name"] for each in json.loads((SPECS / "IGUserForIGOnlyAPI.json").read_bytes())["fields"]}
    assert fields >= {"id", "user_id"}
    fields = {each["name"] for each in json.loads((SPECS / "IGUser.json").read_bytes())["fields"]}
    assert fields >= {"mentioned_comment", "mentioned_media"}
