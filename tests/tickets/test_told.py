"""What a message to the customer draws on is read as the whole complaint and the whole ticket would be."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import pytest
from msgspec import Struct, structs

from normalizer.complaint import Complainant, Complaint
from store_values import Build
from tickets.model import Ticket
from tickets.told import BriefComplainant, BriefComplaint, BriefTicket, brief_complaint, brief_ticket


@pytest.mark.parametrize(
    ("brief", "whole"), [(BriefComplainant, Complainant), (BriefComplaint, Complaint), (BriefTicket, Ticket)]
)
def test_every_field_is_one_of_the_whole_with_the_same_default(brief: type[Struct], whole: type[Struct]) -> None:
    """What is left out of a document because it is empty means the same to both."""
    of_the_whole = {field.name: field for field in structs.fields(whole)}
    for field in structs.fields(brief):
        there = of_the_whole[field.name]
        assert field.encode_name == there.encode_name
        if field.name == "complainant":
            assert (field.default, there.default) == (BriefComplainant(), Complainant())
        else:
            assert (field.type, field.default, field.required) == (there.type, there.default, there.required)


def test_documents_are_read_as_far_as_needed() -> None:
    build = Build()
    at = datetime(2026, 1, 6, tzinfo=UTC)
    complaint = build.complaint(
        "C1",
        "KLA-20260105-000001-0",
        complainant=Complainant(full_name="Budi", verified=True),
        entered_by="siti",
        category="fraud",
        documents_complete_at=at,
        missing_documents=("id_address",),
    )
    ticket = build.ticket("C1", complaint.ticket_number, resolve_earliest=date(2026, 1, 20))
    assert brief_complaint(msgspec.json.encode(complaint)) == BriefComplaint(
        complaint_id="C1",
        channel="whatsapp",
        channel_id="wa",
        entered_by="siti",
        received_at=build.now,
        documents_complete_at=at,
        complainant=BriefComplainant(verified=True),
        category="fraud",
        missing_documents=("id_address",),
    )
    assert brief_ticket(msgspec.json.encode(ticket)) == BriefTicket(
        ticket_number=complaint.ticket_number,
        first_response_due=date(2026, 1, 8),
        resolve_earliest=date(2026, 1, 20),
        resolve_due=date(2026, 2, 3),
        access_code_hash="right-hash",
    )
