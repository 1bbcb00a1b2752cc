"""What is present, missing or unknown of a policy's documents (A12, K9)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from normalizer.complaint import (
    Assessment,
    Complainant,
    Complaint,
    Representative,
    StoredAttachment,
    Transaction,
)
from normalizer.completeness import DocumentRules, documents_complete, missing_documents, presence


def complaint(**changes: Any) -> Complaint:
    moment = datetime(2026, 1, 5, tzinfo=UTC)
    values: dict[str, Any] = {
        "complaint_id": "1", "ticket_number": "n", "policy_id": "p", "policy_version": "1", "calendar_version": "c",
        "tenant": "t", "channel": "email", "channel_account": "a", "channel_id": "i", "received_at": moment,
        "ingested_at": moment, "effective_received_date": date(2026, 1, 5), "narrative": "Dana belum cair",
        "category": "withdrawal",
        "complainant": Complainant(full_name="Budi", id_address="Jl. Melati 1", phone="+6281234567890"),
        "transaction": Transaction(type="withdrawal", date=date(2026, 1, 2)),
    }  # fmt: skip
    return Complaint(**(values | changes))


def file(kind: Any, status: Any = "stored") -> StoredAttachment:
    return StoredAttachment(id="1", name_safe="a", kind=kind, status=status)


@pytest.mark.parametrize(
    ("changes", "missing", "complete"),
    [
        ({}, (), True),
        ({"complainant": Complainant()}, ("full_name", "id_address", "phone"), False),
        ({"flags": ("name_from_profile",)}, (), None),
        ({"narrative": ""}, ("problem",), False),
        ({"transaction": None}, ("transaction_type_date",), False),
        ({"transaction": Transaction(type="withdrawal")}, ("transaction_type_date",), False),
        ({"transaction": None, "category": "slow_response"}, (), True),
        ({"transaction": None, "category": None}, (), None),
        ({"category": "login", "transaction": None}, ("screenshot_or_recording",), False),
        ({"category": "login", "transaction": None, "attachments": (file("screenshot"),)}, (), True),
        ({"category": "login", "transaction": None, "attachments": (file("recording", "pending"),)}, (), True),
        ({"category": "login", "transaction": None, "attachments": (file("screenshot", "refused"),)},
         ("screenshot_or_recording",), False),
        ({"category": "login", "transaction": None, "attachments": (file("other"),)}, (), None),
        ({"representative": Representative()}, ("power_of_attorney",), False),
        ({"representative": Representative(poa_status="received")}, (), None),
        ({"representative": Representative(poa_status="verified")}, (), True),
    ],
)  # fmt: skip
def test_akseleran(
    documents: DocumentRules, changes: dict[str, Any], missing: tuple[str, ...], complete: bool | None
) -> None:
    found = complaint(**changes)
    assert missing_documents(found, documents) == missing
    assert documents_complete(found, documents) is complete


def test_klikacc_asks_only_on_request() -> None:  # K9
    rules = DocumentRules(listed=("supporting_documents",), on_request_only=True)
    assert missing_documents(complaint(), rules) == ()
    assert documents_complete(complaint(), rules) is True
    assert presence(complaint(), rules) == {"supporting_documents": "missing"}
    with_papers = complaint(assessment=Assessment(has_documents=True))
    assert presence(with_papers, rules) == {"supporting_documents": "present"}


def test_a_policy_without_a_list_waits_for_nothing() -> None:  # klikUMKM
    assert documents_complete(complaint(narrative=""), DocumentRules()) is True


def test_names_that_we_do_not_know_are_unknown_not_missing() -> None:
    rules = DocumentRules(listed=("surat_keterangan", "phone"), required_when={"phone": "full_moon"})
    assert presence(complaint(complainant=Complainant()), rules) == {"surat_keterangan": "unknown", "phone": "unknown"}
    assert documents_complete(complaint(), rules) is None


def test_a_document_that_is_not_needed_is_not_required(documents: DocumentRules) -> None:
    found = presence(complaint(), documents)
    assert found["power_of_attorney"] == found["screenshot_or_recording"] == "not_required"
    assert found["other_relevant"] == "present"
