"""A message becomes THE complaint."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from normalizer.complaint import FIELDS, Complaint
from normalizer.completeness import DocumentRules
from normalizer.message import Attachment, Message, ReplyAddress, Sender
from normalizer.normalize import Context, normalize, received_at
from normalizer.text import NARRATIVE_LIMIT

NOON = datetime(2026, 1, 5, 5, 0, tzinfo=UTC)
MakeMessage = Callable[..., Message]
MakeContext = Callable[..., Context]


def test_a_whatsapp_message_of_a_lender(message: MakeMessage, context: MakeContext) -> None:
    complaint = normalize(
        message(
            "Tarik dana dari Senin blm cair ke rekening BCA 1234567890.\nTolong, no hp 0812-3456-7890",
            sender=Sender(key="wa:ID.1349", phone="6281234567890", name="Budi", handle="budi", verified=True),
            thread_refs=("wa:123:6281234567890",),
            reply=ReplyAddress(recipient="+6281234567890", in_reply_to="wamid.1"),
            attachments=(Attachment(kind="image", name="bukti transfer.jpg", ref="media-1", size=9),),
        ),
        context(attachment_ids=("01A",)),
    )
    assert (complaint.kind, complaint.category, complaint.issue) == ("complaint", "withdrawal", "failed_transaction")
    assert complaint.complainant.phone == "+6281234567890"
    assert complaint.complainant.verified
    assert complaint.complainant.full_name == "Budi"
    assert complaint.complainant.language == "id"
    assert complaint.narrative.startswith("Tarik dana")
    assert "1234567890" in complaint.narrative
    assert complaint.narrative_redacted == (
        "Tarik dana dari Senin blm cair ke rekening BCA [rekening].\nTolong, no hp [telepon]"
    )
    assert complaint.subject == "Tarik dana dari Senin blm cair ke rekening BCA [rekening]."
    assert complaint.missing_documents == ("id_address", "transaction_type_date")
    assert complaint.documents_complete_at is None
    assert complaint.assessment.urgency == "medium"
    assert complaint.assessment.has_documents
    assert complaint.assessment.classifier == "lexicon en@2026.1 id@2026.1"
    assert {reason.term for reason in complaint.assessment.category_reasons} >= {"tarik dana", "belum cair"}
    assert (complaint.thread_ref, complaint.reply_ref) == ("wa:123:6281234567890", "+6281234567890")
    assert (complaint.sender_key, complaint.sender_handle) == ("wa:ID.1349", "budi")
    (file,) = complaint.attachments
    assert (file.id, file.kind, file.status, file.provider_ref) == ("01A", "transaction_proof", "pending", "media-1")
    assert complaint.flags == ("name_from_profile",)
    assert not complaint.needs_agent


def test_a_form_that_says_everything_is_complete_at_once(message: MakeMessage, context: MakeContext) -> None:  # A8, G7
    complaint = normalize(
        message(
            "Penarikan saya gagal",
            channel="web_form",
            fields={
                "full_name": "Budi Santoso",
                "id_address": "Jl. Melati 1, Bandung",
                "phone": "0812-3456-7890",
                "email": "budi@contoh.id",
                "category": "withdrawal",
                "transaction_type": "penarikan",
                "transaction_date": "2026-01-02",
                "transaction_amount_idr": "Rp 2.000.000",
                "loss_amount_idr": "2000000",
                "privacy_notice_version": "2026-01",
                "publish_narrative": "tidak",
            },
        ),
        context(),
    )
    assert complaint.missing_documents == ()
    assert complaint.documents_complete_at == NOON
    assert complaint.transaction is not None
    assert (complaint.transaction.date, complaint.transaction.amount_idr) == (date(2026, 1, 2), 2_000_000)
    assert (complaint.loss.type, complaint.loss.amount_idr, complaint.loss.claimed) == ("actual", 2_000_000, True)
    assert complaint.dispute_indication
    assert (complaint.consent.privacy_notice_version, complaint.consent.shown_at) == ("2026-01", NOON)
    assert not complaint.consent.publish_narrative
    assert complaint.flags == ()


def test_wrong_answers_stay_in_the_narrative(message: MakeMessage, context: MakeContext) -> None:
    complaint = normalize(message("Halo", fields={"phone": "besok saja", "warna": "merah"}), context())
    assert complaint.narrative == "Halo\nphone: besok saja\nwarna: merah"
    assert complaint.flags == ("invalid_field:phone", "unknown_field")
    assert complaint.complainant.phone is None


def test_a_policy_that_publishes_no_categories_gets_an_issue_only(message: MakeMessage, context: MakeContext) -> None:
    complaint = normalize(message("gak bisa login"), context(categories=None, documents=DocumentRules()))
    assert complaint.category is None
    assert complaint.issue == "technical_problem"
    assert complaint.documents_complete_at == NOON


@pytest.mark.parametrize(
    ("acting_as", "kind"), [("representative", "person"), ("kuasa", "person"), ("institution", "institution")]
)
def test_a_representative_needs_a_power_of_attorney(
    message: MakeMessage, context: MakeContext, acting_as: str, kind: str
) -> None:  # A12, K15
    fields = {"acting_as": acting_as, "representative_name": "Siti"}
    complaint = normalize(message("Belum cair", fields=fields), context())
    assert complaint.representative is not None
    assert (complaint.representative.full_name, complaint.representative.kind) == ("Siti", kind)
    assert complaint.representative.poa_status == "missing"
    assert "power_of_attorney" in complaint.missing_documents
    paper = Attachment(kind="document", name="Surat Kuasa.pdf", content=b"x")
    with_paper = normalize(message("Belum cair", fields=fields, attachments=(paper,)), context(attachment_ids=("1",)))
    assert with_paper.representative is not None
    assert with_paper.representative.poa_status == "received"
    assert "power_of_attorney" not in with_paper.missing_documents


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({"attachments": (Attachment(kind="image", ref="1"),)}, ()),
        ({"attachments": (Attachment(kind="audio", ref="1"),)}, ("has_audio",)),
        ({"flags": ("unsupported",), "text": "?"}, ("unsupported",)),
        ({}, ()),
        ({"text": "saya mau bunuh diri"}, ()),
    ],
)
def test_who_says_nothing_readable_or_is_in_danger_needs_a_person(
    message: MakeMessage, context: MakeContext, changes: dict[str, Any], flags: tuple[str, ...]
) -> None:  # G13, B5
    arrived = message(**changes)
    complaint = normalize(arrived, context(attachment_ids=("1",) * len(arrived.attachments)))
    assert complaint.needs_agent
    assert complaint.flags == flags
    assert complaint.form == "written"


def test_a_proven_number_is_not_replaced_by_a_typed_one(message: MakeMessage, context: MakeContext) -> None:
    sender = Sender(key="wa:1", phone="6281234567890", verified=True)
    complaint = normalize(message("Halo", sender=sender, fields={"phone": "081111111111"}), context())
    assert complaint.complainant.phone == "+6281234567890"
    assert complaint.narrative == "Halo\nphone: +6281111111111"
    assert "other_contact" in complaint.flags


def test_an_unproven_contact_beside_a_proven_sender_is_marked(message: MakeMessage, context: MakeContext) -> None:
    sender = Sender(key="wa:ID.1349", verified=True)
    complaint = normalize(message("Halo", sender=sender, fields={"phone": "081234567890"}), context())
    assert complaint.complainant.phone == "+6281234567890"
    assert "unverified_contact" in complaint.flags


def test_a_look_alike_address_is_flagged(message: MakeMessage, context: MakeContext) -> None:
    complaint = normalize(message("Halo", sender=Sender(key="m:1", email="cs@gmаil.com")), context())
    assert complaint.complainant.email == "cs@xn--gmil-63d.com"
    assert "confusable_address" in complaint.flags


def test_personal_data_in_a_public_comment_is_a_flag(message: MakeMessage, context: MakeContext) -> None:
    comment = message("hp saya 081234567890", channel="facebook_comment", visibility="public")
    complaint = normalize(comment, context())
    assert "personal_data_in_public" in complaint.flags
    assert complaint.subject == complaint.narrative_redacted == "hp saya [telepon]"


def test_what_was_quoted_is_kept_but_does_not_decide(message: MakeMessage, context: MakeContext) -> None:  # pain 31
    quote = "Pada Sen, 5 Jan 2026 pukul 10.15 CS <cs@contoh.id> menulis:\n> gagal login, reset password\n> otp"
    complaint = normalize(message(f"Tarik dana belum cair\n\n{quote}", channel="email"), context())
    assert complaint.category == "withdrawal"
    assert "reset password" in complaint.narrative
    assert complaint.subject == "Tarik dana belum cair"


def test_a_long_text_is_cut_and_says_so(message: MakeMessage, context: MakeContext) -> None:
    complaint = normalize(message("kata " * NARRATIVE_LIMIT), context())
    assert len(complaint.narrative) <= NARRATIVE_LIMIT
    assert "truncated" in complaint.flags


def test_the_subject_of_a_mail_counts(message: MakeMessage, context: MakeContext) -> None:
    complaint = normalize(message("Lihat judul", subject="Gagal login 081234567890", channel="email"), context())
    assert complaint.subject == "Gagal login [telepon]"
    assert complaint.category == "login"


@pytest.mark.parametrize(
    ("sent", "expected", "in_future"),
    [
        (NOON - timedelta(days=7), NOON - timedelta(days=7), False),
        (NOON, NOON, False),
        (NOON + timedelta(minutes=5), NOON + timedelta(minutes=5), False),
        (NOON + timedelta(minutes=5, seconds=1), NOON, True),
        (datetime(2026, 1, 5, 12, 0, tzinfo=timezone(timedelta(hours=7))), NOON, False),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=7))), datetime.min.replace(tzinfo=UTC), False),
        (datetime(2026, 1, 5, 5, 0), NOON, False),  # noqa: DTZ001  # a connector that forgot the zone
    ],
)
def test_received_at(
    message: MakeMessage, context: MakeContext, sent: datetime, expected: datetime, in_future: bool
) -> None:  # R10
    arrived = message("x", sent_at=sent)
    assert received_at(arrived, NOON) == (expected, in_future)
    assert ("future_timestamp" in normalize(arrived, context(received_at=expected)).flags) is in_future


TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=200)
MAYBE = st.none() | TEXT
ATTACHMENTS = st.builds(
    Attachment,
    kind=st.sampled_from(["image", "video", "audio", "document", "sticker", "location", "contact", "other"]),
    name=MAYBE,
    mime=MAYBE,
    size=st.none() | st.integers(),
    content=st.none() | st.binary(max_size=5),
    ref=MAYBE,
    error=MAYBE,
)
MESSAGES = st.builds(
    Message,
    channel=st.sampled_from(["whatsapp", "email", "web_form", "facebook_comment", "phone"]),
    account=TEXT,
    key=TEXT,
    external_id=TEXT,
    sent_at=st.datetimes() | st.datetimes(timezones=st.just(UTC)),
    sender=st.builds(Sender, key=TEXT, handle=MAYBE, name=MAYBE, phone=MAYBE, email=MAYBE, verified=st.booleans()),
    text=TEXT | st.lists(TEXT).map("\n".join),
    subject=MAYBE,
    attachments=st.lists(ATTACHMENTS, max_size=4).map(tuple),
    thread_refs=st.lists(TEXT, max_size=2).map(tuple),
    reply=st.none() | st.builds(ReplyAddress, recipient=TEXT),
    visibility=st.sampled_from(["private", "public"]),
    post_ref=MAYBE,
    fields=st.dictionaries(st.sampled_from(FIELDS) | TEXT, TEXT, max_size=5),
    flags=st.lists(TEXT, max_size=3).map(tuple),
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(arrived=MESSAGES)
def test_no_message_raises_and_every_complaint_can_be_stored(context: MakeContext, arrived: Message) -> None:  # P32
    complaint = normalize(arrived, context(attachment_ids=tuple("abcd"[: len(arrived.attachments)])))
    assert msgspec.json.decode(msgspec.json.encode(complaint), type=Complaint) == complaint
    assert len(complaint.attachments) == len(arrived.attachments)
    assert len(complaint.subject) <= 80


@pytest.mark.parametrize(
    "text",
    ["a" * 1_000_000, "1 " * 500_000, "\n" * 1_000_000, "> \n" * 300_000, "belum " * 160_000, "@" * 1_000_000,
     "a\u0300\u0327" * 300_000, "Pada 10.00\n" * 90_000, "😀" * 1_000_000, "\x00" * 1_000_000],
)  # fmt: skip
def test_a_megabyte_of_malice_becomes_a_complaint(message: MakeMessage, context: MakeContext, text: str) -> None:  # P29
    complaint = normalize(
        message(text, subject=text, sender=Sender(key=text, name=text, phone=text, email=text)), context()
    )
    assert len(complaint.narrative) <= NARRATIVE_LIMIT
    assert len(msgspec.json.encode(complaint)) < 2_000_000
