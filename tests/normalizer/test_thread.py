"""Quotations fold, and not a word is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.thread import fold

REPLY = "Dana saya tetap belum masuk.\nMohon dicek lagi."

ME = "CS <cs@contoh.id>"
DONE = "Sudah kami proses."
QUOTES = {
    "gmail_id": f"Pada Sen, 5 Jan 2026 pukul 10.15 {ME} menulis:\n\n> {DONE}\n> CS",
    "gmail_id_wrapped": f"Pada Sen, 5 Jan 2026 pukul 10.15 Layanan Pelanggan\n{ME} menulis:\n\n> {DONE}",
    "iphone_id": f"Pada 5 Jan 2026, pukul 10.15, {ME} menulis:\n\n\n> {DONE}\n>\n> CS",
    "iphone_id_unmarked": f"Pada tanggal 5 Jan 2026, pada 10.15, {ME} menulis:\n\n{DONE}",
    "yahoo_id": f"Pada Senin, 5 Januari 2026 10.15.00 WIB, {ME} menulis: \n\n {DONE}",
    "outlook_id": f"Dari: {ME}\nDikirim: Senin, 05 Januari 2026 10:15\nKepada: Budi\nSubjek: RE: Dana\n\n{DONE}",
    "outlook_id_bold": f"*Dari:* {ME}\n*Tanggal:* 5 Januari 2026\n*Kepada:* Budi\n\n{DONE}",
    "original_id": f"-----Pesan Asli-----\nDari: CS\n{DONE}",
    "gmail_en": f"On Mon, Jan 5, 2026 at 10:15 AM {ME} wrote:\n\n> {DONE}\n> CS",
    "iphone_en": f"On 5 Jan 2026, at 10:15, {ME} wrote:\n\n{DONE}",
    "outlook_en": f"From: {ME}\nSent: Monday, January 5, 2026 10:15 AM\nTo: Budi\nSubject: RE: Dana\n\n{DONE}",
    "original_en": f"-----Original Message-----\nFrom: CS\n{DONE}",
}


@pytest.mark.parametrize("quote", QUOTES.values(), ids=QUOTES.keys())
def test_a_quoted_mail_is_folded(quote: str) -> None:
    folded = fold(f"{REPLY}\n\n{quote}")
    assert folded.visible == REPLY
    assert DONE in folded.quoted


def test_answers_between_the_quoted_lines_stay_visible() -> None:
    head = f"On Mon, Jan 5, 2026 at 10:15 AM {ME} wrote:"
    folded = fold(f"{head}\n> Kapan?\n> Mana?\n\nSenin lalu.\n\n> Berapa?\n> Rp?\n\nDua juta.")
    assert folded.visible.split() == ["Senin", "lalu.", "Dua", "juta."]
    assert "Berapa" in folded.quoted


@pytest.mark.parametrize(
    "text",
    [
        "> 3 hari belum cair\ntolong",
        "Pada Senin penagih itu menulis:\nbayar sekarang atau kami datang",
        "Dari: Jakarta\nsaya mau mengadu",
        "Pada jam 10.00 saya transfer\ndan belum masuk",
        "On Monday he wrote:\npay now",
        "Tolong cek\n\n---------- Forwarded message ---------\nFrom: X <x@y.id>\nDate: Mon\nSubject: Ancaman\n\nBayar!",
        "satu baris saja",
        "",
        "a -- b\n-- \nBudi",
    ],
)
def test_what_the_customer_says_is_never_folded(text: str) -> None:  # pain 31
    assert fold(text).visible == text.strip()
    assert fold(text).quoted == ""


@pytest.mark.parametrize("quote", QUOTES.values(), ids=QUOTES.keys())
def test_when_only_a_quotation_is_there_it_is_shown(quote: str) -> None:
    folded = fold(quote)
    assert folded.visible == quote
    assert folded.quoted == ""


LINES = st.sampled_from(
    ["", "> q", ">", "Halo", "Pada 5 Jan 2026 pukul 10.15 A <a@b.id> menulis:", "menulis:", "Dari: A", "Dikirim: B",
     "Kepada: C", "-----Pesan Asli-----", "On 1 Jan 2026 at 10:00", "wrote:", "---------- Forwarded message"]
)  # fmt: skip


@given(st.lists(LINES | st.text(max_size=20), max_size=40))
def test_every_word_is_either_visible_or_quoted(lines: list[str]) -> None:
    text = "\n".join(lines)
    folded = fold(text)
    assert sorted(re.findall(r"\S+", f"{folded.visible}\n{folded.quoted}")) == sorted(re.findall(r"\S+", text))


@pytest.mark.parametrize(
    "text",
    ["\n" * 1_000_000, ">\n" * 500_000, "> a\n\n\n\nb\n" * 100_000, "Pada 10.00\n" * 90_000, "From: x\n" * 125_000,
     "-" * 1_000_000, "-- " * 330_000, "On " * 330_000, "Pada " + "a " * 500_000 + "\nmenulis:", " \n" * 500_000],
)  # fmt: skip
def test_a_megabyte_of_malice_ends(text: str) -> None:  # P29, ecosystem: quadratic in blank lines elsewhere
    folded = fold(text)
    assert len(folded.visible) + len(folded.quoted) <= len(text)
