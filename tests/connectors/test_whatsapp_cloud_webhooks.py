"""What Meta sends, read by us: the simulator's webhooks over the wire, and Meta's own published examples (T1, P9)."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.whatsapp_cloud import WhatsAppCloud
from harness.serving import MakeSetup, Serve
from harness.webhook import Webhook
from normalizer.message import Deletion, Delivery, Edit, Ignored, Message, Outgoing, Raw, Rekey
from simulator.app import start
from simulator.whatsapp_cloud import Number, inbound
from simulator.whatsapp_cloud import WhatsAppCloud as Meta

EXAMPLES = Path(__file__).parents[3] / "shared" / "specs" / "meta" / "examples" / "whatsapp-webhooks.jsonl"
SARI = "6281200000001"


@pytest.fixture
def ours() -> Webhook:
    """Our webhook."""
    return Webhook()


@pytest.fixture
async def meta(ours: Webhook, serve: Serve, make_setup: MakeSetup) -> AsyncIterator[Meta]:
    """Meta, pretended, whose webhooks come to us."""
    account = Meta(
        app_secret="invented-app-secret",
        access_token="invented-system-user-token",
        phone_number_id="106540352242922",
        waba_id="102290129340398",
        verify_token="invented-verify-token",
        webhook_url=await serve(ours.answer) + "/in/wa",
        status_delays={"sent": 0.0, "delivered": 0.0, "read": 0.0},
    )
    async with await start([account]):
        connector = WhatsAppCloud(make_setup("whatsapp_cloud", api_base=account.base_url))
        ours.connector = connector
        yield account
        await connector.aclose()


@pytest.fixture
def connector(ours: Webhook, meta: Meta) -> WhatsAppCloud:
    """The connector behind our webhook, once Meta runs."""
    assert isinstance(ours.connector, WhatsAppCloud)
    return ours.connector


async def test_every_kind_of_message_over_the_wire(ours: Webhook, meta: Meta) -> None:
    """Signed by the simulator, accepted and read by us: complaints, taps, files, edits, identities."""
    first = await meta.inject_text(SARI, "Dana belum cair — 🙏", name="Sari", username="sari.w")
    await meta.inject_image(SARI, b"bukti", caption="Bukti")
    await meta.inject_audio(SARI, b"suara")
    await meta.inject_location(SARI, -6.2, 106.8, name="Kantor")
    await meta.inject_contacts(SARI, [inbound.card("Budi", "+62 812-0000-0002")], origin="contact_request")
    await meta.inject_button_reply(SARI, "ya", "Ya")
    await meta.inject_list_reply(SARI, "lain", "Lainnya")
    await meta.inject_button(SARI, "STOP", "Berhenti")
    await meta.inject_unsupported(SARI)
    await meta.inject_text(None, "tanpa nomor", user_id="ID.77")
    await meta.inject_edit(SARI, first, "Dana belum cair 4 hari")
    await meta.inject_revoke(SARI, first)
    await meta.inject_reaction(SARI, first, "👍")
    await meta.inject_changed_number(SARI, "6281200000009")
    await meta.inject_echo(SARI, "dari staf")
    await meta.inject_event("account_update", {"event": "VERIFIED_ACCOUNT"})
    await meta.settled()
    kinds = [type(event) for event in ours.events]
    assert kinds == [Message] * 10 + [Edit, Deletion, Ignored, Rekey, Ignored, Ignored]
    texts = [event.text for event in ours.events if isinstance(event, Message)]
    assert texts[:2] == ["Dana belum cair — 🙏", "Bukti"]
    assert texts[5:] == ["Ya", "Lainnya", "Berhenti", "", "tanpa nomor"]
    edit, deletion = ours.events[10], ours.events[11]
    assert isinstance(edit, Edit)
    assert isinstance(deletion, Deletion)
    assert isinstance(ours.events[0], Message)
    assert edit.message_key == deletion.message_key == ours.events[0].key


async def test_a_batch_of_two_numbers_is_read_whole(ours: Webhook, meta: Meta) -> None:
    """T1: 300 messages of two numbers in as few POSTs as Meta allows; each names the number that it was sent to."""
    other = Number("208811112222333", "622150996111", "102290129340398")
    updates = [
        meta.update(f"62812{each:08d}", inbound.text(f"pesan {each}"), number=other if each % 3 == 0 else None)
        for each in range(300)
    ]
    deliveries = await meta.inject_batch(updates)
    assert [delivery.status for delivery in deliveries] == [200] * len(deliveries)
    messages = [event for event in ours.events if isinstance(event, Message)]
    assert len({message.key for message in messages}) == 300
    assert sum(message.account == "208811112222333" for message in messages) == 100
    assert all(message.key.startswith(f"wa:{message.account}:") for message in messages)


async def test_statuses_bring_our_key_and_the_cost_back(ours: Webhook, meta: Meta, connector: WhatsAppCloud) -> None:
    """Sheet A13: the status names the outbox key; A0.2: what it cost."""
    await meta.inject_text(SARI, "Halo")
    sent = await connector.send(Outgoing(key="r-17.1", recipient=f"+{SARI}", text="Nomor: KLA-1"))
    await meta.settled()
    told = [event for event in ours.events if isinstance(event, Delivery)]
    assert {event.state for event in told} >= {"sent", "delivered"}
    assert {(event.provider_id, event.outbox_key) for event in told} == {(sent.provider_id, "r-17.1")}
    assert any((event.pricing or "").startswith("service/") for event in told)


async def test_the_handshake(meta: Meta) -> None:
    """Meta registers our webhook only when it gets its challenge back; a wrong token is told 403."""
    assert (await meta.handshake()).ok
    assert (await meta.handshake(verify_token="another-token")).status == 403


@pytest.mark.skipif(not EXAMPLES.is_file(), reason="the collection of official examples is not on this machine")
def test_the_official_examples(make_setup: MakeSetup) -> None:
    """Meta's own examples: sender, text, id, time and files of each message as its page says."""
    connector = WhatsAppCloud(make_setup("whatsapp_cloud"))
    for line in EXAMPLES.read_text(encoding="utf-8").splitlines():
        example: dict[str, Any] = json.loads(line)
        body = base64.b64decode(example["body_b64"])
        found = connector.parse(Raw(channel_id="x", received_at=datetime.now(UTC), body=body))
        messages = [event for event in found if isinstance(event, Message) and "unsupported" not in event.flags]
        wanted = [each for each in example["expect"]["messages"] if each["kind"] != "order"]
        for message, expected in zip(messages, wanted, strict=True):
            assert message.sender.phone == f"+{expected['sender_id']}"
            assert message.external_id == expected["external_id"]
            assert message.sent_at == datetime.fromisoformat(expected["timestamp"])
            assert message.sender.name == expected["sender_name"]
            if message.flags not in (("location",), ("contact",)):
                assert message.text == (expected["text"] or "")
                assert [each.ref for each in message.attachments] == [each["ref"] for each in expected["attachments"]]
