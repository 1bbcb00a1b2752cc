"""What providers report about what we sent: every order of the same reports ends alike (P10, P11; T28)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.message import Delivery, DeliveryState
from store_values import Build
from tickets.model import OutboxRow, Route
from tickets.store import Store, TicketView
from tickets.store.standing import RANK, Part, Standing, advance, stand
from tickets.store.times import EPOCH

STATES: tuple[DeliveryState, ...] = ("sent", "delivered", "read", "failed")
TWO_ROUTES = (Route(channel_id="wa", recipient="ID.1"), Route(channel_id="mail", recipient="a@b", channel="email"))


def report(build: Build, state: DeliveryState, provider_id: str | None = "wamid.1", **kwargs: Any) -> Delivery:
    at = build.now + timedelta(seconds=RANK[state])
    return Delivery(state=state, at=at, provider_id=provider_id, **kwargs)


def end(store: Store, number: str) -> tuple[Any, ...]:
    view = shown(store, number)
    (row,) = view.outbox
    (receipt,) = view.complaint.receipts
    open_tasks = [task.kind for task in view.tasks if task.closed_at is None]
    return row.state, row.route, row.parts_sent, row.ambiguous, row.error_class, receipt.state, open_tasks


def shown(store: Store, number: str) -> TicketView:
    view = store.ticket(number)
    assert view is not None
    return view


@pytest.mark.parametrize("settled_after", range(5))
@pytest.mark.parametrize("error_class", [None, "Unreachable"])
@pytest.mark.parametrize("routes", [TWO_ROUTES[:1], TWO_ROUTES], ids=["one route", "two routes"])
def test_all_24_orders_end_read(
    store: Store, build: Build, routes: tuple[Route, ...], error_class: str | None, settled_after: int
) -> None:
    """Reports before the send is settled wait for it, those after it are applied: the end is the same."""
    for order in itertools.permutations(STATES):
        name = "-".join(order)
        records = build.records(store, f"key {name}", ref=name, routes=routes)
        with store.begin() as tx:
            tx.add(records)
        with store.begin() as tx:
            (item,) = tx.claim_outbox(build.now, 10, ["wa"])
        for position, state in enumerate((*order, None)):
            with store.begin() as tx:
                if position == settled_after:
                    tx.settle_outbox([build.sent(item, name)])
                if state is not None:
                    failure = {"error_code": "131047", "error_class": error_class} if state == "failed" else {}
                    tx.deliveries("wa", [report(build, state, name, **failure)])
        number = records.tickets[0].ticket_number
        assert end(store, number) == ("sent", 0, 1, False, None, "read", []), name
    assert store.counts()["deliveries_parked"] == 0


@pytest.mark.parametrize("order", list(itertools.permutations(("sent", "failed"))), ids="-".join)
def test_a_failure_outranks_sent_and_becomes_a_task(store: Store, build: Build, order: Sequence[DeliveryState]) -> None:
    number, _ = sent(store, build, TWO_ROUTES[:1])
    with store.begin() as tx:
        for state in order:
            tx.deliveries("wa", [report(build, state, error_class="Unreachable" if state == "failed" else None)])
    assert end(store, number) == ("failed", 0, 1, False, "Unreachable", "failed", ["undeliverable"])
    assert [task.kind for task in store.open_tasks()] == ["undeliverable"]


@pytest.mark.parametrize("error_class", ["WindowClosed", "Unreachable"])
def test_a_closed_route_leads_to_the_next(store: Store, build: Build, error_class: str) -> None:
    number, _ = sent(store, build, TWO_ROUTES)
    with store.begin() as tx:
        tx.deliveries("wa", [report(build, "failed", error_code="131047", error_class=error_class)])
    assert end(store, number) == ("due", 1, 0, False, error_class, "queued", [])
    with store.begin() as tx:
        (item,) = tx.claim_outbox(build.now + timedelta(minutes=1), 10, ["mail"])
        tx.settle_outbox([build.sent(item, "<1@mail>")])
        tx.deliveries("wa", [report(build, "sent")])
    assert end(store, number) == ("sent", 1, 1, False, error_class, "sent", [])
    (receipt,) = shown(store, number).complaint.receipts
    assert (receipt.channel, receipt.recipient, receipt.provider_id) == ("email", "a@b", "<1@mail>")
    with store.begin() as tx:
        tx.deliveries("mail", [report(build, "delivered", "<1@mail>")])
    assert end(store, number)[5] == "delivered"


def test_any_other_failure_is_a_persons_task_also_when_a_route_is_left(store: Store, build: Build) -> None:
    number, _ = sent(store, build, TWO_ROUTES)
    with store.begin() as tx:
        tx.deliveries("wa", [report(build, "failed", error_code="131009", error_class="Refused")])
    assert end(store, number) == ("failed", 0, 1, False, "Refused", "failed", ["undeliverable"])


def test_the_last_route_failing_too_is_one_task(store: Store, build: Build) -> None:
    number, _ = sent(store, build, TWO_ROUTES)
    with store.begin() as tx:
        tx.deliveries("wa", [report(build, "failed", error_class="Unreachable")])
        (item,) = tx.claim_outbox(build.now + timedelta(minutes=1), 10)
        tx.settle_outbox([build.sent(item, "<1@mail>")])
        for _ in range(3):
            tx.deliveries("mail", [report(build, "failed", "<1@mail>", error_class="Unreachable")])
    assert end(store, number) == ("failed", 1, 1, False, "Unreachable", "failed", ["undeliverable"])


def test_a_late_proof_of_the_first_route_ends_the_search_for_another(store: Store, build: Build) -> None:
    number, _ = sent(store, build, TWO_ROUTES)
    with store.begin() as tx:
        tx.deliveries("wa", [report(build, "failed", error_class="Unreachable")])
        tx.deliveries("wa", [report(build, "delivered")])
        assert not tx.claim_outbox(build.now + timedelta(days=1), 10)
    assert end(store, number) == ("sent", 0, 1, False, None, "delivered", [])


def test_a_proof_while_the_next_route_is_being_sent_is_kept(store: Store, build: Build) -> None:
    number, _ = sent(store, build, TWO_ROUTES)
    with store.begin() as tx:
        tx.deliveries("wa", [report(build, "failed", error_class="Unreachable")])
        (item,) = tx.claim_outbox(build.now + timedelta(minutes=1), 10)
        tx.deliveries("wa", [report(build, "delivered")])
    assert end(store, number)[0] == "sending"
    with store.begin() as tx:
        tx.settle_outbox([build.again(item)])
    assert end(store, number) == ("sent", 0, 1, False, None, "delivered", [])


def test_a_text_in_parts_is_delivered_when_every_part_is(store: Store, build: Build) -> None:
    number, _ = sent(store, build, TWO_ROUTES[:1], "p1", "p2")
    for provider_id, expected in (("p1", "sent"), ("p2", "delivered")):
        with store.begin() as tx:
            tx.deliveries("wa", [report(build, "delivered", provider_id)])
        assert end(store, number)[5] == expected
    with store.begin() as tx:
        tx.deliveries("wa", [report(build, "read", "p2"), report(build, "read", "p1")])
    assert end(store, number)[5] == "read"


def test_one_failed_part_fails_the_text(store: Store, build: Build) -> None:
    number, _ = sent(store, build, TWO_ROUTES[:1], "p1", "p2")
    with store.begin() as tx:
        tx.deliveries("wa", [report(build, "read", "p1"), report(build, "failed", "p2", error_class="Unreachable")])
    assert end(store, number) == ("failed", 0, 2, False, "Unreachable", "failed", ["undeliverable"])


def test_half_a_text_that_was_delivered_is_no_proof_of_the_whole(store: Store, build: Build) -> None:
    number, item = claimed(store, build, TWO_ROUTES[:1])
    half = msgspec.structs.replace(build.again(item, parts=2, parts_sent=1), provider_ids=("p1",))
    with store.begin() as tx:
        tx.settle_outbox([half])
        tx.deliveries("wa", [report(build, "read", "p1")])
    assert end(store, number)[:3] == ("due", 0, 1)
    with store.begin() as tx:
        (item,) = tx.claim_outbox(build.now + timedelta(hours=1), 10)
        whole = msgspec.structs.replace(build.sent(item, "p2"), row=msgspec.structs.replace(item.row, state="sent"))
        tx.settle_outbox([whole])
    assert end(store, number)[5] == "sent"


def test_the_same_id_at_another_channel_is_another_message(store: Store, build: Build) -> None:
    number, _ = sent(store, build, TWO_ROUTES[:1])
    with store.begin() as tx:
        tx.deliveries("wa-2", [report(build, "read")])
    assert end(store, number)[5] == "sent"
    assert store.counts()["deliveries_parked"] == 1


@pytest.mark.parametrize("ambiguous", [True, False], ids=["ambiguous", "sending"])
@pytest.mark.parametrize("provider_id", ["wamid.1", None])
def test_our_key_in_a_report_settles_a_send_without_an_answer(
    store: Store, build: Build, ambiguous: bool, provider_id: str | None
) -> None:
    number, item = claimed(store, build, TWO_ROUTES)
    with store.begin() as tx:
        if ambiguous:
            tx.settle_outbox([build.again(item, ambiguous=True)])
        tx.deliveries("wa", [report(build, "sent", provider_id, outbox_key=item.row.key)])
        assert not tx.claim_outbox(build.now + timedelta(days=1), 10)
    assert end(store, number) == ("sent", 0, 1, False, None, "sent", [])
    with store.begin() as tx:
        tx.deliveries("wa", [report(build, "delivered", provider_id, outbox_key=item.row.key)])
        # The sender that was only slow comes back.
        tx.settle_outbox([build.sent(item, "wamid.1")])
    assert end(store, number)[:2] == ("sent", 0)


def test_a_report_that_overtakes_the_answer_is_not_taken_back_by_a_timeout(store: Store, build: Build) -> None:
    number, item = claimed(store, build, TWO_ROUTES)
    with store.begin() as tx:
        tx.deliveries("wa", [report(build, "delivered", "wamid.1", outbox_key=item.row.key)])
        tx.settle_outbox([build.again(item, ambiguous=True)])
    assert end(store, number) == ("sent", 0, 1, False, None, "delivered", [])


def test_a_report_of_a_part_settles_that_part_and_the_rest_is_still_owed(store: Store, build: Build) -> None:
    number, item = claimed(store, build, TWO_ROUTES)
    second = msgspec.structs.replace(build.again(item, ambiguous=True, parts=3, parts_sent=1), provider_ids=("p1",))
    with store.begin() as tx:
        tx.settle_outbox([second])
        tx.deliveries("wa", [report(build, "sent", "p2", outbox_key=f"{item.row.key}.2")])
        (item,) = tx.claim_outbox(build.now + timedelta(seconds=30), 10)
    assert (item.row.parts_sent, item.row.ambiguous) == (2, False)
    assert end(store, number)[0] == "sending"


def test_an_early_part_does_not_settle_a_later_one(store: Store, build: Build) -> None:
    number, item = claimed(store, build, TWO_ROUTES)
    with store.begin() as tx:
        tx.deliveries("wa", [report(build, "sent", "p1", outbox_key=item.row.key)])
        tx.settle_outbox([build.again(item, ambiguous=True, parts=2, parts_sent=1)])
    assert end(store, number)[:4] == ("due", 0, 1, True)


def test_a_report_about_a_stranger_waits_and_is_dropped_in_time(store: Store, build: Build) -> None:
    with store.begin() as tx:
        for _ in range(2):
            tx.deliveries("wa", [report(build, "read", "stranger"), report(build, "read", None, outbox_key="nobody.2")])
    assert store.counts()["deliveries_parked"] == 2
    store.purge_raws(build.now + timedelta(days=90))
    assert store.counts()["deliveries_parked"] == 0


def test_every_change_of_a_receipt_is_in_the_log_without_an_address(store: Store, build: Build) -> None:
    number, _ = sent(store, build, TWO_ROUTES)
    with store.begin() as tx:
        tx.deliveries("wa", [report(build, "delivered"), report(build, "read")])
        tx.deliveries("wa", [report(build, "read")])
    events = [event for event in shown(store, number).audit if event.type.startswith("receipt.")]
    assert [event.type for event in events] == ["receipt.sent", "receipt.read"]
    assert "ID.1" not in str([event.data for event in events])


@given(
    st.lists(
        st.tuples(st.sampled_from(STATES), st.integers(0, 1), st.sampled_from([None, "Unreachable", "Refused"])),
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_reports_commute(reports: list[tuple[DeliveryState, int, str | None]], random: Any) -> None:
    """Any reports about two parts, in any order and doubled: each part ends in the furthest state."""

    def furthest(order: list[tuple[DeliveryState, int, str | None]]) -> list[str]:
        parts = [
            Part(channel_id="wa", provider_id=str(n), outbox_key="O", route=0, state="sent", at=0) for n in range(2)
        ]
        for state, n, error in order:
            parts[n] = advance(parts[n], Delivery(state=state, at=EPOCH, provider_id=str(n), error_class=error))
        return [part.state for part in parts]

    shuffled = [*reports, *reports]
    random.shuffle(shuffled)
    assert furthest(reports) == furthest(shuffled)


def claimed(store: Store, build: Build, routes: tuple[Route, ...]) -> tuple[str, Any]:
    records = build.records(store, routes=routes)
    with store.begin() as tx:
        tx.add(records)
    with store.begin() as tx:
        (item,) = tx.claim_outbox(build.now, 10)
    return records.tickets[0].ticket_number, item


def sent(store: Store, build: Build, routes: tuple[Route, ...], *provider_ids: str) -> tuple[str, Any]:
    number, item = claimed(store, build, routes)
    with store.begin() as tx:
        tx.settle_outbox([build.sent(item, *(provider_ids or ("wamid.1",)))])
    return number, item


def test_standing_of_a_suppressed_row_never_moves(build: Build) -> None:
    row: OutboxRow = build.owed("C1", state="suppressed")
    standing = Standing(row=row, receipt_state="suppressed", sent_routes=1)
    part = Part(channel_id="wa", provider_id="1", outbox_key=row.key, route=0, state="read", at=0)
    assert stand(standing, [part]) is standing
