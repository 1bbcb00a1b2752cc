"""SMS through Twilio, one profile of the mapping: signatures, sends, callbacks, gaps, ambiguous sends (P6, P13)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from connectors.contract import Lookup, Reconcile, Request
from connectors.errors import CLASSES, AuthFailed, Malformed, Misconfigured, Rejected, Unreachable
from connectors.sms_http import TwilioSms, build
from connectors.sms_http.parse import Rules, parse
from connectors.sms_http.settings import CODES, Settings
from connectors.twilio_messages import LISTED
from harness.serving import MakeSetup, Serve
from harness.twilio import tells_what_went
from harness.webhook import Webhook
from normalizer.message import Delivery, Ignored, Message, Outgoing, Permission, Raw
from simulator.app import start
from simulator.twilio import Twilio

SARI = "+6281200000001"
OURS = "+15005550006"
ACCOUNT = "ACd1a0b1c2d3e4f5061728394a5b6c7d8e"
TOKENS = ["invented-auth-token", "invented-second-token"]


@pytest.fixture
async def twilio() -> AsyncIterator[Twilio]:
    """Twilio, pretended, with a plain number."""
    account = Twilio(
        account_sid=ACCOUNT,
        auth_token=TOKENS[0],
        number=OURS,
        refuse_by="call",
        status_delays={"queued": 0.0, "sent": 0.0, "delivered": 0.0},
    )
    async with await start([account]):
        yield account


@pytest.fixture
async def ours(serve: Serve, twilio: Twilio, make_setup: MakeSetup) -> AsyncIterator[Webhook]:
    """Our webhook at the address that Twilio is told."""
    ours = Webhook()
    public_url = await serve(ours.answer)
    connector = build(
        make_setup("sms_http", public_url=public_url, **settings(twilio), timeout_seconds=0.5, page_size=2)
    )
    assert isinstance(connector, TwilioSms)
    ours.connector = connector
    twilio.webhook_url = f"{public_url}/in/akseleran-sms_http"
    yield ours
    await connector.aclose()


@pytest.fixture
def connector(ours: Webhook) -> TwilioSms:
    """The connector behind our webhook."""
    assert isinstance(ours.connector, TwilioSms)
    return ours.connector


def settings(twilio: Twilio | None = None) -> dict[str, Any]:
    """What an operator writes for Twilio: nothing of the mapping."""
    root = twilio.base_url if twilio is not None else "https://api.twilio.com"
    url = f"{root}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    return {"profile": "twilio", "sender": OURS, "send_url": url, "secrets": TOKENS}


def out(**changes: Any) -> Outgoing:
    """A receipt on its way."""
    return Outgoing(**{"key": "r 17/1&é", "recipient": SARI, "text": "Nomor: KLA-1", **changes})


async def test_a_text_is_answered_and_its_statuses_find_the_receipt(
    ours: Webhook, twilio: Twilio, connector: TwilioSms
) -> None:
    """Message in, receipt out, callbacks back with our key, all signed; Twilio understood every answer."""
    sid = await twilio.inject_text(SARI, "Dana belum cair — 🙏")
    await twilio.settled()
    message = ours.events[0]
    assert isinstance(message, Message)
    assert (message.external_id, message.text, message.account) == (sid, "Dana belum cair — 🙏", OURS)
    assert message.key == f"tw:{ACCOUNT}:{OURS}:{sid}"
    assert (message.flags, message.attachments) == ((), ())
    assert message.reply is not None
    sent = await connector.send(out(recipient=message.reply.recipient))
    await twilio.settled()
    told = [event for event in ours.events if isinstance(event, Delivery)]
    assert [event.state for event in told] == ["sent", "delivered"]
    assert {(event.outbox_key, event.provider_id) for event in told} == {("r 17/1&é", sent.provider_id)}
    assert all(isinstance(event, Message | Delivery | Ignored) for event in ours.events)
    assert not twilio.alerts


async def test_stop_is_twilios_own(ours: Webhook, twilio: Twilio, connector: TwilioSms) -> None:
    """Sheet A3: after STOP Twilio answers 21610; its own word for it counts too."""
    await twilio.inject_text(SARI, "Stop")
    with pytest.raises(Unreachable):
        await connector.send(out())
    await twilio.inject_text(SARI, "START")
    await twilio.inject_text(SARI, "henti", params={"OptOutType": "STOP"})
    await twilio.inject_text(SARI, "HELP", params={"OptOutType": "HELP"})
    await connector.send(out())
    await twilio.settled()
    told = [event for event in ours.events if not isinstance(event, Delivery)]
    assert [e.allowed if isinstance(e, Permission) else e for e in told if e != Ignored(reason="status: pending")] == [
        False, True, False, Ignored(reason="help"),
    ]  # fmt: skip


async def test_a_landline_is_unreachable(twilio: Twilio, connector: TwilioSms) -> None:
    """21614, as an answer and as a later status."""
    twilio.unreachable.add("+62215099000")
    with pytest.raises(Unreachable):
        await connector.send(out(recipient="+62215099000"))


async def test_a_refusal_by_status(ours: Webhook, twilio: Twilio, connector: TwilioSms) -> None:
    """The same code as a status callback: the receipt goes its next way."""
    twilio.refuse_by = "status"
    twilio.unreachable.add("+62215099000")
    await connector.send(out(recipient="+62215099000"))
    await twilio.settled()
    (told,) = (event for event in ours.events if isinstance(event, Delivery))
    assert (told.state, told.error_code, told.error_class) == ("failed", "21614", "Unreachable")


@pytest.mark.parametrize(
    ("code", "name"),
    [(20003, "AuthFailed"), (30002, "AuthFailed"), (21606, "AuthFailed"), (21211, "Unreachable"),
     (21408, "Unreachable"), (21610, "Unreachable"), (21612, "Unreachable"), (21614, "Unreachable"),
     (30003, "Unreachable"), (30004, "Unreachable"), (30005, "Unreachable"), (30006, "Unreachable"),
     (20429, "Throttled"), (14107, "Throttled"), (20500, "Unavailable"), (20503, "Unavailable"),
     (30001, "Unavailable"), (21602, "Refused"), (21617, "Refused"), (30007, "Refused"), (21619, "Refused")],
)  # fmt: skip
async def test_codes_in_the_providers_own_shape(twilio: Twilio, connector: TwilioSms, code: int, name: str) -> None:
    """Each code of the sheet gives its class, answered and reported; the text carries no address and no secret."""
    twilio.faults.code(code)
    with pytest.raises(CLASSES[name]) as caught:
        await connector.send(out())
    assert "invented" not in str(caught.value)
    assert "+62" not in str(caught.value)
    body = urlencode({"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": str(code)}).encode()
    (told,) = connector.parse(Raw(channel_id="x", received_at=datetime.now(UTC), body=body))
    assert isinstance(told, Delivery)
    assert told.error_class == name


def test_the_table_is_tested_whole() -> None:
    """Every code of codes.yaml stands in the test above."""
    marks = test_codes_in_the_providers_own_shape.pytestmark  # type: ignore[attr-defined]  # set by parametrize
    assert set(CODES.codes.items()) <= set(marks[0].args[1])


async def test_an_ambiguous_send_is_looked_for_before_a_retry(twilio: Twilio, connector: TwilioSms) -> None:
    """Sheet A13: the list tells whether it went, in the plain spelling that went out; nobody else's is taken for it."""
    assert isinstance(connector, Lookup)
    await tells_what_went(twilio, connector, out, said="“Nomor” – 1", kept='"Nomor" - 1', other=OURS)


async def test_what_the_webhook_missed_is_listed(ours: Webhook, twilio: Twilio, connector: TwilioSms) -> None:
    """P6: while we were away messages came; all are found, each as the webhook would have brought it."""
    assert isinstance(connector, Reconcile)
    before = datetime.now(UTC)
    sids = [await twilio.inject_text(SARI, "langsung")]
    await twilio.settled()
    twilio.webhook_url = ""
    await twilio.inject_text(SARI, "sebelum", at=(before - timedelta(hours=30)).timestamp())
    sids += [await twilio.inject_text(SARI, f"pesan {number}") for number in range(4)]
    sids.append(await twilio.inject_media(SARI, b"bukti", "image/jpeg"))
    await twilio.inject_text(SARI, "STOP")
    await twilio.inject_text(SARI, "START")
    await connector.send(out())
    async with aclosing(connector.since(before - timedelta(minutes=1))) as listed:
        batches = [batch async for batch in listed]
    events = [event for batch in batches for raw in batch.keep for event in connector.parse(raw)]
    messages = [event for event in events if isinstance(event, Message)]
    assert sorted(message.external_id for message in messages) == sorted(sids)
    assert sorted(e.allowed for e in events if isinstance(e, Permission)) == [False, True]
    assert len(batches) > 1
    pushed = ours.events[0]
    assert isinstance(pushed, Message)
    again = next(message for message in messages if message.external_id == sids[0])
    assert msgspec.structs.replace(again, sent_at=pushed.sent_at) == pushed
    with_file = next(message for message in messages if message.external_id == sids[-1])
    assert [file.error is not None for file in with_file.attachments] == [True]


async def test_check_asks_for_the_account(twilio: Twilio, connector: TwilioSms, make_setup: MakeSetup) -> None:
    """Good credentials pass; wrong ones and another account are told apart; nothing is sent."""
    await connector.check()
    wrong = build(make_setup("sms_http", **{**settings(twilio), "secrets": ["another-token"]}))
    with pytest.raises(AuthFailed):
        await wrong.check()
    other = settings(twilio)["send_url"].replace(ACCOUNT, "AC" + "0" * 32)
    with pytest.raises((AuthFailed, Misconfigured)):
        await build(make_setup("sms_http", **{**settings(twilio), "send_url": other})).check()
    assert len(twilio.sent) == 0


INCOMING = Settings.model_validate({"kind": "sms_http", "organisation": "akseleran", **settings()}).incoming
PARAMETERS = {"MessageSid": "SM" + "1" * 32, "AccountSid": ACCOUNT, "From": SARI, "To": OURS, "Body": "Halo é 🙏",
              "NumMedia": "2", "SmsStatus": "received", "Tomorrow": ""}  # fmt: skip


def called(
    target: str = "/in/akseleran-sms_http",
    parameters: dict[str, str] | None = None,
    token: str = TOKENS[0],
    **more: str,
) -> Request:
    """A webhook signed by Twilio's own library, the second opinion."""
    form = PARAMETERS if parameters is None else parameters
    url = more.get("url", f"https://aduan.example.co.id{target}")
    proof = RequestValidator(token).compute_signature(url, MultiDict(form))
    return Request(
        method="POST",
        target=target,
        headers=(("content-type", "application/x-www-form-urlencoded"), ("x-twilio-signature", proof)),
        body=urlencode(form).encode(),
        received_at=datetime(2026, 1, 5, 3, 0, tzinfo=UTC),
    )


def test_signatures_against_twilios_library(make_setup: MakeSetup) -> None:
    """P18: both live tokens, with and without port; nothing else."""
    connector = build(make_setup("sms_http", **settings()))
    assert isinstance(connector, TwilioSms)
    ported = "https://aduan.example.co.id:443/in/akseleran-sms_http"
    for good in (called(), called(token=TOKENS[1]), called(url=ported), called("/in/akseleran-sms_http?a=b%20c")):
        (raw,) = connector.receive(good).keep
        (message,) = connector.parse(raw)
        assert isinstance(message, Message)
        assert (message.text, len(message.attachments)) == ("Halo é 🙏", 2)
    change = msgspec.structs.replace
    for wrong in (
        called(token="another-token"),
        called(url="https://elsewhere.example/in/akseleran-sms_http"),
        called(url="https://aduan.example.co.id:8443/in/akseleran-sms_http"),
        change(called(), target="/in/akseleran-sms_http?a=1"),
        change(called(), body=called().body + b"&x="),
        change(called(), headers=()),
        change(called(), headers=called().headers + called().headers[1:]),
        change(called(), method="GET"),
    ):
        with pytest.raises(Rejected):
            connector.receive(wrong)


@settings_of_hypothesis(max_examples=150, deadline=None)
@given(
    body=st.one_of(
        st.binary(max_size=300),
        st.dictionaries(
            st.sampled_from([*PARAMETERS, "MessageStatus", "ErrorCode", "SmsSid", "OptOutType"]),
            st.text(max_size=90),
        ).map(lambda form: urlencode(form, errors="replace").encode()),
    ),
    target=st.text(max_size=40),
    listed=st.booleans(),
)
def test_any_bytes_give_events_or_malformed(body: bytes, target: str, listed: bool) -> None:
    """P32: a webhook, a status or a listed message of any shape: events or Malformed, never another exception."""
    raw = Raw(
        channel_id="x",
        received_at=datetime(2026, 1, 5, 3, 0, tzinfo=UTC),
        body=body,
        target=target,
        headers={LISTED: "message"} if listed else {},
    )
    rules = Rules(incoming=INCOMING, codes={"21610": "Unreachable"}, sender=OURS, scope="tw:AC1")
    try:
        found = parse(raw, rules)
    except Malformed:
        return
    assert found
    assert msgspec.json.encode(found)
