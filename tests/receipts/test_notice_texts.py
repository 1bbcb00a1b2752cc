"""What notices say, per kind, language and medium (sections 3, 7 and 8; K11, K15-K17, A18-A22, U8, U9)."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from connectors.facts import Facts
from normalizer.complaint import Complainant, Complaint
from normalizer.message import Channel, Outgoing
from notice_samples import FULL, INSTITUTIONS, TEXT, notice_of
from receipts.compose import compose
from receipts.notice_values import data_of
from receipts.split import length
from receipts.terms import Terms
from receipts.texts import Links
from receipts.wording import LANGUAGES, Language, Medium, Wording
from receipts.wording_load import load_wording
from receipts.wording_rules import NOTICE_KINDS
from tickets.lifecycle_values import Notice, NoticeKind
from tickets.model import OutboxItem, Route
from tickets.yaml_lines import InvalidFile

NOW = datetime(2026, 1, 7, 3, 0, tzinfo=UTC)
MakeComplaint = Callable[..., Complaint]
MakeItem = Callable[..., OutboxItem]
MakeFacts = Callable[..., Facts]
Said = Callable[..., str]
Sent = Callable[..., tuple[Outgoing, ...]]
SHIPPED = Path(__file__).parents[2] / "config" / "wording"
MEDIA: tuple[Medium, ...] = ("chat", "short", "short_unproven", "email", "email_unproven", "screen", "oral")


@pytest.fixture(name="sent")
def _sent(
    wording: Wording, terms: dict[str, Terms], make_complaint: MakeComplaint, make_item: MakeItem, make_facts: MakeFacts
) -> Sent:
    def sent(
        notice: Notice, organisation: str = "klikacc", *, route: Route | None = None, language: str = "id",
        channel: Channel = "whatsapp", who: Complainant | None = None, **facts: object,
    ) -> tuple[Outgoing, ...]:  # fmt: skip
        changes = {"complainant": who} if who is not None else {}
        here = make_complaint(organisation, channel=channel, **changes)
        data = data_of(notice, NOW)
        item = make_item(here, template=f"notice_{notice.kind}:4", route=route, language=language, data=data)
        return compose(
            item, wording=wording, terms=terms[organisation], facts=make_facts(**facts), access_code="048213",
            links=Links(status_url="https://a.example/status"),
        )  # fmt: skip

    return sent


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("organisation", INSTITUTIONS)
@pytest.mark.parametrize("kind", NOTICE_KINDS)
def test_every_notice_has_words_everywhere(
    kind: NoticeKind, organisation: str, language: Language, medium: Medium, said: Said
) -> None:
    """Section 8: number and institution's contact in each; nothing personal of ours, no request for a PIN, no fault."""
    text = said(notice_of(kind, organisation), organisation, medium, language)
    assert "KLA-20260105-000123-7" in text
    assert not re.search(r"[{}]|None|_", text), text
    assert not re.search(r"kesalahan kami|kami bersalah|our fault|our mistake|we failed", text, re.IGNORECASE)
    assert not re.search(r"(kirim|masukkan|send|enter)\w* (PIN|OTP|password|kata sandi)", text, re.IGNORECASE)
    assert "Budi" not in text
    if medium in {"short_unproven", "email_unproven"}:
        assert TEXT not in text
        assert not re.search(r"tolak|reject|kompensasi|compensation|Rp1", text, re.IGNORECASE)
    elif FULL[kind].text:
        assert text.count(FULL[kind].text) == 1, "what the desk wrote stands once, also in two languages"


@pytest.mark.parametrize("kind", NOTICE_KINDS)
def test_a_notice_without_any_value_still_says_what_it_is(kind: NoticeKind, said: Said) -> None:
    for language in LANGUAGES:
        for medium in MEDIA:
            empty = said(Notice(kind=kind), "klikacc", medium, language)
            assert len(empty.replace("KLA-20260105-000123-7", "")) > 40


def test_k11_r7_a_delay_gives_cause_old_and_new_date(said: Said) -> None:
    """K11, EBA GL7: the ground, its cause, the date that was promised and the new one; in writing, both languages."""
    text = said(FULL["extension"], "klikacc", "chat", "en")
    for part in (
        "Alasan: Melibatkan pihak di luar perusahaan.",
        f"Penyebabnya: {TEXT}",
        "Batas waktu semula: Senin, 2 Februari 2026. Batas waktu baru: Selasa, 3 Maret 2026.",
        "Reason: A party outside the company is involved.",
        "Earlier date: Monday, 2 February 2026. New date: Tuesday, 3 March 2026.",
        "The cause: (as written above)",
    ):
        assert part in text
    assert "Reason" not in said(FULL["extension"], "klikacc", "chat", "id")


@pytest.mark.parametrize("ground", ["cross_unit", "directors", "external_party", "kind"])
def test_r6_a_date_that_moved_without_an_extension_has_its_reason_too(ground: str, said: Said) -> None:
    """R6, section 8: cause, old and new date, in both languages."""
    moved = replace(FULL["extension"], text="", ground=ground, letter=False)
    assert re.search(r"Alasan: [A-Z].*\.\n", said(moved))
    assert re.search(r"Reason: [A-Z].*\.\n", said(moved, language="en"))
    assert "Batas waktu semula: Senin, 2 Februari 2026. Batas waktu baru: Selasa, 3 Maret 2026." in said(moved)


def test_u8_an_update_of_the_stage_goes_with_the_new_date(said: Said) -> None:
    """U8: klikUMKM publishes no ground: the stage and the new date are what is told."""
    text = said(replace(FULL["extension"], ground=None), "klikumkm")
    assert TEXT in text
    assert "Batas waktu baru: Selasa, 3 Maret 2026" in text
    assert "Alasan:" not in text


def test_k15_a16_a17_an_offer_names_its_remedies_and_the_amount(said: Said) -> None:
    """K15, A16, A17: what is offered, as the desk chose it; Rp1.500.000 and IDR 1,500,000."""
    assert "Yang kami tawarkan: permintaan maaf, kompensasi." in said(FULL["answer"])
    assert "Jumlah kompensasi: Rp1.500.000." in said(FULL["answer"])
    assert "Amount of compensation: IDR 1,500,000." in said(FULL["answer"], language="en")
    explanation = replace(FULL["answer"], remedies=(), compensation_idr=None)
    assert not re.search("maaf|tawarkan|kompensasi", said(explanation))


def test_g10_k16_how_and_until_when_to_object(said: Said) -> None:
    """G10, K16: the window to object, how, and what silence means."""
    text = said(FULL["answer"])
    assert "sampaikan keberatan paling lambat Rabu, 21 Januari 2026 dengan membalas pesan ini" in text
    assert "Bila tidak ada tanggapan sampai Rabu, 21 Januari 2026, pengaduan kami tutup sebagai terselesaikan." in text
    assert "beri tahu kami dengan membalas pesan ini" in said(replace(FULL["answer"], due=None))
    # klikUMKM publishes no objection: none is invited, court and LAPS are named (U9).
    assert "beri tahu kami paling lambat Rabu, 21 Januari 2026" in said(FULL["answer"], "klikumkm")
    assert "keberatan" not in said(FULL["answer"], "klikumkm").lower()


def test_a18_an_objection_to_akseleran_needs_new_documents(said: Said) -> None:
    """A18: only Akseleran asks for new documents with an objection."""
    asks = {slug: "dokumen baru" in said(FULL["answer"], slug) for slug in INSTITUTIONS}
    assert asks == {"klikacc": False, "akseleran": True, "klikumkm": False}


@pytest.mark.parametrize("organisation", INSTITUTIONS)
@pytest.mark.parametrize("kind", ["answer", "objection_answer", "rejection", "referral"])
def test_k17_a20_u9_the_bodies_outside_are_named_with_their_addresses(
    kind: NoticeKind, organisation: str, said: Said
) -> None:
    """K17, A20, U9: court and LAPS SJK; the addresses are those of the policy."""
    text = said(FULL[kind], organisation)
    assert "Lembaga Alternatif Penyelesaian Sengketa Sektor Jasa Keuangan (LAPS SJK)" in text
    assert "email info@lapssjk.id, telepon +62212527700" in text
    assert ("- Pengadilan" in text) == (kind != "referral")


@pytest.mark.parametrize("ground", ["incomplete_documents", "already_settled", "no_material_loss", "unrelated"])
def test_a21_a22_a_rejection_gives_ground_and_reasons(ground: str, said: Said) -> None:
    """A21, A22: the published ground in words and the desk's reasons, in both languages for who reads English."""
    text = said(replace(FULL["rejection"], ground=ground), "akseleran", "chat", "en")
    assert re.search(r"Dasar penolakan: [A-Z][a-z ,]+\.", text)
    assert re.search(r"Ground of the rejection: [A-Z][a-z ,]+\.", text)
    assert f"Penjelasan: {TEXT}" in text


def test_a21_an_unknown_ground_is_left_out_rather_than_shown_raw(said: Said) -> None:
    assert "Dasar" not in said(replace(FULL["rejection"], ground="no_such_ground"), "akseleran")


def test_a12_the_documents_are_listed_by_their_names(said: Said) -> None:
    """A12, K9: what is asked for, and until when."""
    text = said(notice_of("documents_requested", "akseleran"), "akseleran")
    assert "- Alamat sesuai identitas\n- Surat kuasa khusus\n- Tangkapan layar atau rekaman" in text
    assert "paling lambat Selasa, 20 Januari 2026" in text
    short = said(notice_of("documents_requested", "akseleran"), "akseleran", "short")
    assert "Alamat sesuai identitas, Surat kuasa khusus, Tangkapan layar atau rekaman" in short


def test_u5_closing_uses_the_institutions_own_word(said: Said) -> None:
    """U5-U7: klikUMKM's status is "terselesaikan"; a closed complaint can be reopened for 30 days."""
    text = said(FULL["closing"], "klikumkm")
    assert "dengan status: terselesaikan." in text
    assert "dalam 30 hari" in text
    assert "with the status: resolved." in said(FULL["closing"], "klikumkm", "chat", "en")


def test_an_email_says_what_it_is_about_in_both_languages(said: Said) -> None:
    text = said(FULL["rejection"], "akseleran", "email")
    assert text.startswith("[KLA-20260105-000123-7] Penolakan pengaduan / Complaint rejected\n")
    unproven = said(FULL["rejection"], "akseleran", "email_unproven")
    assert unproven.startswith("[KLA-20260105-000123-7] Pemberitahuan pengaduan / Complaint notice\n")


def test_a_notice_has_no_public_form(said: Said) -> None:
    """Section 8: nothing of a complaint where others read along."""
    with pytest.raises(KeyError):
        said(FULL["closing"], "akseleran", "public")


def test_what_the_desk_wrote_is_sent_as_written_without_control_characters(said: Said) -> None:
    """P27: neither a placeholder nor a hidden sign of what a person wrote does anything."""
    text = said(replace(FULL["answer"], text="Baris satu {ticket_number}\n\u202ebaris\x07 dua {{x}}"))
    assert "Baris satu {ticket_number}\nbaris dua {{x}}" in text


BY_TEMPLATE = Route(channel_id="klikacc-whatsapp", recipient="+62811", channel="whatsapp", template="notice")
TO_SMS = Route(channel_id="sms", recipient="+62811", channel="sms")


@given(
    kind=st.sampled_from(NOTICE_KINDS), organisation=st.sampled_from(INSTITUTIONS), size=st.integers(0, 20_000),
    language=st.sampled_from(LANGUAGES), limit=st.sampled_from([660, 1600, 4096]),
)  # fmt: skip
@example(kind="answer", organisation="klikacc", size=110, language="id", limit=660)
@example(kind="objection_answer", organisation="klikacc", size=110, language="en", limit=660)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_short_message_always_has_room(
    sent: Sent, kind: NoticeKind, organisation: str, size: int, language: Language, limit: int
) -> None:
    """P14: by template and SMS one message; a text up to a third of its room, an answer a sixth, is said as a whole."""
    notice = replace(notice_of(kind, organisation), text="y" * size)
    share = 3
    if kind in {"answer", "objection_answer"}:
        share, notice = 6, replace(notice, remedies=("apology", "repair", "compensation"), compensation_idr=99_999_999)
    here = Route(channel_id=f"{organisation}-whatsapp", recipient="+62811", channel="whatsapp", template="notice")
    (out,) = sent(notice, organisation, route=here, language=language, max_text=limit, text_unit="utf16_units")
    assert length(out.text, "utf16_units") <= limit
    assert out.template == "notice"
    if size <= limit / share:
        assert "y" * size in out.text
    elif size > limit:
        assert "yyyy" not in out.text


def test_a_long_answer_goes_out_in_parts_where_there_is_a_conversation(sent: Sent) -> None:
    parts = sent(replace(FULL["answer"], text="Penjelasan panjang. " * 300), max_text=1000)
    assert len(parts) > 5
    assert all(len(part.text) <= 1000 for part in parts)


@pytest.mark.parametrize(
    ("who", "route", "whole"),
    [
        # Who proved only that the address exists hears that there is news (A10, A12).
        (Complainant(phone="+62811"), TO_SMS, False),
        (Complainant(email="b@x.id"), Route(channel_id="mail", recipient="b@x.id", channel="email"), False),
        (Complainant(phone="+62811", verified=True), BY_TEMPLATE, True),
    ],
)
def test_b3_an_unproven_address_hears_only_that_there_is_news(
    who: Complainant, route: Route, whole: bool, sent: Sent
) -> None:
    (out,) = sent(FULL["answer"], route=route, who=who)
    assert (TEXT in out.text) is whole
    assert ("ada kabar" in out.text.lower()) is not whole
    assert "048213" not in out.text


def test_the_number_that_wrote_by_whatsapp_is_proven_by_sms_too(
    wording: Wording, terms: dict[str, Terms], make_complaint: MakeComplaint, make_item: MakeItem, make_facts: MakeFacts
) -> None:
    """A WhatsApp receipt that falls back to SMS keeps its code at the same number, and loses it at any other."""
    wrote = Route(channel_id="klikacc-whatsapp", recipient="628129999000", channel="whatsapp")
    for recipient, whole in (("+628129999000", True), ("+628120000000", False)):
        sms = Route(channel_id="sms", recipient=recipient, channel="sms")
        item = make_item(make_complaint("klikacc"), routes=(wrote, sms))
        item = replace(item, row=replace(item.row, routes=(wrote, sms), route=1))
        (out,) = compose(
            item, wording=wording, terms=terms["klikacc"], facts=make_facts(), access_code="048213", links=Links()
        )
        assert ("048213" in out.text) is whole


def test_mistakes_in_notices_are_named_with_their_lines(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "wording")
    path = tmp_path / "wording" / "en.yaml"
    text = path.read_text(encoding="utf-8")
    for old, new in (
        ('"Ground of the rejection: {ground}."', '"Ground of the rejection: {grounds}."'),
        ("    subject: Complaint closed\n", ""),
        ('intro: "Your complaint is reopened."', 'intro: "{due}"'),
        (
            'verify: "Check that it is genuine: {verify_url}"\n  qr: QR code to check that this letter',
            'verify: "x"\n  qr: QR',
        ),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidFile) as caught:
        load_wording(tmp_path / "wording")
    found = [str(problem) for problem in caught.value.problems]
    for part in ("{grounds}", "notices.closing.subject", "a sentence that needs no value", "must name {verify_url}"):
        assert any(part in line for line in found), found
