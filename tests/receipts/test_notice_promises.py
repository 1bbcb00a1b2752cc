"""What notices promise and what they do not: dates, silence, reopening, objections (section 7; K15, A21, U9)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from normalizer.complaint import Complaint
from notice_samples import FULL, notice_of
from receipts.notice_values import data_of
from receipts.terms import Terms
from receipts.texts import Links, write
from receipts.wording import LANGUAGES, Wording
from tickets.lifecycle_values import NoticeKind
from tickets.model import OutboxItem

NOW = datetime(2026, 1, 7, 3, 0, tzinfo=UTC)
MakeComplaint = Callable[..., Complaint]
MakeItem = Callable[..., OutboxItem]
Said = Callable[..., str]


def test_g10_silence_after_the_second_answer_closes_too_and_is_said(said: Said) -> None:
    text = said(FULL["objection_answer"])
    assert "Bila tidak ada tanggapan sampai Senin, 9 Februari 2026, pengaduan kami tutup sebagai terselesaikan." in text
    kept_open = said(replace(FULL["objection_answer"], closes=None))
    assert "kami tutup" not in kept_open


def test_g10_the_day_to_object_and_the_day_of_silence_may_differ(said: Said) -> None:
    """The policy has a key for each; the customer is told both as they are."""
    text = said(replace(FULL["answer"], closes=date(2026, 2, 4)))
    assert "sampaikan keberatan paling lambat Rabu, 21 Januari 2026" in text
    assert "Bila tidak ada tanggapan sampai Rabu, 4 Februari 2026" in text


def test_u9_klikumkm_invites_no_objection_that_its_policy_does_not_know(said: Said) -> None:
    """U9: the day on which silence closes a complaint is no window to object."""
    for medium in ("chat", "short", "email", "oral"):
        for language in LANGUAGES:
            text = said(FULL["answer"], "klikumkm", medium, language).casefold()
            assert "keberatan" not in text
            assert "object" not in text


def test_k15_a_short_offer_names_its_remedies_and_the_amount_too(said: Said) -> None:
    text = said(FULL["answer"], "klikacc", "short")
    assert "Tawaran: permintaan maaf, kompensasi. Kompensasi: Rp1.500.000." in text


def test_a21_a_reminder_says_what_follows_where_the_policy_says_so(said: Said) -> None:
    """A21: missing documents are a ground at Akseleran; KlikACC published none, so nothing is threatened there."""
    ground = "dapat kami tolak dengan dasar: Dokumen tidak dilengkapi dalam waktu yang ditetapkan."
    assert ground in said(notice_of("documents_reminder", "akseleran"), "akseleran")
    assert "tolak" not in said(notice_of("documents_reminder", "klikacc"), "klikacc")


def test_k11_a_delay_names_the_bodies_outside(said: Said) -> None:
    """Section 8: a delay notice names court and LAPS SJK as a rejection does."""
    text = said(replace(FULL["extension"], forums=("court", "laps_sjk")))
    assert "Bila nanti tidak tercapai kesepakatan, Anda dapat menempuh:\n- Pengadilan\n- Lembaga" in text


def test_no_reopening_is_promised_where_the_policy_offers_none(
    wording: Wording, terms: dict[str, Terms], make_complaint: MakeComplaint, make_item: MakeItem
) -> None:
    item = make_item(make_complaint("klikacc"))
    for language in LANGUAGES:
        for medium in ("chat", "short"):
            text = write(
                "notice_closing", medium, item.complaint, item.ticket, wording=wording, language=language,
                terms=replace(terms["klikacc"], reopen_days=None), access_code=None, links=Links(),
                data=data_of(FULL["closing"], NOW),
            ).body  # fmt: skip
            assert "dibuka kembali" not in text
            assert "reopened" not in text


@pytest.mark.parametrize(
    ("kind", "day", "promised"),
    [
        ("first_response", date(2026, 1, 6), False),
        ("first_response", date(2026, 1, 7), True),
        ("answer", date(2026, 1, 6), False),
        ("documents_requested", date(2026, 1, 6), False),
    ],
)
def test_no_date_that_has_passed_is_promised(kind: NoticeKind, day: date, promised: bool, said: Said) -> None:
    """A late answer or a late entry: what should have been done before today is not said to be done by then."""
    late = replace(notice_of(kind, "klikacc"), due=day, closes=None)
    assert ("paling lambat" in said(late)) is promised


def test_what_the_desk_wrote_runs_into_nothing(said: Said) -> None:
    """Tabs and foreign line ends keep words apart; in one line a sentence that nobody ended gets its full stop."""
    text = said(replace(FULL["answer"], text="Pokok\t1.000\u2028Bunga\r200\r\nDenda\x0b0"))
    assert "Pokok 1.000\nBunga\n200\nDenda\n0" in text
    assert "Bank mitra, 1500-123. Customer Service" in said(FULL["misdirected"], "akseleran", "short")
    linked = replace(FULL["misdirected"], text="lihat https://mitra.example/pengaduan")
    assert "https://mitra.example/pengaduan Customer" in said(linked, "akseleran", "short")


def test_p26_who_never_complained_is_told_that_nothing_need_be_done(said: Said) -> None:
    text = said(FULL["answer"], "akseleran", "email_unproven")
    assert "Bila Anda tidak mengirim pengaduan, abaikan email ini" in text
    assert "If you did not send a complaint, ignore this email" in text
