"""Who sent STOP gets nothing more at that address, in whatever order the words arrive."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from normalizer.message import Permission
from store_values import Build
from tickets.store import Store


def said(build: Build, minute: int, *, allowed: bool, recipient: str) -> Permission:
    return Permission(recipient=recipient, allowed=allowed, at=build.now + timedelta(minutes=minute))


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("last", [True, False])
def test_the_last_word_counts(store: Store, build: Build, order: tuple[int, ...], last: bool) -> None:
    """STOP, START and STOP again (or the other way) end alike in every order; a copy changes nothing."""
    records = build.records(store)
    (row,) = records.outbox
    route = row.routes[row.route]
    words = [said(build, n, allowed=last == (n % 2 == 0), recipient=route.recipient) for n in range(3)]
    with store.begin() as tx:
        tx.add(records)
        for n in (*order, order[0]):
            tx.permit(route.channel_id, words[n])
        tx.permit("another-channel", said(build, 9, allowed=not last, recipient=route.recipient))
        tx.permit(route.channel_id, said(build, 9, allowed=not last, recipient="somebody-else"))
    with store.begin() as tx:
        (item,) = tx.claim_outbox(build.now, 10)
    assert item.refused is not last


def test_who_never_said_a_word_is_written_to(store: Store, build: Build) -> None:
    records = build.records(store)
    with store.begin() as tx:
        tx.add(records)
        (item,) = tx.claim_outbox(build.now, 10)
    assert not item.refused
