"""What was handed in stays as it was; what is known otherwise later is listed with figure, ticket and reason."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date

import pytest
from msgspec.structs import replace

from gateway.reports.keeping import changed_since, freeze
from gateway.reports.making import Made, make, span_of
from gateway.reports.sources import Sources
from normalizer.complaint import Outcome
from report_tickets import Recorded, keep, publications, recorded, wib
from tickets.model import Records
from tickets.reports_snapshot import Correction, LayoutUsed, Snapshot
from tickets.store import Store

LAYOUT = LayoutUsed(id="quarterly", version="0123456789ab")
TODAY = date(2026, 7, 3)


@pytest.fixture
def tickets() -> list[Recorded]:
    return [
        recorded(
            n, wib(date(2026, 4, n)), state="resolved", closed=wib(date(2026, 4, 24)), product="P2P", issue="fraud",
            outcome=Outcome(root_cause=110),
        )
        for n in range(1, 6)
    ]  # fmt: skip


def report(store: Store, sources: Sources) -> Made:
    klikacc = sources.organisations["klikacc"]
    rule = klikacc.policy.reports[1]
    return make(store, klikacc, rule, span_of(rule, "2026-Q2"), ("issue",))


def frozen(store: Store, sources: Sources, *, again: bool = False) -> Snapshot:
    return freeze(store, report(store, sources), LAYOUT, actor="siti", today=TODAY, again=again)


def change(store: Store, *changed: Recorded) -> None:
    with store.begin() as tx:
        tx.add(Records(updated=[each.complaint for each in changed], updated_tickets=[each.ticket for each in changed]))


def said(changes: tuple[Correction, ...]) -> list[tuple[str, str, str, str, bool]]:
    return [(c.section, c.row, c.column, c.item, c.counted) for c in changes]


def test_what_is_frozen_is_read_again_as_it_was(store: Store, sources: Sources, tickets: list[Recorded]) -> None:
    keep(store, tickets, publications(50))
    snapshot = frozen(store, sources)
    (kept,) = store.reports.snapshots("klikacc", "quarterly", "2026-Q2")
    assert kept == snapshot
    assert kept.is_intact
    assert kept.read().layout == LAYOUT
    assert kept.read().report == report(store, sources).report
    assert changed_since(kept, report(store, sources)) == ()


def test_the_same_report_is_frozen_as_the_same_bytes(store: Store, sources: Sources, tickets: list[Recorded]) -> None:
    keep(store, tickets)
    assert frozen(store, sources).sha256 == frozen(store, sources, again=True).sha256


def test_a_snapshot_is_never_changed(store: Store, url: str, sources: Sources, tickets: list[Recorded]) -> None:
    keep(store, tickets)
    snapshot = frozen(store, sources)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        for statement in ("UPDATE report_snapshots SET sha256 = 'x'", "DELETE FROM report_snapshots"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
    altered = replace(snapshot, document=snapshot.document.replace(b"P2P", b"P2X"))
    assert not altered.is_intact
    with pytest.raises(ValueError, match="was changed"):
        altered.read()


def test_freezing_leaves_an_audit_event_and_the_chain_whole(
    store: Store, url: str, sources: Sources, tickets: list[Recorded]
) -> None:
    keep(store, tickets)
    snapshot = frozen(store, sources)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        found = connection.execute("SELECT actor, data FROM audit WHERE type = 'report.frozen'").fetchall()
    assert found == [
        (
            "siti",
            f'{{"edition":1,"organisation":"klikacc","period":"2026-Q2","report":"quarterly","sha256":"{snapshot.sha256}"}}',
        )
    ]
    assert store.verify_audit().intact


def test_no_customer_is_named_in_a_snapshot(store: Store, sources: Sources, tickets: list[Recorded]) -> None:
    keep(store, tickets)
    document = frozen(store, sources).document
    for word in (b"Siti", b"siti@example.com", b"dana saya hilang"):
        assert word not in document


def test_a_period_is_frozen_when_it_is_over_and_once(store: Store, sources: Sources, tickets: list[Recorded]) -> None:
    keep(store, tickets)
    made = report(store, sources)
    with pytest.raises(ValueError, match="2026-Q2 is not over"):
        freeze(store, made, LAYOUT, actor="siti", today=date(2026, 6, 30))
    assert freeze(store, made, LAYOUT, actor="siti", today=date(2026, 7, 1)).edition == 1
    with pytest.raises(ValueError, match="was frozen before"):
        frozen(store, sources)
    assert frozen(store, sources, again=True).edition == 2
    assert len(store.reports.snapshots("klikacc", "quarterly", "2026-Q2")) == 2


def test_a_corrected_product_and_cause_are_named_with_both_values(
    store: Store, sources: Sources, tickets: list[Recorded]
) -> None:
    keep(store, tickets)
    snapshot = frozen(store, sources)
    first = tickets[0]
    number = first.ticket.ticket_number
    change(
        store,
        replace(first, complaint=replace(first.complaint, product="Modal kerja", outcome=Outcome(root_cause=130))),
    )
    changes = changed_since(snapshot, report(store, sources))
    assert said(changes) == [
        ("causes", "110", "count", number, False),
        ("causes", "130", "count", number, True),
        ("product_problem", "Modal kerja", "fraud", number, True),
        ("product_problem", "P2P", "fraud", number, False),
    ]
    assert {(why.what, why.then, why.now) for each in changes for why in each.why} == {
        ("cause", "110", "130"),
        ("product", "P2P", "Modal kerja"),
    }
    assert [(each.then, each.now) for each in changes if each.row == "P2P"] == [(5, 4)]
    assert snapshot.read().report.table("product_problem").value("P2P", "fraud") == 5


def test_a_ticket_that_is_reopened_is_in_process_again(store: Store, sources: Sources, tickets: list[Recorded]) -> None:
    keep(store, tickets)
    snapshot = frozen(store, sources)
    first = tickets[0]
    change(store, replace(first, ticket=replace(first.ticket, state="in_progress", closed_at=None)))
    changes = changed_since(snapshot, report(store, sources))
    assert {(section, row, counted) for section, row, _, _, counted in said(changes)} == {
        ("causes", "110", False), ("settled_in_period", "201", False), ("settled_in_period", "204", True),
        ("standing", "settled", False), ("standing", "open_after", True),
    }  # fmt: skip
    assert {why.what for each in changes for why in each.why} >= {"state", "settled", "code"}


def test_a_ticket_that_turns_out_to_be_none_and_one_that_came_late(
    store: Store, sources: Sources, tickets: list[Recorded]
) -> None:
    keep(store, tickets)
    snapshot = frozen(store, sources)
    first = tickets[0]
    change(store, replace(first, ticket=replace(first.ticket, state="dismissed")))
    keep(store, [recorded(99, wib(date(2026, 6, 30), 23, 59), product="P2P", issue="fraud")])
    changes = changed_since(snapshot, report(store, sources))
    gone = [each for each in changes if each.item == first.ticket.ticket_number]
    late = [each for each in changes if each.item == "KLA-00000099"]
    assert gone
    assert late
    assert not any(each.counted for each in gone)
    assert all(each.counted for each in late)
    assert {(why.what, why.then, why.now) for each in gone for why in each.why} == {
        ("days", "16", ""),
        ("settled", "2026-04-24", ""),
        ("state", "resolved", "dismissed"),
    }
    assert {(why.what, why.then, why.now) for each in late for why in each.why} == {("recorded", "", "counted")}


def test_a_publication_that_is_found_or_withdrawn_later(
    store: Store, sources: Sources, tickets: list[Recorded]
) -> None:
    entered = [
        replace(each, published_on=date(2026, 5, 5), type="print", withdrawn_at=None) for each in publications(2)
    ]
    keep(store, tickets, entered[:1])
    snapshot = frozen(store, sources)
    with store.begin() as tx:
        tx.reports.publish(entered[1])
        assert tx.reports.withdraw("klikacc", entered[0].id, "siti") is not None
        assert tx.reports.withdraw("klikacc", entered[0].id, "siti") is None
        assert tx.reports.withdraw("akseleran", entered[1].id, "siti") is None
    assert said(changed_since(snapshot, report(store, sources))) == [
        ("negative_publication", "print", "count", f"publication {entered[0].id}", False),
        ("negative_publication", "print", "count", f"publication {entered[1].id}", True),
    ]


def test_d6_an_erasure_changes_no_figure_and_nothing_that_was_handed_in(
    store: Store, sources: Sources, tickets: list[Recorded]
) -> None:
    """D6, K19: personal data goes; every section counts the same, public comments as well."""
    comments = [wib(date(2026, 4, 12)), wib(date(2026, 4, 20))]
    with_comments = recorded(
        7, wib(date(2026, 4, 7)), state="rejected", closed=wib(date(2026, 4, 24)), said=comments,
        product="P2P", sub_product="Invoice", category="login", issue="fraud",
        outcome=Outcome(root_cause=170, finding="fault", compensation_idr=75_000),
    )  # fmt: skip
    keep(store, [*tickets, with_comments])
    snapshot, before = frozen(store, sources), report(store, sources)
    assert before.report.table("negative_publication").value("social_media", "count") == 2
    with store.begin() as tx:
        for each in (*tickets, with_comments):
            tx.records.erase(each.ticket.ticket_number, "request", "dewi")
    assert report(store, sources) == before
    assert changed_since(snapshot, report(store, sources)) == ()


def test_all_that_one_report_reads_is_of_one_moment(store: Store, tickets: list[Recorded]) -> None:
    since, until = wib(date(2026, 4, 1)), wib(date(2026, 7, 1))
    first, second = publications(2)
    keep(store, tickets, [first])
    everything = (date(2026, 1, 1), date(2026, 12, 31))
    with store.reports.at_once() as read:
        assert len(list(read.standings("klikacc", since, until))) == 5
        keep(store, [recorded(99, since)], [second])
        assert len(list(read.standings("klikacc", since, until))) == 5
        assert len(read.publications("klikacc", *everything)) == 1
    assert len(list(store.reports.standings("klikacc", since, until))) == 6
    assert len(store.reports.publications("klikacc", *everything)) == 2
