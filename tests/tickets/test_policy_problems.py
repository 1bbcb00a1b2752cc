"""A wrong file is refused with every mistake at once: file, line, key and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tickets.calendar_load import calendar_for, load_calendar_year, load_calendar_years
from tickets.policy_load import load_policy
from tickets.yaml_lines import InvalidFile, Problem

CONFIG = Path(__file__).parents[2] / "config"
KLIKACC = (CONFIG / "policies" / "klikacc.yaml").read_text()


def problems(tmp_path: Path, text: str) -> dict[str, Problem]:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(InvalidFile) as caught:
        load_policy(path)
    assert all(problem.file == str(path) for problem in caught.value.problems)
    return {problem.key: problem for problem in caught.value.problems}


def changed(*pairs: tuple[str, str]) -> str:
    text = KLIKACC
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def line_of(text: str, word: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if word in line)


def test_an_unknown_key_is_named_with_its_line_and_the_nearest_known_key(tmp_path: Path) -> None:
    text = changed(("first_response: {days: 3,", "first_response: {dayz: 3,"))
    found = problems(tmp_path, text)
    unknown = found["first_response.dayz"]
    assert unknown.line == line_of(text, "first_response:")
    assert "did you mean `days`?" in unknown.message
    assert "missing" in found["first_response.days"].message


def test_an_unknown_key_deep_inside_a_track(tmp_path: Path) -> None:
    text = changed(("resolve: {days: 20, from: received}", "resolve: {days: 20, from: received, mim: 1}"))
    (problem,) = problems(tmp_path, text).values()
    assert problem.key == "tracks[2].resolve.mim"
    assert problem.line == line_of(text, "- {id: written")
    assert "did you mean `min`?" in problem.message


def test_an_unknown_key_that_resembles_nothing_lists_the_known_ones(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, KLIKACC + "zzz: 1\n").values()
    assert problem.message.startswith("unknown key; known here: calendar, ")
    assert problem.line == len(KLIKACC.splitlines()) + 1


def test_several_mistakes_are_reported_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = changed(
        ("prefix: KLA", "prefix: kla"),
        ("joint_leave: non_working", "joint_leave: maybe"),
        ("first_response: {days: 3,", "first_response: {days: three,"),
        ("  whatsapp: {address", "  whatsap: {address"),
        ('open: "09:00"', 'open: "18:00"'),
    )
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(InvalidFile) as caught:
        load_policy(path)
    found = [(problem.key, problem.line) for problem in caught.value.problems]
    assert found == [
        ("prefix", line_of(text, "prefix:")),
        ("calendar.joint_leave", line_of(text, "calendar:")),
        ("channels.whatsap", line_of(text, "  whatsap:")),
        ("channels.phone.hours", line_of(text, "  phone:")),
        ("first_response.days", line_of(text, "first_response:")),
    ]
    assert str(caught.value).count("\n") == 4
    assert str(caught.value.problems[0]).startswith(f"{path}:{line_of(text, 'prefix:')}: prefix: ")


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        (
            "first_response: {days: 3,",
            'first_response: {days: "3",',
            "first_response.days",
            "wrong value: this must be",
        ),
        ("joint_leave: non_working", "joint_leave: no", "calendar.joint_leave", "'non_working' or 'working'"),
        ('open: "09:00"', 'open: "18:00"', "channels.phone.hours", "opening time must lie before"),
        ("required: [ticket_number, contact, keep_receipt]", "required: [resolve_range]", "receipt", "does not print"),
        ("due: {working_day: 10}", "due: {}", "reports[0].due", "either `working_day` or `day_of_month`"),
        ("due: {working_day: 10}", "due: null", "reports[0]", "both a period and a due date"),
        ("{level: 2, units", "{level: 3, units", "escalation[1].level", "this one must be 2"),
        ("when: {}, ", "when: {form: written}, ", "tracks[2].when", "the last track must match everything else"),
        ("when: {tier: court_or_adr}", "when: {}", "tracks[0].when", "never reached"),
        ("{id: oral, when", "{id: written, when", "tracks[2].id", "another track has this id"),
        ("from: received}, extend", "from: due}, extend", "tracks[2].resolve.from", "starts at received"),
        ("from: received}, extend", "from: received, min: 21}, extend", "tracks[2].resolve.min", "earliest promise"),
        ("on_request_only: true", "required_when: {photo: technical}", "documents.required_when.photo", "add it there"),
        (
            "window: {days: 10, extend: 10}}",
            "on_timeout: {may_reject: unrelated}}",
            "documents.on_timeout",
            "not among",
        ),
        ("from: objection_received}", "from: received}", "objection.answer.from", "objection_received"),
        ("silent_close_days: 10\n", "silent_close_days: 9\n", "silent_close_days", "window to object"),
        ("{days: 3, from: received}", "{days: 3, from: due}", "first_response.from", "received or documents_complete"),
        ("timezone: Asia/Jakarta\n", "", "timezone", "this key is missing: add it"),
    ],
)
def test_each_mistake_says_what_to_do(tmp_path: Path, old: str, new: str, key: str, says: str) -> None:
    found = problems(tmp_path, changed((old, new)))
    (problem,) = [problem for name, problem in found.items() if name.startswith(key)]
    assert says in problem.message
    assert problem.line is not None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"policy: [1\n", "is not valid YAML"),
        (b"policy: 1\npolicy: 1\n", "is not valid YAML"),
        (b"a: \xff\n", "is not UTF-8 text"),
        (b"", "wrong value: this must be a mapping"),
        (b"- 1\n", "wrong value: this must be a mapping"),
        (b"? [a, b]\n: 1\n", "unknown key"),
        (b"1: 2\n", "key that is text"),
        (b"[" * 5000, "nested too deeply"),
        (b"a: 1\n---\nb: 2\n", "is not valid YAML"),
    ],
)
def test_what_is_no_policy_at_all_is_refused_in_one_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(content)
    with pytest.raises(InvalidFile, match=says):
        load_policy(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"nowhere\.yaml: cannot be read"):
        load_policy(tmp_path / "nowhere.yaml")


def test_no_message_repeats_a_value_of_the_file(tmp_path: Path) -> None:
    text = changed(("first_response: {days: 3,", "first_response: {days: hunter2,"), ("prefix: KLA", "prefix: hunter2"))
    assert "hunter2" not in "\n".join(map(str, problems(tmp_path, text).values()))
    repeated = problems(tmp_path, "token: hunter2\ntoken: hunter2\n")
    assert "hunter2" not in str(repeated[""])
    assert (repeated[""].line, repeated[""].message) == (2, 'is not valid YAML: found duplicate key "token"')


CALENDAR = (CONFIG / "calendars" / "id-2026.yaml").read_text()


def test_a_calendar_row_of_another_year_and_a_repeated_row_are_named_with_their_lines(tmp_path: Path) -> None:
    text = CALENDAR + (
        "  - {date: 2027-01-01, name: Tahun Baru Masehi, kind: holiday}\n"
        "  - {date: 2026-12-25, name: Natal, kind: holiday}\n"
    )
    path = tmp_path / "id-2026.yaml"
    path.write_text(text)
    with pytest.raises(InvalidFile) as caught:
        load_calendar_year(path)
    last = len(text.splitlines())
    assert [(problem.line, problem.message) for problem in caught.value.problems] == [
        (last - 1, "lies outside 2026: move it to the file of its year"),
        (last, "this date stands here twice: keep one row"),
    ]


def test_all_calendar_files_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(CALENDAR)
    (tmp_path / "b.yaml").write_text(CALENDAR)
    (tmp_path / "c.yaml").write_text(CALENDAR.replace("kind: joint_leave", "kind: leave"))
    with pytest.raises(InvalidFile) as caught:
        load_calendar_years(tmp_path)
    assert any("by another file too" in problem.message for problem in caught.value.problems)
    assert sum("'holiday' or 'joint_leave'" in problem.message for problem in caught.value.problems) == 8


def test_an_empty_calendar_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="holds no calendar file"):
        load_calendar_years(tmp_path)


def test_r3_a_policy_may_add_days_and_must_name_a_known_calendar(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        changed(("extra_holidays: []", "extra_holidays: [2026-07-01, {date: 2026-07-02, name: Pilkada DKI Jakarta}]"))
    )
    years = load_calendar_years(CONFIG / "calendars")
    calendar = calendar_for(load_policy(path).calendar, years)
    assert [day.day for day in (rule[0] for rule in calendar.extra)] == [1, 2]
    path.write_text(changed(("holidays: id_national", "holidays: id_bank")))
    with pytest.raises(LookupError, match="id_bank"):
        calendar_for(load_policy(path).calendar, years)
