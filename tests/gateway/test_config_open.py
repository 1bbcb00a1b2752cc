"""What an earlier start learned of a configuration is used while nothing has changed, and hides no mistake."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import plain
from gateway.config_load import load
from gateway.config_memory import Memory
from gateway.config_open import open_config
from gateway.installation import Front, Installation
from tickets.yaml_lines import InvalidFile

CONFIG = Path(__file__).parents[2] / "config"
SECRET = "0123456789abcdef0123456789abcdef"
ENVIRON = {"TOKEN": "EAAG-token", "SECRET": SECRET}
GOOD = """\
environment: demo
public_url: https://aduan.example.co.id
data_dir: data
organisations:
  akseleran: {name: Akseleran, policy: policies/akseleran.yaml}
channels:
  akseleran-whatsapp:
    kind: whatsapp_cloud
    organisation: akseleran
    phone_number_id: "1234567890"
    access_token: ${TOKEN}
    app_secrets: ["${SECRET}"]
    verify_token: file:verify-token
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A configuration with copies of everything it names."""
    for name in ("policies", "wording", "calendars", "lexicon"):
        shutil.copytree(CONFIG / name, tmp_path / name)
    (tmp_path / "verify-token").write_text("a-word-to-verify")
    path = tmp_path / "aduan.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def kept(path: Path) -> Path:
    """The file that a start leaves for the next one."""
    return path.parent / "data" / "cache" / "configuration"


def problems(attempt: Callable[[], object]) -> list[str]:
    """What is refused, line by line."""
    with pytest.raises(InvalidFile) as caught:
        attempt()
    return [str(problem) for problem in caught.value.problems]


def assert_same(one: Installation, other: Installation) -> None:
    """Both were read from the same files."""
    assert one.organisations == other.organisations
    assert (one.config, one.data_dir, one.channels.keys()) == (other.config, other.data_dir, other.channels.keys())
    assert (one.wording, one.labels, one.lexicon.name) == (other.wording, other.labels, other.lexicon.name)


def test_what_was_found_good_is_only_read_as_far_as_receiving_needs(path: Path) -> None:
    first = open_config(path, ENVIRON)
    assert isinstance(first.front, Installation)
    second = open_config(path, ENVIRON)
    assert type(second.front) is Front
    assert_same(second.rest(), load(path, ENVIRON))
    # What is kept stays as it is when nothing new was learned.
    before = kept(path).stat().st_ino
    open_config(path, ENVIRON).rest()
    assert kept(path).stat().st_ino == before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: _append(folder / "lexicon" / "id.yaml", "\n# seen\n"),
        lambda folder: _append(folder / "aduan.yaml", "\n# seen\n"),
        lambda folder: (folder / "calendars" / "id-2025.yaml").unlink(),
        lambda folder: (folder / "policies" / "old.yaml").write_text("a: 1"),
        lambda folder: _append(folder / "policies" / "akseleran.yaml", "\n# seen\n"),
        lambda folder: _append(folder / "wording" / "en.yaml", "\n# seen\n"),
    ],
)
def test_any_change_of_any_file_is_read_as_a_whole(path: Path, change: Callable[[Path], object]) -> None:
    open_config(path, ENVIRON)
    change(path.parent)
    again = open_config(path, ENVIRON)
    assert isinstance(again.front, Installation)
    assert_same(again.front, load(path, ENVIRON))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("policies/akseleran.yaml", "receipt:", "receit:"),
        ("calendars/id-2026.yaml", "year: 2026", "year: next"),
        ("wording/id.yaml", "phrases:", "prases:"),
        ("lexicon/id.yaml", "stop_words:", "stop_wrds:"),
        ("aduan.yaml", "data_dir:", "data_dri:"),
        ("aduan.yaml", "${TOKEN}", "${NO_SUCH_NAME}"),
        ("aduan.yaml", "${TOKEN}", "EAAG-plain"),
    ],
)
def test_a_mistake_is_named_with_its_line_whatever_is_remembered(path: Path, file: str, old: str, new: str) -> None:
    open_config(path, ENVIRON)
    wrong = path.parent / file
    text = wrong.read_text(encoding="utf-8")
    assert old in text
    wrong.write_text(text.replace(old, new, 1), encoding="utf-8")
    said = problems(lambda: open_config(path, ENVIRON))
    assert said == problems(lambda: load(path, ENVIRON))
    assert any(file.partition("/")[0] in line for line in said)


def test_a_secret_that_went_away_is_named_whatever_is_remembered(path: Path) -> None:
    open_config(path, ENVIRON)
    (path.parent / "verify-token").unlink()
    assert any("cannot be read" in line for line in problems(lambda: open_config(path, ENVIRON)))


def test_a_file_that_spoils_during_the_start_is_refused_with_its_line(path: Path) -> None:
    open_config(path, ENVIRON)
    opened = open_config(path, ENVIRON)
    _append(path.parent / "policies" / "akseleran.yaml", "\nno_such_key: 1\n")
    assert any("akseleran.yaml:" in line and "no_such_key" in line for line in problems(opened.rest))


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(os.urandom(4096)),
        lambda file: file.write_bytes(file.read_bytes()[:-9]),
        lambda file: _flip(file),
        lambda file: (file.unlink(), file.mkdir()),
    ],
)
def test_what_is_damaged_or_foreign_is_as_good_as_nothing(path: Path, damage: Callable[[Path], object]) -> None:
    whole = load(path, ENVIRON)
    open_config(path, ENVIRON)
    damage(kept(path))
    again = open_config(path, ENVIRON)
    assert isinstance(again.front, Installation)
    assert_same(again.front, whole)
    if kept(path).is_file():
        assert type(open_config(path, ENVIRON).front) is Front


def test_a_folder_that_cannot_be_written_is_no_obstacle(path: Path) -> None:
    (path.parent / "data").write_text("not a folder")
    for _ in range(2):
        assert_same(open_config(path, ENVIRON).rest(), load(path, ENVIRON))


def test_only_the_owner_reads_it_and_it_holds_nothing_of_the_configuration_file(path: Path) -> None:
    open_config(path, ENVIRON)
    assert kept(path).stat().st_mode & 0o777 == 0o600
    assert kept(path).parent.stat().st_mode & 0o777 == 0o700
    content = kept(path).read_bytes()
    for word in (SECRET, "EAAG-token", "a-word-to-verify", "1234567890", "akseleran-whatsapp"):
        assert word.encode() not in content
    assert [each.name for each in kept(path).parent.iterdir()] == ["configuration"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: {1: x, two: [1, 2.5, true, null, no]}", {"a": {1: "x", "two": [1, 2.5, True, None, "no"]}}),
        ("a: 2026-03-01", {"a": date(2026, 3, 1)}),
        ("a: |\n  lines\n  of text\nb: >\n  one\n  line\n", {"a": "lines\nof text\n", "b": "one line\n"}),
        ("a: 'Kue \U0001f370 \u00e9'", {"a": "Kue \U0001f370 \u00e9"}),
    ],
)
def test_what_is_remembered_is_what_was_read(tmp_path: Path, text: str, value: Any) -> None:
    file = tmp_path / "some.yaml"
    file.write_text(text, encoding="utf-8")
    memory = Memory(tmp_path)
    read = memory.read(file)
    memory.keep("mark")
    remembered = Memory(tmp_path).read(file)
    assert read.data == remembered.data == value
    assert read.sha256 == remembered.sha256
    assert (len(read.lines) > 1, remembered.lines) == (True, {})


@pytest.mark.parametrize("text", ["a: 2026-03-01T10:00:00Z", "a: 99999999999999999999999999", "a: &x yes\nb: 0x1F"])
def test_what_cannot_be_kept_exactly_is_read_again(tmp_path: Path, text: str) -> None:
    file = tmp_path / "some.yaml"
    file.write_text(text, encoding="utf-8")
    memory = Memory(tmp_path)
    first = memory.read(file)
    memory.keep("mark")
    again = Memory(tmp_path).read(file)
    assert again.data == first.data
    assert again.lines == first.lines


@pytest.mark.parametrize("words", [["--role", "all"], ["--config"], ["--help"], ["--config", "no/such.yaml"]])
def test_words_that_are_not_plain_are_left_to_the_ordinary_way(words: list[str]) -> None:
    assert plain.serve(words, {"ADUAN_CONFIG": "no/such.yaml"}) is None


def test_a_configuration_with_mistakes_is_left_to_the_ordinary_way(path: Path) -> None:
    _append(path, "\nno_such_key: 1\n")
    assert plain.serve([], {"ADUAN_CONFIG": str(path)}) is None


def _append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as handle:
        handle.write(text)


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
