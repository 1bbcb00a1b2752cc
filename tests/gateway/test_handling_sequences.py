"""Any sequence of events through a real store: nothing is half written or sent twice, and the log names nobody."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desk_at_work import CUSTOMER, STORY, DeskAtWork
from gateway.handling_values import Done, Refused
from tickets import lifecycle_events as events
from tickets.lifecycle_events import Event

TEXT = "Kami sudah memeriksa transaksi Anda dan menjelaskannya di sini."
EVENTS: tuple[Event, ...] = (
    events.Classified(category="late_repayment"),
    events.Classified(
        category="withdrawal", root_cause=130, loss_type="actual", loss_amount_idr=500_000, loss_claimed=True
    ),
    events.FirstResponse(text=TEXT),
    events.DocumentsRequested(documents=("supporting_documents",)),
    events.DocumentsRequested(documents=("full_name", "phone")),
    events.DocumentsReceived(documents=("full_name",)),
    events.DocumentsReceived(complete=True),
    events.RepresentativeNamed(full_name="Kantor Hukum Adil"),
    events.PowerOfAttorney(status="verified"),
    events.Escalated(level=2),
    events.Escalated(level=3, reason="perlu keputusan direksi"),
    events.TierChanged(tier="external_party", reason="bank mitra"),
    events.ExtensionGranted(ground="special_examination", cause=TEXT, days=20),
    events.ExtensionGranted(ground="stage", cause=TEXT, days=5, stage_update="menunggu bank"),
    events.Responded(kind="explanation", finding="no_fault", text=TEXT),
    events.Responded(kind="offer", finding="fault", text=TEXT, remedies=("repair", "apology")),
    events.Implemented(),
    events.Accepted(),
    events.ObjectionRaised(),
    events.ObjectionRaised(new_documents=True),
    events.ObjectionAnswered(result="confirmed", text=TEXT),
    events.ObjectionRejected(reasons=TEXT),
    events.Rejected(ground="unrelated", reasons=TEXT),
    events.Dismissed(reason="misdirected", direct_to="Silakan hubungi bank Anda."),
    events.ReferredOut(forum="laps_sjk"),
    events.ForumDecided(decision="perdamaian"),
    events.Withdrawn(),
    events.Reopened(reason="pelanggan menulis lagi"),
    events.HoldSet(reason="sengketa"),
    events.HoldLifted(),
    events.PersonalDataAsked(kind="access"),
    events.PersonalDataAnswered(kind="access"),
)
#: An event of the desk, a message of the customer (None), or hours that pass.
STEPS = st.lists(st.one_of(st.sampled_from(EVENTS), st.none(), st.integers(1, 200)), min_size=8, max_size=30)


@pytest.fixture(scope="module")
def shared() -> Iterator[DeskAtWork]:
    with tempfile.TemporaryDirectory() as folder:
        desk = DeskAtWork(Path(folder))
        yield desk
        desk.close()


@pytest.mark.parametrize("slug", ["klikacc", "akseleran", "klikumkm"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_sequence_is_written_whole_or_not_at_all(
    shared: DeskAtWork, slug: str, steps: list[Event | int | None]
) -> None:
    """One revision and one audit event for each event that was done, none for a refusal; every message has its row."""
    desk = shared
    person = f"62811{desk.new_id()[-8:]}"
    number = desk.whatsapp(slug, person, STORY)
    done = 0
    for step in steps:
        if isinstance(step, int):
            desk.pass_time(hours=step)
        elif step is None:
            if desk.view(number).ticket.closed_at is None:
                desk.whatsapp(slug, person, "Ada kabar?")
        else:
            found = desk.do(number, step)
            assert isinstance(found, Done | Refused)
            done += isinstance(found, Done)
            view = desk.view(number)
            if isinstance(found, Done):
                assert found.after.ticket == view.ticket
                keys = {row.key for row in view.outbox}
                assert {row.key for row in found.notices} <= keys
                assert all(row.due_at == desk.now for row in found.notices)
                opened = [task.kind for task in view.tasks if task.closed_at is None]
                asked = [kind for kind in opened if kind in {"customer_replied", "documents_came", "implement_offer"}]
                assert len(asked) == len(set(asked))
    view = desk.view(number)
    assert view.ticket.life.revision == done
    assert sum(event.type.startswith("ticket.") for event in view.audit) == done
    written = " ".join(str(event.data) for event in view.audit)
    for secret in (TEXT, STORY, person, CUSTOMER, "Kantor Hukum"):
        assert secret not in written
    assert len({row.template for row in view.outbox}) == len(view.outbox)
    assert desk.store.verify_audit().intact
