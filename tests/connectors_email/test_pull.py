"""Fetching: nothing skipped, nothing changed in the mailbox, whatever happens to the line (P6, T8-T12)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.contract import Batch
from connectors.email import Email
from connectors.email.imap import BATCH, Found, batches
from connectors.errors import AuthFailed, Unavailable
from connectors_email.kit import ADDRESS, settings
from connectors_email.servers import Cable, ImapServer
from normalizer.message import Message, Raw

Build = Callable[..., Email]


def mail(number: int, size: int = 0) -> bytes:
    """A simple mail."""
    return (
        f"From: Budi <budi{number}@contoh.example>\r\nTo: {ADDRESS}\r\nSubject: Keluhan {number}\r\n"
        f"Message-ID: <{number}@contoh.example>\r\nDate: Mon, 5 Jan 2026 10:00:00 +0700\r\n\r\nDana belum kembali.\r\n"
        + "x" * 70 + "\r\n" * 1
    ).encode() + b"lampiran\r\n" * (size // 10)  # fmt: skip


def imap_of(server: ImapServer, **more: Any) -> dict[str, Any]:
    """Settings that lead to `server`."""
    own = {"port": server.port, "user": server.user, "password": server.password, "folder": server.folder}
    return {**own, "check_every_seconds": 120, **more}


async def take(connector: Email, cursor: str | None, count: int) -> tuple[list[Raw], list[Batch]]:
    """Batches until `count` mails have come."""
    raws: list[Raw] = []
    got: list[Batch] = []
    async with contextlib.aclosing(connector.pull(cursor)) as pulled, asyncio.timeout(30):
        async for batch in pulled:
            got.append(batch)
            raws.extend(batch.keep)
            if len(raws) >= count:
                break
    return raws, got


async def test_everything_comes_in_order_with_its_arrival_time(imap_server: ImapServer, build: Build) -> None:
    arrived = datetime(2026, 1, 5, 16, 59, 30, tzinfo=UTC)
    imap_server.deliver(*(mail(n) for n in range(101)), at=arrived)
    connector = build(settings(imap_of(imap_server)))
    raws, got = await take(connector, None, 101)
    assert [len(batch.keep) for batch in got] == [BATCH, BATCH, 1]
    assert [m.subject for r in raws for m in connector.parse(r) if isinstance(m, Message)] == [
        f"Keluhan {n}" for n in range(101)
    ]
    assert {r.received_at for r in raws} == {arrived}
    assert {r.received_at.tzinfo for r in raws} == {UTC}
    uids = [int(r.ref.partition(":")[2]) for r in raws]
    assert uids == sorted(set(uids))
    assert got[-1].cursor == raws[-1].ref
    assert raws[0].body == mail(0)


async def test_a_pull_cut_after_any_batch_resumes_without_loss(imap_server: ImapServer, build: Build) -> None:
    imap_server.deliver(*(mail(n) for n in range(52)))
    connector = build(settings(imap_of(imap_server)))
    seen: list[str] = []
    cursor: str | None = None
    while len(seen) < 52:
        raws, got = await take(connector, cursor, 1)
        seen += [r.ref for r in raws]
        cursor = got[-1].cursor
    assert len(set(seen)) == 52


async def test_reading_changes_nothing(imap_server: ImapServer, build: Build) -> None:
    imap_server.deliver(mail(1), mail(2))
    client = imap_server.client
    client.select_folder(imap_server.folder)
    flags = client.get_flags(client.search())
    client.select_folder("INBOX", readonly=True)
    connector = build(settings(imap_of(imap_server)))
    await take(connector, None, 2)
    client.select_folder(imap_server.folder, readonly=True)
    after = client.get_flags(client.search())
    client.select_folder("INBOX", readonly=True)
    recent = {b"\\Recent"}
    assert {k: set(v) - recent for k, v in after.items()} == {k: set(v) - recent for k, v in flags.items()}


async def test_new_mail_wakes_the_pull(imap_server: ImapServer, build: Build) -> None:
    connector = build(settings(imap_of(imap_server, check_every_seconds=120)))
    waiting = asyncio.create_task(take(connector, None, 1))
    await asyncio.sleep(1.0)
    await asyncio.to_thread(imap_server.deliver, mail(7))
    raws, _ = await asyncio.wait_for(waiting, 20)
    assert raws[0].body == mail(7)


async def test_a_gap_of_any_width_does_not_stall(imap_server: ImapServer, build: Build) -> None:
    imap_server.deliver(*(mail(n) for n in range(30)))
    connector = build(settings(imap_of(imap_server)))
    _, got = await take(connector, None, 30)
    client = imap_server.client
    client.select_folder(imap_server.folder)
    client.delete_messages(client.search())
    client.expunge()
    client.select_folder("INBOX", readonly=True)
    waiting = asyncio.create_task(take(connector, got[-1].cursor, 1))
    await asyncio.sleep(0.5)
    await asyncio.to_thread(imap_server.deliver, mail(99))
    raws, _ = await asyncio.wait_for(waiting, 20)
    assert [r.body for r in raws] == [mail(99)]


async def test_a_cursor_beyond_the_last_mail_brings_nothing_old(imap_server: ImapServer, build: Build) -> None:
    imap_server.deliver(mail(1))
    connector = build(settings(imap_of(imap_server)))
    _, got = await take(connector, None, 1)
    pulled = connector.pull(got[-1].cursor)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(pulled), 1.5)
    await pulled.aclose()


async def test_a_recreated_folder_is_read_from_the_start(imap_server: ImapServer, build: Build) -> None:
    imap_server.deliver(mail(1), mail(2), mail(3))
    connector = build(settings(imap_of(imap_server)))
    first, got = await take(connector, None, 3)
    await asyncio.sleep(1.1)  # Dovecot takes the second as UIDVALIDITY
    await asyncio.to_thread(imap_server.recreate)
    await asyncio.to_thread(imap_server.deliver, mail(1), mail(4))
    second, again = await take(connector, got[-1].cursor, 2)
    assert [r.body for r in second] == [mail(1), mail(4)]
    assert again[-1].cursor.partition(":")[0] != got[-1].cursor.partition(":")[0]
    keys = [[m.key for r in raws for m in connector.parse(r) if isinstance(m, Message)] for raws in (first, second)]
    assert keys[0][0] == keys[1][0], "the same mail has the same key, whatever its UID"


async def test_a_folder_recreated_while_we_wait(imap_server: ImapServer, build: Build) -> None:
    imap_server.deliver(mail(1))
    connector = build(settings(imap_of(imap_server, check_every_seconds=1)))
    async with contextlib.aclosing(connector.pull(None)) as pulled, asyncio.timeout(30):
        await anext(pulled)
        waiting = asyncio.ensure_future(anext(pulled))
        await asyncio.sleep(1.2)
        await asyncio.to_thread(imap_server.recreate)
        await asyncio.to_thread(imap_server.deliver, mail(5))
        batch = await waiting
    assert [r.body for r in batch.keep] == [mail(5)]


async def test_a_lost_line_is_taken_up_again(
    imap_server: ImapServer, build: Build, lay_cable: Callable[[int], Any]
) -> None:
    cable: Cable = await lay_cable(imap_server.port)
    imap_server.deliver(mail(1))
    connector = build(settings(imap_of(imap_server, port=cable.port)))
    async with contextlib.aclosing(connector.pull(None)) as pulled, asyncio.timeout(30):
        await anext(pulled)
        waiting = asyncio.ensure_future(anext(pulled))
        await asyncio.sleep(0.5)
        cable.cut()
        await asyncio.to_thread(imap_server.deliver, mail(2))
        batch = await waiting
    assert [r.body for r in batch.keep] == [mail(2)]
    assert cable.accepted >= 2


async def test_a_server_that_stays_away_is_reported(
    pymap_server: ImapServer, build: Build, lay_cable: Callable[[int], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.email.RECONNECT", (0.05, 0.05))
    pymap_server.fresh()
    pymap_server.deliver(mail(1))
    cable: Cable = await lay_cable(pymap_server.port)
    connector = build(settings(imap_of(pymap_server, port=cable.port)))
    pulled = connector.pull(None)
    await anext(pulled)
    cable.broken = True
    cable.cut()
    with pytest.raises(Unavailable):
        await asyncio.wait_for(anext(pulled), 20)
    assert cable.accepted == 3


async def test_nobody_listens(build: Build) -> None:
    connector = build(settings({"port": 1}))
    with pytest.raises(Unavailable):
        await anext(connector.pull(None))


async def test_a_wrong_password_is_reported_without_it(imap_server: ImapServer, build: Build) -> None:
    connector = build(settings(imap_of(imap_server, password="bukan-ini")))
    with pytest.raises(AuthFailed) as caught:
        await anext(connector.pull(None))
    assert "bukan-ini" not in str(caught.value)
    assert imap_server.user not in str(caught.value)


async def test_a_closing_connector_ends_its_pull_within_a_second(imap_server: ImapServer, build: Build) -> None:
    connector = build(settings(imap_of(imap_server, check_every_seconds=300)))
    waiting = asyncio.ensure_future(anext(connector.pull(None)))
    await asyncio.sleep(0.7)
    async with asyncio.timeout(1.0):
        await connector.aclose()
        with pytest.raises(StopAsyncIteration):
            await waiting


async def test_a_cancelled_pull_ends_within_a_second(imap_server: ImapServer, build: Build) -> None:
    connector = build(settings(imap_of(imap_server, check_every_seconds=300)))
    waiting = asyncio.create_task(take(connector, None, 1))
    await asyncio.sleep(0.7)
    waiting.cancel()
    async with asyncio.timeout(1.0):
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_of_an_oversized_mail_the_beginning_is_fetched(imap_server: ImapServer, build: Build) -> None:
    imap_server.deliver(mail(1), mail(2, size=1_500_000), mail(3))
    connector = build(settings(imap_of(imap_server), max_bytes=1_100_000))
    raws, got = await take(connector, None, 3)
    assert [len(r.body) for r in raws] == [len(mail(1)), 1024 * 1024, len(mail(3))]
    events = [e for r in raws for e in connector.parse(r)]
    large = events[1]
    assert isinstance(large, Message)
    assert "truncated" in large.flags
    assert "Dana belum kembali." in large.text
    assert any(a.error and str(len(mail(2, size=1_500_000))) in a.error for a in large.attachments)
    assert got[-1].cursor == raws[-1].ref


async def test_only_new_mail_when_the_operator_says_so(imap_server: ImapServer, build: Build) -> None:
    imap_server.deliver(mail(1), mail(2))
    connector = build(settings(imap_of(imap_server, backlog="new")))
    pulled = connector.pull(None)
    first = await asyncio.wait_for(anext(pulled), 20)
    assert first.keep == ()
    await asyncio.to_thread(imap_server.deliver, mail(3))
    second = await asyncio.wait_for(anext(pulled), 20)
    await pulled.aclose()
    assert [r.body for r in second.keep] == [mail(3)]


async def test_check_logs_in_and_changes_nothing(imap_server: ImapServer, build: Build, postbox: Any) -> None:
    smtp = {"port": postbox.port}
    await build(settings(imap_of(imap_server), smtp)).check()
    with pytest.raises(AuthFailed):
        await build(settings(imap_of(imap_server, password="salah"), smtp)).check()
    with pytest.raises(Unavailable):
        await build(settings(imap_of(imap_server), {"port": 1})).check()
    assert postbox.taken == []


def test_batches_are_bounded_by_number_and_by_bytes() -> None:
    small = [Found(n, 1000) for n in range(1, 121)]
    assert [len(g) for g in batches(small, 10**7)] == [50, 50, 20]
    large = [Found(n, 9 * 2**20) for n in range(1, 5)]
    assert [len(g) for g in batches(large, 10**8)] == [1, 1, 1, 1]
    beyond = [Found(n, 2**40) for n in range(1, 5)]
    assert [len(g) for g in batches(beyond, 10**8)] == [4], "only the beginning of these is fetched"
    assert list(batches([], 10**7)) == []
