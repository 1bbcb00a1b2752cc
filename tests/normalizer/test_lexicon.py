"""An operator's lexicon: what it matches, and how its mistakes are told."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from normalizer import lexicon as lexicons
from normalizer.lexicon import Lexicon, words


def small(**sections: Any) -> Lexicon:
    return lexicons.compile({"id": {"lexicon": 1, "version": "1", **sections}})


def terms(lexicon: Lexicon, text: str) -> list[str]:
    return [hit.term for hit in lexicon.hits(words(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Belum CAIR juga", ["belum cair"]),
        ("belum juga cair", ["belum .. cair"]),
        ("belum a b c cair", ["belum .. cair"]),
        ("belum a b c d cair", []),
        ("belumcair", []),
        ("blm cair", ["belum cair"]),
        ("dananya, dana-ku", ["dana"]),
        ("danaaaa", ["dana"]),
        ("can't", ["cant"]),
        ("can’t", ["cant"]),
        ("gabisa", ["tidak bisa"]),
        ("", []),
    ],
)
def test_matching(text: str, expected: list[str]) -> None:
    lexicon = small(
        categories={"x": {2: ["belum cair", "dana", "can't".replace("'", ""), "tidak bisa"], "1.5": ["belum .. cair"]}},
        spelling={"belum": ["blm"], "tidak bisa": ["gabisa"]},
    )
    found = terms(lexicon, text)
    assert [term for term in found if term != "belum .. cair" or "belum cair" not in found] == expected


@given(
    st.text()
    | st.text(alphabet=st.sampled_from("abcxyzABZ019 '’`_-@[{~\x00\x7f\n"))
    | st.lists(st.sampled_from(["aaa", "zz", "z", "000", "...", "\U0001f64f", "éé", "K", "İ", "a", "'"])).map("".join)
)
@example("aa'aa")
@example("zzz")
@example("\u212a\u212a\u212a")
def test_words_are_what_two_expressions_find(text: str) -> None:
    lowered = re.sub(r"(?<=[a-z])['’`](?=[a-z])", "", text.lower())
    assert words(text) == re.findall(r"[^\W_]+", re.sub(r"([a-z])\1{2,}", r"\1", lowered))


def test_a_term_counts_once_however_often_it_is_said() -> None:
    lexicon = small(issues={"fraud": {2: ["tipu"]}})
    assert terms(lexicon, "tipu tipu tipu") == ["tipu"]


def test_a_term_written_in_two_spellings_counts_once() -> None:
    lexicon = small(issues={"fraud": {2: ["scam"], 3: ["penipuan"]}}, spelling={"penipuan": ["scam"]})
    assert [(h.term, h.weight) for h in lexicon.hits(words("ini scam"))] == [("penipuan", 3.0)]


def test_slang_of_slang_is_followed_one_step() -> None:
    lexicon = small(
        issues={"x": {2: ["debt collector"]}}, spelling={"debt collector": ["dc"], "kolektor": ["collector"]}
    )
    assert terms(lexicon, "dc") == terms(lexicon, "debt kolektor") == ["debt collector"]


def test_every_problem_is_told_at_once_with_its_place() -> None:
    with pytest.raises(ValueError, match="version") as caught:
        lexicons.compile(
            {
                "jv": {},
                "en": [],
                "id": {
                    "version": 2026,
                    "categoris": {},
                    "categories": {
                        "login": ["no weight"],
                        "x": {"heavy": ["a"], 0: ["b"], 2: ["!", 7, "a .. b .. c", "b"]},
                    },
                    "urgency": {"extreme": {2: ["x"]}},
                    "issues": [],
                    "stop_words": ["two words"],
                    "spelling": {"tidak": ["gak", "dua kata"], "bukan": ["gak"], "!": []},
                },
            }
        )
    lines = str(caught.value).splitlines()
    assert {line.split(":", 1)[0] for line in lines} == {
        "jv", "en", "id.version", "id.categoris", "id.categories.login", "id.categories.x.heavy", "id.categories.x.0",
        "id.categories.x.2[0]", "id.categories.x.2[1]", "id.categories.x.2[2]", "id.urgency.extreme", "id.issues",
        "id.stop_words[0]", "id.spelling.tidak[1]", "id.spelling.bukan[0]", "id.spelling.!",
    }  # fmt: skip


def test_an_empty_lexicon_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        lexicons.compile({})


def test_a_stop_word_of_both_languages_decides_nothing() -> None:
    lexicon = lexicons.compile(
        {"id": {"version": "1", "stop_words": ["dan", "di"]}, "en": {"version": "2", "stop_words": ["di", "the"]}}
    )
    assert lexicon.stop_words == {"dan": "id", "the": "en"}
    assert lexicon.name == "id@1 en@2"


def test_the_shipped_lexicon_names_every_category_of_akseleran(lexicon: Lexicon, categories: tuple[str, ...]) -> None:
    found = {entry.value for entry in _entries(lexicon) if entry.section == "categories"}
    assert found == set(categories)
    assert {"debt_collection_conduct", "credit_record", "fraud"} <= {e.value for e in _entries(lexicon)}  # D7, G14


def _entries(lexicon: Lexicon) -> list[lexicons.Entry]:
    found: list[lexicons.Entry] = []
    waiting = [lexicon.root]
    while waiting:
        node = waiting.pop()
        found += node.entries
        waiting += node.next.values()
        if node.after_gap is not None:
            waiting.append(node.after_gap)
    return found
