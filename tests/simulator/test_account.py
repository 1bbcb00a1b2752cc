"""What an account gets from `PretendedAccount` and the fronts' common part: a provider written here, in one file."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import aiohttp
import msgspec
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

import simulator
from simulator import Account, Ports, Weather
from simulator.account import Options, PretendedAccount
from simulator.delivery import Delivery, Record, RetryPolicy
from simulator.faults import SERVER_TROUBLES, Code, Fault, Stall, weather_fault
from simulator.front import Refusal, answer, bearer, carry_out, refusing
from simulator.limits import Buckets
from simulator.place import Asks, Attachment, Choice, Line, Mounted, Service, Talk
from simulator.weather import CLIMATES

POLICY = RetryPolicy(waits=(1, 2), wanted=lambda attempt: attempt.status != 200)


@dataclass(frozen=True)
class Text:
    """One text of a live chat."""

    person: str
    text: str
    mine: bool
    at: float


class ChatError(Refusal):
    """A call that the chat refuses."""

    def __init__(self, code: int) -> None:
        super().__init__(f"error {code}")
        self.code, self.status = code, code

    def body(self) -> Any:
        return {"error": self.code}


class Chat(PretendedAccount[Text]):
    """A live chat on a web site."""

    kind = "chat"
    path = "/chat"
    name = "Chat"
    channel = "Obrolan / live chat"
    asks: Asks = "handle"
    address = "chat.example"

    def __init__(self, *, token: str, secret: str, **options: Unpack[Options]) -> None:
        super().__init__(**options)
        self.token, self.secret = token, secret
        self.texts: Record[Text] = Record(self._keep)
        self.lost = 0

    @classmethod
    def mount(cls, accounts: Sequence[Chat]) -> Mounted:
        return Mounted([web.post("/v1/texts", refusing(Front(accounts).send))])

    async def _post(self, items: list[Text]) -> None:
        body = msgspec.json.encode([{"person": each.person, "text": each.text} for each in items])
        proof = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        await self._post_until_accepted(Delivery(self.webhook_url, body, {"X-Signature": proof}), POLICY)

    def _gave_up(self, policy: RetryPolicy) -> None:
        self.lost += 1

    def talks(self) -> list[Talk]:
        return [self]

    async def say(self, person: str, text: str, attachment: Attachment | None = None) -> None:
        self.texts.append(Text(person, text, True, self.clock()))
        await self._mixer.put(self.texts[-1], self.weather)

    async def choose(self, person: str, choice: Choice) -> None:
        await self.say(person, choice.title)

    def conversation(self, person: str) -> list[Line]:
        return [Line(each.at, each.mine, each.text) for each in self.texts if each.person == person]


class Front:
    """The chat's API."""

    def __init__(self, accounts: Sequence[Chat]) -> None:
        self._accounts = {account.token: account for account in accounts}

    async def send(self, request: web.Request) -> web.StreamResponse:
        account = self._accounts.get(bearer(request))
        if account is None:
            raise ChatError(401)
        given = msgspec.json.decode(await request.read())

        def take() -> web.Response:
            account.texts.append(Text(given["person"], given["text"], False, account.clock()))
            return answer({"id": account.texts.total}, 201)

        fault = account.faults.next() or weather_fault(
            account.weather, rate_limit=[Code(429, headers={"Retry-After": "7"})], expired_token=Code(401)
        )
        return await carry_out(fault, request, lambda code: ChatError(code.code), take)


SERVICE = Service(
    kinds=("chat",),
    providers=lambda accounts, _ports: [
        Chat(**each.settings, webhook_url=each.webhook_url, name=each.name, time_scale=0.001) for each in accounts
    ],
)


@pytest.fixture
async def chat(business: Any) -> AsyncIterator[Chat]:
    account = Account("chat", "KlikUMKM", f"{business.url}/in/chat", {"token": "t", "secret": "s"})
    (found,) = SERVICE.providers([account], Ports())
    assert isinstance(found, Chat)
    async with await simulator.start([found]):
        yield found


async def send(http: aiohttp.ClientSession, chat: Chat, token: str = "t") -> tuple[int, dict[str, str]]:
    headers = {"Authorization": f"Bearer {token}"}
    body = {"person": "budi", "text": "Halo"}
    async with http.post(f"{chat.base_url}/v1/texts", json=body, headers=headers) as response:
        await response.read()
        return response.status, dict(response.headers)


async def test_both_directions(chat: Chat, business: Any, http: aiohttp.ClientSession) -> None:
    await chat.say("budi", "Tolong")
    assert (await send(http, chat))[0] == 201
    (call,) = await business.wait(1)
    assert call.body == b'[{"person":"budi","text":"Tolong"}]'
    assert call.headers["X-Signature"] == hmac.new(b"s", call.body, hashlib.sha256).hexdigest()
    assert [(line.mine, line.text) for line in chat.conversation("budi")] == [(True, "Tolong"), (False, "Halo")]
    assert chat.deliveries[0].status == 200
    assert chat.lost == 0


async def test_what_is_refused_is_tried_again_and_given_up(chat: Chat, business: Any) -> None:
    business.statuses = [500, 200, 500, 500, 500]
    await chat.say("budi", "satu")
    await chat.settled()
    assert [each.status for each in chat.deliveries[0].attempts] == [500, 200]
    await chat.say("budi", "dua")
    await chat.settled()
    assert (len(chat.deliveries[1].attempts), chat.deliveries[1].given_up, chat.lost) == (3, True, 1)


async def test_weather_shares_and_withholds_webhooks(chat: Chat, business: Any) -> None:
    chat.weather = Weather.named("batches", seed=3)
    await asyncio.gather(*(chat.say("budi", str(n)) for n in range(8)))
    await chat.settled()
    assert sorted(each["text"] for call in business.calls for each in msgspec.json.decode(call.body)) == list(
        "01234567"
    )
    assert len(business.calls) < 8
    before = len(business.calls)
    chat.weather = Weather.named("unsubscribed")
    await chat.say("budi", "hilang")
    await chat.settled()
    assert len(business.calls) == before


@pytest.mark.parametrize(
    ("fault", "status", "taken"),
    [
        (None, 201, 1),
        (Code(429, headers={"Retry-After": "9"}), 429, 0),
        (Stall(0.0), 504, 0),
        (Stall(0.0, accepted=True), 201, 1),
    ],
)
async def test_calls_meet_scripted_faults(
    chat: Chat, http: aiohttp.ClientSession, fault: Fault | None, status: int, taken: int
) -> None:
    if fault is not None:
        chat.faults.add(fault)
    found, headers = await send(http, chat)
    assert (found, len(chat.texts)) == (status, taken)
    assert headers.get("Retry-After") == ("9" if status == 429 else None)


@pytest.mark.parametrize("accepted", [True, False])
async def test_a_broken_connection_may_have_taken_the_call(
    chat: Chat, http: aiohttp.ClientSession, accepted: bool
) -> None:
    chat.faults.reset(accepted=accepted)
    with pytest.raises(aiohttp.ClientError):
        await send(http, chat)
    assert len(chat.texts) == int(accepted)


async def test_who_is_not_known_is_refused(chat: Chat, http: aiohttp.ClientSession) -> None:
    assert (await send(http, chat, "other"))[0] == 401
    chat.weather = Weather.named("expired-token")
    assert (await send(http, chat))[0] == 401
    assert not len(chat.texts)


async def test_nothing_runs_after_the_end(business: Any) -> None:
    chat = Chat(token="t", secret="s", webhook_url=f"{business.url}/in/chat")
    with pytest.raises(RuntimeError):
        _ = chat.base_url
    async with await simulator.start([chat]):
        business.statuses = [500] * 9
        await chat.say("budi", "satu")
        assert len(chat.tasks) == 1
    assert len(chat.tasks) == 0
    with pytest.raises(RuntimeError):
        _ = chat.place


@given(name=st.sampled_from(sorted(CLIMATES)), seed=st.integers(0, 1000), may_accept=st.booleans())
def test_the_weather_speaks_in_the_providers_codes(name: str, seed: int, may_accept: bool) -> None:
    weather, codes = Weather.named(name, seed), [Code(1), Code(2)]
    own = [*SERVER_TROUBLES.values(), Code(3)]
    allowed: dict[str, list[Fault | None]] = {
        "rate-limit": [*codes, None], "server-errors": [*own, None], "expired-token": [Code(4)],
        "stall": [None, Stall(30.0), *([Stall(30.0, accepted=True)] if may_accept else [])],
    }  # fmt: skip
    for _ in range(20):
        fault = weather_fault(
            weather, rate_limit=codes, server_error=[Code(3)], expired_token=Code(4), may_accept=may_accept
        )
        assert fault in allowed.get(name, [None])


@given(gaps=st.lists(st.floats(0.0, 5.0), max_size=60), per_second=st.floats(0.1, 5.0), burst=st.floats(1.0, 10.0))
def test_a_bucket_lets_through_what_its_limit_allows(gaps: list[float], per_second: float, burst: float) -> None:
    buckets: Buckets[str] = Buckets()
    now, passed = 0.0, 0
    for gap in gaps:
        now += gap
        if buckets.fits("budi", now, per_second=per_second, burst=burst):
            buckets.fill("budi", now, per_second=per_second)
            passed += 1
    assert passed <= burst + now * per_second + 1e-6
    assert passed >= min(len(gaps), int(burst))
    assert buckets.fits("siti", now, per_second=per_second, burst=burst)
