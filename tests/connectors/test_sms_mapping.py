"""The mapping of an aggregator as settings: recipes of a proof, forms and JSON, logins, profiles (P18, P19)."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
import pytest
from aiohttp import web
from pydantic import ValidationError

from connectors.contract import Request
from connectors.errors import Ambiguous, AuthFailed, Malformed, Misconfigured, Rejected
from connectors.sms_http import SmsHttp, build
from connectors.sms_http.settings import CODES, Settings
from harness.serving import MakeSetup, Serve
from normalizer.message import Delivery, Ignored, Message, Outgoing, Permission, Raw

NOW = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
SECRETS = ["invented-secret-new", "invented-secret-old"]
FORM = urlencode({"id": "m1", "from": "+6281200000001", "text": "Halo é &=+", "empty": ""}).encode()
TARGET = "/in/sms?outbox=r-1"
URL = f"https://aduan.example.co.id{TARGET}"


def digest(secret: str, message: bytes, algorithm: str, encoding: str) -> str:
    """An HMAC as the aggregator writes it."""
    made = hmac.new(secret.encode(), message, algorithm).digest()
    return made.hex() if encoding == "hex" else base64.b64encode(made).decode()


def signed(over: str, body: bytes) -> bytes:
    """The bytes that each recipe signs."""
    pairs = sorted(parse_qsl(body.decode(), keep_blank_values=True))
    return {
        "body": body,
        "timestamp_body": STAMP.encode() + b":" + body,
        "url_params": (URL + "".join(name + value for name, value in pairs)).encode(),
    }[over]


def called(proof: str | None, body: bytes = FORM, stamp: str | None = STAMP, target: str = TARGET) -> Request:
    """One webhook."""
    headers = [("x-proof", proof), ("x-when", stamp)]
    return Request(
        method="POST",
        target=target,
        headers=tuple((name, value) for name, value in headers if value is not None),
        body=body,
        received_at=NOW,
    )


@pytest.mark.parametrize("prefix", ["", "v1="])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
@pytest.mark.parametrize("over", ["body", "timestamp_body", "url_params"])
def test_every_recipe(make_setup: MakeSetup, over: str, algorithm: str, encoding: str, prefix: str) -> None:
    """Either live secret proves; another secret, body, time, address, hash or spelling does not."""
    proof = {"header": "X-Proof", "timestamp_header": "X-When", "separator": ":", "prefix": prefix}
    recipe = {**proof, "over": over, "algorithm": algorithm, "encoding": encoding}
    connector = SmsHttp(make_setup("sms_http", secrets=SECRETS, incoming={"format": "form", "proof": recipe}))
    for secret in SECRETS:
        good = called(prefix + digest(secret, signed(over, FORM), algorithm, encoding))
        (raw,) = connector.receive(good).keep
        (message,) = connector.parse(raw)
        assert isinstance(message, Message)
        assert message.text == "Halo é &=+"
    right = digest(SECRETS[0], signed(over, FORM), algorithm, encoding)
    other = "sha1" if algorithm == "sha256" else "sha256"
    wrong = [
        called(None),
        called(""),
        called(prefix),
        called(prefix + right[:-1]),
        called(prefix + right.swapcase()),
        called("x" + prefix + right),
        called(prefix + digest("another", signed(over, FORM), algorithm, encoding)),
        called(prefix + digest(SECRETS[0], signed(over, FORM), other, encoding)),
        called(prefix + right, FORM + b"&more=1"),
    ]
    if over == "timestamp_body":
        wrong += [called(prefix + right, stamp=stamp) for stamp in (None, "", f"{STAMP}0", str(int(STAMP) - 1), "٣")]
    if over == "url_params":
        wrong += [called(prefix + right, target="/in/sms"), called(prefix + right, FORM + b"\xff")]
    for request in wrong:
        with pytest.raises(Rejected):
            connector.receive(request)


def test_old_and_early_times_are_replays(make_setup: MakeSetup) -> None:
    """A signed time is good for `max_age_seconds` either way."""
    proof = {"header": "x-proof", "timestamp_header": "x-when", "max_age_seconds": 60}
    connector = SmsHttp(make_setup("sms_http", secrets=SECRETS, incoming={"proof": proof}))
    body = b'{"id":"1","from":"+6281200000001","text":"x"}'
    for shift, good in ((0, True), (-60, True), (60, True), (-61, False), (61, False)):
        stamp = str(int(STAMP) + shift)
        request = called(digest(SECRETS[0], f"{stamp}.".encode() + body, "sha256", "hex"), body, stamp)
        if good:
            assert connector.receive(request).keep
        else:
            with pytest.raises(Rejected):
                connector.receive(request)


def test_a_token_is_the_secret_itself(make_setup: MakeSetup) -> None:
    """Where the aggregator signs nothing: the secret in a header, whole, behind its prefix, compared in one time."""
    proof = {"header": "Authorization", "recipe": "token", "prefix": "Bearer "}
    connector = SmsHttp(make_setup("sms_http", secrets=SECRETS, incoming={"proof": proof}))
    plain = called(None, b'{"id":"1","from":"+6281200000001","text":"x"}')

    def showing(value: str) -> Request:
        return msgspec.structs.replace(plain, headers=(("authorization", value),))

    for secret in SECRETS:
        assert connector.receive(showing(f"Bearer {secret}")).keep
    for wrong in ("", "Bearer ", "Bearer invented-secret-ne", "Bearer invented-secret-newx", SECRETS[0], "Bearer é"):
        with pytest.raises(Rejected) as caught:
            connector.receive(showing(wrong))
        assert caught.value.status == 401
    for request in (plain, msgspec.structs.replace(showing(f"Bearer {SECRETS[0]}"), method="GET")):
        with pytest.raises(Rejected):
            connector.receive(request)


def read(connector: SmsHttp, body: object) -> Any:
    """The one event of a body."""
    raw = Raw(channel_id="x", received_at=NOW, body=body if isinstance(body, bytes) else json.dumps(body).encode())
    (event,) = connector.parse(raw)
    return event


def test_places_lie_anywhere(make_setup: MakeSetup) -> None:
    """Nested names, positions in a list, several places of which the first that holds something counts."""
    message = {"id": ["ids.0", "id"], "from": "who.number", "text": ["body", "text"], "sent_at": [], "part_number": []}
    connector = SmsHttp(make_setup("sms_http", incoming={"event": [], "message": message}))
    found = read(connector, {"ids": ["m1"], "who": {"number": 6281200000001}, "body": "", "text": "Halo"})
    assert (found.external_id, found.sender.phone, found.text, found.flags) == ("m1", "+6281200000001", "Halo", ())
    broken: list[dict[str, Any]] = [
        {"ids": []}, {"ids": {"0": {}}, "who": 5}, {"id": "m 1"}, {"id": True}, {"id": "x" * 600}, {"id": 1.5},
    ]  # fmt: skip
    for wrong in broken:
        with pytest.raises(Malformed):
            read(connector, wrong)


def test_a_report_needs_no_event_word(make_setup: MakeSetup) -> None:
    """Where messages and reports come alike, the state tells them apart; a word nobody listed is counted."""
    connector = SmsHttp(make_setup("sms_http"))
    report = {"message_id": "c1", "reference": "r-1"}
    assert isinstance(
        read(connector, {"id": "m1", "from": "+6281200000001", "text": "x", "status": "received"}), Message
    )
    told = read(connector, {**report, "status": "DELIVRD", "at": 1767582000})
    assert (told.state, told.outbox_key, told.provider_id, told.at) == ("delivered", "r-1", "c1", NOW)
    assert read(connector, {**report, "status": "queued"}) == Ignored(reason="status: pending")
    assert read(connector, {**report, "status": "lost in space"}) == Ignored(reason="status: other")
    assert read(connector, {"event": "balance_low"}) == Ignored(reason="event: other")


def test_our_key_in_the_address_counts_only_where_it_is_signed(make_setup: MakeSetup) -> None:
    """Nobody may move another receipt by changing a query that no signature covers."""
    raw = Raw(channel_id="x", received_at=NOW, body=b'{"message_id":"c1","status":"failed"}', target=TARGET)
    (told,) = SmsHttp(make_setup("sms_http")).parse(raw)
    assert isinstance(told, Delivery)
    assert told.outbox_key is None
    proof = {"over": "url_params"}
    connector = SmsHttp(make_setup("sms_http", incoming={"format": "form", "proof": proof}))
    (told,) = connector.parse(msgspec.structs.replace(raw, body=b"message_id=c1&status=failed"))
    assert isinstance(told, Delivery)
    assert (told.outbox_key, told.error_class) == ("r-1", "Unreachable")


@pytest.mark.parametrize(
    ("login", "header", "value"),
    [
        ({}, "Authorization", "Bearer invented-secret-new"),
        ({"scheme": "bearer", "secret": "own-secret"}, "Authorization", "Bearer own-secret"),
        ({"scheme": "basic", "user": "aduan", "secret": "own"}, "Authorization", "Basic YWR1YW46b3du"),
        ({"scheme": "header", "header": "X-Key", "secret": "own-secret"}, "X-Key", "own-secret"),
        ({"scheme": "none"}, "Authorization", None),
        ({"scheme": "field", "field": "auth.key", "secret": "own-secret"}, "Authorization", None),
    ],
)
@pytest.mark.parametrize("format_", ["json", "form"])
async def test_how_a_text_is_handed_in(
    make_setup: MakeSetup, serve: Serve, login: dict[str, str], header: str, value: str | None, format_: str
) -> None:
    """Body by field names, constants, nested places, number formats, each login."""
    seen: list[tuple[str | None, str, bytes]] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append((request.headers.get(header), request.content_type, await request.read()))
        return web.json_response({"code": 0, "id": 4711})

    fields = {"to": "dest.number", "from": "src", "text": "text", "key": "ref", "callback": "dlr", "unicode": "uni"}
    outgoing = {
        "format": format_, "fields": fields, "constants": {"route": "otp", "dest.type": "msisdn"}, "numbers": "digits",
        "login": login,
    }  # fmt: skip
    connector = SmsHttp(make_setup("sms_http", send_url=await serve(answer), secrets=SECRETS, outgoing=outgoing))
    sent = await connector.send(Outgoing(key="r 1", recipient="+6281200000001", text="Terima kasih 🙏"))
    assert sent.provider_id == "4711"
    ((shown, kind, body),) = seen
    callback = "https://aduan.example.co.id/in/akseleran-sms_http?outbox=r+1"
    assert shown == value
    in_field = login.get("scheme") == "field"
    if format_ == "json":
        assert kind == "application/json"
        assert json.loads(body) == {
            **({"auth": {"key": "own-secret"}} if in_field else {}),
            "route": "otp", "dest": {"type": "msisdn", "number": "6281200000001"}, "src": "6281190009000",
            "text": "Terima kasih 🙏", "ref": "r 1", "dlr": callback, "uni": True,
        }  # fmt: skip
    else:
        assert kind == "application/x-www-form-urlencoded"
        assert dict(parse_qsl(body.decode())) == {
            **({"auth.key": "own-secret"} if in_field else {}),
            "route": "otp", "dest.type": "msisdn", "dest.number": "6281200000001", "src": "6281190009000",
            "text": "Terima kasih 🙏", "ref": "r 1", "dlr": callback, "uni": "true",
        }  # fmt: skip


async def test_an_http_status_may_mean_what_the_settings_say(make_setup: MakeSetup, serve: Serve) -> None:
    """A table may name "http 402": no credit left halts the channel and fails no receipt; PUT is a write too."""
    methods: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        methods.append(request.method)
        return web.Response(status=402 if len(methods) == 1 else 504)

    outgoing = {"method": "PUT", "codes": {"http 402": "AuthFailed"}}
    connector = SmsHttp(make_setup("sms_http", send_url=await serve(answer), outgoing=outgoing))
    for kind in (AuthFailed, Ambiguous):
        with pytest.raises(kind):
            await connector.send(Outgoing(key="r 1", recipient="+6281200000001", text="Halo"))
    assert methods == ["PUT", "PUT"]


def test_a_name_sends_and_a_number_receives(make_setup: MakeSetup) -> None:
    """A registered name cannot be written to: the numbers that can belong to the same channel."""
    connector = SmsHttp(make_setup("sms_http", sender="KLIKACC", receives=["6281190009000"]))
    message = {"id": "m1", "from": "081200000001", "to": "+62 811-9000-9000", "text": "Halo"}
    found = read(connector, message)
    assert (found.account, connector.account) == ("KLIKACC", "KLIKACC")
    assert read(connector, {**message, "to": "98811"}).account == "98811"


GIVEN: dict[str, Any] = {
    "kind": "sms_http",
    "organisation": "akseleran",
    "sender": "+6281190009000",
    "send_url": "https://api.twilio.com/2010-04-01/Accounts/ACd1a0b1c2d3e4f5061728394a5b6c7d8e/Messages.json",
    "secrets": SECRETS,
}


@pytest.mark.parametrize("fields", [{"to": "dest"}, {"text": "body"}, {}])
def test_a_text_needs_a_recipient_and_words(fields: dict[str, str]) -> None:
    """`fields` takes the place of the default as a whole: what it leaves out would not be sent."""
    with pytest.raises(ValidationError, match="`to` and `text`"):
        Settings.model_validate({**GIVEN, "outgoing": {"fields": fields}})


@pytest.mark.parametrize("told", ["none", 0, "false", "N"])
def test_a_stop_counts_whatever_the_aggregator_calls_it(make_setup: MakeSetup, told: object) -> None:
    """A field of the aggregator that says neither STOP nor START does not outweigh the customer's own word."""
    connector = SmsHttp(make_setup("sms_http"))
    message = {"id": "m1", "from": "+6281200000001", "text": "Stop.", "opt_out": told}
    found = read(connector, message)
    assert isinstance(found, Permission)
    assert not found.allowed
    assert isinstance(read(connector, {**message, "text": "Stop menagih saya"}), Message)


def test_the_last_part_of_a_long_text_is_no_stop(make_setup: MakeSetup) -> None:
    """The word ends a sentence that began in the part before: nothing of the complaint is dropped."""
    connector = SmsHttp(make_setup("sms_http"))
    message = {"id": "m1", "from": "+6281200000001", "text": "stop!", "udh": {"number": 2, "count": 2}}
    found = read(connector, message)
    assert isinstance(found, Message)
    assert found.text == "stop!"


def test_none_of_our_numbers_writes_to_us(make_setup: MakeSetup) -> None:
    """T33: an echo of what we sent is no complaint, whichever of our numbers it names."""
    connector = SmsHttp(make_setup("sms_http", sender="KLIKACC", receives=["6281190009000"]))
    for ours in ("KLIKACC", "+62 811-9000-9000"):
        assert read(connector, {"id": "m1", "from": ours, "text": "Halo"}) == Ignored(reason="own message")


def test_a_profile_is_a_beginning() -> None:
    """What the operator writes stands above Twilio's mapping, key by key."""
    given = {
        **GIVEN,
        "profile": "twilio",
        "incoming": {"message": {"text": "Text"}, "stop_words": ["HENTI"]},
        "outgoing": {"codes": {"21614": "Refused", "99": "Throttled"}},
    }
    found = Settings.model_validate(given)
    assert found.incoming.message.text == ("Text",)
    assert found.incoming.message.id == ("MessageSid", "SmsMessageSid", "SmsSid")
    assert found.incoming.proof.header == "x-twilio-signature"
    assert found.incoming.stop_words == ("HENTI",)
    assert found.outgoing.codes["21614"] == "Refused"
    assert found.outgoing.codes["21610"] == CODES.codes[21610] == "Unreachable"
    plain = Settings.model_validate(GIVEN)
    assert plain.incoming.proof.header == "x-signature"
    assert plain.outgoing.codes == {}


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("sender", "a name that is too long"),
        ("sender", ""),
        ("profile", "infobip"),
        ("incoming", {"format": "json", "proof": {"over": "url_params"}}),
        ("incoming", {"message": {"id": "a..b"}}),
        ("incoming", {"status": {"states": {"x": "lost"}}}),
        ("incoming", {"proof": {"recipe": "none"}}),
        ("incoming", {"utc_offset": "WIB"}),
        ("incoming", {"answer_type": "text/plain; charset=utf-8"}),
        ("incoming", {"proof": {"header": "x proof"}}),
        ("outgoing", {"login": {"header": "x-key:"}}),
        ("outgoing", {"login": {"user": "a:b"}}),
        ("outgoing", {"codes": {"1": "Nothing"}}),
        ("outgoing", {"fields": {"recipient": "to"}}),
        ("outgoing", {"login": {"secret": "****"}}),
        ("outgoing", {"fields": {"to": "a", "text": "a.b"}}),
        ("outgoing", {"fields": {"to": "a"}, "constants": {"a": "x"}}),
    ],
)
@pytest.mark.parametrize("profile", ["plain", "twilio"])
def test_what_cannot_work_is_named(key: str, wrong: object, profile: str) -> None:
    """An error names its key; no secret is repeated."""
    if profile == "twilio" and wrong == {"format": "json", "proof": {"over": "url_params"}}:
        wrong = {"format": "json"}  # Twilio's mapping brings the rest
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({**GIVEN, "profile": profile, key: wrong})
    assert key in {error["loc"][0] for error in caught.value.errors()}
    assert "invented" not in str(caught.value)


def test_twilio_needs_its_own_address(make_setup: MakeSetup) -> None:
    """The account stands in the address: without it the channel does not start."""
    for url in ("https://api.twilio.com/2010-04-01/Accounts", "https://api.twilio.com/Messages.json"):
        with pytest.raises(Misconfigured) as caught:
            build(make_setup("sms_http", profile="twilio", send_url=url))
        assert "send_url" in str(caught.value)
