"""Files: names that harm nobody, and what each seems to be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer import attachments
from normalizer.attachments import safe_name
from normalizer.lexicon import Lexicon
from normalizer.message import Attachment


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("bukti.pdf", "bukti.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\budi\\ktp.jpg", "ktp.jpg"),
        ("a\x00b\r\n.png", "ab.png"),
        ("gpj.\u202eexe.jpg", "gpj.exe.jpg"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("..", "file-1.jpg"),
        ("", "file-1.jpg"),
        (None, "file-1.jpg"),
        ("///", "file-1.jpg"),
        ("  .hidden. ", "hidden"),
        ('a<b>:"|?*.pdf', "a_b_.pdf"),
        ("x" * 4096 + ".pdf", "x" * 96 + ".pdf"),
    ],
)
def test_names(name: str | None, safe: str) -> None:  # P23
    assert safe_name(name, "file-1", "image/jpeg; charset=x") == safe


@given(st.text(alphabet=st.characters(exclude_categories=())), st.text(max_size=30))
def test_no_name_is_dangerous(name: str, mime: str) -> None:
    safe = safe_name(name, "file-1", mime)
    assert 0 < len(safe) <= 101
    assert len(safe.encode("utf-8")) <= 255
    assert not set(safe) & set('/\\<>:"|?*\x00\n\r\t')
    assert safe.strip(" .") == safe


@pytest.mark.parametrize(
    ("attachment", "caption", "kind"),
    [
        (Attachment(kind="image", name="Foto_KTP_budi.jpg"), "", "id_card"),
        (Attachment(kind="document", name="surat kuasa.pdf"), "", "poa"),
        (Attachment(kind="image", name="Screenshot_20260105-101010.png"), "", "screenshot"),
        (Attachment(kind="image", name="bukti transfer.jpg"), "", "transaction_proof"),
        (Attachment(kind="audio", name="rekaman suara penagih.mp3"), "", "recording"),
        (Attachment(kind="video"), "", "recording"),
        (Attachment(kind="image", name="IMG-20260105-WA0001.jpg"), "ini ktp saya", "id_card"),
        (Attachment(kind="image", name="IMG.jpg"), "ktp " * 50, "other"),
        (Attachment(kind="image"), "", "other"),
        (Attachment(kind="audio"), "", "other"),
        (Attachment(kind="document", name="power of attorney.pdf"), "", "poa"),
    ],
)
def test_kinds(lexicon: Lexicon, attachment: Attachment, caption: str, kind: str) -> None:
    assert attachments.guess_kind(attachment, caption, lexicon) == kind


@pytest.mark.parametrize(
    ("given_", "status"),
    [
        ({"sha256": "ab"}, "stored"),
        ({"content": b"x"}, "pending"),
        ({"ref": "media-1"}, "pending"),
        ({"url": "https://contoh.id/x"}, "pending"),
        ({"error": "over 100 MB at the provider", "ref": "media-1"}, "refused"),
        ({}, "refused"),
    ],
)
def test_status(lexicon: Lexicon, given_: dict[str, Any], status: str) -> None:
    (stored,) = attachments.store((Attachment(kind="image", **given_),), ("id-1",), "", lexicon)
    assert stored.status == status
    assert (stored.reason is not None) == (status == "refused")
    assert stored.mime_sniffed is None
    assert stored.scan == "pending"


def test_two_files_of_one_name_get_two_names(lexicon: Lexicon) -> None:
    twins = (Attachment(name="IMG.jpg", ref="1"), Attachment(name="img.JPG", ref="2"))
    stored = attachments.store(twins, ("a", "b"), "", lexicon, taken=("IMG.jpg",))
    assert [item.name_safe for item in stored] == ["IMG-2.jpg", "img-3.JPG"]


def test_a_file_without_an_id_is_an_error_of_the_caller(lexicon: Lexicon) -> None:
    with pytest.raises(ValueError, match="zip"):
        attachments.store((Attachment(),), (), "", lexicon)


@pytest.mark.parametrize(
    ("kind", "counts"),
    [("image", True), ("document", True), ("video", True), ("audio", False), ("sticker", False), ("location", False)],
)
def test_what_counts_as_supporting_document(kind: Any, counts: bool) -> None:  # K8, G13
    assert attachments.are_documents([Attachment(kind=kind, ref="x")]) is counts
    assert not attachments.are_documents([Attachment(kind=kind, error="gone")])
