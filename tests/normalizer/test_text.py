"""Text that harms nobody and loses nothing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer import text


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("halo", "halo"),
        ("a\x00b\x07c\x1b[31md", "abc[31md"),
        ("a\r\nb\rc\u2028d\x85e\x0bf", "a\nb\nc\nd\ne\nf"),
        ("a\tb\nc", "a\tb\nc"),
        ("pen\u200bi\u2060pu\ufeffan", "penipuan"),
        ("pen\u200di\u200cpuan", "penipuan"),
        ("👩\u200d👧 ok", "👩\u200d👧 ok"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("\u2066rahasia\u2069", "rahasia"),
        ("e\u0301", "é"),
        ("\ud83d\ude00", "😀"),
        ("a\ud800b", "a\ufffdb"),
        ("kopi\u00adsusu", "kopisusu"),
    ],
)
def test_cleaning(raw: str, cleaned: str) -> None:
    assert text.clean(raw) == cleaned


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=300))
def test_clean_text_can_always_be_stored(raw: str) -> None:
    cleaned = text.clean(raw)
    cleaned.encode("utf-8")
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not any(unicodedata.category(char) == "Cc" and char not in "\n\t" for char in cleaned)
    assert not any(
        unicodedata.bidirectional(char) in {"RLO", "LRO", "RLE", "LRE", "RLI", "LRI", "FSI"} for char in cleaned
    )


@given(st.text())
def test_cleaning_twice_changes_nothing_more(raw: str) -> None:
    once = text.clean(raw)
    assert text.clean(once) == once


def test_the_narrative_is_bounded_and_says_so() -> None:
    assert text.bounded("a" * text.NARRATIVE_LIMIT) == ("a" * text.NARRATIVE_LIMIT, False)
    narrative, cut = text.bounded("a" * (text.NARRATIVE_LIMIT + 1))
    assert (len(narrative), cut) == (text.NARRATIVE_LIMIT, True)


def test_a_normalization_that_grows_stays_within_the_limit() -> None:
    narrative, cut = text.bounded("\U0001d160" * 10, limit=10)
    assert len(narrative) <= 10
    assert cut


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\n\n Dana belum cair \nsejak Senin", "Dana belum cair"),
        ("kata " * 40, "kata " * 14 + "kata kata…"),
        ("x" * 200, "x" * 79 + "…"),
        ("", ""),
    ],
)
def test_first_line(raw: str, shown: str) -> None:
    found = text.first_line(raw)
    assert len(found) <= 80
    assert found[:70] == shown[:70]


def test_line() -> None:
    assert text.line(" Budi \r\n Santoso\x00 ") == "Budi Santoso"
    assert text.line("x" * 500, 10) == "x" * 10
    assert text.line(" \u200b ") is None
    assert text.line(None) is None


@pytest.mark.parametrize(
    "raw",
    [
        "a" + "\u0300\u0327" * 500_000,
        "\u200d" * 1_000_000,
        "\ud800" * 1_000_000,
        "\r\n" * 500_000,
        "\u0316\u0300" * 500_000,
    ],
)
def test_a_megabyte_of_malice_ends(raw: str) -> None:  # P29
    assert len(text.clean(raw)) <= len(raw)
