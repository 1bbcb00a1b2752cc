"""WhatsApp by Vonage: answers and webhooks in every shape that was seen (P1, P10, P13, P14, P22)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from aiohttp import web

from connectors.errors import Misconfigured
from connectors.whatsapp_vonage import FACTS, WhatsAppVonage
from harness.serving import MakeSetup, Serve
from normalizer.message import Delivery, Message, Outgoing, Raw

SARI = "6281200000001"
APPLICATION = "78d335fa-323d-0114-9c3d-d6f0d48968cf"
ERROR = "https://developer.vonage.com/api-errors/messages#1340"


@pytest.mark.parametrize(
    "error",
    [{"type": ERROR, "title": "1340"}, {"type": ERROR, "title": 1340}, {"title": 1340}, {"type": None, "title": "1340"},
     {"error": {"type": ERROR, "title": 1340}}, {"type": ERROR, "title": None}],
)  # fmt: skip
def test_a_closed_window_is_understood_in_every_shape_that_was_seen(
    make_setup: MakeSetup, error: dict[str, Any]
) -> None:
    """P14: Vonage's libraries show numbers as text and as number, and an error inside an error."""
    connector = WhatsAppVonage(make_setup("whatsapp_vonage"))
    (failed,) = connector.parse(webhook(status="rejected", error=error))
    assert isinstance(failed, Delivery)
    assert (failed.state, failed.error_code, failed.error_class) == ("failed", "1340", "WindowClosed")


@pytest.mark.parametrize("more", [{"whatsapp": None}, {"whatsapp": {"pricing": None}}, {"error": None}, {"usage": 1}])
def test_a_status_is_read_without_what_is_beside_it(make_setup: MakeSetup, more: dict[str, Any]) -> None:
    """P10: an empty field that only the cost report reads must not keep a receipt from being delivered."""
    connector = WhatsAppVonage(make_setup("whatsapp_vonage"))
    (told,) = connector.parse(webhook(status="delivered", **more))
    assert isinstance(told, Delivery)
    assert (told.state, told.outbox_key, told.pricing) == ("delivered", "r-17.1", None)


@pytest.mark.parametrize(
    ("card", "text"),
    [({"name": None, "phones": None}, ""), ({"name": {"formatted_name": "Budi"}, "phones": None}, "Budi"),
     ({"name": None, "phones": [{"phone": "+62 812"}, {"phone": None}]}, "+62 812")],
)  # fmt: skip
def test_a_shared_contact_is_taken_with_empty_fields(make_setup: MakeSetup, card: dict[str, Any], text: str) -> None:
    """P1: who shares a card with an empty field is answered, not kept for a person to look at."""
    connector = WhatsAppVonage(make_setup("whatsapp_vonage"))
    shared = {"from": SARI, "to": "622150996000", "message_type": "contacts", "contacts": [card]}
    (message,) = connector.parse(webhook(**shared))
    assert isinstance(message, Message)
    assert (message.text, message.flags) == (text, ("contact", "no_timestamp"))
    (nothing,) = connector.parse(webhook(**shared | {"contacts": None}))
    assert isinstance(nothing, Message)
    assert "unsupported" in nothing.flags


def webhook(**fields: Any) -> Raw:
    """A webhook with these fields; without others, what every one has."""
    body = {"channel": "whatsapp", "message_uuid": "b-1", "to": SARI, "from": "622150996000", "client_ref": "r-17.1"}
    at = datetime(2026, 1, 5, 3, tzinfo=UTC)
    return Raw(channel_id="vonage", received_at=at, body=msgspec.json.encode({**body, **fields}))


@pytest.mark.parametrize("number", [200, 201, 202])
async def test_every_answer_of_success_is_one(serve: Serve, make_setup: MakeSetup, number: int) -> None:
    """P13: what Vonage took is not called refused, or the receipt would go out on the next way as well."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"message_uuid": "b-1"}, status=number)

    connector = WhatsAppVonage(make_setup("whatsapp_vonage", api_base=await serve(answer)))
    assert (await connector.send(Outgoing(key="r-17", recipient=f"+{SARI}", text="Halo"))).provider_id == "b-1"


@pytest.mark.parametrize("media", [None, True, False])
async def test_secured_files_are_named_before_they_are_lost(
    serve: Serve, make_setup: MakeSetup, media: bool | None
) -> None:
    """Secure inbound media asks for a token that we lack, and files live 48 hours; other products may say anything."""
    hooks = {"inbound_url": {"address": "https://aduan.example.co.id/in/akseleran-whatsapp_vonage"}}
    messages = {"version": "v1", "webhooks": hooks, "authenticate_inbound_media": media}
    capabilities = {"messages": messages, "voice": {"webhooks": []}, "vbc": None}

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"capabilities": capabilities})

    connector = WhatsAppVonage(make_setup("whatsapp_vonage", api_base=await serve(answer), application_id=APPLICATION))
    if media:
        with pytest.raises(Misconfigured, match="secure inbound media"):
            await connector.check()
    else:
        await connector.check()


def test_files_of_both_names_of_the_provider_may_be_fetched() -> None:
    """P22: Vonage's libraries name its media by either domain; a host that is left out costs the customer's proof."""
    regions = ("api", "api-us", "api-eu", "api-ap")
    assert set(FACTS.media_hosts.value) == {f"{each}.{of}.com" for each in regions for of in ("nexmo", "vonage")}
