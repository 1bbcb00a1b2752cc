"""X's lists: polling that is cut anywhere, walks that a limit interrupts, and what a webhook missed (P1, P6, A9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.contract import Batch, Connector, Pull, Push, Reconcile
from connectors.errors import AuthFailed, Refused, Throttled, Unavailable, Unreachable
from connectors.x import Account, Asking, CalledByX, build
from connectors.x.lists import id_at, moment_of
from harness.serving import MakeSetup
from harness.x_account import TOKEN, US, x_account
from normalizer.message import Message, Outgoing
from simulator.x import X


@pytest.fixture
async def x() -> AsyncIterator[X]:
    """X, pretended, with its limits."""
    async with x_account(**TOKEN) as account:
        yield account


@pytest.fixture
def make(x: X, make_setup: MakeSetup) -> Callable[..., Account]:
    """Makes the connector of the account; arguments are settings."""

    def made(**settings: Any) -> Account:
        setup = make_setup(
            "x", **{"api_base": x.base_url, "mode": "poll", "poll_seconds": 0.05, "page_size": 7, **settings}
        )
        found = build(setup)
        assert isinstance(found, Account)
        return found

    return made


def fill(x: X, messages: int, posts: int) -> set[str]:
    """Things that people wrote to the account, and their keys."""
    keys = {f"x:{US}:dm:{x.wrote(f'orang_{n % 5}', f'pesan {n}').id}" for n in range(messages)}
    keys |= {f"x:{US}:post:{x.posted(f'orang_{n % 5}', f'@akseleran keluhan {n}').id}" for n in range(posts)}
    return keys


def keys_of(connector: Connector, batches: list[Batch]) -> list[str]:
    """The keys of all messages in these batches, in their order."""
    events = [event for batch in batches for raw in batch.keep for event in connector.parse(raw)]
    assert all(isinstance(event, Message) for event in events)
    return [event.key for event in events if isinstance(event, Message)]


async def first(connector: Account, cursor: str | None) -> Batch:
    """The first batch with something in it; the connector is closed."""
    assert isinstance(connector, Pull)
    async with asyncio.timeout(20), aclosing(connector.pull(cursor)) as pulled:
        async for batch in pulled:
            if batch.keep:
                await connector.aclose()
                return batch
    raise AssertionError("a pull never ends by itself")


def test_each_mode_is_what_it_says(make: Callable[..., Account]) -> None:
    """`mode` decides whether X calls us or we ask; both can list what was missed."""
    called, asking = make(mode="webhook"), make()
    assert isinstance(called, Push)
    assert not isinstance(called, Pull)
    assert isinstance(asking, Pull)
    assert not isinstance(asking, Push)
    assert isinstance(called, Reconcile)
    assert isinstance(asking, Reconcile)


async def test_a_poll_cut_after_every_batch_loses_nothing(x: X, make: Callable[..., Account]) -> None:
    """P1: cut after each batch, its cursor stored or (a crash) not; what comes meanwhile is found too."""
    keys = fill(x, 40, 25)
    x.own_post("@akseleran sendiri")
    seen: list[str] = []
    cursor: str | None = None
    for number in range(60):
        connector = make()
        batch = await first(connector, cursor)
        again = await first(make(), cursor)
        assert [(raw.ref, raw.body) for raw in again.keep] == [(raw.ref, raw.body) for raw in batch.keep]
        seen += keys_of(connector, [batch])
        cursor = batch.cursor
        if number == 3:
            keys |= fill(x, 9, 3)
        if set(seen) == keys:
            break
    assert set(seen) == keys
    assert len(seen) == len(keys), "nothing comes twice"


async def test_a_poll_finds_what_is_new_and_ends_at_once(x: X, make: Callable[..., Account]) -> None:
    """What comes while it waits is found; told to end, it ends within a second; reading is counted once a day."""
    fill(x, 3, 0)
    x.wrote("orang_1", "kemarin lusa", at=(datetime.now(UTC) - timedelta(hours=40)).timestamp())
    connector = make()
    assert isinstance(connector, Asking)
    batches: list[Batch] = []

    async def ask() -> None:
        async with aclosing(connector.pull(None)) as pulled:
            async for batch in pulled:
                batches.append(batch)  # noqa: PERF401 - it is looked at while it grows

    asking = asyncio.create_task(ask())
    async with asyncio.timeout(10):
        while len(keys_of(connector, batches)) < 3:
            await asyncio.sleep(0.02)
        late = x.wrote("orang_1", "satu lagi")
        while f"x:{US}:dm:{late.id}" not in keys_of(connector, batches):
            await asyncio.sleep(0.02)
    async with asyncio.timeout(1):
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await connector.aclose()
    assert len(keys_of(connector, batches)) == 4, "what is older than the first look is not taken"
    assert connector.costs["dm_read"] == pytest.approx(5 * 0.010)


async def test_a_limit_interrupts_a_walk_without_a_jump(x: X, make: Callable[..., Account]) -> None:
    """T9: more messages than a window of 15 calls lists; the other goes on, the walk ends in the next window."""
    x.enforce_limits = True
    keys = fill(x, 130, 20)
    now = [x.clock()]
    x.clock = lambda: now[0]
    seen: list[str] = []
    cursor: str | None = None
    waits = 0
    for _ in range(8):
        connector = make()
        assert isinstance(connector, Asking)
        try:
            async with asyncio.timeout(20), aclosing(connector.pull(cursor)) as pulled:
                async for batch in pulled:
                    seen += keys_of(connector, [batch])
                    cursor = batch.cursor
                    if set(seen) == keys:
                        break
        except Throttled:
            waits += 1
            now[0] += 901
        await connector.aclose()
        if set(seen) == keys:
            break
    assert waits == 1
    assert set(seen) == keys
    assert len(seen) == len(keys)


async def test_a_walk_that_x_has_forgotten_begins_again(x: X, make: Callable[..., Account]) -> None:
    """A token that is not known any more costs a repetition, never a message."""
    keys = fill(x, 20, 0)
    connector = make()
    batch = await first(connector, None)
    x.list_faults.code(214)
    resumed = make()
    assert isinstance(resumed, Asking)
    seen = set(keys_of(connector, [batch]))
    async with asyncio.timeout(10), aclosing(resumed.pull(batch.cursor)) as pulled:
        async for more in pulled:
            seen |= set(keys_of(connector, [more]))
            if seen == keys:
                break
    assert seen == keys


async def test_what_the_webhook_missed_is_listed(x: X, make: Callable[..., Account]) -> None:
    """P6: messages and mentions of the gap, under the keys that the webhook would have given; nothing older or ours."""
    moment = datetime.now(UTC) - timedelta(hours=6)
    x.wrote("budi_s", "dulu", at=(moment - timedelta(hours=1)).timestamp())
    x.posted("budi_s", "@akseleran dulu", at=(moment - timedelta(hours=1)).timestamp())
    x.posted("budi_s", "tanpa nama")
    keys = fill(x, 16, 9)
    connector = make(mode="webhook")
    assert isinstance(connector, CalledByX)
    async with aclosing(connector.since(moment)) as listed:
        batches = [batch async for batch in listed]
    found = keys_of(connector, batches)
    assert sorted(found) == sorted(keys)
    assert len(batches) > 4
    await connector.aclose()


async def test_an_item_that_cannot_be_read_is_kept(x: X, make: Callable[..., Account]) -> None:
    """P7: one broken item of a list goes to quarantine once, its neighbours are taken; no list is no end."""
    id_ = id_at(datetime.now(UTC))
    good = f'{{"id":"{id_}","event_type":"MessageCreate","text":"halo","sender_id":"22"}}'
    x.list_faults.http(200, f'{{"data":[{good},{{"id":7}}]}}'.encode(), content_type="application/json")
    x.list_faults.code(34)  # the mentions
    x.list_faults.http(200, f'{{"data":[{{"id":7}},{good}]}}'.encode(), content_type="application/json")
    connector = make()
    assert isinstance(connector, Reconcile)
    batches: list[Batch] = []
    for _ in range(2):
        with suppress(Refused, Unreachable):
            async with aclosing(connector.since(datetime.now(UTC) - timedelta(hours=1))) as listed:
                async for each in listed:
                    batches.append(each)  # noqa: PERF401 - kept although the other list fails
    batch, again = [each for each in batches if each.keep]
    assert [raw.ref for raw in again.keep] == [f"dm:{id_}"]
    assert sorted(raw.ref for raw in batch.keep) == [f"dm:{id_}", "dm:unreadable"]
    for body in (b"<html>", b'{"data":[{"id":', b"[]", b'{"data":5}'):
        x.list_faults.http(200, body)
        with pytest.raises(Unavailable):
            await first(make(), None)
    for code, error in ((32, AuthFailed), (429, AuthFailed), (403, AuthFailed), (130, Unavailable)):
        x.list_faults.code(code)
        with pytest.raises(error):
            await first(make(), None)


async def test_a_limit_in_the_middle_ends_no_reconciling(x: X, make: Callable[..., Account]) -> None:
    """P6: after a long outage more is missing than 15 calls list: the rest and the mentions come in the same look."""
    keys = fill(x, 20, 3)
    connector = make(mode="webhook", replay=False)
    assert isinstance(connector, CalledByX)
    found: list[str] = []
    async with asyncio.timeout(20), aclosing(connector.since(datetime.now(UTC) - timedelta(hours=1))) as listed:
        async for batch in listed:
            if not found:
                x.list_faults.code(88, headers={"Retry-After": "0"})
            found += keys_of(connector, [batch])
    assert sorted(found) == sorted(keys)
    await connector.aclose()


@pytest.mark.parametrize("mode", ["poll", "webhook"])
async def test_trouble_with_one_list_leaves_the_other_alone(x: X, make: Callable[..., Account], mode: str) -> None:
    """An app that may not read direct messages still hears who mentions the account; what is wrong is told."""
    keys = fill(x, 0, 3)
    x.list_faults.code(403)
    connector = make(mode=mode)
    assert isinstance(connector, Asking | CalledByX)
    found: list[str] = []
    hour = datetime.now(UTC) - timedelta(hours=1)
    batches = connector.pull(None) if isinstance(connector, Asking) else connector.since(hour)

    async def take() -> None:
        async with asyncio.timeout(10), aclosing(batches) as listed:
            async for batch in listed:
                found.extend(keys_of(connector, [batch]))

    with pytest.raises(AuthFailed):
        await take()
    assert sorted(found) == sorted(keys)
    await connector.aclose()


@pytest.mark.parametrize("cursor", ["another account's", "{}", "123", "", '{"dm":{"after":5}}'])
async def test_a_place_of_another_account_is_not_used(x: X, make: Callable[..., Account], cursor: str) -> None:
    """The operator gave the channel another account: what it was written before the old place is new here."""
    keys = fill(x, 2, 0)
    if cursor == "another account's":
        cursor = (await first(make(), None)).cursor.replace(US, "2222")
    assert set(keys_of(make(), [await first(make(), cursor)])) == keys


async def test_a_list_without_end_is_left(x: X, make: Callable[..., Account]) -> None:
    """X refuses every second page, or sends us in circles: an error that is tried again later, not calls for ever."""
    id_ = id_at(datetime.now(UTC))
    item = f'{{"id":"{id_}","event_type":"MessageCreate","text":"halo","sender_id":"22"}}'
    page = f'{{"data":[{item}],"meta":{{"next_token":"again"}}}}'.encode()
    connector = make(mode="webhook")
    for _ in range(100):
        x.list_faults.http(200, page)
        x.list_faults.code(214)
    with pytest.raises(Refused):
        await look(connector)
    x.list_faults.clear()
    x.list_faults.http(200, page, times=100)
    with pytest.raises(Unavailable):
        await look(connector)
    with pytest.raises(Unavailable):
        await connector.find(
            Outgoing(key="r", recipient="22", text="Nomor", first_attempt_at=datetime.now(UTC) - timedelta(hours=1))
        )
    assert sum(1 for _ in iter(x.list_faults.next, None)) > 80
    await connector.aclose()


async def look(connector: Account) -> int:
    """How many batches the lists give since an hour ago."""
    async with asyncio.timeout(20), aclosing(connector.since(datetime.now(UTC) - timedelta(hours=1))) as listed:
        return len([batch async for batch in listed])


def test_ids_tell_their_moment() -> None:
    """X's ids count milliseconds since their own epoch."""
    moment = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
    assert moment_of(id_at(moment)) == moment
    assert moment_of(2080765901528535096).year == 2026
    assert id_at(datetime(1999, 1, 1, tzinfo=UTC)) == 0
