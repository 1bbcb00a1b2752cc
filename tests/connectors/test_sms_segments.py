"""What a text costs as SMS: alphabets, parts, plain spelling (3GPP TS 23.038)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sms_http import FACTS
from connectors.sms_http.segments import cheapest, size

GSM = "abcdefghijklmnopqrstuvwxyz ABC 0123456789 @£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà"
TYPED = "‘’“”–—…\u00a0•"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("gsm7", 0, 1)),
        ("a" * 160, ("gsm7", 160, 1)),
        ("a" * 161, ("gsm7", 161, 2)),
        ("a" * 306, ("gsm7", 306, 2)),
        ("a" * 307, ("gsm7", 307, 3)),
        ("€" * 80, ("gsm7", 160, 1)),  # an extension character counts two
        ("€" * 81, ("gsm7", 162, 2)),
        ("a" * 152 + "€" * 5, ("gsm7", 162, 2)),
        ("a" * 152 + "€" + "a" * 152, ("gsm7", 306, 3)),  # an escape is not cut off: one unit of the first part is lost
        ("[]{}\\~|^", ("gsm7", 16, 1)),
        ("í" * 70, ("ucs2", 70, 1)),
        ("í" * 71, ("ucs2", 71, 2)),
        ("í" * 134, ("ucs2", 134, 2)),
        ("í" * 135, ("ucs2", 135, 3)),
        ("🙏" * 35, ("ucs2", 70, 1)),
        ("🙏" * 36, ("ucs2", 72, 2)),
        ("a" * 66 + "🙏" + "a" * 66, ("ucs2", 134, 3)),  # a pair of surrogates is not cut in two
        ("`", ("ucs2", 1, 1)),  # a grave accent alone is no letter of GSM-7
    ],
)
def test_sizes(text: str, expected: tuple[str, int, int]) -> None:
    """160/153 units of GSM-7, 70/67 of UCS-2; extension characters and surrogate pairs count two and stay whole."""
    assert size(text) == expected


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("“Dana” ‘cair’ – 1–2 hari…", "\"Dana\" 'cair' - 1-2 hari..."),
        ("Rp\u00a01.000.000", "Rp 1.000.000"),
        ("• satu\n• dua", "- satu\n- dua"),
        ("tanpa\u200bspasi", "tanpaspasi"),
        ("Tiket KLA-1", "Tiket KLA-1"),
        ("“Terima kasih” 🙏", "“Terima kasih” 🙏"),  # dear all the same: nothing is gained, so nothing is changed
        ("…" * 70, "…" * 70),  # plain it would take two parts
    ],
)
def test_typography_goes_only_where_that_is_cheaper(text: str, plain: str) -> None:
    """Quotes, dashes and spaces in plain form cost a third; what is dear anyhow stays as it was written."""
    assert cheapest(text) == plain


@given(st.text(alphabet=st.one_of(st.sampled_from(GSM + TYPED + "€[]~"), st.characters(exclude_categories=["Cs"]))))
def test_the_cheapest_is_never_dearer_and_says_the_same(text: str) -> None:
    """No more parts than before; letters and digits are all still there."""
    found = cheapest(text)
    assert size(found).segments <= size(text).segments
    assert [c for c in found if c.isalnum() and c != "x"] == [c for c in text if c.isalnum() and c != "x"]
    assert cheapest(found) == found


@given(st.text(alphabet=st.sampled_from(GSM + "€[]~í🙏"), min_size=1, max_size=700))
def test_what_the_facts_allow_fits_ten_parts(text: str) -> None:
    """facts.yaml: 660 UTF-16 units are at most ten parts, whatever they are."""
    limit = FACTS.max_text.value
    assert FACTS.text_unit.value == "utf16_units"
    while len(text.encode("utf-16-le")) // 2 > limit:
        text = text[:-1]
    assert size(cheapest(text)).segments <= 10
