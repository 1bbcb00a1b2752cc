"""Personal data is masked; money, dates and ticket numbers survive. All numbers are made up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer import privacy
from normalizer.privacy import MASKS, find, redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("NIK saya 3171015708450001.", "NIK saya [NIK]."),
        ("nik 3171 0157 0845 0001", "nik [NIK]"),
        ("npwp 01.312.166.0-091.000", "npwp [NPWP]"),
        ("hp 081234567890 atau +62 812-3456-7890", "hp [telepon] atau [telepon]"),
        ("wa 6281234567890/0812.3456.7890", "wa [telepon]/[telepon]"),
        ("kantor 021-2527700", "kantor [telepon]"),
        ("email Budi.S+x@Contoh.co.id, ya", "email [email], ya"),
        ("<budi@contoh.id>", "<[email]>"),
        ("kartu 4111 1111 1111 1111", "kartu [kartu]"),
        ("kartu 4111111111111111 exp 05/27", "kartu [kartu] exp 05/27"),
        ("no rek BCA 1234567890", "no rek BCA [rekening]"),
        ("rekening Mandiri saya: 123-00-1234567-8", "rekening Mandiri saya: [rekening]"),
        ("VA 8877 0812 3456 7891", "VA [rekening]"),
        ("nomor pinjaman 998877", "nomor pinjaman [rekening]"),
        ("pinjaman AKS-L-00123 macet", "pinjaman [rekening] macet"),
        ("PIN saya 123456", "PIN saya [rahasia]"),
        ("kode OTP: 998877", "kode OTP: [rahasia]"),
        ("password: rahasia1", "password: [rahasia]"),
        ("05-01-2026 081234567890", "05-01-2026 [telepon]"),
        ("081234567890 3171015708450001", "[telepon] [NIK]"),
        ("081234567890\n081234567891", "[telepon]\n[telepon]"),
        ("tiket AKS-20260105-000123-7 081234567890", "tiket AKS-20260105-000123-7 [telepon]"),
        ("pinjaman AKS-L-00123 081234567890", "pinjaman [rekening] [telepon]"),
        ("hp081234567890ya", "hp[telepon]ya"),
        ("hubungi 08/12/34/56/78/90 ya", "hubungi [telepon] ya"),
        ("++6281234567890", "+[telepon]"),
        ("budi@bücher.example", "[email]"),
    ],
)
def test_personal_data_is_masked(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Rp 5.000.000", "Rp5000000", "IDR 12.500.000,00", "transfer 1.500.000", "10000000 rupiah", "ke BCA 500000",
        "transfer ke BCA 10000000", "pinjaman 5000000", "saldo 20 juta", "500rb", "12,5%", "2026-01-05", "05/01/2026",
        "5-1-2026 10.30", "pukul 10.30", "error 500", "order 1234567890123456789", "AKS-20260105-000123-7", "20 hari",
        "tenor 12 bulan, 1-2 hari kerja", "invoice 2026/01/000123", "@budi", "a @ b", "password salah terus",
        "RT 001/002", "", "tanpa angka sama sekali", "versi 1.2.3.4", "lupa pin",
    ],
)  # fmt: skip
def test_amounts_dates_and_ticket_numbers_survive(text: str) -> None:
    assert redact(text) == text


PLANTED = {
    "nik": "3171015708450001", "phone": "081234567890", "email": "budi@contoh.id", "card": "4111111111111111",
    "npwp": "01.312.166.0-091.000",
}  # fmt: skip
PROSE = st.text(alphabet=st.sampled_from("abcdefg ,.\n"), max_size=30)


@given(st.lists(st.tuples(PROSE, st.sampled_from(sorted(PLANTED))), min_size=1, max_size=6), PROSE)
def test_planted_data_never_stays(parts: list[tuple[str, str]], tail: str) -> None:  # P30
    text = " ".join(f"{prose} ya {PLANTED[kind]} ok" for prose, kind in parts) + tail
    redacted = redact(text)
    assert not any(value in redacted for value in PLANTED.values())
    assert sum(redacted.count(mask) for mask in MASKS.values()) == len(parts)


WORDS_BEFORE = [
    "no", "nomor", "id", "number", "rek", "rekening", "va", "virtual account", "kontrak", "pinjaman", "nasabah", "akun",
    "account", "acct", "kartu", "pelanggan", "polis", "ktp", "nik", "npwp", "loan", "norek", "perjanjian", "bca", "BRI",
    "mandiri", "pin", "mpin", "OTP", "cvv", "cvc", "kode", "code", "saya", "adalah", "is", "nya", "my", "rp", "Rp.",
    "idr", "USD", "$", "€", "x", "ſ", "İd", "\u212aartu", " ", "  ", "\n", "\t", "\x1c", "\u2003", ".", ":", "#", "=",
    "-",
]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS_BEFORE), max_size=8).map("".join))
def test_no_word_before_a_number_is_passed_over_unasked(before: str) -> None:
    for expression in (privacy._SECRET_WORD, privacy._NUMBER_OF, privacy._ACCOUNT_WORD):
        assert expression.search(before) is None or privacy._may_end_with(before, privacy._LAST_WORDS)
    assert privacy._CODE_WORD.search(before) is None or privacy._may_end_with(before, privacy._LAST_CODE_WORDS)
    near = privacy._CODE_WORD.search(before, max(0, len(before) - privacy._NEAR))
    assert near is None or privacy._CODE_WORD.search(before) is not None
    is_money = privacy._MONEY_BEFORE.search(before[-privacy._KEYWORD_WINDOW :]) is not None
    assert (privacy._anchor(before + "1", len(before)) == "money") == is_money


@given(st.text() | st.text(alphabet=st.sampled_from("0123456789 .-/+@abcRp:=")))
def test_spans_are_in_order_and_apart_on_any_text(text: str) -> None:
    end = 0
    for span in find(text):
        assert end <= span.start < span.end <= len(text)
        end = span.end
    assert redact(text).count("[") >= text.count("[") - text.count("@")


@pytest.mark.parametrize(
    "text",
    ["1" * 1_000_000, "1 " * 100_000, "0812345678 " * 20_000, "@" * 1_000_000, "a@" * 500_000, "a" * 1_000_000 + "@",
     "password: " * 100_000, "rek " * 250_000, "no rek 1" * 60_000, "1.1-1/" * 20_000, "Rp " * 300_000,
     "a-1" * 100_000],
)  # fmt: skip
def test_a_megabyte_of_malice_ends(text: str) -> None:  # P29
    assert isinstance(redact(text), str)
