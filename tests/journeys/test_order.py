"""What overtakes: a change before the message it changes, a report before the answer to the send that it reports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace

import pytest
import pytest_asyncio

from harness import Aduan, start_aduan, until
from harness.customer import drained, ticket
from harness.lines import LINES, weather_channels
from harness.weather import Line, all_answered_for, set_weather
from simulator.facebook import Facebook
from simulator.instagram import Instagram
from simulator.telegram import Telegram
from simulator.x import X
from tickets.store import TicketView

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST, CHANGED = "Saldo saya hilang", "Saldo saya hilang sejak kemarin"
REPORTING = [line for line in LINES if line.reports and line.channel != "phone"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def channels(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aduan]:
    """Every channel in calm weather."""
    async with start_aduan(tmp_path_factory.mktemp("order"), weather_channels) as running:
        set_weather(running, LINES, "calm", seed=1)
        yield running


@pytest.mark.parametrize("line", REPORTING, ids=lambda line: line.name)
async def test_a_report_may_come_before_our_send_is_answered(channels: Aduan, line: Line) -> None:
    """P9, P11: the provider reports what it took while our call still waits; it is that receipt, sent once."""
    provider = line.provider(channels)
    faults = getattr(provider, "faults")  # noqa: B009  # each provider that reports has them; the protocol does not say so
    faults.stall(0.5, accepted=True)
    person = line.people[0]
    await line.complain(channels, person)
    (view,) = await until(lambda: line.views(channels))
    await until(lambda: line.views(channels)[0].complaint.receipts[0].state in ("delivered", "read"))
    await until(lambda: not all_answered_for(channels, [line], "calm"))
    (view,) = line.views(channels)
    assert (view.outbox[0].state, view.outbox[0].possible_duplicate) == ("sent", False)
    assert line.got(channels) == {line.address(person): 1}


async def _whatsapp(aduan: Aduan, taken_back: bool) -> None:
    cloud, phone, wamid = aduan.clouds["klikacc"], f"62815000000{int(taken_back)}", f"wamid.order.{taken_back}"
    await cloud.inject_edit(phone, wamid, CHANGED)
    if taken_back:
        await cloud.inject_revoke(phone, wamid)
    await cloud.inject_text(phone, FIRST, message_id=wamid)


async def _facebook(aduan: Aduan, taken_back: bool) -> None:
    page, person, mid = aduan.provider("akseleran", Facebook), f"order.{taken_back}", f"m_order{taken_back}"
    await page.inject_edit(person, mid, CHANGED)
    if taken_back:
        await page.inject_delete(person, mid)
    await page.inject(person, {"mid": mid, "text": FIRST})


async def _comment(aduan: Aduan, taken_back: bool) -> None:
    page = aduan.provider("akseleran", Facebook)
    root = await page.comment(f"order.k.{taken_back}", FIRST, seen=False)
    first = replace(page.comments[root], earlier=[])
    await page.edit_comment(root, CHANGED)
    if taken_back:
        await page.remove_comment(root)
    await page.tell(first, "add")


async def _instagram(aduan: Aduan, taken_back: bool) -> None:
    account, person, mid = aduan.provider("akseleran", Instagram), f"order.{taken_back}", f"aWdfORDER{taken_back}"
    await account.inject_edit(person, mid, CHANGED)
    if taken_back:
        await account.inject_deleted(person, mid)
    await account.inject_text(person, FIRST, mid=mid)


async def _telegram(aduan: Aduan, taken_back: bool) -> None:
    assert not taken_back
    bot = aduan.provider("akseleran", Telegram)
    await bot.edit("order", 1, CHANGED)
    await bot.inject_text("order", FIRST)


async def _mention(aduan: Aduan, taken_back: bool) -> None:
    assert not taken_back
    account = aduan.provider("akseleran", X)
    first = account.posted("order_x", f"@akseleran {FIRST}")
    await account.inject_edit(first.id, f"@akseleran {CHANGED}")
    await account.put(account.post_event("post.mention.create", first))


Overtaken = Callable[[Aduan, bool], Awaitable[None]]
#: Channel -> how a change comes before its message, and whether its customers can also take a message back.
CHANGES: Mapping[str, tuple[Overtaken, bool]] = {
    "whatsapp": (_whatsapp, True),
    "facebook_dm": (_facebook, True),
    "facebook_comment": (_comment, True),
    "instagram_dm": (_instagram, True),
    "telegram": (_telegram, False),
    "x_mention": (_mention, False),
}


#: Channels whose provider sends an edited message whole.
WHOLE = ("telegram", "x_mention")


@pytest.mark.parametrize("channel", CHANGES)
async def test_an_edit_may_come_before_its_message(channels: Aduan, channel: str) -> None:
    """T21: the last words count, in one complaint with one receipt; where both come, both are kept in their order."""
    (view,) = await _overtaken(channels, channel, taken_back=False)
    (message,) = view.messages
    words = [version.text.removeprefix("@akseleran ") for version in message.versions]
    # Where an edit is a whole message again, it is taken for the message itself.
    assert words == ([CHANGED, CHANGED] if channel in WHOLE else [FIRST, CHANGED])
    assert message.withdrawn_at is None
    assert [row.template for row in view.outbox].count("receipt") == 1


@pytest.mark.parametrize("channel", [name for name, (_, deletes) in CHANGES.items() if deletes])
async def test_a_deletion_may_come_before_its_message(channels: Aduan, channel: str) -> None:
    """T22: what was said is kept, and marked as taken back, as if it had come in order."""
    (view,) = await _overtaken(channels, channel, taken_back=True)
    (message,) = view.messages
    assert message.withdrawn_at is not None
    assert message.versions[-1].text == CHANGED


async def _overtaken(aduan: Aduan, channel: str, *, taken_back: bool) -> list[TicketView]:
    before = set(aduan.ticket_numbers())
    inject, _ = CHANGES[channel]
    await inject(aduan, taken_back)
    await until(lambda: set(aduan.ticket_numbers()) - before)
    await drained(aduan)
    views = [ticket(aduan, number) for number in set(aduan.ticket_numbers()) - before]
    assert {view.complaint.channel for view in views} == {channel}
    return views
