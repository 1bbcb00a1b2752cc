"""A notice as a signed letter (A22, section 8): readable, sealed, recognised as ours, and naming nobody."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pypdf import PdfReader

from connectors.facts import Facts
from normalizer.complaint import Complainant, Complaint
from normalizer.message import Channel
from receipts.document import Issuer
from receipts.letter import printable
from receipts.notice_values import data_of
from receipts.signature import (
    LetterStatement,
    SigningKey,
    decode,
    encode,
    letter_statement_of,
    public_keys,
    read_statement,
    sign_statement,
    statement_of,
)
from receipts.terms import Terms
from receipts.verify import verify
from receipts.wording import Wording
from receipts.writer import ReceiptWriter
from tickets.lifecycle_values import Notice
from tickets.model import OutboxItem, Route

MakeComplaint = Callable[..., Complaint]
MakeItem = Callable[..., OutboxItem]
MakeFacts = Callable[..., Facts]
NOW = datetime(2026, 1, 7, 18, 30, tzinfo=UTC)  # Thursday, 01.30 WIB
REASONS = (
    "Kami telah memeriksa transaksi Anda.\nDana sudah masuk pada 3 Januari 2026.\n\nBukti terlampir di berkas kami."
)
REJECTION = Notice(
    kind="rejection", text=REASONS, ground="already_settled", forums=("court", "laps_sjk"), letter=True
)  # fmt: skip


@pytest.fixture(name="letter", scope="module")
def _letter(
    issuer: Issuer, terms: dict[str, Terms], make_complaint: MakeComplaint, make_item: MakeItem
) -> Callable[[Notice], bytes]:
    item = make_item(make_complaint("akseleran"))

    def letter(notice: Notice) -> bytes:
        template, data = f"notice_{notice.kind}:4", data_of(notice, NOW)
        return issuer.letter(template, data, item.complaint, item.ticket, terms=terms["akseleran"])

    return letter


def words(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def test_a22_a_rejection_is_a_letter_with_ground_reasons_and_forums(letter: Callable[[Notice], bytes]) -> None:
    """A22, A20: in writing, with clear reasons and the bodies outside, dated in WIB; both languages, no name."""
    pdf = letter(REJECTION)
    text = words(pdf)
    for part in (
        "Kamis, 8 Januari 2026",
        "Thursday, 8 January 2026",
        "Kepada Yth. Penyampai pengaduan nomor KLA-20260105-000123-7",
        "Perihal Penolakan pengaduan",
        "Dasar penolakan: Pengaduan sudah pernah diselesaikan.",
        "Dana sudah masuk pada 3 Januari 2026.",
        "Ground of the rejection: The complaint was settled before.",
        "info@lapssjk.id",
        "ditandatangani secara elektronik",
    ):
        assert part in text, text
    assert text.count("Bukti terlampir") == 1
    assert "Budi" not in text
    reader = PdfReader(io.BytesIO(pdf))
    assert (round(float(reader.pages[0].mediabox.width)), round(float(reader.pages[0].mediabox.height))) == (595, 842)
    assert reader.metadata is not None
    assert reader.metadata.title == "Penolakan pengaduan KLA-20260105-000123-7"
    assert "/StructTreeRoot" in reader.root_object
    assert str(reader.root_object["/Lang"]).startswith("id")


def test_the_same_row_gives_the_same_bytes(letter: Callable[[Notice], bytes]) -> None:
    assert letter(REJECTION) == letter(REJECTION)


def test_verify_knows_a_letter_and_any_changed_byte(letter: Callable[[Notice], bytes], folder: Path) -> None:
    pdf = letter(REJECTION)
    found = verify(pdf, public_keys(folder))
    assert found.valid
    statement = found.statement
    assert isinstance(statement, LetterStatement)
    assert (statement.notice, statement.issued_on) == ("rejection", date(2026, 1, 8))
    assert (statement.organisation, statement.ticket_number) == ("Akseleran", "KLA-20260105-000123-7")
    for at in range(0, len(pdf), len(pdf) // 40):
        changed = pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]
        assert not verify(changed, public_keys(folder)).valid
    attached = PdfReader(io.BytesIO(pdf)).attachments["statement.json"][0]
    assert json.loads(attached)["notice"] == "rejection"


def test_the_code_on_a_letter_is_no_receipts_code(
    key: SigningKey, folder: Path, make_complaint: MakeComplaint, make_item: MakeItem
) -> None:
    """Both statements are signed alike and told apart; neither can be read as the other."""
    item = make_item(make_complaint())
    receipt = statement_of(item.complaint, item.ticket, organisation="KlikACC", response_due=None, by=key.key_id)
    letter = letter_statement_of(
        item.complaint, item.ticket, organisation="KlikACC", notice="answer", issued_on=date(2026, 1, 8), by=key.key_id
    )
    for statement in (receipt, letter):
        assert decode(encode(statement)) == statement
        assert read_statement(sign_statement(statement, key), public_keys(folder)) == statement
    # What is signed under it must never change, or receipts that people hold would no longer verify.
    assert list(json.loads(encode(receipt))) == [
        "version", "organisation", "ticket_number", "received_at", "response_due", "complaint", "key_id",
    ]  # fmt: skip


def test_a_long_letter_has_numbered_pages(letter: Callable[[Notice], bytes]) -> None:
    pdf = letter(replace(REJECTION, text="Penjelasan yang panjang sekali. " * 600))
    pages = PdfReader(io.BytesIO(pdf)).pages
    assert len(pages) > 3
    assert f"2/{len(pages)}" in pages[1].extract_text()


HARMLESS = ("= Judul", "#panic()", "*tebal* _miring_", "$x$", '"); #import "x"', "\\u{1F600}", "<label> @ref", "// x")


@pytest.mark.parametrize("text", HARMLESS)
def test_what_the_desk_wrote_is_text_and_never_markup(text: str, letter: Callable[[Notice], bytes]) -> None:
    assert text.split()[0] in words(letter(replace(REJECTION, text=text)))


@given(st.text(max_size=300))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_can_be_printed(letter: Callable[[Notice], bytes], text: str) -> None:
    """A sign that the fonts lack is shown as a square: the letter is made all the same."""
    assert letter(replace(REJECTION, text=text)).startswith(b"%PDF-")


def test_a_word_longer_than_a_line_stays_on_the_page(letter: Callable[[Notice], bytes]) -> None:
    """A22: what is written as the reasons can be read to the end."""
    pdf = letter(replace(REJECTION, text="Nomor acuan: " + "WXYZ" * 75))
    (page, *_) = PdfReader(io.BytesIO(pdf)).pages
    lines = [line for line in page.extract_text().splitlines() if "WXYZ" in line]
    assert len(lines) >= 4
    assert sum(line.count("W") for line in lines) == 75


def test_signs_that_paper_cannot_show() -> None:
    assert printable("Rp1.500.000 – “ya” é Ж →\nbaris") == "Rp1.500.000 – “ya” é Ж →\nbaris"
    assert printable("ok 😀 漢") == "ok □ □"


def test_only_a_notice_has_a_letter(
    issuer: Issuer, terms: dict[str, Terms], make_complaint: MakeComplaint, make_item: MakeItem
) -> None:
    item = make_item(make_complaint("akseleran"))
    for template in ("receipt", "notice:3", "notice_nothing:1"):
        with pytest.raises(KeyError):
            issuer.letter(template, data_of(REJECTION, NOW), item.complaint, item.ticket, terms=terms["akseleran"])


@pytest.mark.parametrize(
    ("notice", "who", "channel", "name"),
    [
        (REJECTION, Complainant(email="b@x.id", verified=True), "email", "KLA-20260105-000123-7-rejection.pdf"),
        (replace(REJECTION, letter=False), Complainant(email="b@x.id", verified=True), "email", None),
        (REJECTION, Complainant(email="b@x.id"), "email", None),
        (REJECTION, Complainant(phone="+62811", verified=True), "whatsapp", None),
    ],
)
async def test_the_letter_is_attached_to_an_email_to_a_proven_address(
    notice: Notice, who: Complainant, channel: Channel, name: str | None,
    issuer: Issuer, wording: Wording, terms: dict[str, Terms],
    make_complaint: MakeComplaint, make_item: MakeItem, make_facts: MakeFacts,
) -> None:  # fmt: skip
    """A22: text and letter in one email; no file and no reasons to an address that nobody proved (A10)."""
    here = make_complaint("akseleran", channel=channel, complainant=who)
    route = Route(channel_id="akseleran-whatsapp", recipient="b@x.id", channel=channel)
    item = make_item(here, template="notice_rejection:4", route=route, data=data_of(notice, NOW))
    writer = ReceiptWriter(
        wording=wording, terms=terms, secret=b"s", public_url="https://aduan.example.co.id", issuer=issuer
    )
    (out,) = await writer.write(item, make_facts())
    assert [file.name for file in out.files] == ([name] if name else [])
    assert (REASONS in out.text) == (who.verified)
    assert writer.version(item.row.template) == wording.versions["notice_rejection"]
