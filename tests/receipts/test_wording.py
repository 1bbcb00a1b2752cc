"""The sentences customers can receive: complete, in both languages, and never able to be tricked (P27)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receipts.wording import Sentence, Wording
from receipts.wording_load import load_wording
from receipts.wording_rules import RULES
from tickets.yaml_lines import InvalidFile

SHIPPED = Path(__file__).parents[2] / "config" / "wording"
PAYLOADS = [
    "{{7*7}}", "{ticket_number}", "{0.__class__}", "${jndi:ldap://x}", "%n%s", "<b>x</b>", "</Say><Hangup/>",
    "=cmd|'/C calc'!A0", "{organisation.__init__.__globals__}", "*x* _y_ `z` [a](b)", "'; DROP TABLE x; --",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(SHIPPED, tmp_path / "wording")
    return tmp_path / "wording"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def problems(folder: Path) -> list[str]:
    with pytest.raises(InvalidFile) as caught:
        load_wording(folder)
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_shipped_wording_has_every_template_in_both_languages(wording: Wording) -> None:
    wanted = {(template, medium) for template, media in RULES.items() for medium in media}
    assert {language: set(tongue.texts) for language, tongue in wording.tongues.items()} == {"id": wanted, "en": wanted}


def test_all_mistakes_of_both_files_are_named_at_once_with_their_lines(folder: Path) -> None:
    change(folder / "id.yaml", 'code: "Kode cek status: {access_code}"', 'code: "Kode cek status: {acces_code}"')
    change(folder / "id.yaml", "      fee:", "      fees:")
    change(folder / "en.yaml", "months: [January, ", "months: [")
    change(folder / "en.yaml", "Please keep this message.", "Please keep {this message.")
    found = problems(folder)
    assert any("id.yaml:" in line and "access_code" in line for line in found)
    assert any("fees" in line and "en.yaml must have it too" in line for line in found)
    assert any("en.yaml:" in line and "list of 12 names" in line for line in found)
    assert any("brace" in line for line in found)
    assert all(line.split(":")[1].isdigit() for line in found)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("id.yaml", "wording: 1", "wording: 2", "must be 1"),
        ("id.yaml", "language: id", "language: en", "must be id"),
        ("id.yaml", "Halo, terima kasih", "Halo {organisation}, terima kasih", "{organisation}"),
        ("en.yaml", 'no_data: "Please do not post', 'no_data: "{ticket} Please do not post', "{ticket}"),
        ("id.yaml", 'number: "{number_label}: {ticket_number}"', 'number: "{number_label}"', "must print"),
        ("id.yaml", 'subject: "[{ticket_number}] {receipt_name}"', 'subjects: "x"', "an email needs a subject"),
        ("en.yaml", "Time to resolve: {resolve_range}", "Time to resolve: {contact}", "names other values"),
        ("id.yaml", 'range: "{track} {min}-{max} hari kerja"', 'range: "{min}-{max} hari kerja"', "must name {track}"),
        ("id.yaml", "Mohon simpan pesan ini.", "Mohon simpan\\u0007 pesan ini.", "control character"),
        ("id.yaml", "Mohon simpan halaman ini.", "", "must be a text"),
    ],
)
def test_a_mistake_is_named(folder: Path, file: str, old: str, new: str, said: str) -> None:
    change(folder / file, old, new)
    assert any(said in line for line in problems(folder)), problems(folder)


def test_a_missing_file_and_a_broken_one_are_both_named(folder: Path) -> None:
    (folder / "id.yaml").unlink()
    (folder / "en.yaml").write_text("templates: [", encoding="utf-8")
    found = problems(folder)
    assert any("id.yaml" in line for line in found)
    assert any("en.yaml" in line for line in found)


def test_the_version_of_a_template_changes_with_its_words_only(folder: Path) -> None:
    before = load_wording(folder).versions
    change(folder / "en.yaml", "We added your message to", "We have added your message to")
    after = load_wording(folder).versions
    assert after["added_to"] != before["added_to"]
    assert {k: v for k, v in after.items() if k != "added_to"} == {k: v for k, v in before.items() if k != "added_to"}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_value_is_never_read_as_a_sentence(payload: str) -> None:
    assert Sentence.of("a {x} b {y} c").fill({"x": payload, "y": "{x}"}) == f"a {payload} b {{x}} c"


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_value_stands_in_the_text_as_it_is(one: str, two: str) -> None:
    assert Sentence.of("{x}|{y}").fill({"x": one, "y": two, "z": "no"}) == f"{one}|{two}"


@pytest.mark.parametrize("values", [{}, {"x": None}, {"x": ""}])
def test_a_sentence_with_an_unknown_value_is_left_out(values: dict[str, str | None]) -> None:
    assert Sentence.of("due {x}").fill(values) is None
