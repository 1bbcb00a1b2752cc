"""A ticket is made in a real RT once, followed by what is said and by our state, and never written over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

from msgspec.structs import replace

from harness.request_tracker import RequestTrackerServer
from normalizer.complaint import Complainant, StoredAttachment
from tickets.forwarders.contract import Handover, Remote
from tickets.forwarders.request_tracker import RequestTracker

Forward = Callable[..., RequestTracker]
HandOver = Callable[..., Handover]


async def test_a_complaint_becomes_a_ticket_that_nobody_is_written_to_about(
    rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    complaint = {
        "subject": "Saldo\nhilang",
        "narrative": "Saldo saya hilang 'kemarin' – Rp 100.000 🙁",
        "complainant": Complainant(full_name="Budi Santoso", phone="+628121111", email="budi@example.com"),
        "attachments": (StoredAttachment(id="A1", name_safe="bukti.png", size=12, sha256="ab" * 32),),
    }
    given = handover(complaint=complaint, links={"ticket": "https://aduan.example/desk/t/1"})
    handed = await forward(rt).create(given)

    there = rt.ask("petugas", "GET", f"ticket/{handed.store_ref}")
    assert there["Subject"] == f"[{given.complaint.ticket_number}] Saldo hilang"
    assert (there["Status"], there["Requestor"], there["Due"]) == ("new", [], "2026-02-03T16:59:59Z")
    (text,) = rt.messages_of(handed.store_ref, "Create")
    for part in (
        complaint["narrative"], "Budi Santoso, +628121111, budi@example.com", "2026-01-05 10:04 WIB (whatsapp)",
        "2026-01-08", f"bukti.png, 12 B, sha256 {'ab' * 32}", "ticket: https://aduan.example/desk/t/1",
    ):  # fmt: skip
        assert str(part) in text
    assert "right-hash" not in text
    assert rt.tickets_of(given.external_id) == [handed.store_ref]
    assert handed.remote.state == "new"
    assert handed.changed is None


async def test_what_is_said_goes_into_the_history_once(
    rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    forwarder = forward(rt)
    first = handover()
    handed = await forwarder.create(first)
    said = replace(
        first, seq=2, type="message.added", text="Mohon segera\n\nTerima kasih", store_ref=handed.store_ref,
        remote=handed.remote,
    )  # fmt: skip
    answered = replace(said, seq=3, type="ticket.responded", text="Dana sudah kembali")
    silent = replace(said, seq=12, type="ticket.escalated", text=None)
    again = [replace(each, repeated=True) for each in (said, answered, silent)]
    for each in (first, said, answered, silent, *again):
        handed = await forwarder.update(replace(each, remote=handed.remote))
    correspondence = rt.messages_of(handed.store_ref, "Correspond")
    assert [text.partition(":\n\n")[2] for text in correspondence] == [
        "Mohon segera\n\nTerima kasih",
        "Dana sudah kembali",
    ]
    assert [text.partition(" (")[0] for text in correspondence] == [
        "Dari pelanggan / From the customer",
        "Kepada pelanggan / To the customer",
    ]
    (comment,) = rt.messages_of(handed.store_ref, "Comment")
    assert comment.startswith("Aduan: ticket.escalated")


async def test_our_state_and_date_are_written_as_the_settings_say(
    rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    forwarder = forward(rt, statuses={"responded": "open"})
    given = handover()
    handed = await forwarder.create(given)
    seen = []
    for seq, state in enumerate(("awaiting_documents", "responded", "rejected", "objection_review", "resolved"), 2):
        ticket = replace(given.ticket, state=state, resolve_due=date(2026, 2, seq))
        event = replace(given, seq=seq, type=f"ticket.{state}", ticket=ticket, store_ref=handed.store_ref)
        handed = await forwarder.update(replace(event, remote=handed.remote))
        assert handed.changed is None
        there = rt.ask("petugas", "GET", f"ticket/{handed.store_ref}")
        assert (there["Status"], there["Due"]) == (handed.remote.state, f"2026-02-{seq:02}T16:59:59Z")
        seen.append(handed.remote.state)
    assert seen == ["stalled", "open", "rejected", "open", "resolved"]


async def test_a_ticket_that_is_handed_over_late_gets_its_state_at_once(
    rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    given = handover(type="forward.backfilled", ticket={"state": "awaiting_documents"})
    handed = await forward(rt).create(given)
    assert (handed.remote.state, handed.changed) == ("stalled", None)


async def test_a_reply_that_rt_itself_reopens_the_ticket_for_is_no_change_by_others(
    rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    forwarder = forward(rt)
    given = handover(ticket={"state": "resolved"})
    handed = await forwarder.create(given)
    assert handed.remote.state == "resolved"
    more = replace(given, seq=2, type="message.added", text="Masih hilang", store_ref=handed.store_ref)
    # The answer to the first attempt was lost: the history since then holds our message and what RT did about it.
    await forwarder.update(replace(more, remote=handed.remote))
    rt.ask("petugas", "POST", f"ticket/{handed.store_ref}/comment", {"Content": "dicek", "ContentType": "text/plain"})
    again = await forwarder.update(replace(more, remote=handed.remote, repeated=True))
    assert (again.remote.state, again.changed) == ("resolved", None)
    assert len(rt.messages_of(handed.store_ref, "Correspond")) == 1


async def test_what_was_changed_there_is_told_and_not_written_over(
    rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    forwarder = forward(rt)
    given = handover()
    handed = await forwarder.create(given)
    ref = handed.store_ref
    rt.ask("petugas", "PUT", f"ticket/{ref}", {"Status": "rejected", "Due": "2026-03-01 10:00:00"})

    ticket = replace(given.ticket, state="in_progress")
    event = replace(given, seq=2, type="ticket.first_response", text="Kami periksa", ticket=ticket, store_ref=ref)
    kept = await forwarder.update(replace(event, type="ticket.classified", text=None, remote=handed.remote))
    assert kept.remote.state == "rejected"
    assert kept.changed is not None
    assert (kept.changed.store_ref, kept.changed.external_id, kept.changed.by_us) == (ref, given.external_id, False)
    assert kept.changed.note == "tenggat / due; status new -> rejected"
    assert rt.ask("petugas", "GET", f"ticket/{ref}")["Status"] == "rejected"

    # While nobody has decided, words go and the state does not.
    waiting = replace(event, seq=3, write_state=False, type="ticket.noted", text=None, remote=kept.remote)
    held = await forwarder.update(waiting)
    assert (held.remote.state, held.changed) == ("rejected", None)

    # A person has: what is known now is what may be written over. The date that was set there stays.
    done = await forwarder.update(replace(event, seq=4, text=None, remote=held.remote))
    assert (done.remote.state, done.changed) == ("open", None)
    assert rt.ask("petugas", "GET", f"ticket/{ref}")["Due"] == "2026-03-01T10:00:00Z"


async def test_a_decision_that_rt_undoes_for_our_words_is_told(
    rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    """RT reopens a rejected ticket for any message: to the very status that we have."""
    forwarder = forward(rt)
    given = handover()
    handed = await forwarder.create(given)
    rt.ask("petugas", "PUT", f"ticket/{handed.store_ref}", {"Status": "rejected"})
    ticket = replace(given.ticket, state="in_progress")
    event = replace(given, seq=2, type="message.added", text="Halo", ticket=ticket, store_ref=handed.store_ref)
    done = await forwarder.update(replace(event, remote=handed.remote))
    assert done.remote.state == "open"
    assert done.changed is not None
    assert done.changed.note == "status new -> rejected"


async def test_the_same_decision_on_both_sides_is_no_conflict(
    rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    forwarder = forward(rt)
    given = handover()
    handed = await forwarder.create(given)
    rt.ask("petugas", "PUT", f"ticket/{handed.store_ref}", {"Status": "resolved"})
    ticket = replace(given.ticket, state="resolved")
    event = replace(given, seq=2, type="ticket.accepted", ticket=ticket, store_ref=handed.store_ref)
    done = await forwarder.update(replace(event, remote=handed.remote))
    assert (done.remote.state, done.changed) == ("resolved", None)


async def test_tickets_that_are_merged_there_are_followed(
    rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    forwarder = forward(rt)
    one, two = handover(), handover()
    first, second = await forwarder.create(one), await forwarder.create(two)
    rt.ask("petugas", "PUT", f"ticket/{second.store_ref}", {"MergeInto": int(first.store_ref)})
    event = replace(two, seq=2, type="message.added", text="Halo", store_ref=second.store_ref, remote=second.remote)
    handed = await forwarder.update(event)
    assert handed.store_ref == first.store_ref
    # The link went along: the other complaint is still found, and not made anew.
    assert (await forwarder.create(two)).store_ref == first.store_ref


async def test_what_others_changed_is_listed(rt: RequestTrackerServer, forward: Forward, handover: HandOver) -> None:
    forwarder = forward(rt)
    before = datetime.now(UTC)
    quiet, touched, named, deleted = [handover() for _ in range(4)]
    refs = [(await forwarder.create(each)).store_ref for each in (quiet, touched, named, deleted)]
    await forwarder.update(replace(quiet, seq=2, type="message.added", text="Halo", store_ref=refs[0]))
    rt.ask(
        "petugas", "POST", f"ticket/{refs[1]}/correspond", {"Content": "Sudah kami cek", "ContentType": "text/plain"}
    )
    rt.ask("petugas", "PUT", f"ticket/{refs[1]}", {"Owner": "petugas", "Status": "stalled"})
    rt.ask("root", "PUT", f"ticket/{refs[2]}", {"Subject": "Saldo"})
    rt.ask("petugas", "PUT", f"ticket/{refs[3]}", {"Status": "deleted"})

    seen = {each.store_ref: each for each in await forwarder.changes(before) if each.store_ref in refs}
    assert set(seen) == {refs[1], refs[2], refs[3]}
    change = seen[refs[1]]
    assert change.external_id == touched.external_id
    assert change.note == "pesan / message; status new -> open; status open -> stalled"
    assert (change.remote.state, change.by_us) == ("stalled", False)
    there = rt.ask("petugas", "GET", f"ticket/{refs[1]}")
    assert change.changed_at == datetime.fromisoformat(there["LastUpdated"])
    assert seen[refs[2]].note == "judul / subject"
    assert seen[refs[3]].remote.state == "deleted"
    # What we say we last saw is exactly what an update then finds unchanged.
    ticket = replace(touched.ticket, state="in_progress")
    event = replace(touched, seq=2, type="ticket.noted", ticket=ticket, store_ref=refs[1], remote=change.remote)
    assert (await forwarder.update(event)).remote.state == "open"


async def test_what_a_person_wrote_there_does_not_hold_our_state_and_is_still_told(
    rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    forwarder = forward(rt)
    before = datetime.now(UTC)
    given = handover()
    handed = await forwarder.create(given)
    ref = handed.store_ref
    rt.ask("petugas", "PUT", f"ticket/{ref}", {"Owner": "petugas"})
    rt.ask("petugas", "POST", f"ticket/{ref}/comment", {"Content": "sudah dicek", "ContentType": "text/plain"})
    ticket = replace(given.ticket, state="in_progress")
    event = replace(given, seq=2, type="ticket.noted", ticket=ticket, store_ref=ref, remote=handed.remote)
    handed = await forwarder.update(event)
    assert (handed.remote.state, handed.changed) == ("open", None)

    (seen,) = [each for each in await forwarder.changes(before) if each.store_ref == ref]
    assert seen.note == "catatan / note"
    # It differs from what the update knew, so that it is news.
    assert seen.remote != handed.remote
    # Once it was told, our next write and their next click make no news of it again.
    rt.ask("petugas", "PUT", f"ticket/{ref}", {"Priority": 7})
    (again,) = [each for each in await forwarder.changes(before) if each.store_ref == ref]
    assert again.remote == seen.remote
    more = replace(event, seq=3, type="message.added", text="Halo", remote=seen.remote)
    handed = await forwarder.update(more)
    (last,) = [each for each in await forwarder.changes(before) if each.store_ref == ref]
    assert (last.remote, handed.changed) == (handed.remote, None)


async def test_nothing_is_listed_from_before_the_moment_and_nothing_is_missed_behind_it(
    own_rt: RequestTrackerServer, forward: Forward, handover: HandOver
) -> None:
    forwarder = forward(own_rt)
    handed = await forwarder.create(handover())
    own_rt.ask("petugas", "PUT", f"ticket/{handed.store_ref}", {"Status": "open"})
    own_rt.backdate(hours=3)
    now = datetime.now(UTC)
    assert await forwarder.changes(now) == ()
    (seen,) = await forwarder.changes(now.replace(year=now.year - 1))
    assert seen.remote == Remote(state="open", version=seen.remote.version)

    # More than a page of entries that we may not see stands before one that we may.
    hidden = (await forwarder.create(handover())).store_ref
    own_rt.ask("petugas", "PUT", f"ticket/{hidden}", {"Status": "open"})
    own_rt.repeat_last(150)
    own_rt.ask("root", "PUT", f"ticket/{hidden}", {"Queue": "General"})
    own_rt.ask("petugas", "PUT", f"ticket/{handed.store_ref}", {"Status": "stalled"})
    (seen,) = await forwarder.changes(now)
    assert (seen.store_ref, seen.remote.state) == (handed.store_ref, "stalled")
