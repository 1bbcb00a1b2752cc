"""A complaint told again by the messages that are left when a deleted one goes (T22)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from gateway.config_load import load
from harness import write_config
from normalizer.complaint import Complaint
from normalizer.completeness import DocumentRules
from normalizer.lexicon import Lexicon
from normalizer.message import Attachment, Message, Sender
from normalizer.normalize import Context, append, normalize
from tickets.records_rebuild import FILE_GONE, without_message

START = datetime(2026, 1, 5, 3, tzinfo=UTC)
STORY = "Penagih kasar menghubungi atasan saya, saldo saya juga terpotong"


@pytest.fixture(scope="module")
def lexicon(tmp_path_factory: pytest.TempPathFactory) -> Lexicon:
    return load(write_config(tmp_path_factory.mktemp("config"))).lexicon


def message(place: int, text: str, *files: str) -> Message:
    return Message(
        channel="instagram_dm",
        account="1",
        key=f"k{place}",
        external_id=f"mid.{place}",
        sent_at=START + timedelta(minutes=place),
        sender=Sender(key="ig:1", handle="siti"),
        text=text,
        attachments=tuple(Attachment(kind="image", name=name, ref=name) for name in files),
    )


def told(lexicon: Lexicon, *messages: Message) -> Complaint:
    """As the intake makes it of these messages, one after the other."""
    complaint: Complaint | None = None
    for place, each in enumerate(messages):
        ids = tuple(f"A{place}{file}" for file in range(len(each.attachments)))
        if complaint is None:
            context = Context(
                complaint_id="C1", ticket_number="KLA-20260105-000001-8", tenant="klikacc", channel_id="ig",
                policy_id="klikacc", policy_version="1", calendar_version="1", form="written",
                effective_received_date=date(2026, 1, 5), received_at=START, ingested_at=START, lexicon=lexicon,
                attachment_ids=ids,
            )  # fmt: skip
            complaint = normalize(each, context)
        else:
            complaint = append(
                complaint, each, received=each.sent_at, documents=DocumentRules(), lexicon=lexicon, attachment_ids=ids
            )
    assert complaint is not None
    return complaint


def without(
    lexicon: Lexicon, complaint: Complaint, deleted: Message, *others: Message, gone: tuple[str, ...] = ()
) -> Complaint:
    return without_message(complaint, deleted, others, files_gone=gone, lexicon=lexicon, categories=None, kinds=None)


def test_the_story_goes_and_what_else_was_said_stays(lexicon: Lexicon) -> None:
    first, second = message(0, STORY), message(1, "Tolong dijawab, terima kasih")
    before = told(lexicon, first, second)
    assert STORY in before.narrative
    after = without(lexicon, before, first, second)
    assert after.narrative == after.narrative_redacted == "Tolong dijawab, terima kasih"
    assert "atasan" not in f"{after.subject} {after.assessment}"
    # What the story led to stays: a deletion takes words back, not a complaint.
    assert (after.issue, after.category, after.assessment.urgency) == (
        before.issue,
        before.category,
        before.assessment.urgency,
    )


def test_a_message_that_is_not_in_the_narrative_changes_nothing(lexicon: Lexicon) -> None:
    first, second = message(0, STORY), message(1, "Halo?")
    before = told(lexicon, first, second)
    assert without(lexicon, before, second, first) == before


def test_an_opening_that_goes_leaves_the_story(lexicon: Lexicon) -> None:
    opening, story = message(0, "halo min"), message(1, STORY)
    before = told(lexicon, opening, story)
    assert before.narrative == f"halo min\n{STORY}"
    assert without(lexicon, before, opening, story).narrative == STORY


def test_the_last_message_leaves_an_empty_complaint_with_its_dates(lexicon: Lexicon) -> None:
    only = message(0, STORY, "bukti siti.jpg")
    before = told(lexicon, only)
    after = without(lexicon, before, only, gone=("A00",))
    assert (after.subject, after.narrative, after.narrative_redacted) == ("", "", "")
    assert [(file.id, file.name_safe, file.status, file.reason) for file in after.attachments] == [
        ("A00", "-", "refused", FILE_GONE)
    ]
    kept = replace(
        after, subject=before.subject, narrative=before.narrative, narrative_redacted=before.narrative_redacted,
        assessment=before.assessment, attachments=before.attachments,
    )  # fmt: skip
    assert kept == before


def test_files_of_other_messages_stay(lexicon: Lexicon) -> None:
    first, second = message(0, STORY, "satu.jpg"), message(1, "Ini buktinya", "dua.jpg")
    before = told(lexicon, first, second)
    after = without(lexicon, before, first, second, gone=("A00",))
    assert [file.name_safe for file in after.attachments] == ["-", before.attachments[1].name_safe]
