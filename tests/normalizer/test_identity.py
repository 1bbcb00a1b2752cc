"""Numbers and addresses as people and providers write them."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.identity import email, identity_keys, phone
from normalizer.message import Sender


@pytest.mark.parametrize(
    "written",
    [
        "081234567890", "0812-3456-7890", "0812 3456 7890", "6281234567890", "+6281234567890", "+62 812-3456-7890",
        "006281234567890", "+62 (0)81234567890", "whatsapp:+6281234567890", "WhatsApp: 0812.3456.7890",
        "tel:+6281234567890", " 081234567890 ", "+62‑812‑3456‑7890",
    ],
)  # fmt: skip
def test_one_mobile_number_in_many_spellings(written: str) -> None:
    assert phone(written) == "+6281234567890"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("(021) 2527700", "+62212527700"),
        ("0212527700", "+62212527700"),
        ("+65 9123 4567", "+6591234567"),
        ("6591234567", "+6591234567"),
        ("0065 9123 4567", "+6591234567"),
        ("+1 650-253-0000", "+16502530000"),
    ],
)
def test_landlines_and_foreign_numbers(written: str, expected: str) -> None:
    assert phone(written) == expected


@pytest.mark.parametrize(
    "written",
    [None, "", "12345", "08", "ID.1349abcdef", "abc", "0812", "+", "0" * 41, "+62812345678901234", "08123\x0045",
     "٠٨١٢٣٤٥٦٧٨٩٠"],
)  # fmt: skip
def test_what_is_no_number_is_none(written: str | None) -> None:
    assert phone(written) is None


@given(st.from_regex(r"8[0-9]{6,12}", fullmatch=True))
def test_the_short_cut_for_mobile_numbers_agrees_with_the_library(national: str) -> None:
    number = phonenumbers.parse("+62" + national, None)
    expected = "+62" + national if phonenumbers.is_valid_number(number) else None
    assert phone("+62" + national) == phone("0" + national) == expected


@given(st.text())
def test_nothing_makes_them_raise(text: str) -> None:
    found = phone(text)
    assert found is None or found.startswith("+")
    address = email(text)
    assert address is None or "@" in address.address


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("Budi.S@Contoh.CO.ID", "Budi.S@contoh.co.id"),
        ('"Budi, S." <budi@contoh.id>', "budi@contoh.id"),
        ("mailto:budi@contoh.id", "budi@contoh.id"),
        ("budi@contoh.id.", "budi@contoh.id"),
        ("budi+aduan@contoh.id", "budi+aduan@contoh.id"),
        ("budi@bücher.example", "budi@xn--bcher-kva.example"),
    ],
)
def test_addresses(written: str, address: str) -> None:
    found = email(written)
    assert found is not None
    assert (found.address, found.confusable) == (address, False)


@pytest.mark.parametrize("written", ["budi@gmаil.com", "budi@xn--gmil-63d.com", "budi@аррӏе.com", "bυdi@contoh.id"])
def test_look_alikes_are_flagged(written: str) -> None:
    found = email(written)
    assert found is not None
    assert found.confusable


@pytest.mark.parametrize(
    "written",
    [None, "", "budi", "@contoh.id", "budi@", "budi@contoh", "bu di@contoh.id", "budi@con toh.id", ".budi@contoh.id",
     "bu..di@contoh.id", "budi@-contoh.id", "budi@xn--.id", "budi\r\nBcc: x@contoh.id", "a" * 65 + "@contoh.id",
     "budi@" + "a" * 300 + ".id", "x" * 2000, "budi@\ud800.id"],
)  # fmt: skip
def test_what_is_no_address_is_none(written: str | None) -> None:
    assert email(written) is None


def test_only_proven_addresses_lead_to_a_person() -> None:  # B9, pain 32
    sender = Sender(key="wa:ID.1349", phone="0812-3456-7890", email="Budi@Contoh.id", verified=True)
    assert identity_keys(sender) == ("wa:ID.1349", "tel:+6281234567890", "mailto:Budi@contoh.id")
    forged = Sender(key="mailto:budi@contoh.id", email="budi@contoh.id", verified=False)
    assert identity_keys(forged) == ("mailto:budi@contoh.id",)


def test_a_whatsapp_user_without_a_number_is_known_by_the_business_scoped_id() -> None:  # A0.1, pain 3
    assert identity_keys(Sender(key="wa:ID.1349", verified=True)) == ("wa:ID.1349",)


def test_a_confusable_address_leads_to_nobody() -> None:
    assert identity_keys(Sender(key="x:1", email="budi@gmаil.com", verified=True)) == ("x:1",)
