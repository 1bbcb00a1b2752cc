"""No part is longer than the provider takes, and nothing that matters is cut."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.facts import TextUnit
from receipts.split import length, split

UNITS: list[TextUnit] = list(get_args(TextUnit))
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")), min_size=1, max_size=12)


def number(part: int, parts: int) -> str:
    return f"({part}/{parts}) "


@pytest.mark.parametrize(
    ("text", "unit", "wanted"),
    [
        ("abc", "characters", 3),
        ("a😀", "characters", 2),
        ("a😀", "utf16_units", 3),
        ("a😀é", "bytes", 7),
        ("abc é", "weighted", 5),
        ("日本", "weighted", 4),
        ("“a”", "weighted", 3),
        ("lihat aduan.id", "weighted", 6 + 23),
        ("cs@akseleran.co.id", "weighted", 18),
        ("https://aduan.example.co.id/status/halaman", "weighted", 42),
    ],
)
def test_length_is_counted_as_the_provider_counts(text: str, unit: TextUnit, wanted: int) -> None:
    assert length(text, unit) == wanted


@given(
    st.lists(st.lists(WORDS, max_size=12).map(" ".join), max_size=12).map("\n".join),
    st.integers(30, 300),
    st.sampled_from(UNITS),
)
def test_parts_fit_and_every_word_survives_whole(text: str, limit: int, unit: TextUnit) -> None:
    parts = split(text, limit, unit, number)
    assert all(length(part, unit) <= limit for part in parts)
    if len(parts) == 1:
        assert parts == (text,)
        return
    bare = [part.removeprefix(number(index, len(parts))) for index, part in enumerate(parts, 1)]
    room = limit - length(number(999, 999), unit)
    said = " ".join(bare).split()
    # A word may only be cut when no part could hold it.
    if all(length(word, unit) <= room for word in text.split()):
        assert said == text.split()
    assert "".join(said) == "".join(text.split())


def test_a_line_is_kept_whole_where_it_fits() -> None:
    text = "Nomor tiket: KLA-20260105-000123-7\nKamis, 8 Januari 2026\nMohon simpan pesan ini."
    parts = split(text, 48, "characters", number)
    assert parts == (
        "(1/3) Nomor tiket: KLA-20260105-000123-7",
        "(2/3) Kamis, 8 Januari 2026",
        "(3/3) Mohon simpan pesan ini.",
    )


def test_one_part_carries_no_number() -> None:
    assert split("Terima kasih.", 160, "characters", number) == ("Terima kasih.",)


def test_more_than_nine_parts_leave_room_for_longer_numbers() -> None:
    parts = split(" ".join(["sepuluhhrf"] * 60), 40, "characters", number)
    assert len(parts) > 9
    assert parts[-1].startswith(f"({len(parts)}/{len(parts)}) ")
    assert all(len(part) <= 40 for part in parts)


def test_a_limit_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be cut"):
        split("panjang sekali", 8, "characters", number)
