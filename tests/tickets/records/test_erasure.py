"""Erasing the personal data of a complaint: nothing that names the person stays, every figure does (D6, UU 27/2022)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Table

from normalizer.message import Edit
from records_values import CLOSED, RECEIVED, SECRETS, Closed, deletion, found_in
from store_values import Build
from tickets.calendar_load import calendar_for, load_calendar_years
from tickets.life import Hold, Objected, PersonalDataRequest, Referred
from tickets.lifecycle_values import Rules
from tickets.model import Records
from tickets.policy_load import load_policy
from tickets.records import REASONS_ERASED, erase_on, erased_complaint, erased_ticket, obstacle
from tickets.reports_facts import Reader
from tickets.store import Store, schema
from tickets.store.erasure_rows import REMOVED, SCRUBBED

CONFIG = Path(__file__).parents[3] / "config"
LATER = datetime(2031, 3, 1, tzinfo=UTC)
#: Tables with a complaint's id, and what erasing does with them.
OURS = {
    "tickets": "its documents are replaced", "aliases": "numbers only", "messages": "replaced, keys as digests",
    "attachments": "replaced", "threads": "deleted", "outbox": "replaced", "tasks": "reason emptied, closed",
    "audit": "names nobody", "holds": "none while it may be erased", "erasures": "what says so",
}  # fmt: skip


@pytest.fixture
def build() -> Build:
    return Build()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'tickets.db'}", clock=lambda: LATER)
    yield opened
    opened.close()


@pytest.fixture
def closed(build: Build, store: Store) -> Closed:
    case = Closed(build)
    case.add(store)
    return case


def erase(store: Store, number: str, reason: str = "request") -> None:
    with store.begin() as tx:
        tx.records.erase(number, reason, "dewi")  # type: ignore[arg-type]  # one of the reasons


def test_d6_after_an_erasure_no_byte_of_the_database_names_the_person(
    store: Store, closed: Closed, tmp_path: Path
) -> None:
    """D6: searched for in the bytes of the database and its log, not by queries."""
    assert {secret for _, secret in found_in(tmp_path)} == set(SECRETS) - {"ISI BERKAS RAHASIA"}
    erase(store, closed.number)
    assert store.compact()
    assert list(found_in(tmp_path)) == []
    assert store.verify_audit().intact


def test_d6_reports_count_the_same_before_and_after(store: Store, closed: Closed) -> None:
    """D6: the facts that every figure of a report is made of are those of before."""
    policy = load_policy(CONFIG / "policies" / "klikacc.yaml")
    years = load_calendar_years(CONFIG / "calendars")
    rules = Rules(policy=policy, calendar=calendar_for(policy.calendar, years))

    def facts() -> list[object]:
        since, until = datetime(2025, 12, 31, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
        reader = Reader(rules)
        return [reader.fact(each) for each in store.reports.standings("klikacc", since, until)]

    before = facts()
    assert len(before) == 1
    erase(store, closed.number)
    assert facts() == before


def test_what_stays_is_counted_and_what_goes_was_said(closed: Closed) -> None:
    complaint = erased_complaint(closed.complaint())
    assert (complaint.product, complaint.category, complaint.issue) == (
        "Pinjaman Modal",
        "withdrawal",
        "collector_conduct",
    )
    assert complaint.outcome.compensation_idr == 500_000
    assert complaint.outcome.rejection is not None
    assert complaint.outcome.rejection.reasons == REASONS_ERASED
    assert (complaint.loss.type, complaint.loss.amount_idr, complaint.transaction) == ("actual", None, None)
    assert complaint.flags == ("name_from_profile",)
    ticket = erased_ticket(closed.ticket())
    assert ticket.access_code_hash is None
    assert [(each.new_due, each.cause) for each in ticket.life.extensions] == [
        (closed.ticket().life.extensions[0].new_due, "")
    ]
    assert ticket.life.announced == closed.ticket().life.announced
    # Erasing what is erased changes nothing.
    assert erased_complaint(complaint) == complaint
    assert erased_ticket(ticket) == ticket


def test_the_number_stays_known_and_its_code_opens_nothing(store: Store, closed: Closed) -> None:
    erase(store, closed.number)
    view = store.ticket(closed.number)
    assert view is not None
    assert (view.ticket.state, view.complaint.narrative, len(view.messages)) == ("rejected", "", 2)
    with store.begin() as tx:
        verdict = tx.try_code(closed.number, "right-hash", LATER, limit=3, lock=timedelta(minutes=15))
        unknown = tx.try_code("KLA-20260105-000999-9", "right-hash", LATER, limit=3, lock=timedelta(minutes=15))
    assert verdict == unknown == "wrong"
    found = store.records.erasure(closed.number)
    assert found is not None
    assert (found.ticket_number, found.reason, found.at) == (closed.number, "request", LATER)
    assert [each.ticket_number for each in store.records.erasures()] == [closed.number]


def test_what_comes_again_is_a_repeat_and_a_new_message_a_new_complaint(store: Store, closed: Closed) -> None:
    erase(store, closed.number)
    first, _ = closed.messages()
    with store.begin() as tx:
        known = tx.known("klikacc", [first.key, "new"], [f"whatsapp_cloud:1:+6281298765432:{closed.key}"])
        late = Edit(key="late", message_key=first.key, edited_at=LATER, text="penagih menghubungi atasan saya")
        assert tx.edit("klikacc", late) == "applied"
    assert known.messages[first.key].ticket_number == closed.number
    assert (set(known.messages), dict(known.threads)) == ({first.key}, {})
    view = store.ticket(closed.number)
    assert view is not None
    assert [version.text for version in view.messages[0].versions] == ["", ""]


def test_a_file_that_arrives_late_is_doomed_too(store: Store, build: Build) -> None:
    """What was being fetched when its complaint was erased does not bring it back."""
    case = Closed(build)
    case.add(store)
    pending = build.attachment(case.complaint_id, case.message_ids[1], name_safe="siti.jpg")
    with store.begin() as tx:
        tx.add(Records(attachments=[pending]))
        (claimed,) = tx.claim_attachments(LATER, 5)
    erase(store, case.number)
    with store.begin() as tx:
        tx.settle_attachments([replace(claimed, status="stored", sha256="ab" * 32)])
    assert "ab" * 32 in store.records.doomed()
    view = store.ticket(case.number)
    assert view is not None
    assert {(file.name_safe, file.status, file.sha256) for file in view.attachments} == {("erased", "refused", None)}
    assert store.records.in_use(["ab" * 32]) == frozenset()


def test_a_merged_complaint_goes_with_the_one_that_goes_on(store: Store, closed: Closed, build: Build) -> None:
    other = Closed(build, 2, key="two")
    other.add(store, state="merged")
    with store.begin() as tx:
        tx.casework.move(other.complaint_id, closed.complaint_id)
        tx.add(Records(updated=[replace(closed.complaint(), aliases=(other.number,))]))
    with store.begin() as tx:
        gone = tx.records.erase(other.number, "order", "dewi")
    assert (gone.ticket_number, gone.merged, gone.messages) == (closed.number, (other.number,), 4)
    assert {each.ticket_number for each in store.records.erasures()} == {closed.number, other.number}


def test_a_hold_on_either_half_of_a_merge_keeps_both(store: Store, closed: Closed, build: Build) -> None:
    other = Closed(build, 2, key="two")
    other.add(store, state="merged")
    with store.begin() as tx:
        tx.casework.move(other.complaint_id, closed.complaint_id)
        tx.add(Records(updated=[replace(closed.complaint(), aliases=(other.number,))]))
        held = replace(other.ticket(), state="merged", life=replace(other.ticket().life, hold=HOLD))
        tx.add(Records(updated_tickets=[held]))
    with store.begin() as tx:
        assert tx.records.obstacle(closed.number) == "hold"


HOLD = Hold(reason="sengketa perdata", since=CLOSED, by="dewi")


@pytest.mark.parametrize(
    ("state", "life", "why"),
    [
        ("rejected", {}, None),
        ("dismissed", {}, None),
        ("rejected", {"hold": HOLD}, "hold"),
        ("received", {}, "open"),
        ("responded", {}, "open"),
        ("objection_review", {"objections": (Objected(received_at=CLOSED),)}, "objection"),
        ("referred", {"referrals": (Referred(forum="court", by="complainant", at=CLOSED),)}, "referral"),
        ("resolved", {"referrals": (Referred(forum="court", by="complainant", at=CLOSED),)}, "referral"),
        ("withdrawn", {"referrals": (Referred(forum="court", by="complainant", at=CLOSED),)}, None),
        (
            "resolved",
            {"personal_data": (PersonalDataRequest(kind="access", received_at=CLOSED, due_at=CLOSED),)},
            "request_open",
        ),
        (
            "resolved",
            {"personal_data": (PersonalDataRequest(kind="erasure", received_at=CLOSED, due_at=CLOSED),)},
            None,
        ),
    ],
)
def test_d6_what_keeps_a_complaint(closed: Closed, state: str, life: dict[str, object], why: str | None) -> None:
    """D6: a legal hold, an open complaint, an objection or a referral that runs, an unanswered request."""
    ticket = replace(closed.ticket(), state=state, life=replace(closed.ticket().life, **life))
    assert obstacle(closed.complaint(), ticket) == why


def test_nothing_is_erased_against_an_obstacle(store: Store, closed: Closed, tmp_path: Path) -> None:
    with store.begin() as tx:
        tx.add(Records(updated_tickets=[replace(closed.ticket(), life=replace(closed.ticket().life, hold=HOLD))]))
    assert [each.ticket.ticket_number for each in store.records.held()] == [closed.number]
    with pytest.raises(ValueError, match="hold"), store.begin() as tx:
        tx.records.erase(closed.number, "request", "dewi")
    with pytest.raises(LookupError), store.begin() as tx:
        tx.records.erase("KLA-20260105-000999-9", "request", "dewi")
    assert "Siti Rahmawati" in {secret for _, secret in found_in(tmp_path)}
    with store.begin() as tx:
        tx.add(Records(updated_tickets=[closed.ticket()]))
    assert store.records.held() == []


def test_a_message_that_is_still_owed_is_waited_for_unless_the_years_are_over(store: Store, closed: Closed) -> None:
    with store.begin() as tx:
        tx.add(Records(outbox=[closed.build.owed(closed.complaint_id, template="closing")]))
        assert tx.records.obstacle(closed.number) == "message_owed"
        assert tx.records.obstacle(closed.number, patient=False) is None
        tx.claim_outbox(LATER, 5)
        assert tx.records.obstacle(closed.number, patient=False) == "message_owed"


def test_a_hold_keeps_deliveries_beyond_their_days(store: Store, closed: Closed) -> None:
    """D6: 90 days, never under a legal hold."""
    with store.begin() as tx:
        tx.add(Records(updated_tickets=[replace(closed.ticket(), life=replace(closed.ticket().life, hold=HOLD))]))
    assert store.purge_raws(LATER) == 0
    with store.begin() as tx:
        tx.add(Records(updated_tickets=[closed.ticket()]))
    assert store.purge_raws(LATER) == 2


def test_a_delivery_that_a_held_complaint_needs_stays(store: Store, closed: Closed, build: Build) -> None:
    held = build.complaint_records("KLA-20260105-000002-6", "held", ref="held")
    life = replace(closed.ticket().life, hold=HOLD)
    with store.begin() as tx:
        tx.add(replace(held, messages=[replace(held.messages[0], raw_id=closed.raw_ids[0])]))
        tx.add(Records(updated_tickets=[replace(held.tickets[0], life=life)]))
    with store.begin() as tx:
        gone = tx.records.erase(closed.number, "request", "dewi")
    assert (gone.raws, gone.raws_left) == (1, 1)
    assert store.raw(closed.raw_ids[0]) is not None


def test_the_same_day_so_many_years_later(closed: Closed) -> None:
    def day(moment: datetime, years: int) -> str:
        return erase_on(closed.complaint(), replace(closed.ticket(), closed_at=moment), years).isoformat()

    assert day(datetime(2026, 2, 20, 4, tzinfo=UTC), 5) == "2031-02-20"
    # WIB is ahead: what closes at 18 UTC closed on the next day.
    assert day(datetime(2026, 2, 20, 18, tzinfo=UTC), 5) == "2031-02-21"
    assert day(datetime(2028, 2, 29, 4, tzinfo=UTC), 5) == "2033-03-01"


def test_no_table_of_a_complaint_is_forgotten() -> None:
    """A new table with a complaint's id must say what erasing does with it."""
    tables = {
        table.name
        for table in schema.metadata.tables.values()
        if any(key.column.table.name == "tickets" for column in table.columns for key in column.foreign_keys)
        or "complaint_id" in table.columns
    }
    others: list[Table] = [*(table for table, _ in SCRUBBED), *(table for table, _ in REMOVED)]
    assert tables == set(OURS) | {table.name for table in others}


def test_parked_edits_go_with_the_deliveries_of_their_time_and_deletions_wait(store: Store, build: Build) -> None:
    case = Closed(build)
    first, _ = case.messages()
    with store.begin() as tx:
        tx.edit("klikacc", Edit(key="e", message_key=first.key, edited_at=RECEIVED, text="kutipan"))
        tx.delete("klikacc", deletion(case))
        assert tx.records.purge_parked(RECEIVED) == 0
        assert tx.records.purge_parked(LATER) == 1
    case.add(store)
    view = store.ticket(case.number)
    assert view is not None
    assert view.messages[0].withdrawn_at == RECEIVED + timedelta(minutes=9)
