"""A later message enriches an open complaint and overwrites nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from normalizer.complaint import Complaint, Loss, Representative, Transaction
from normalizer.completeness import DocumentRules
from normalizer.lexicon import Lexicon
from normalizer.message import Attachment, Message, Sender
from normalizer.normalize import Context, append, normalize

NOON = datetime(2026, 1, 5, 5, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=3)
MakeMessage = Callable[..., Message]
Add = Callable[..., Complaint]


@pytest.fixture
def add(lexicon: Lexicon, documents: DocumentRules, categories: tuple[str, ...], message: MakeMessage) -> Add:
    def added(complaint: Complaint, text: str = "", **changes: Any) -> Complaint:
        arrived = message(text, key="k2", **changes)
        return append(
            complaint,
            arrived,
            received=LATER,
            documents=documents,
            lexicon=lexicon,
            categories=categories,
            attachment_ids=tuple(f"later-{number}" for number, _ in enumerate(arrived.attachments)),
        )

    return added


@pytest.fixture
def opened(context: Callable[..., Context], message: MakeMessage) -> Callable[..., Complaint]:
    def opened_with(text: str = "Dana saya belum cair sejak Senin", **changes: Any) -> Complaint:
        return normalize(message(text, **changes), context())

    return opened_with


def test_answers_of_the_dialog_fill_what_is_empty(opened: Callable[..., Complaint], add: Add) -> None:  # B1
    first = opened()
    assert first.documents_complete_at is None
    complaint = add(
        first,
        "ini data saya",
        fields={
            "full_name": "Budi Santoso",
            "id_address": "Jl. Melati 1",
            "phone": "081234567890",
            "transaction_type": "penarikan",
            "transaction_date": "2026-01-02",
            "loss_amount_idr": "1 juta",
            "remedy_requested": "dana kembali",
        },
    )
    assert complaint.complainant.full_name == "Budi Santoso"
    assert complaint.transaction == Transaction(type="penarikan", date=date(2026, 1, 2))
    assert complaint.loss == Loss(type="actual", amount_idr=1_000_000, claimed=True)
    assert complaint.remedy_requested == "dana kembali"
    assert complaint.missing_documents == ()
    assert complaint.documents_complete_at == LATER
    assert (complaint.narrative, complaint.subject) == (first.narrative, first.subject)
    assert (complaint.received_at, complaint.category) == (first.received_at, "withdrawal")


def test_nothing_that_is_there_is_overwritten(opened: Callable[..., Complaint], add: Add) -> None:
    first = msgspec.structs.replace(
        opened(fields={"full_name": "Budi", "phone": "081234567890", "id_address": "A", "loss_amount_idr": "5"}),
        category="slow_response",
        remedy_requested="maaf",
        representative=Representative(full_name="Siti", poa_status="verified"),
    )
    complaint = add(
        first,
        "gak bisa login",
        fields={
            "full_name": "Lain", "phone": "081111111111", "id_address": "B", "loss_amount_idr": "9",
            "category": "login", "remedy_requested": "uang", "representative_name": "Lain",
        },
    )  # fmt: skip
    assert complaint.complainant == first.complainant
    assert complaint.loss == first.loss
    assert complaint.category == "slow_response"
    assert complaint.remedy_requested == "maaf"
    assert complaint.representative == first.representative
    assert complaint.assessment.category_reasons == first.assessment.category_reasons


def test_the_customers_own_choice_replaces_a_proposal(opened: Callable[..., Complaint], add: Add) -> None:
    first = opened()
    assert first.category == "withdrawal"
    assert add(first, "1", fields={"category": "account_funding"}).category == "account_funding"


def test_a_name_that_was_guessed_gives_way(opened: Callable[..., Complaint], add: Add) -> None:
    first = opened(sender=Sender(key="x", name="bud1"))
    assert "name_from_profile" in first.flags
    complaint = add(first, fields={"full_name": "Budi Santoso"})
    assert complaint.complainant.full_name == "Budi Santoso"
    assert "name_from_profile" not in complaint.flags


def test_files_are_added_under_names_of_their_own(opened: Callable[..., Complaint], add: Add) -> None:
    first = opened("Tidak bisa login")
    assert "screenshot_or_recording" in first.missing_documents
    picture = Attachment(kind="image", name="Screenshot.png", ref="1")
    once = add(first, attachments=(picture,))
    twice = add(once, attachments=(picture, Attachment(kind="audio", ref="2")))
    assert [item.id for item in twice.attachments] == ["later-0", "later-0", "later-1"]
    assert len({item.name_safe for item in twice.attachments}) == 3
    assert "screenshot_or_recording" not in once.missing_documents
    assert once.assessment.has_documents
    assert "has_audio" in twice.flags
    assert not twice.needs_agent


def test_the_story_after_a_mere_greeting_becomes_the_narrative(opened: Callable[..., Complaint], add: Add) -> None:
    first = opened("Halo min")
    complaint = add(first, "Tarik dana saya belum cair, hp 081234567890")
    assert complaint.narrative == "Halo min\nTarik dana saya belum cair, hp 081234567890"
    assert complaint.narrative_redacted == "Halo min\nTarik dana saya belum cair, hp [telepon]"
    assert complaint.subject == "Tarik dana saya belum cair, hp [telepon]"
    assert complaint.category == "withdrawal"
    again = add(complaint, "terima kasih")
    assert again.narrative == complaint.narrative


def test_a_subject_that_an_agent_wrote_stays(opened: Callable[..., Complaint], add: Add) -> None:
    first = msgspec.structs.replace(opened("Halo min"), subject="Penarikan Budi")
    assert add(first, "Tarik dana saya belum cair").subject == "Penarikan Budi"


def test_text_after_a_silent_picture_frees_it_from_the_agent(opened: Callable[..., Complaint], add: Add) -> None:
    first = opened("")
    assert first.needs_agent
    complaint = add(first, "Tarik dana saya belum cair")
    assert not complaint.needs_agent
    assert complaint.narrative == "Tarik dana saya belum cair"


def test_urgency_only_rises(opened: Callable[..., Complaint], add: Add) -> None:  # B5
    first = opened()
    risen = add(first, "penagih mengancam mau bunuh diri saya, akun sedang dibobol")
    assert risen.assessment.urgency == "emergency"
    assert risen.assessment.severity == "major"
    assert risen.assessment.urgency_reasons
    assert "urgency_raised" in risen.flags
    assert risen.needs_agent
    assert add(risen, "tidak mendesak").assessment.urgency == "emergency"


def test_once_complete_stays_complete(opened: Callable[..., Complaint], add: Add) -> None:
    first = msgspec.structs.replace(opened(), documents_complete_at=NOON)
    assert add(first, "halo").documents_complete_at == NOON


def test_a_power_of_attorney_that_comes_later_is_noticed(opened: Callable[..., Complaint], add: Add) -> None:
    first = opened(fields={"acting_as": "representative"})
    paper = Attachment(kind="document", name="surat kuasa.pdf", ref="1")
    complaint = add(first, attachments=(paper,))
    assert complaint.representative is not None
    assert complaint.representative.poa_status == "received"
