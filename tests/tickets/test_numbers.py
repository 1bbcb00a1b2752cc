"""Ticket numbers: written one way, read however people write them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from tickets.numbers import Number, make, parse

DAY = date(2026, 1, 5)


def test_the_written_form() -> None:
    assert make("KLA", DAY, 123) == "KLA-20260105-000123-0"
    assert make("AKS", DAY, 1_234_567) == "AKS-20260105-1234567-4"


@pytest.mark.parametrize(
    "text",
    [
        "KLA-20260105-000123-0",
        "kla-20260105-000123-0",
        "  KLA 20260105 000123 0\n",
        "KLA202601050001230",
        "Kla–20260105—000123‑0",
        "ＫＬＡ-２０２６０１０５-000123-0",
        "kla.20260105.000123.0",
    ],
)
def test_people_write_it_in_many_ways(text: str) -> None:
    assert parse(text) == Number("KLA", DAY, 123)
    assert str(parse(text)) == "KLA-20260105-000123-0"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "KLA",
        "KLA-20260105-000123",
        "KLA-20260105-000123-1",
        "KLA-20260105-000132-0",
        "KLA-20261305-000123-0",
        "KLA-20260105-0000123-0",
        "KLA-20260105-000000-4",
        "K1A-20260105-000123-0",
        "KLA-20260105-000123-0x",
        "KLA-٢٠٢٦٠١٠٥-000123-0",
        "KLA-20260105-000123-0" + " " * 100,
    ],
)
def test_what_was_never_given_out_is_none(text: str) -> None:
    assert parse(text) is None


@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=6),
    st.dates(),
    st.integers(1, 10**9),
)
def test_every_number_reads_back_and_any_wrong_digit_shows(prefix: str, day: date, sequence: int) -> None:
    number = make(prefix, day, sequence)
    assert parse(number) == Number(prefix, day, sequence)
    digits = "".join(number.split("-")[1:])
    assert luhn.is_valid(digits)
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert parse(wrong) is None


@given(st.text(max_size=80))
def test_any_text_is_answered(text: str) -> None:
    found = parse(text)
    assert found is None or parse(str(found)) == found


@pytest.mark.parametrize(("prefix", "sequence"), [("kla", 1), ("K", 1), ("KLA-", 1), ("KLA", 0), ("KLA", -5)])
def test_an_impossible_part_is_an_error(prefix: str, sequence: int) -> None:
    with pytest.raises(ValueError, match=r"prefix|sequence"):
        make(prefix, DAY, sequence)
