"""One ticket for each complaint, whatever happens between us and a real RT."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from harness.request_tracker import RequestTrackerServer
from harness.request_tracker_line import Fault, Line, lay
from tickets.forwarders.contract import Handed, Handover
from tickets.forwarders.errors import Ambiguous, AuthFailed, ForwardError, Misconfigured, Refused, Unavailable
from tickets.forwarders.request_tracker import RequestTracker

Forward = Callable[..., RequestTracker]
HandOver = Callable[..., Handover]


@pytest.mark.parametrize("fault", ["error_before", "error_after", "cut_before", "cut_after", "stall_after"])
async def test_a_creation_without_an_answer_is_found_by_its_repeat(
    rt: RequestTrackerServer, line: Line, forward: Forward, handover: HandOver, fault: Fault
) -> None:
    forwarder = forward(rt, line.url, timeout_seconds=2)
    given = handover()
    line.order(fault)
    with pytest.raises(Ambiguous):
        await forwarder.create(given)
    handed = await forwarder.create(replace(given, repeated=True))
    assert rt.tickets_of(given.external_id) == [handed.store_ref]
    assert line.writes().count("/REST/2.0/ticket") == (2 if fault.endswith("before") else 1)


@pytest.mark.parametrize("fault", ["error_after", "cut_after", "stall_after"])
async def test_words_without_an_answer_are_not_said_twice(
    rt: RequestTrackerServer, line: Line, forward: Forward, handover: HandOver, fault: Fault
) -> None:
    forwarder = forward(rt, line.url, timeout_seconds=2)
    given = handover()
    handed = await forwarder.create(given)
    more = replace(
        given, seq=2, type="message.added", text="Mohon segera", store_ref=handed.store_ref, remote=handed.remote,
        ticket=replace(given.ticket, state="in_progress"),
    )  # fmt: skip
    line.order(fault, path=f"/REST/2.0/ticket/{handed.store_ref}/correspond")
    with pytest.raises(Ambiguous):
        await forwarder.update(more)
    line.order(fault, "PUT", f"/REST/2.0/ticket/{handed.store_ref}")
    done: Handed | None = None
    while done is None:
        try:
            done = await forwarder.update(replace(more, repeated=True))
        except Ambiguous:
            continue
    assert (done.remote.state, done.changed) == ("open", None)
    assert len(rt.messages_of(handed.store_ref, "Correspond")) == 1


@pytest.mark.parametrize("text", ["Mohon segera", None])
async def test_words_are_not_said_twice_when_a_later_call_fails(
    rt: RequestTrackerServer, line: Line, forward: Forward, handover: HandOver, text: str | None
) -> None:
    forwarder = forward(rt, line.url)
    given = handover()
    ref = (await forwarder.create(given)).store_ref
    more = replace(given, seq=2, type="ticket.noted", text=text, store_ref=ref)
    line.order("error_before", "GET", f"/REST/2.0/ticket/{ref}", times=3)
    failed = 0
    for _ in range(6):
        try:
            await forwarder.update(more)
        except Unavailable:
            failed += 1
    assert failed >= 2
    assert len(rt.messages_of(ref, "Comment" if text is None else "Correspond")) == 1


async def test_a_hundred_duplicates_in_a_row_are_one_ticket(
    rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    forwarder = forward(rt)
    given = handover()
    refs = {(await forwarder.create(given)).store_ref for _ in range(100)}
    assert [*refs] == rt.tickets_of(given.external_id)


async def test_a_hundred_duplicates_at_once_are_one_ticket(
    rt: RequestTrackerServer, line: Line, forward: Forward, handover: HandOver
) -> None:
    forwarder = forward(rt, line.url)
    given = handover()
    refs = {handed.store_ref for handed in await asyncio.gather(*[forwarder.create(given) for _ in range(100)])}
    assert [*refs] == rt.tickets_of(given.external_id)
    assert line.writes() == ["/REST/2.0/ticket"]


async def test_programs_that_do_not_know_of_each_other_leave_one_ticket(
    rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    given = handover()
    several = [forward(rt) for _ in range(4)]
    made = await asyncio.gather(*[each.create(given) for each in several], return_exceptions=True)
    refs = []
    for each, result in zip(several, made, strict=True):
        assert isinstance(result, Handed | Ambiguous | Unavailable), result
        # SQLite may be locked when four write at once: the queue calls again.
        refs.append((await each.create(replace(given, repeated=True))).store_ref)
    (left,) = rt.tickets_of(given.external_id)
    assert set(refs) == {left}


async def test_a_creation_that_ends_after_its_repeat_is_merged(
    rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    forwarder = forward(rt)
    given = handover()
    handed = await forwarder.create(given)
    late = {"Queue": "Pengaduan", "Subject": "x", "RefersTo": [f"urn:aduan:complaint:{given.external_id}"]}
    rt.ask("aduan", "POST", "ticket", late)
    rt.ask("petugas", "POST", "ticket", late | {"Subject": "a person's clone"})
    assert len(rt.tickets_of(given.external_id)) == 3
    event = replace(given, seq=2, type="ticket.noted", store_ref=handed.store_ref, remote=handed.remote)
    assert (await forwarder.update(event)).store_ref == handed.store_ref
    left = rt.tickets_of(given.external_id)
    assert left[0] == handed.store_ref
    assert [rt.ask("root", "GET", f"ticket/{each}")["Subject"] for each in left[1:]] == ["a person's clone"]


async def test_rt_may_be_killed_and_started_again(
    own_rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    forwarder = forward(own_rt)
    given, late = handover(), handover()
    handed = await forwarder.create(given)
    under_way = [asyncio.create_task(forwarder.create(handover(f"01JRT{900000 + n}"))) for n in range(4)]
    await asyncio.sleep(0.3)
    own_rt.crash()
    cut = await asyncio.gather(*under_way, return_exceptions=True)
    assert all(isinstance(each, Handed | Ambiguous | Unavailable) for each in cut)
    with pytest.raises(Unavailable):
        await forwarder.create(late)
    with pytest.raises(Unavailable):
        await forwarder.changes(given.at)

    own_rt.start()
    more = replace(given, seq=2, type="message.added", text="Halo", store_ref=handed.store_ref, remote=handed.remote)
    assert (await forwarder.update(replace(more, repeated=True))).store_ref == handed.store_ref
    assert len(own_rt.messages_of(handed.store_ref, "Correspond")) == 1
    for name in [late.external_id, *(f"01JRT{900000 + n}" for n in range(4))]:
        again = await forwarder.create(handover(name, repeated=True))
        assert own_rt.tickets_of(name) == [again.store_ref]
    assert len(own_rt.all_tickets()) == 6


async def test_the_ticket_changes_between_our_look_and_our_write(
    rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    """If-Match keeps what a person did in the moment in between."""
    given = handover()
    ref = ""

    async with lay(rt.url) as line:
        forwarder = forward(rt, line.url)
        handed = await forwarder.create(given)
        ref = handed.store_ref
        line.before("PUT", f"/REST/2.0/ticket/{ref}", lambda: _reject(rt, ref))
        ticket = replace(given.ticket, state="in_progress")
        event = replace(given, seq=2, type="ticket.first_response", ticket=ticket, store_ref=ref, remote=handed.remote)
        done = await forwarder.update(event)
    assert done.remote.state == "rejected"
    assert done.changed is not None
    assert rt.ask("petugas", "GET", f"ticket/{ref}")["Status"] == "rejected"


async def test_a_status_that_the_lifecycle_does_not_know_is_refused(
    rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    forwarder = forward(rt, statuses={"in_progress": "dikerjakan"})
    given = handover()
    handed = await forwarder.create(given)
    ticket = replace(given.ticket, state="in_progress")
    event = replace(given, seq=2, type="ticket.noted", ticket=ticket, store_ref=handed.store_ref, remote=handed.remote)
    with pytest.raises(Refused, match="from new to dikerjakan"):
        await forwarder.update(event)


async def test_a_ticket_that_left_our_sight_is_refused_and_the_others_go_on(
    rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    forwarder = forward(rt)
    given = handover()
    handed = await forwarder.create(given)
    rt.ask("root", "PUT", f"ticket/{handed.store_ref}", {"Queue": "General"})
    event = replace(given, seq=2, type="message.added", text="Halo", store_ref=handed.store_ref, remote=handed.remote)
    gone = replace(event, text=None, store_ref="99999")
    for each, code in ((event, "http 400"), (replace(event, text=None), "http 403"), (gone, "http 404")):
        with pytest.raises(Refused) as raised:
            await forwarder.update(each)
        assert raised.value.code == code
    assert (await forwarder.create(handover())).remote.state == "new"


async def test_the_check_names_what_is_wrong(rt: RequestTrackerServer, forward: Forward, handover: HandOver) -> None:
    await forward(rt).create(handover())
    await forward(rt).check()
    wrong: list[tuple[RequestTracker, type[ForwardError], str]] = [
        (forward(rt, token="1-31-ffffffffffffffffffffffffffffffff"), AuthFailed, "401"),
        (forward(rt, queue="Tiada"), Misconfigured, "no queue Tiada"),
        (forward(rt, who="tamu"), Misconfigured, "SeeQueue"),
    ]
    for forwarder, kind, said in wrong:
        with pytest.raises(kind, match=said) as raised:
            await forwarder.check()
        assert "ffffffff" not in str(raised.value)
        with pytest.raises(AuthFailed):
            await forwarder.create(handover())


async def test_the_check_finds_missing_rights_at_a_ticket(
    own_rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    forwarder = forward(own_rt)
    await forwarder.check()
    await forwarder.create(handover())
    own_rt.revoke("aduan", "ReplyToTicket", "CommentOnTicket")
    with pytest.raises(Misconfigured, match="lacks ReplyToTicket, CommentOnTicket"):
        await forwarder.check()
    own_rt.revoke("aduan", "CreateTicket")
    with pytest.raises(Misconfigured, match="lacks CreateTicket"):
        await forwarder.check()


@pytest.mark.parametrize("path", ["/", "/NoAuth/Login.html"])
async def test_a_page_that_is_no_api_is_not_taken_for_an_answer(
    rt: RequestTrackerServer, forward: Forward, handover: HandOver, path: str
) -> None:
    async with lay(rt.url) as line:
        line.answer_all_with = "<html>Login</html>"
        with pytest.raises(Unavailable, match="not one of RT's"):
            await forward(rt, line.url + path.rstrip("/")).create(handover())


def _reject(rt: RequestTrackerServer, ref: str) -> None:
    rt.ask("petugas", "PUT", f"ticket/{ref}", {"Status": "rejected"})
