"""The loop with the real store and a real connector over HTTP: nothing is lost, nothing goes out twice unflagged."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from normalizer.message import Delivery
from outbox_at_work import Bench, now, serving, to


async def test_k2_every_receipt_leaves_once_and_is_on_record(bench: Bench) -> None:
    numbers = {f"+62{n}": await bench.owe(to("wa" if n % 2 else "tg", f"+62{n}")) for n in range(60)}
    async with serving(bench.outbox({"wa": bench.channel("wa"), "tg": bench.channel("tg")}, batch=25)) as outbox:
        await bench.until(lambda: bench.store.counts()["outbox_due"] + bench.store.counts()["outbox_sending"] == 0)
    for recipient, number in numbers.items():
        assert [number in text for text in bench.provider.texts(recipient)] == [True]
        (receipt,) = bench.view(number).complaint.receipts
        assert (receipt.state, receipt.attempts, receipt.template) == ("sent", 1, "receipt")
        assert receipt.provider_id
        assert receipt.body_hash
        assert receipt.sent_at
        assert receipt.template_version == bench.writer.version("receipt")
    assert bench.events["sent", "wa"] == bench.events["sent", "tg"] == 30
    assert outbox.outstanding == 0


async def test_a_wake_up_is_enough(bench: Bench) -> None:
    async with serving(bench.outbox({"wa": bench.channel("wa")}, poll_seconds=3600)) as outbox:
        await bench.until(lambda: not outbox.halted)
        number = await bench.owe(to("wa", "+62811"))
        outbox.wake()
        await bench.until_state(number, "sent")
    assert [number in text for text in bench.provider.texts("+62811")] == [True]


async def test_an_answer_to_a_receipt_finds_its_complaint(bench: Bench) -> None:
    number = await bench.owe(to("wa", "+62811"))
    async with serving(bench.outbox({"wa": bench.channel("wa")})):
        await bench.until_state(number, "sent")
    with bench.store.begin() as tx:
        known = tx.known("klikacc", [], ["http:p0"])
    assert known.threads["http:p0"].ticket.ticket_number == number


@pytest.mark.parametrize(
    ("script", "sends", "state", "task", "flagged"),
    [
        (["500", "500"], 3, "sent", None, False),
        (["429", "429"], 3, "sent", None, False),
        (["cut"], 2, "sent", None, True),
        (["taken-then-cut"], 2, "sent", None, True),
        (["cut", "500"], 3, "sent", None, True),
        (["cut", "cut"], 2, "failed", "check_possible_duplicate", True),
        (["refused"], 1, "failed", "refused", False),
        (["blocked"], 1, "failed", "undeliverable", False),
        (["window"], 1, "failed", "no_route", False),
    ],
)
async def test_p13_each_failure_has_its_next_step(
    script: list[str], sends: int, state: str, task: str | None, flagged: bool, bench: Bench
) -> None:
    bench.provider.script["+62811"] = script.copy()
    number = await bench.owe(to("wa", "+62811"))
    async with serving(bench.outbox({"wa": bench.channel("wa")})):
        row = await bench.until_state(number, "sent", "failed")
    assert (row.state, row.possible_duplicate) == (state, flagged)
    assert bench.provider.tries.count("+62811") == sends
    assert [task.kind for task in bench.view(number).tasks] == ([task] if task else [])
    # P11: a copy that may be the second says so.
    copies = [message["flag"] for message in bench.provider.taken]
    assert copies[1:] == [True] * (len(copies) - 1)


async def test_p14_a_closed_window_leads_to_the_next_route(bench: Bench) -> None:
    past = now() - timedelta(minutes=1)
    bench.provider.script["+62811"] = ["window"]
    refused = await bench.owe(to("wa", "+62811"), to("mail", "b@x.id"))
    known = await bench.owe(to("wa", "+62822", window_until=past), to("mail", "c@x.id"))
    gone = await bench.owe(to("removed", "+62833"), to("mail", "d@x.id"))
    nobody = await bench.owe(to("wa", "+62844", window_until=past))
    async with serving(bench.outbox({"wa": bench.channel("wa"), "mail": bench.channel("mail")})):
        for number in (refused, known, gone):
            assert (await bench.until_state(number, "sent", "failed")).state == "sent"
        assert (await bench.until_state(nobody, "sent", "failed")).state == "failed"
    assert {m["to"] for m in bench.provider.taken} == {"b@x.id", "c@x.id", "d@x.id"}
    assert bench.provider.tries.count("+62822") == 0
    assert [task.kind for task in bench.view(nobody).tasks] == ["no_route"]


async def test_p14_a_failure_that_is_reported_later_leads_to_the_next_route(bench: Bench) -> None:
    number = await bench.owe(to("wa", "+62811"), to("mail", "b@x.id"))
    async with serving(bench.outbox({"wa": bench.channel("wa"), "mail": bench.channel("mail")})) as outbox:
        await bench.until_state(number, "sent")
        failed = Delivery(state="failed", at=now(), provider_id="p0", error_code="131047", error_class="WindowClosed")
        await bench.report("wa", failed)
        outbox.wake()
        await bench.until(lambda: len(bench.provider.texts("b@x.id")) == 1)
        row = await bench.until_state(number, "sent")
    assert row.route == 1


async def test_a_refused_credential_halts_its_channel_only(bench: Bench) -> None:
    bench.provider.token = "new"
    stuck = [await bench.owe(to("wa", f"+62{n}")) for n in range(20)]
    free = await bench.owe(to("mail", "b@x.id"))
    channels = {"wa": bench.channel("wa"), "mail": bench.channel("mail")}
    bench.connectors["mail"].token = "new"
    async with serving(bench.outbox(channels, check_seconds=3600)) as outbox:
        await bench.until_state(free, "sent")
        await bench.until(lambda: bool(outbox.halted))
        assert outbox.halted == {"wa": "AuthFailed"}
        await bench.until(lambda: outbox.outstanding == 0)
        assert {bench.row(number).state for number in stuck} == {"due"}
        tries = len(bench.provider.tries)
        await asyncio.sleep(0.2)
        assert len(bench.provider.tries) == tries
        bench.connectors["wa"].token = "new"
        outbox.resume("wa")
        for number in stuck:
            await bench.until_state(number, "sent")
    assert bench.events["channel_halted", "wa"] == bench.events["channel_resumed", "wa"] == 1
    assert all(bench.row(number).attempts == 1 for number in stuck)


async def test_a_halted_channel_goes_on_when_its_check_passes(bench: Bench) -> None:
    bench.provider.token = "new"
    number = await bench.owe(to("wa", "+62811"))
    async with serving(bench.outbox({"wa": bench.channel("wa")}, check_seconds=0.05)) as outbox:
        await bench.until(lambda: bool(outbox.halted))
        await asyncio.sleep(0.15)
        assert outbox.halted
        bench.provider.token = "good"
        await bench.until_state(number, "sent")
        assert not outbox.halted


async def test_sheet_a13_a_report_that_comes_in_time_spares_the_second_copy(bench: Bench) -> None:
    bench.provider.script["+62811"] = ["taken-then-cut"]
    number = await bench.owe(to("wa", "+62811"))
    async with serving(bench.outbox({"wa": bench.channel("wa", evidence="delivery_report", wait=3600)})) as outbox:
        await bench.until(lambda: bench.row(number).ambiguous)
        key = bench.provider.taken[0]["key"]
        await bench.report("wa", Delivery(state="delivered", at=now(), provider_id="p0", outbox_key=key))
        outbox.wake()
        await bench.until(lambda: bench.row(number).state == "sent")
    assert len(bench.provider.texts("+62811")) == 1
    assert (bench.row(number).state, bench.row(number).possible_duplicate) == ("sent", False)
    assert bench.view(number).complaint.receipts[0].state == "delivered"


async def test_sheet_a13_without_a_report_it_is_tried_once_more_and_flagged(bench: Bench) -> None:
    bench.provider.script["+62811"] = ["cut"]
    number = await bench.owe(to("wa", "+62811"))
    async with serving(bench.outbox({"wa": bench.channel("wa", evidence="delivery_report", wait=0.2)})):
        row = await bench.until_state(number, "sent", "failed")
    assert (row.state, row.possible_duplicate) == ("sent", True)
    assert [message["flag"] for message in bench.provider.taken] == [True]


@pytest.mark.parametrize(("step", "copies"), [("taken-then-cut", 1), ("cut", 1)])
async def test_sheet_a13_a_provider_with_a_history_is_asked_first(step: str, copies: int, bench: Bench) -> None:
    bench.provider.script["+62811"] = [step]
    number = await bench.owe(to("wa", "+62811"))
    async with serving(bench.outbox({"wa": bench.channel("wa", evidence="list_before_retry")})):
        row = await bench.until_state(number, "sent", "failed")
    assert row.state == "sent"
    assert len(bench.provider.texts("+62811")) == copies
    assert bench.provider.tries.count("+62811") == (1 if step.startswith("taken") else 2)


async def test_a_bug_halts_its_row_and_nobody_else(bench: Bench) -> None:
    broken = await bench.owe(to("wa", "+62811"), template="no_such_template")
    other = await bench.owe(to("wa", "+62822"))
    async with serving(bench.outbox({"wa": bench.channel("wa")})):
        await bench.until_state(other, "sent")
        row = await bench.until_state(broken, "halted")
    assert (row.error_class, bench.provider.tries) == ("KeyError", ["+62822"])
    assert [task.kind for task in bench.view(broken).tasks] == ["needs_agent"]


async def test_a_stalled_channel_holds_up_no_other(bench: Bench) -> None:
    for n in range(30):
        bench.provider.script[f"+62{n}"] = ["stalled"]
        await bench.owe(to("slow", f"+62{n}"))
    quick = [await bench.owe(to("quick", f"@{n}")) for n in range(30)]
    channels = {"slow": bench.channel("slow", concurrent_sends=2), "quick": bench.channel("quick")}
    async with serving(bench.outbox(channels, batch=10), grace=0.1):
        for number in quick:
            await bench.until_state(number, "sent")
        # As many as it may send at once, and no more.
        assert len([r for r in bench.provider.tries if r.startswith("+62")]) == 2


async def test_p11_a_send_that_is_cut_off_is_ambiguous_at_the_next_start(bench: Bench) -> None:
    bench.provider.script["+62811"] = ["taken-then-stalled"]
    number = await bench.owe(to("wa", "+62811"))
    async with serving(bench.outbox({"wa": bench.channel("wa")}), grace=0.05):
        await bench.until(lambda: bool(bench.provider.taken))
    assert bench.row(number).state == "sending"
    later = await bench.owe(to("wa", "+62822"))
    async with serving(bench.outbox({"wa": bench.channel("wa")})):
        await bench.until_state(number, "sent")
        await bench.until_state(later, "sent")
    assert bench.row(number).possible_duplicate
    copies = [(message["to"], message["flag"]) for message in bench.provider.taken]
    assert sorted(copies) == [("+62811", False), ("+62811", True), ("+62822", False)]


async def test_stopping_finishes_what_is_under_way_and_leaves_the_rest_due(bench: Bench) -> None:
    numbers = [await bench.owe(to("wa", f"+62{n}")) for n in range(12)]
    for n in range(12):
        bench.provider.script[f"+62{n}"] = ["taken-then-stalled"]
    outbox = bench.outbox({"wa": bench.channel("wa", concurrent_sends=3)})
    task = asyncio.create_task(outbox.serve())
    await bench.until(lambda: len(bench.provider.taken) == 3)
    stopping = asyncio.create_task(outbox.stop(grace=5.0))
    await asyncio.sleep(0.05)
    for steps in bench.provider.script.values():
        steps.clear()
    bench.provider.release.set()
    await stopping
    await task
    rows = [bench.row(number) for number in numbers]
    assert Counter((row.state, row.ambiguous) for row in rows) == {("due", True): 3, ("due", False): 9}
    assert {row.attempts for row in rows if not row.ambiguous} == {0}
    assert len(bench.provider.taken) == 3


async def test_what_no_sender_had_begun_is_given_back_although_all_of_them_are_held_up(bench: Bench) -> None:
    numbers = [await bench.owe(to("wa", f"+62{n}")) for n in range(6)]
    for n in range(6):
        bench.provider.script[f"+62{n}"] = ["taken-then-stalled"]
    async with serving(bench.outbox({"wa": bench.channel("wa", concurrent_sends=2)}), grace=0.1) as outbox:
        await bench.until(lambda: len(bench.provider.taken) == 2 and outbox.outstanding == 6)
    rows = Counter((row.state, row.attempts) for row in map(bench.row, numbers))
    # Of those that were cut off nobody knows; the others may go out at the next start without a flag (P11).
    assert rows == {("sending", 1): 2, ("due", 0): 4}
    assert outbox.outstanding == 0


async def test_a_store_that_is_away_forgets_nothing(bench: Bench) -> None:
    numbers = [await bench.owe(to("wa", f"+62{n}")) for n in range(8)]
    bench.fail_next = 2
    outbox = bench.outbox({"wa": bench.channel("wa")})
    async with serving(outbox):
        await bench.until(lambda: len(bench.provider.taken) > 0)
        bench.fail_next = 3
        for number in numbers:
            await bench.until_state(number, "sent")
    assert Counter(bench.provider.tries) == {f"+62{n}": 1 for n in range(8)}


async def test_a_long_text_resumes_behind_the_parts_that_went_out(bench: Bench) -> None:
    bench.provider.script["+62811"] = ["ok", "500", "ok", "500"]
    number = await bench.owe(to("wa", "+62811"))
    async with serving(bench.outbox({"wa": bench.channel("wa", max_text=200)})):
        row = await bench.until_state(number, "sent", "failed")
    texts = bench.provider.texts("+62811")
    assert row.state == "sent"
    assert row.parts == row.parts_sent == len(texts) > 2
    assert [text.split(" ")[0] for text in texts] == [f"({n}/{len(texts)})" for n in range(1, len(texts) + 1)]
    assert [m["key"] for m in bench.provider.taken] == [row.key, *(f"{row.key}.{n}" for n in range(2, len(texts) + 1))]


async def test_a_limited_channel_takes_only_what_it_can_send(bench: Bench) -> None:
    numbers = [await bench.owe(to("x", f"@{n}")) for n in range(12)]
    async with serving(bench.outbox({"x": bench.channel("x", sends_per_second=10.0)}, batch=50)):
        for number in numbers:
            await bench.until_state(number, "sent")
    assert Counter(bench.provider.tries) == {f"@{n}": 1 for n in range(12)}
    assert all(bench.row(number).attempts == 1 for number in numbers)


async def test_nothing_leaves_while_something_more_urgent_needs_the_time(bench: Bench) -> None:
    """Acknowledging goes first; what is claimed meanwhile leaves afterwards, every receipt once."""
    calm, asked = asyncio.Event(), Counter[str]()

    async def wait() -> None:
        asked["times"] += 1
        await calm.wait()

    numbers = [await bench.owe(to("wa", f"+62{n}")) for n in range(20)]
    async with serving(bench.outbox({"wa": bench.channel("wa", concurrent_sends=4)}, calm=wait)) as outbox:
        await bench.until(lambda: asked["times"] == 4 and outbox.outstanding == 20)
        assert bench.provider.tries == []
        calm.set()
        await bench.until(lambda: {bench.row(number).state for number in numbers} == {"sent"})
    assert sorted(bench.provider.tries) == sorted({f"+62{n}" for n in range(20)})


async def test_who_waits_for_its_turn_when_the_loop_ends_stays_due(bench: Bench) -> None:
    number = await bench.owe(to("wa", "+62811"))
    never = asyncio.Event()
    async with serving(bench.outbox({"wa": bench.channel("wa")}, calm=never.wait), grace=0.1) as outbox:
        await bench.until(lambda: outbox.outstanding == 1)
    assert bench.row(number).state == "due"
    assert bench.provider.tries == []
