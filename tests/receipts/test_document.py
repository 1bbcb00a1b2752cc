"""The receipt as a signed PDF: readable by machines and people, and any changed byte shows."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from normalizer.complaint import Complainant, Complaint
from receipts.document import Issuer
from receipts.signature import (
    SigningKey,
    Statement,
    open_key,
    public_keys,
    read_statement,
    sign_statement,
)
from receipts.terms import Terms
from receipts.verify import verify
from receipts.wording import Wording
from tickets.model import OutboxItem

MakeComplaint = Callable[..., Complaint]
MakeItem = Callable[..., OutboxItem]
URL = "https://aduan.example.co.id"


@pytest.fixture(name="pdf", scope="module")
def _pdf(issuer: Issuer, terms: dict[str, Terms], make_complaint: MakeComplaint, make_item: MakeItem) -> bytes:
    item = make_item(make_complaint("klikacc"))
    return issuer.issue(item.complaint, item.ticket, terms=terms["klikacc"])


def text_of(pdf: bytes) -> str:
    return " ".join(PdfReader(io.BytesIO(pdf)).pages[0].extract_text().split())


def test_number_dates_and_contact_can_be_read_out_in_both_languages(pdf: bytes) -> None:
    reader = PdfReader(io.BytesIO(pdf))
    text = text_of(pdf)
    for part in (
        "Tanda Bukti Terima Pengaduan",
        "Complaint receipt",
        "KLA-20260105-000123-7",
        "Senin, 5 Januari 2026 pukul 10.00 WIB",
        "Monday, 5 January 2026 at 10:00 WIB",
        "Kamis, 8 Januari 2026",
        "Thursday, 8 January 2026",
        "support@klikacc.com",
    ):
        assert part in text
    assert len(reader.pages) == 1
    assert (round(reader.pages[0].mediabox.width), round(reader.pages[0].mediabox.height)) == (420, 595)  # A5
    assert reader.metadata is not None
    assert reader.metadata.title == "Tanda Bukti Terima Pengaduan KLA-20260105-000123-7"


def test_it_is_tagged_and_declares_pdf_ua(pdf: bytes) -> None:
    root = PdfReader(io.BytesIO(pdf)).root_object
    assert str(root["/MarkInfo"]) == "{'/Marked': True, '/Suspects': False}"
    assert str(root["/Lang"]).startswith("id")
    assert "/StructTreeRoot" in root
    assert b"pdfuaid:part>1<" in pdf


def test_it_embeds_the_statement_that_is_signed(pdf: bytes, folder: Path) -> None:
    verdict = verify(pdf, public_keys(folder))
    attached = json.loads(PdfReader(io.BytesIO(pdf)).attachments["statement.json"][0])
    assert verdict.statement is not None
    assert verdict.statement.ticket_number == attached["ticket_number"] == "KLA-20260105-000123-7"
    assert verdict.statement.response_due == date(2026, 1, 8)
    assert verdict.statement.complaint == hashlib.sha256(b"01JGTEST000000000000000001").hexdigest()


def test_the_same_facts_give_the_same_bytes_in_every_thread(
    issuer: Issuer, terms: dict[str, Terms], make_complaint: MakeComplaint, make_item: MakeItem, pdf: bytes
) -> None:
    item = make_item(make_complaint("klikacc"))
    made: list[bytes] = []

    def issue() -> None:
        made.append(issuer.issue(item.complaint, item.ticket, terms=terms["klikacc"]))

    threads = [threading.Thread(target=issue) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [pdf] * 4


def test_a8_paper_promises_no_date_before_the_documents_are_complete(
    issuer: Issuer, terms: dict[str, Terms], folder: Path, make_complaint: MakeComplaint, make_item: MakeItem
) -> None:
    item = make_item(make_complaint("akseleran", missing_documents=("id_address",)))
    paper = issuer.issue(item.complaint, item.ticket, terms=terms["akseleran"], access_code="048213")
    text = text_of(paper)
    assert "2 hari kerja setelah dokumen lengkap" in text
    assert "8 Januari" not in text
    assert "048213" in text
    verdict = verify(paper, public_keys(folder))
    assert verdict.statement is not None
    assert verdict.statement.response_due is None


def test_p27_what_looks_like_markup_is_printed_as_text(
    issuer: Issuer, terms: dict[str, Terms], make_complaint: MakeComplaint, make_item: MakeItem
) -> None:
    hostile = msgspec.structs.replace(terms["klikacc"], organisation='#panic(1) *a* $x$ @b <c> \\ {d} "e"')
    item = make_item(make_complaint("klikacc", ticket_number='#eval("1")-7'))
    text = text_of(issuer.issue(item.complaint, item.ticket, terms=hostile))
    assert '#panic(1) *a* $x$ @b <c> \\ {d} "e"' in text
    assert '#eval("1")-7' in text


def test_no_personal_data_is_in_it(
    issuer: Issuer, terms: dict[str, Terms], make_complaint: MakeComplaint, make_item: MakeItem
) -> None:
    who = Complainant(full_name="Budi Santoso", phone="+628129999000", email="budi@x.id")
    item = make_item(make_complaint("klikacc", complainant=who, narrative="Saldo hilang"))
    pdf = issuer.issue(item.complaint, item.ticket, terms=terms["klikacc"])
    text = text_of(pdf)
    assert not [word for word in ("Budi", "9999000", "budi@x.id", "Saldo") if word in text or word.encode() in pdf]


@given(data=st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_byte_shows(pdf: bytes, folder: Path, data: st.DataObject) -> None:
    # The end of the file is where a clever change would be made: look there more often.
    near_the_end = st.integers(max(0, len(pdf) - 900), len(pdf) - 1)
    position = data.draw(st.one_of(st.integers(0, len(pdf) - 1), near_the_end))
    flip = data.draw(st.integers(1, 255))
    forged = bytearray(pdf)
    forged[position] ^= flip
    assert not verify(bytes(forged), public_keys(folder)).valid


@given(data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_missing_or_added_byte_shows(pdf: bytes, folder: Path, data: st.DataObject) -> None:
    keys = public_keys(folder)
    start = data.draw(st.integers(0, len(pdf) - 1))
    end = data.draw(st.integers(start + 1, min(len(pdf), start + 3000)))
    assert not verify(pdf[:start] + pdf[end:], keys).valid
    assert not verify(pdf[:start], keys).valid
    extra = data.draw(st.binary(min_size=1, max_size=4))
    assert not verify(pdf + extra, keys).valid
    assert not verify(extra + pdf, keys).valid
    assert not verify(pdf[:start] + extra + pdf[start:], keys).valid


def test_every_byte_of_the_seal_counts(pdf: bytes, folder: Path) -> None:
    keys = public_keys(folder)
    start = pdf.rindex(b"%ADUAN-RECEIPT-1")
    for position in range(start, len(pdf)):
        forged = bytearray(pdf)
        forged[position] ^= 0x20
        assert not verify(bytes(forged), keys).valid, position


@given(st.binary(max_size=400))
def test_any_bytes_get_a_verdict(noise: bytes) -> None:
    assert not verify(noise, {}).valid
    assert not verify(b"%PDF-1.7\n%ADUAN-RECEIPT-1 " + noise, {}).valid


def test_a_foreign_key_is_named_as_such(
    pdf: bytes, folder: Path, tmp_path: Path, wording: Wording, terms: dict[str, Terms], make_complaint: MakeComplaint,
    make_item: MakeItem,
) -> None:  # fmt: skip
    assert verify(pdf, {}).reason == "unknown_key"
    stranger = open_key(tmp_path)
    assert verify(pdf, public_keys(tmp_path)).reason == "unknown_key"
    item = make_item(make_complaint("klikacc"))
    forged = Issuer(key=stranger, wording=wording, public_url=URL).issue(
        item.complaint, item.ticket, terms=terms["klikacc"]
    )
    assert verify(forged, public_keys(folder)).reason == "unknown_key"
    assert verify(forged, public_keys(folder) | public_keys(tmp_path)).valid
    # The stranger's signature under our key's name.
    ours = next(iter(public_keys(folder)))
    assert not verify(forged.replace(stranger.key_id.encode(), ours.encode()), public_keys(folder)).valid
    assert verify(b"%PDF-1.4 hello", public_keys(folder)).reason == "not_a_receipt"


def test_the_code_on_paper_proves_the_statement(pdf: bytes, folder: Path, key: SigningKey) -> None:
    statement = verify(pdf, public_keys(folder)).statement
    assert isinstance(statement, Statement)
    token = sign_statement(statement, key)
    assert read_statement(token, public_keys(folder)) == statement
    assert read_statement(token, {}) is None
    for position in range(0, len(token), 7):
        sign = "A" if token[position] != "A" else "B"
        assert read_statement(token[:position] + sign + token[position + 1 :], public_keys(folder)) is None
    assert read_statement(token + "=", public_keys(folder)) is None


def test_the_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "keys"
    first = open_key(folder)
    assert open_key(folder).key_id == first.key_id
    assert stat.S_IMODE((folder / "receipt-key.pem").stat().st_mode) == 0o600
    assert list(public_keys(folder)) == [first.key_id]
    assert first.key_id in repr(first)
    assert "PRIVATE" not in repr(first)
    # A new key does not make old receipts unverifiable.
    (folder / "receipt-key.pem").unlink()
    second = open_key(folder)
    assert set(public_keys(folder)) == {first.key_id, second.key_id}


def test_a_foreign_key_file_is_refused(tmp_path: Path) -> None:
    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "receipt-key.pem").write_bytes(pem)
    with pytest.raises(ValueError, match="not an Ed25519 key"):
        open_key(tmp_path)
