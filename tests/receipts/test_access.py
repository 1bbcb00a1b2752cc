"""The check code and the link token: the same at every retry, useless without the installation's secret."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from receipts.access import access_code, code_hash, code_matches, read_token, receipt_token

SECRET = b"s" * 32
OTHER = b"t" * 32
ONE = "01JGTEST000000000000000001"
TWO = "01JGTEST000000000000000002"


@given(st.binary(min_size=16, max_size=32), st.text(min_size=1, max_size=30))
def test_a_code_has_six_digits_and_opens_only_its_own_complaint(secret: bytes, complaint_id: str) -> None:
    code = access_code(secret, complaint_id)
    assert len(code) == 6
    assert code.isdecimal()
    assert code == access_code(secret, complaint_id)
    stored = code_hash(secret, complaint_id, code)
    assert code not in stored or len(stored) == 64
    assert code_matches(secret, complaint_id, f"{code[:3]} {code[3:]}", stored)
    assert not code_matches(secret, complaint_id + "x", code, stored)


def test_codes_spread_over_all_values() -> None:
    codes = {access_code(SECRET, str(number)) for number in range(5000)}
    assert len(codes) > 4970
    assert {code[0] for code in codes} == set("0123456789")


def test_wrong_codes_and_missing_hashes_never_fit() -> None:
    stored = code_hash(SECRET, ONE, "123456")
    assert not code_matches(SECRET, ONE, "123457", stored)
    assert not code_matches(OTHER, ONE, "123456", stored)
    assert not code_matches(SECRET, ONE, "123456", None)
    assert not code_matches(SECRET, ONE, "", None)
    assert not code_matches(SECRET, ONE, "", "")
    assert code_hash(SECRET, ONE, "123456") != code_hash(SECRET, TWO, "123456")


def test_a_token_names_its_complaint_and_nothing_else_does() -> None:
    token = receipt_token(SECRET, ONE)
    assert read_token(SECRET, token) == ONE
    assert read_token(OTHER, token) is None
    assert read_token(SECRET, token.replace(ONE, TWO)) is None
    for bad in ("", ".", ONE, f"{ONE}.", token[:-1], token + "A", token + "é", "é" * 22, f"{ONE}.{'é' * 22}"):
        assert read_token(SECRET, bad) is None


@given(st.integers(0, 48), st.characters(codec="ascii"))
def test_any_changed_sign_breaks_a_token(position: int, sign: str) -> None:
    token = receipt_token(SECRET, ONE)
    forged = token[:position] + sign + token[position + 1 :]
    assert (read_token(SECRET, forged) is None) == (forged != token)
