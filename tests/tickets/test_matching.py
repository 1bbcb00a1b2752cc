"""Which complaints are proposed as one, and when many are one cause. The decision is a person's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.complaint import Complainant, Complaint, Transaction
from normalizer.lexicon import words
from store_values import NOW, Build
from tickets.matching import crowd, likeness, match, traits_of

KEY = b"k" * 32
WEEK = timedelta(days=7)
STORY = "Saldo saya terpotong dua kali saat pencairan tanggal lima Januari"
AGAIN = "Pencairan tanggal lima: saldo terpotong dua kali, sudah lapor lewat WhatsApp"
OTHER = "Aplikasi tidak bisa dibuka sejak pagi"
NUMBER = "+6281234567890"


def complaint(id_: str, **given: Any) -> Complaint:
    """A complaint of somebody whose WhatsApp number the provider vouches for, unless told otherwise."""
    values = {
        "narrative": STORY,
        "complainant": Complainant(phone=NUMBER, verified=True),
        "sender_key": f"wa:{id_}",
    } | given
    return Build().complaint(id_, "KLA-20260105-000001-8", **values)


def form(id_: str, who: Complainant, **given: Any) -> Complaint:
    return complaint(id_, channel="web_form", complainant=who, **given)


def proposed(one: Complaint, other: Complaint, **given: Any) -> bool:
    settings: dict[str, Any] = {"within": WEEK, "least": 0.3} | given
    found = match(traits_of(one, words, KEY), traits_of(other, words, KEY), **settings)
    again = match(traits_of(other, words, KEY), traits_of(one, words, KEY), **settings)
    assert found == again
    return found is not None


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (form("C2", Complainant(phone=NUMBER), narrative=AGAIN), True),
        (form("C2", Complainant(phone="+6281234567891"), narrative=AGAIN), False),
        (form("C2", Complainant(phone=NUMBER), narrative=OTHER), False),
        (form("C2", Complainant(), narrative=STORY, sender_handle="budi"), False),
        (form("C2", Complainant(phone=NUMBER), narrative=STORY, received_at=NOW + timedelta(days=8)), False),
        (form("C2", Complainant(phone=NUMBER), narrative=STORY, tenant="akseleran"), False),
        (form("C2", Complainant(phone=NUMBER), narrative="Tolong"), False),
    ],
    ids=["same", "other_number", "other_story", "only_a_handle", "too_late", "other_company", "too_short"],
)
def test_a11_the_same_complaint_on_several_channels_is_proposed_as_one(other: Complaint, expected: bool) -> None:
    assert proposed(complaint("C1"), other) is expected


def test_a11_addresses_that_nobody_vouches_for_prove_nothing() -> None:
    """Two forms with the same typed number may be two people, one of them lying."""
    typed = Complainant(phone=NUMBER, email="budi@example.com")
    assert not proposed(form("C1", typed), form("C2", typed))
    proven = Complainant(email="Budi@example.com", verified=True)
    assert proposed(complaint("C1", channel="email", complainant=proven), form("C2", typed))


def test_a_provider_vouches_for_its_own_address_only() -> None:
    """WhatsApp knows the number, not the email address that its user typed."""
    mine = complaint("C1", complainant=Complainant(phone=NUMBER, email="korban@example.com", verified=True))
    theirs = form("C2", Complainant(email="korban@example.com"))
    assert not proposed(mine, theirs)


@pytest.mark.parametrize(("ref", "expected"), [("-", False), ("tidak ada", False), ("00", False), ("CIF-20991", True)])
def test_a11_a_customer_number_is_one_that_tells_somebody_apart(ref: str, expected: bool) -> None:
    one = complaint("C1", complainant=Complainant(phone=NUMBER, customer_ref=ref, verified=True))
    assert proposed(one, form("C2", Complainant(customer_ref=ref))) is expected


def test_the_same_transfer_is_the_same_complaint_whatever_the_words() -> None:
    transfer = Transaction(reference="TRX-991")
    one = complaint("C1", transaction=transfer)
    assert proposed(one, form("C2", Complainant(phone=NUMBER), narrative=OTHER, transaction=transfer))
    assert not proposed(one, form("C2", Complainant(phone="+6281234567891"), narrative=OTHER, transaction=transfer))


def test_a_proposal_says_what_speaks_for_it() -> None:
    one, other = complaint("C1"), form("C2", Complainant(phone=NUMBER), narrative=AGAIN)
    found = match(traits_of(other, words, KEY), traits_of(one, words, KEY), within=WEEK, least=0.3)
    assert found is not None
    assert (found.complaint_id, found.other_id, found.shared) == ("C2", "C1", ("phone",))
    assert set(found.words) >= {"saldo", "terpotong", "pencairan"}
    assert 0.3 <= found.likeness <= 1


def test_the_index_holds_no_address() -> None:
    traits = traits_of(complaint("C1"), words, KEY)
    assert NUMBER not in repr(traits)
    assert traits_of(complaint("C1"), words, b"another key" * 3).identities != traits.identities


@given(st.sets(st.text("abc", min_size=3)), st.sets(st.text("abc", min_size=3)))
def test_likeness_is_a_share_and_the_same_both_ways(one: set[str], other: set[str]) -> None:
    found = likeness(one, other)
    assert 0 <= found <= 1
    assert found == likeness(other, one)
    assert likeness(one, one) == (1.0 if len(one) >= 3 else 0.0)


def many(count: int, **given: Any) -> list[Complaint]:
    return [
        complaint(f"C{number:03}", complainant=Complainant(), received_at=NOW + timedelta(minutes=number), **given)
        for number in range(count)
    ]


def crowded(new: Complaint, recent: list[Complaint], **given: Any) -> int:
    settings: dict[str, Any] = {"within": timedelta(hours=24), "least": 0.5, "many": 10} | given
    return len(crowd(traits_of(new, words, KEY), [traits_of(each, words, KEY) for each in recent], **settings))


def test_ten_customers_with_one_story_are_a_crowd() -> None:
    assert crowded(many(10)[-1], many(9)) == 10
    assert crowded(many(10)[-1], many(10)) == 10
    assert crowded(many(9)[-1], many(8)) == 0


def test_one_customer_who_writes_ten_times_is_no_crowd() -> None:
    assert crowded(many(10, sender_key="wa:1")[-1], many(9, sender_key="wa:1")) == 0


def test_other_stories_and_other_days_are_no_crowd() -> None:
    assert crowded(complaint("C999", narrative=OTHER), many(20)) == 0
    assert crowded(complaint("C999", received_at=NOW + timedelta(days=3)), many(20)) == 0
    assert crowded(complaint("C999", narrative="halo"), many(20, narrative="halo")) == 0
