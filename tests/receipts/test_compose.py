"""What a receipt says, per institution and channel (K2-K4, A4, U2-U7), and what it never says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.facts import Facts, TextUnit
from normalizer.complaint import Complainant, Complaint, Transaction
from normalizer.message import Channel, File, Outgoing
from receipts.compose import body_hash, compose, part_key, row_key
from receipts.split import length
from receipts.terms import Terms, terms_of
from receipts.texts import Links, clean, write
from receipts.wording import Wording
from tickets.model import OutboxItem, Route
from tickets.policy_labels import Labels
from tickets.policy_load import load_policy

MakeComplaint = Callable[..., Complaint]
MakeItem = Callable[..., OutboxItem]
MakeFacts = Callable[..., Facts]
LINKS = Links(status_url="https://aduan.example.co.id/status", verify_url="https://aduan.example.co.id/verify")
CODE = "048213"
PRIVATE = ("whatsapp", "telegram", "facebook_dm", "instagram_dm", "x_dm", "live_chat", "email", "web_form", "walk_in")


@pytest.fixture(name="said")
def _said(wording: Wording, terms: dict[str, Terms], make_facts: MakeFacts) -> Callable[..., tuple[Outgoing, ...]]:
    def said(item: OutboxItem, document: File | None = None, **facts: object) -> tuple[Outgoing, ...]:
        return compose(
            item,
            wording=wording,
            terms=terms[item.row.organisation],
            facts=make_facts(**facts),
            access_code=CODE,
            links=LINKS,
            document=document,
        )

    return said


Said = Callable[..., tuple[Outgoing, ...]]


def test_k2_k3_k4_klikacc_receipt(make_complaint: MakeComplaint, make_item: MakeItem, said: Said) -> None:
    (out,) = said(make_item(make_complaint("klikacc")))
    for part in (
        "Nomor tiket pengaduan: KLA-20260105-000123-7",
        "WhatsApp +6285813971953, telepon +6281585629508 (hari kerja pukul 09.00-17.00 WIB), email support@klikacc.com",
        "Mohon simpan pesan ini.",
        "Senin, 5 Januari 2026 pukul 10.00 WIB",
        "paling lambat Kamis, 8 Januari 2026",
        f"Kode cek status: {CODE}",
        "tidak dipungut biaya",
        "tidak pernah meminta PIN bank, OTP, atau kata sandi",
    ):
        assert part in out.text


def test_a4_akseleran_receipt_in_english(make_complaint: MakeComplaint, make_item: MakeItem, said: Said) -> None:
    complete = make_complaint(
        "akseleran", documents_complete_at=datetime(2026, 1, 5, tzinfo=UTC), category="withdrawal"
    )
    (out,) = said(make_item(complete, language="en"))
    for part in (
        "Complaint registration number: KLA-20260105-000123-7",
        "Monday, 5 January 2026 at 10:00 WIB",
        "email cs@akseleran.co.id",
        "We will answer by Thursday, 8 January 2026.",
        "Category: Withdrawal",
    ):
        assert part in out.text


@pytest.mark.parametrize("missing", [(), ("id_address", "power_of_attorney")])
@pytest.mark.parametrize("channel", [*PRIVATE, "sms"])
def test_a8_no_date_is_promised_before_the_documents_are_complete(
    channel: str, missing: tuple[str, ...], make_complaint: MakeComplaint, make_item: MakeItem, said: Said
) -> None:
    waiting = make_complaint("akseleran", channel=channel, missing_documents=missing)
    text = "\n".join(out.text for out in said(make_item(waiting, ticket={"resolve_due": date(2026, 1, 9)})))
    assert "2 hari kerja setelah dokumen lengkap" in text
    assert "8 Januari" not in text
    assert "8 January" not in text
    assert ("Surat kuasa khusus" in text) == (bool(missing) and channel != "sms")


def test_u5_u7_klikumkm_promises_ranges_and_no_first_answer(
    make_complaint: MakeComplaint, make_item: MakeItem, said: Said
) -> None:
    dates = {"first_response_due": None, "resolve_earliest": date(2026, 1, 6), "resolve_due": date(2026, 1, 12)}
    (out,) = said(make_item(make_complaint("klikumkm"), ticket=dates))
    assert (
        "informasi 1-2 hari kerja, masalah 1-5 hari kerja, masalah lintas unit 1-20 hari kerja, "
        "sampai status terselesaikan" in out.text
    )
    assert "Selasa, 6 Januari 2026 sampai Senin, 12 Januari 2026" in out.text
    assert "Nomor tiket: " in out.text
    assert "Kami menjawab" not in out.text


def test_an_oral_complaint_gets_a_confirmation(
    wording: Wording, terms: dict[str, Terms], make_complaint: MakeComplaint, make_item: MakeItem
) -> None:
    item = make_item(make_complaint("klikacc", channel="phone", form="oral"))
    said = write(
        "receipt", "oral", item.complaint, item.ticket, wording=wording, terms=terms["klikacc"], language="id",
        access_code=CODE, links=LINKS,
    )  # fmt: skip
    assert said.body.startswith("Konfirmasi penerimaan: ")
    assert "KLA-20260105-000123-7" in said.body
    assert said.subject is None


def test_an_email_has_both_languages_and_the_document(
    make_complaint: MakeComplaint, make_item: MakeItem, said: Said
) -> None:
    mail = make_complaint("klikacc", channel="email", complainant=Complainant(email="b@x.id", verified=True))
    route = Route(channel_id="klikacc-whatsapp", recipient="b@x.id", in_reply_to="<1@x>", references=("<0@x>", "<1@x>"))
    pdf = File(name="r.pdf", mime="application/pdf", content=b"%PDF")
    (out,) = said(make_item(mail, route=route), pdf)
    assert out.subject == "[KLA-20260105-000123-7] Tanda Bukti Terima Pengaduan / Complaint receipt"
    assert (out.in_reply_to, out.references, out.files) == ("<1@x>", ("<0@x>", "<1@x>"), (pdf,))
    assert out.text.index("Terima kasih") < out.text.index("Thank you")
    assert not said(make_item(mail, route=route), pdf, attachments_out=False)[0].files


SECRETS = ("Budi Santoso", "+628129999000", "budi@x.id", "1.500.000", "TX-998877", "@budi", CODE, "hilang", "Penarikan")


@pytest.mark.parametrize("template", ["receipt", "added_to:2", "notice:3", "text:4"])
def test_b3_an_unproven_address_gets_no_case_data(
    template: str, make_complaint: MakeComplaint, make_item: MakeItem, said: Said
) -> None:
    forged = full(make_complaint, "klikacc", channel="email", verified=False)
    pdf = File(name="r.pdf", mime="application/pdf", content=b"%PDF")
    (out,) = said(make_item(forged, template=template, data={"text": "Saldo Anda Rp1.500.000, Budi Santoso"}), pdf)
    everything = f"{out.subject} {out.text}"
    assert "KLA-20260105-000123-7" in everything
    assert not [word for word in SECRETS if word in everything]
    assert not out.files


@pytest.mark.parametrize(("template", "channel"), [(None, "sms"), ("receipt", "whatsapp")])
@pytest.mark.parametrize("entered_by", [None, "rina"])
def test_b3_a_number_that_only_called_gets_no_code(
    template: str | None, channel: Channel, entered_by: str | None,
    make_complaint: MakeComplaint, make_item: MakeItem, said: Said,
) -> None:  # fmt: skip
    """Section 8: the code opens the case, and the number that was shown may be a switchboard's or a stranger's."""
    call = full(make_complaint, "klikacc", channel="phone", verified=False, entered_by=entered_by)
    route = Route(channel_id="klikacc-other", recipient="+628129999000", channel=channel, template=template)
    (out,) = said(make_item(call, route=route))
    assert "KLA-20260105-000123-7" in out.text
    assert (CODE in out.text) == (entered_by is not None)


def full(make_complaint: MakeComplaint, organisation: str, *, verified: bool = True, **changes: object) -> Complaint:
    """A complaint that holds every sort of personal data there is."""
    return make_complaint(
        organisation,
        sender_handle="@budi",
        category="withdrawal",
        subject="Saldo hilang Budi Santoso",
        narrative="Saldo saya hilang Rp1.500.000, hubungi +628129999000",
        complainant=Complainant(
            full_name="Budi Santoso",
            phone="+628129999000",
            email="budi@x.id",
            verified=verified,
            customer_ref="TX-998877",
        ),
        transaction=Transaction(reference="TX-998877", amount_idr=1_500_000),
        **changes,
    )


@pytest.mark.parametrize("organisation", ["klikacc", "akseleran", "klikumkm"])
@pytest.mark.parametrize("channel", [*PRIVATE, "sms"])
def test_b3_a_receipt_repeats_nothing_that_the_customer_wrote(
    organisation: str, channel: str, make_complaint: MakeComplaint, make_item: MakeItem, said: Said
) -> None:
    text = "".join(
        o.text + (o.subject or "") for o in said(make_item(full(make_complaint, organisation, channel=channel)))
    )
    assert not [w for w in ("Budi", "9999000", "budi@x.id", "1.500.000", "TX-998877", "hilang") if w in text]


PUBLIC_WORDS = st.text(st.characters(categories=("L", "N")), min_size=4, max_size=20)


@given(
    name=PUBLIC_WORDS, ref=PUBLIC_WORDS, text=st.text(max_size=200), amount=st.integers(100_000, 10**12),
    channel=st.sampled_from(["facebook_comment", "instagram_comment", "x_mention"]),
    private=st.sampled_from(["never", "same_thread", "by_template"]),
    template=st.sampled_from(["receipt", "public_reply", "added_to:1", "notice:1", "text:1"]),
    language=st.sampled_from(["id", "en"]),
)  # fmt: skip
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_public_text_is_one_neutral_line(
    make_complaint: MakeComplaint, make_item: MakeItem, said: Said,
    name: str, ref: str, text: str, amount: int, channel: str, private: str, template: str, language: str,
) -> None:  # fmt: skip
    public = make_complaint(
        "akseleran",
        channel=channel,
        visibility="public",
        narrative=text,
        complainant=Complainant(full_name=name, customer_ref=ref),
        transaction=Transaction(amount_idr=amount, reference=ref),
    )
    parts = said(make_item(public, template=template, language=language, data={"text": text}), private_reply=private)
    wanted = {
        "id": "Halo, terima kasih sudah menghubungi kami. Demi keamanan data, mohon lanjutkan lewat pesan pribadi (DM) "
        "atau cs@akseleran.co.id. Jangan menuliskan data pribadi di kolom komentar, ya.",
        "en": "Hello, thank you for reaching out. To keep your data safe, please continue by direct message or "
        "cs@akseleran.co.id. Please do not post personal data in the comments.",
    }
    assert [out.text for out in parts] == [wanted[language]]
    assert parts[0].subject is None
    assert length(parts[0].text, "weighted") <= 280


def test_a_private_reply_to_a_comment_is_the_full_receipt(
    make_complaint: MakeComplaint, make_item: MakeItem, said: Said
) -> None:
    comment = make_complaint("akseleran", channel="facebook_comment", visibility="public")
    way = Route(channel_id=comment.channel_id, recipient="comment-1", channel="facebook_dm")
    (private,) = said(make_item(comment, route=way))
    assert "KLA-20260105-000123-7" in private.text
    assert not private.public
    (public,) = said(make_item(comment, template="public_reply"))
    assert "KLA-20260105-000123-7" not in public.text
    assert public.public


@pytest.mark.parametrize("organisation", ["klikacc", "akseleran", "klikumkm"])
@pytest.mark.parametrize("language", ["id", "en"])
def test_a_template_carries_the_short_text_as_its_one_variable(
    organisation: str, language: str, make_complaint: MakeComplaint, make_item: MakeItem, said: Said
) -> None:
    """Sheet A1: at most 1,024 characters without line breaks, once; P14: the way that stays when the window closed."""
    here = full(make_complaint, organisation)
    way = Route(channel_id=here.channel_id, recipient="+628129999000", channel="whatsapp", template="receipt")
    (out,) = said(make_item(here, route=way, language=language))
    assert out.template == "receipt"
    assert "KLA-20260105-000123-7" in out.text
    assert "\n" not in out.text
    assert len(out.text) <= 1024


@pytest.mark.parametrize("organisation", ["klikacc", "akseleran", "klikumkm"])
@pytest.mark.parametrize("language", ["id", "en"])
def test_a_comment_is_answered_in_private_once_so_in_one_part(
    organisation: str, language: str, make_complaint: MakeComplaint, make_item: MakeItem, said: Said
) -> None:
    """Sheets A7, A8: the second private reply to a comment is refused; Instagram takes 1,000 bytes."""
    comment = full(make_complaint, organisation, channel="instagram_comment", visibility="public")
    way = Route(channel_id=comment.channel_id, recipient="comment-1", channel="instagram_dm")
    (private,) = said(make_item(comment, route=way, language=language), max_text=1000, text_unit="bytes")
    assert "KLA-20260105-000123-7" in private.text
    assert CODE in private.text
    assert length(private.text, "bytes") <= 1000
    with pytest.raises(ValueError, match="no room"):
        said(make_item(comment, route=way, language=language), max_text=60, text_unit="bytes")


@given(
    limit=st.integers(60, 2000), unit=st.sampled_from(get_args(TextUnit)),
    channel=st.sampled_from([*PRIVATE, "sms"]), organisation=st.sampled_from(["klikacc", "akseleran", "klikumkm"]),
    language=st.sampled_from(["id", "en"]), sent=st.integers(0, 3),
)  # fmt: skip
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_part_is_over_the_limit_and_every_required_field_stays(
    make_complaint: MakeComplaint, make_item: MakeItem, said: Said,
    limit: int, unit: TextUnit, channel: str, organisation: str, language: str, sent: int,
) -> None:  # fmt: skip
    item = make_item(full(make_complaint, organisation, channel=channel), language=language, parts_sent=sent)
    parts = said(item, max_text=limit, text_unit=unit)
    assert all(length(out.text, unit) <= limit for out in parts)
    assert len({out.key for out in parts}) == len(parts)
    assert {row_key(out.key) for out in parts} == {item.row.key}
    bare = [out.text.partition(") ")[2] if len(parts) > 1 else out.text for out in parts]
    joined = " ".join(" ".join(bare).split())
    contacts = {"klikacc": "+6281585629508", "akseleran": "cs@akseleran.co.id", "klikumkm": "+620000000002"}
    assert "KLA-20260105-000123-7" in joined
    assert contacts[organisation] in joined
    assert CODE in joined
    assert ("5 Januari 2026" if language == "id" or channel == "email" else "5 January 2026") in joined


def test_parts_are_the_same_at_every_attempt_and_carry_the_row(
    make_complaint: MakeComplaint, make_item: MakeItem, said: Said
) -> None:
    item = make_item(make_complaint("klikacc"))
    first = said(item, max_text=160)
    assert len(first) > 1
    assert said(item, max_text=160) == first
    assert body_hash(first) == body_hash(said(item, max_text=160))
    assert [out.key for out in first] == [part_key(item.row.key, index) for index in range(len(first))]
    assert first[0].key == item.row.key


@pytest.mark.parametrize("template", ["added_to:01J", "notice:01K"])
def test_later_messages_name_the_number(
    template: str, make_complaint: MakeComplaint, make_item: MakeItem, said: Said
) -> None:
    (out,) = said(make_item(make_complaint("klikacc"), template=template, data={"text": "Baris satu\r\nbaris dua"}))
    assert "KLA-20260105-000123-7" in out.text
    assert ("Baris satu\nbaris dua" in out.text) == template.startswith("notice")


def test_what_the_dialog_says_goes_out_as_it_is(make_complaint: MakeComplaint, make_item: MakeItem, said: Said) -> None:
    (out,) = said(
        make_item(make_complaint("klikacc"), template="text:1", data={"text": "Siapa nama Anda? {ticket_number}"})
    )
    assert out.text == "Siapa nama Anda? {ticket_number}"


@given(st.text())
def test_p27_nothing_hidden_or_turning_goes_out(text: str) -> None:
    seen = clean(text)
    assert not [sign for sign in seen if (ord(sign) < 32 and sign != "\n") or 0x7F <= ord(sign) < 0xA0]
    assert not set(seen) & set("\u202e\u202d\u2066\u2069\u200b\ufeff\u200e\u200f")
    seen.encode()


def test_a_receipt_without_its_required_contact_is_refused_at_the_start(
    wording: Wording, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    policy = load_policy(request.config.rootpath / "config" / "policies" / "klikacc.yaml")
    bare = policy.model_copy(
        update={"contact": policy.contact.model_copy(update=dict.fromkeys(("whatsapp", "phone", "email")))}
    )
    with pytest.raises(ValueError, match="requires a contact"):
        terms_of(bare, organisation_name="KlikACC", wording=wording, labels=Labels(labels={}))
