"""The writer of an installation: codes, links, and the signed document for proven email addresses only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.facts import Facts
from normalizer.complaint import Complainant, Complaint
from receipts.access import access_code
from receipts.document import Issuer
from receipts.signature import open_key, public_keys
from receipts.terms import Terms
from receipts.verify import verify
from receipts.wording import Wording
from receipts.writer import ReceiptWriter
from tickets.model import OutboxItem

MakeComplaint = Callable[..., Complaint]
MakeItem = Callable[..., OutboxItem]
MakeFacts = Callable[..., Facts]
SECRET = b"s" * 32


@pytest.fixture(name="writer")
def _writer(wording: Wording, terms: dict[str, Terms], tmp_path: Path) -> ReceiptWriter:
    issuer = Issuer(key=open_key(tmp_path / "keys"), wording=wording, public_url="https://aduan.test")
    return ReceiptWriter(wording=wording, terms=terms, secret=SECRET, public_url="https://aduan.test", issuer=issuer)


async def test_a_proven_address_gets_the_signed_document(
    writer: ReceiptWriter, tmp_path: Path, make_complaint: MakeComplaint, make_item: MakeItem, make_facts: MakeFacts
) -> None:
    mail = make_complaint("klikacc", channel="email", complainant=Complainant(email="b@x.id", verified=True))
    (out,) = await writer.write(make_item(mail), make_facts())
    (file,) = out.files
    assert (file.name, file.mime) == ("KLA-20260105-000123-7.pdf", "application/pdf")
    verdict = verify(file.content, public_keys(tmp_path / "keys"))
    assert verdict.statement is not None
    assert verdict.statement.ticket_number == "KLA-20260105-000123-7"
    assert access_code(SECRET, mail.complaint_id) in out.text
    assert "https://aduan.test/status" in out.text


@pytest.mark.parametrize(
    ("channel", "verified", "template", "files"),
    [
        ("email", False, "receipt", True),
        ("email", True, "added_to:1", True),
        ("email", True, "receipt", False),
        ("whatsapp", True, "receipt", True),
    ],
)
async def test_nobody_else_gets_a_file(
    channel: str, verified: bool, template: str, files: bool, writer: ReceiptWriter, make_complaint: MakeComplaint,
    make_item: MakeItem, make_facts: MakeFacts,
) -> None:  # fmt: skip
    made = make_complaint("klikacc", channel=channel, complainant=Complainant(verified=verified))
    (out,) = await writer.write(make_item(made, template=template), make_facts(attachments_out=files))
    assert not out.files


async def test_a_ticket_without_a_code_prints_none(
    writer: ReceiptWriter, make_complaint: MakeComplaint, make_item: MakeItem, make_facts: MakeFacts
) -> None:
    made = make_complaint("klikacc")
    (out,) = await writer.write(make_item(made, ticket={"access_code_hash": None}), make_facts())
    assert "Kode cek status" not in out.text
    assert access_code(SECRET, made.complaint_id) not in out.text


def test_the_version_of_what_the_dialog_says_is_that_of_the_notice(writer: ReceiptWriter, wording: Wording) -> None:
    assert writer.version("receipt") == wording.versions["receipt"]
    assert writer.version("notice:7") == writer.version("text:8") == wording.versions["notice"]
