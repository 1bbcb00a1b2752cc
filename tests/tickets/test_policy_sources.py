"""A policy names the published sentence behind each rule, and only rules that it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tickets.policy import Policy
from tickets.policy_load import load_policy
from tickets.policy_sources import sources_of
from tickets.yaml_lines import InvalidFile

POLICIES = Path(__file__).parents[2] / "config" / "policies"
LETTER = {"klikacc": "K", "akseleran": "A", "klikumkm": "U"}


@pytest.mark.parametrize("name", LETTER)
def test_every_number_is_one_of_this_institution(name: str) -> None:
    sources = load_policy(POLICIES / f"{name}.yaml").sources
    assert sources
    assert {number[0] for numbers in sources.values() for number in numbers} == {LETTER[name]}


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("tracks.written.extend", ("K11",)),
        ("tracks.written.extend.times", ("K11",)),
        ("tracks.written.resolve.days", ("K10",)),
        ("tracks", ()),
        ("rejection.grounds", ()),
        ("lifecycle.time", ()),
    ],
)
def test_k10_k11_a_rule_has_the_source_of_the_nearest_rule_above_it(rule: str, found: tuple[str, ...]) -> None:
    assert sources_of(load_policy(POLICIES / "klikacc.yaml").sources, rule) == found


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("tracks.spoken: [K8]", "names no rule of this policy"),
        ("tracks.oral.colour: [K8]", "names no rule of this policy"),
        ("tracks.oral: [X8]", "pattern"),
        ("tracks.oral: [K08]", "pattern"),
        ("tracks.oral: []", "at least 1"),
    ],
)
def test_a_wrong_rule_or_number_is_named_with_its_line(tmp_path: Path, line: str, says: str) -> None:
    text = (POLICIES / "klikacc.yaml").read_text().replace("tracks.oral: [K8]", line)
    file = tmp_path / "klikacc.yaml"
    file.write_text(text)
    with pytest.raises(InvalidFile) as caught:
        load_policy(file)
    assert {problem.line for problem in caught.value.problems} == {text.splitlines().index(f"  {line}") + 1}
    assert any(says in problem.message for problem in caught.value.problems)


def test_the_published_grammar_says_what_a_source_looks_like() -> None:
    sources = Policy.model_json_schema(by_alias=True)["properties"]["sources"]
    numbers = next(iter(sources["patternProperties"].values()))
    assert numbers["items"]["pattern"] == "^[KAU][1-9][0-9]?$"
