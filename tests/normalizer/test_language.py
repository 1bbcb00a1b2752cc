"""Indonesian, English or another script."""

from __future__ import annotations

import pytest

from normalizer.language import detect
from normalizer.lexicon import Lexicon, words


@pytest.mark.parametrize(
    ("text", "language", "sure"),
    [
        ("Saya sudah transfer tapi saldo belum masuk", "id", True),
        ("gak bisa login min udah dari kemarin", "id", True),
        ("gw cape banget sm cs nya", "id", False),
        ("My withdrawal has been pending for a week", "en", True),
        ("app nya error please help, saya tidak bisa masuk", "id", False),
        ("我的钱在哪里", "other", True),
        ("أين أموالي", "other", True),
        ("😀😀😀", "id", False),
        ("", "id", False),
        ("12345", "id", False),
    ],
)
def test_detect(lexicon: Lexicon, text: str, language: str, sure: bool) -> None:
    found, confidence = detect(text, words(text), lexicon.stop_words)
    assert found == language
    assert 0 <= confidence <= 1
    assert (confidence >= 0.9) == sure


def test_the_default_holds_when_nobody_voted(lexicon: Lexicon) -> None:
    assert detect("xyz", ["xyz"], lexicon.stop_words, "en") == ("en", 0.0)
