"""Answers of forms and of the chatbot."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer import fields
from normalizer.complaint import FIELDS
from normalizer.fields import LARGEST_AMOUNT_IDR, day, rupiah


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("5000000", 5_000_000), ("Rp 5.000.000", 5_000_000), ("Rp5.000.000,-", 5_000_000),
        ("IDR 5,000,000.00", 5_000_000),
        ("5.000.000,50", 5_000_000), ("1,5 juta", 1_500_000), ("1.25jt", 1_250_000), ("1,250 juta", 1_250_000),
        ("500rb", 500_000), ("500 ribu", 500_000), ("2 miliar", 2_000_000_000), ("0", 0), ("1.000", 1000), ("12,5", 12),
        ("1.250.000 rupiah", 1_250_000),
    ],
)  # fmt: skip
def test_amounts(written: str, amount: int) -> None:
    assert rupiah(written) == amount


@pytest.mark.parametrize("written", ["", "lima juta", "-5", "1e9", "Rp", "1.2.3,4,5x", "9" * 30, "5 juta rupiah lebih"])
def test_what_is_no_amount(written: str) -> None:
    assert rupiah(written) is None


@pytest.mark.parametrize(
    "written",
    ["2026-01-05", "2026-1-5", "2026-01-05T10:15:00+07:00", "05/01/2026", "5-1-2026", "5.1.2026", "5 Januari 2026",
     "5 Jan 2026", "05 january 2026"],
)  # fmt: skip
def test_dates(written: str) -> None:
    assert day(written) == date(2026, 1, 5)


@pytest.mark.parametrize("written", ["", "kemarin", "31/02/2026", "2026-13-01", "5 Foo 2026", "5/1/26", "0000-00-00"])
def test_what_is_no_date(written: str) -> None:
    assert day(written) is None


def test_right_answers_become_values(categories: tuple[str, ...]) -> None:
    answers = fields.read(
        {
            "full_name": " Budi  Santoso ",
            "phone": "0812-3456-7890",
            "email": "budi@Contoh.id",
            "role": "Lender",
            "language": "en",
            "category": "withdrawal",
            "acting_as": "representative",
            "transaction_date": "5 Januari 2026",
            "loss_amount_idr": "Rp 1.000.000",
            "publish_narrative": "ya",
            "kind": "complaint",
            "subject": "",
        },
        categories,
    )
    assert answers.full_name == "Budi Santoso"
    assert answers.phone == "+6281234567890"
    assert answers.email is not None
    assert answers.email.address == "budi@contoh.id"
    assert (answers.role, answers.language, answers.category, answers.acting_as) == (
        "lender",
        "en",
        "withdrawal",
        "person",
    )
    assert (answers.transaction_date, answers.loss_amount_idr) == (date(2026, 1, 5), 1_000_000)
    assert answers.publish_narrative is True
    assert answers.unread == answers.flags == ()


def test_wrong_answers_stay_readable(categories: tuple[str, ...]) -> None:
    answers = fields.read(
        {"phone": "nanti", "category": "cinta", "warna": "merah", "loss_amount_idr": "banyak", "kind": "suggestion"},
        categories,
        ("complaint",),
    )
    assert answers.unread == (
        "phone: nanti", "category: cinta", "warna: merah", "loss_amount_idr: banyak", "kind: suggestion",
    )  # fmt: skip
    assert answers.flags == (
        "invalid_field:phone", "invalid_field:category", "unknown_field", "invalid_field:loss_amount_idr",
        "invalid_field:kind",
    )  # fmt: skip


def test_every_published_field_has_a_reader() -> None:
    answers = fields.read(dict.fromkeys(FIELDS, "?"))
    assert "unknown_field" not in answers.flags


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=20), st.text(max_size=50)))
def test_no_answer_raises_and_none_is_lost(raw: dict[str, str]) -> None:
    answers = fields.read(raw)
    assert len(answers.flags) <= len(answers.unread)
    for amount in (answers.loss_amount_idr, answers.transaction_amount_idr):
        assert amount is None or 0 <= amount <= LARGEST_AMOUNT_IDR
