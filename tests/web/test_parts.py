"""The small pure parts of the public web: tokens, references, buckets, languages, amounts, file names and types."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from connectors import form_token
from connectors.submission import Upload
from connectors.submission_fields import LONGEST, NAMES, check, rupiah
from normalizer.complaint import FIELDS
from web import file_types, image_size, kept_files, limits
from web.file_types import WrongType, judge, safe_name
from web.language import choose
from web_samples import HTML, MP4, PDF, SVG, docx, jpeg, png

SECRET = b"a secret of thirty-two bytes here"
NOW = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)


def test_form_token_says_what_was_put_in() -> None:
    token = form_token.issue(SECRET, "aks-form", "cookie", bytes(range(16)), NOW)
    found = form_token.read(SECRET, "aks-form", token)
    assert found is not None
    assert found.issued_at == NOW
    assert found.nonce == bytes(range(16)).hex()
    assert found.session == form_token.session_name("cookie")
    assert form_token.read(SECRET, "other-form", token) is None
    assert form_token.read(b"another secret of thirty-two byte", "aks-form", token) is None


@given(at=st.integers(0, 94), to=st.characters(codec="ascii"))
def test_no_other_form_token_is_believed(at: int, to: str) -> None:
    token = form_token.issue(SECRET, "aks-form", "cookie", bytes(16), NOW)
    forged = token[:at] + to + token[at + 1 :]
    found = form_token.read(SECRET, "aks-form", forged)
    # Base64 has two spellings of the last bits; they must mean the same.
    assert found is None or found == form_token.read(SECRET, "aks-form", token)


@given(st.text(max_size=300))
def test_any_text_as_token_or_reference(text: str) -> None:
    assert form_token.read(SECRET, "aks-form", text) is None
    assert kept_files.read(SECRET, text, "s", NOW) is None


def test_reference_holds_in_its_session_for_a_day() -> None:
    upload = Upload(sha256="ab" * 32, size=3, name="a.pdf", mime="application/pdf", purpose="power_of_attorney")
    reference = kept_files.sign(SECRET, upload, "session", NOW)
    assert kept_files.read(SECRET, reference, "session", NOW + timedelta(hours=23)) == upload
    assert kept_files.read(SECRET, reference, "session", NOW + timedelta(hours=25)) is None
    assert kept_files.read(SECRET, reference, "other", NOW) is None
    assert kept_files.read(b"x" * 32, reference, "session", NOW) is None


def test_buckets_give_a_burst_then_a_rate() -> None:
    buckets = limits.TokenBuckets(burst=3, per_minute=60, remembered=2)
    assert [buckets.take("a", 0.0) for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a", 0.0) == pytest.approx(1.0)
    assert buckets.take("b", 0.0) == 0
    assert buckets.take("a", 1.5) == 0
    assert buckets.take("a", 1.5) == pytest.approx(0.5)
    assert buckets.take("c", 1.5) == 0  # "b" is forgotten: only two are remembered
    assert buckets.take("b", 1.5) == 0


@given(st.lists(st.floats(0, 100), min_size=1, max_size=200))
def test_buckets_never_give_more_than_their_rate(times: list[float]) -> None:
    buckets = limits.TokenBuckets(burst=5, per_minute=60, remembered=10)
    moments = sorted(times)
    taken = sum(buckets.take("a", moment) == 0 for moment in moments)
    assert taken <= 5 + (moments[-1] - moments[0]) + 1e-6


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "address"),
    [
        ("203.0.113.9", "198.51.100.1", (), "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", ("10.0.0.0/8",), "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", ("10.0.0.0/8",), "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", ("10.0.0.0/8",), "198.51.100.1"),
        ("10.0.0.1", "evil", ("10.0.0.0/8",), "10.0.0.1"),
        ("10.0.0.1", "", ("10.0.0.1",), "10.0.0.1"),
    ],
)
def test_only_our_proxies_are_believed(peer: str, forwarded: str, trusted: tuple[str, ...], address: str) -> None:
    """P21, ASVS 4.1.3: what a client writes into X-Forwarded-For counts for nothing."""
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=peer)
    assert limits.client_address(request, trusted) == address


def test_subnet_is_what_one_person_holds() -> None:
    assert limits.subnet("203.0.113.9") == "203.0.113.9"
    assert limits.subnet("2001:db8::1") == limits.subnet("2001:db8::ffff:1")
    assert limits.subnet("::ffff:203.0.113.9") == "203.0.113.9"
    assert limits.subnet("") == ""


@given(st.text(max_size=80))
def test_any_accept_language_gives_a_language(text: str) -> None:
    assert choose(None, text) in {"id", "en"}


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("1500000", "1500000"), ("1.500.000", "1500000"), ("1,500,000", "1500000"), ("Rp 1.500.000,00", "1500000"),
        ("Rp1.500.000,-", "1500000"), ("IDR 750", "750"), ("0", "0"), ("007", "7"), (" 12 000 ", "12000"),
    ],
)  # fmt: skip
def test_amounts_as_people_type_them(typed: str, digits: str) -> None:
    assert rupiah(typed) == digits


@pytest.mark.parametrize(
    "typed", ["", "Rp", "1.5", "1,50", "1.500.00", "-5", "1e6", "١٢٣", "9" * 16, "1.500,000", "12 juta"]
)
def test_amounts_that_could_be_misread_are_asked_again(typed: str) -> None:
    with pytest.raises(ValueError, match="rupiah"):
        rupiah(typed)


def test_every_field_of_the_schema_has_its_limit() -> None:
    assert set(LONGEST) == set(NAMES) == {"narrative", *FIELDS}


@given(
    st.dictionaries(st.sampled_from([*NAMES, "x", ""]), st.one_of(st.text(), st.integers(), st.none(), st.booleans()))
)
def test_check_is_total_and_what_it_takes_it_takes_again(fields: dict[str, object]) -> None:
    """U3, P32: a value is taken whole or named; taking it twice changes nothing."""
    taken, problems = check(fields)
    again, _ = check(taken)
    assert problems or again == taken
    assert set(taken).isdisjoint({p.field for p in problems} - {"representative_name"})
    for name, value in fields.items():
        if isinstance(value, str) and value.strip() and name in NAMES:
            assert name in taken or name in {p.field for p in problems}


@pytest.mark.parametrize(
    ("name", "content", "named", "mime"),
    [
        ("a.pdf", PDF, "a.pdf", "application/pdf"), ("A.PDF", PDF, "A.PDF", "application/pdf"),
        ("foto.jpg", png(), "foto.png", "image/png"), ("foto", jpeg(), "foto.jpg", "image/jpeg"),
        ("v.mp4", MP4, "v.mp4", "video/mp4"), ("v.mov", MP4, "v.mov", "video/mp4"),
        ("s.docx", docx(), "s.docx", file_types.ALLOWED["docx"]),
        ("s.amr", b"#!AMR\n" + bytes(9), "s.amr", "audio/amr"),
        ("s.ogg", b"OggS" + bytes(40), "s.ogg", "audio/ogg"), ("g.gif", b"GIF89a" + bytes(9), "g.gif", "image/gif"),
        ("w.wav", b"RIFF" + bytes(4) + b"WAVEfmt " + bytes(20), "w.wav", "audio/x-wav"),
    ],
)  # fmt: skip
def test_types_that_are_taken(tmp_path: Path, name: str, content: bytes, named: str, mime: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    found = judge(name, content[: file_types.HEAD_BYTES], path)
    assert (found.name, found.mime) == (named, mime)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.html", HTML, "type_not_allowed"), ("a.pdf.html", PDF, "type_not_allowed"),
        ("a", HTML, "type_not_allowed"), ("a.svg", SVG, "type_not_allowed"), ("a.png", SVG, "not_what_it_says"),
        ("a.jpg", PDF, "not_what_it_says"), ("a.pdf", MP4, "not_what_it_says"), ("a.mp3", PDF, "not_what_it_says"),
        ("a.docx", b"PK\x03\x04" + bytes(50), "not_what_it_says"), ("a.docm", docx(), "type_not_allowed"),
        ("a.docx", docx("word/VBAPROJECT.BIN"), "macros"), ("a.pdf", b"x" * 9, "not_what_it_says"),
        ("a.docx", docx(*(f"n{n}" for n in range(2_100))), "not_what_it_says"), ("a.exe", b"MZ", "type_not_allowed"),
    ],
)  # fmt: skip
def test_types_that_are_refused(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(WrongType) as caught:
        judge(name, content[: file_types.HEAD_BYTES], path)
    assert caught.value.code == code


@given(st.text(max_size=400))
def test_any_name_becomes_one_that_can_be_shown(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe) <= 120
    assert safe.isprintable()
    assert not set(safe) & set("/\\\0\n\r")
    assert safe_name(safe) == safe


@pytest.mark.parametrize(
    ("content", "mime", "count"),
    [
        (png(7, 5), "image/png", 35), (png(100_000, 100_000), "image/png", 10**10),
        (jpeg(640, 480), "image/jpeg", 307_200),
        (jpeg(9, 9, before=200_000), "image/jpeg", 81), (b"GIF89a" + struct.pack("<HH", 3, 4), "image/gif", 12),
        (b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + b"\x09\0\0\x04\0\0", "image/webp", 50),
        (PDF, "application/pdf", 0), (b"\x89PNG\r\n\x1a\n", "image/png", None), (png(0, 5), "image/png", None),
        (b"\xff\xd8\xff\xe0\x00\x01", "image/jpeg", None), (b"\xff\xd8" + b"\xff" * 500, "image/jpeg", None),
    ],
)  # fmt: skip
def test_pixels_from_the_header(tmp_path: Path, content: bytes, mime: str, count: int | None) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert image_size.pixels(path, mime) == count


@given(content=st.binary(max_size=300), mime=st.sampled_from(["image/png", "image/jpeg", "image/gif", "image/webp"]))
def test_any_bytes_as_picture(tmp_path_factory: pytest.TempPathFactory, content: bytes, mime: str) -> None:
    path = tmp_path_factory.getbasetemp() / "picture"
    path.write_bytes(content)
    count = image_size.pixels(path, mime)
    assert count is None or count >= 0
