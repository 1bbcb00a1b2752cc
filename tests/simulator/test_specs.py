"""The simulator against the providers' official examples and contracts, where they lie beside the repository."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest

import simulator
from simulator import Twilio, WhatsAppCloud
from simulator.whatsapp_cloud import checks, inbound, payloads
from simulator.whatsapp_cloud.errors import GraphError
from simulator.whatsapp_cloud.payloads import Number, Person, Update

SPECS = Path(__file__).parents[3] / "shared" / "specs"
needs_specs = pytest.mark.skipif(not SPECS.is_dir(), reason="the official contracts do not lie beside the repository")


def examples(name: str) -> Iterator[dict[str, Any]]:
    path = SPECS / "meta" / "examples" / name
    if path.is_file():
        yield from map(json.loads, path.read_text("utf-8").splitlines())


# Meta writes a message without type in one example (text is the default) and numbers as placeholders.
SENDS = [
    pytest.param(each["request"]["body"], id=each["id"].removeprefix("meta-openapi/"))
    for each in examples("whatsapp-sends.jsonl")
    if "status" not in each["request"]["body"]
]


@needs_specs
@pytest.mark.parametrize("body", SENDS)
def test_official_sends_are_accepted(body: dict[str, Any]) -> None:
    if "type" not in body and "text" not in body:
        # One official example (the reply with a list) forgets the type; a message without it is a text.
        with pytest.raises(GraphError, match="131008"):
            checks.check(body)
    else:
        assert checks.check(body) == body.get("type", "text")


@needs_specs
def test_there_are_official_sends() -> None:
    assert len(SENDS) >= 45


def shape(value: Any) -> Any:
    """Keys and types, without the values."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return type(value).__name__


PERSON = Person("16505551234", None, "Sheena Nelson")
NUMBER = Number("106540352242922", "15550783881", "419561257915477")
CONTENTS = {
    "text-message": inbound.text("Does it come in another color?"),
    "reaction-message": inbound.reaction("wamid.x", "👍"),
    "image-message": inbound.media("image", "1003383421387256", "image/jpeg", "x=", caption="Taj Mahal"),
    "location-message": inbound.location(37.4, -122.1, name="Philz", address="101 Forest Ave", url="https://a.b/"),
    "unsupported-message": inbound.unsupported(),
    "button-message": inbound.button("Unsubscribe", "Unsubscribe"),
    "interactive-list-reply-message": inbound.list_reply("a", "b", "c"),
    "interactive-button-reply-message": inbound.button_reply("cancel-button", "Cancel"),
    "order-message": inbound.order(
        "1",
        [{"product_retailer_id": "a", "quantity": 2, "item_price": 30, "currency": "USD"} for _ in range(2)],
    ),
    "system-message": inbound.changed_number("16505551234", "12195555358", name="Sheena Nelson"),
    "contact-sharing-message": inbound.contacts(
        [
            {
                "name": {"first_name": "L", "last_name": "G", "formatted_name": "L G"},
                "org": {"company": "Google"},
                "phones": [{"phone": "+1 (983) 555-2319", "wa_id": "19835552319", "type": "MOBILE"}],
            }
        ]
    ),
}
OFFICIAL = {each["id"].removeprefix("meta-openapi/"): each for each in examples("whatsapp-webhooks.jsonl")}


@needs_specs
@pytest.mark.parametrize("case", CONTENTS)
def test_webhooks_have_the_official_shape(case: str) -> None:
    content = CONTENTS[case]
    official = json.loads(base64.b64decode(OFFICIAL[case]["body_b64"]))
    fields = dict(content.fields)
    if "context" in official["entry"][0]["changes"][0]["value"]["messages"][0]:
        fields["context"] = {"from": "15550783881", "id": "wamid.y"}
    item = payloads.message(PERSON, "wamid.z", 1_749_416_383.0, content.type, fields)
    contact = None if content.type == "system" else payloads.contact_of(PERSON)
    ours = payloads.envelope([Update(NUMBER, "messages", "messages", item, contact)])
    assert shape(ours) == shape(official)


@needs_specs
def test_official_signatures_are_ours() -> None:
    for each in OFFICIAL.values():
        body = base64.b64decode(each["body_b64"])
        assert payloads.sign(each["auth"]["secret"], body) == each["headers"]["X-Hub-Signature-256"]


def test_error_bodies_have_the_graph_shape() -> None:
    body = GraphError(131047).body()["error"]
    assert body["message"] == "(#131047) Re-engagement message"
    assert (body["type"], body["code"]) == ("OAuthException", 131047)
    assert body["error_data"]["messaging_product"] == "whatsapp"


@pytest.fixture
async def both() -> AsyncIterator[tuple[WhatsAppCloud, Twilio]]:
    cloud = WhatsAppCloud(app_secret="s", access_token="t", phone_number_id="1", waba_id="2", verify_token="v")
    twilio = Twilio(account_sid="AC" + "0" * 32, auth_token="t", number="whatsapp:+622150000000", statuses=False)
    async with await simulator.start([cloud, twilio]):
        yield cloud, twilio


@needs_specs
async def test_twilio_answers_keep_the_official_contract(
    both: tuple[WhatsAppCloud, Twilio], http: aiohttp.ClientSession
) -> None:
    spec = json.loads((SPECS / "twilio" / "twilio_api_v2010.json").read_text("utf-8"))
    message = _schema(spec, "api.v2010.account.message")
    media = _schema(spec, "api.v2010.account.message.media")
    account = _schema(spec, "api.v2010.account")
    _, twilio = both
    sid = await twilio.inject_media("whatsapp:+6281234567890", b"x", "image/jpeg", caption="bukti")
    login = {"Authorization": aiohttp.encode_basic_auth(twilio.account_sid, "t")}
    root = f"{twilio.base_url}/2010-04-01/Accounts/{twilio.account_sid}"
    form = {"To": "whatsapp:+6281234567890", "From": twilio.number, "Body": "ya"}
    async with http.post(f"{root}/Messages.json", data=form, headers=login) as answer:
        jsonschema.validate(await answer.json(), message)
    async with http.get(f"{root}/Messages.json", headers=login) as answer:
        listed = await answer.json()
        official = spec["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["get"]["responses"]["200"]
        assert set(listed) == set(official["content"]["application/json"]["schema"]["properties"])
        for each in listed["messages"]:
            jsonschema.validate(each, message)
    async with http.get(f"{root}/Messages/{sid}/Media.json", headers=login) as answer:
        for each in (await answer.json())["media_list"]:
            jsonschema.validate(each, media)
    async with http.get(f"{root}.json", headers=login) as answer:
        jsonschema.validate(await answer.json(), account)


def _schema(spec: dict[str, Any], name: str) -> dict[str, Any]:
    """A schema of the contract as strict JSON Schema: nullable spelled out, no unknown keys, all keys present."""

    def convert(value: Any) -> Any:
        if isinstance(value, list):
            return [convert(each) for each in value]
        if not isinstance(value, dict):
            return value
        value = {key: convert(each) for key, each in value.items()}
        if "$ref" in value:
            return convert(spec["components"]["schemas"][value["$ref"].rpartition("/")[2]])
        if value.pop("nullable", False) and "type" in value:
            value["type"] = [value["type"], "null"]
        return value

    schema: dict[str, Any] = convert(spec["components"]["schemas"][name])
    return schema | {"additionalProperties": False, "required": list(schema["properties"])}
