"""Proposals on a set of short complaints of our own making, in the mix of languages that customers write."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from normalizer.classify import Proposal, classify
from normalizer.lexicon import Lexicon, words


class Labelled(NamedTuple):
    category: str
    kind: str
    urgency: str
    text: str


def labelled() -> Iterator[Labelled]:
    with (Path(__file__).parent / "labelled.tsv").open(encoding="utf-8", newline="") as file:
        yield from map(Labelled._make, csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


Propose = Callable[[str], Proposal]


@pytest.fixture
def propose(lexicon: Lexicon, categories: tuple[str, ...]) -> Propose:
    return lambda text: classify(words(text), lexicon, categories)


def confusion(pairs: Sequence[tuple[str, str, str]]) -> str:
    wrong = Counter((wanted, got) for wanted, got, _ in pairs if wanted != got)
    lines = [f"{count}x {wanted} read as {got}" for (wanted, got), count in wrong.most_common()]
    return "\n".join(lines + [f"  {wanted} / {got}: {text}" for wanted, got, text in pairs if wanted != got])


def accuracy(pairs: Sequence[tuple[str, str, str]]) -> float:
    return sum(wanted == got for wanted, got, _ in pairs) / len(pairs)


def test_the_labelled_set_covers_every_category(categories: tuple[str, ...]) -> None:
    found = Counter(item.category for item in labelled())
    assert set(found) == {*categories, "-"}
    assert min(found.values()) >= 7
    assert sum(found.values()) >= 145


def test_categories(propose: Propose) -> None:
    pairs = [
        (item.category, propose(item.text).category or "-", item.text) for item in labelled() if item.category != "-"
    ]
    assert accuracy(pairs) >= 0.9, confusion(pairs)


def test_kinds(propose: Propose) -> None:
    pairs = [(item.kind, propose(item.text).kind, item.text) for item in labelled()]
    assert accuracy(pairs) >= 0.95, confusion(pairs)


def test_urgency(propose: Propose) -> None:
    pairs = [(item.urgency, propose(item.text).urgency, item.text) for item in labelled()]
    assert accuracy(pairs) >= 0.95, confusion(pairs)


def test_no_emergency_is_missed(propose: Propose) -> None:
    missed = [i.text for i in labelled() if i.urgency == "emergency" and propose(i.text).urgency != "emergency"]
    assert missed == []


@pytest.mark.parametrize(
    ("text", "issue"),
    [
        ("DC neror keluarga saya tiap malam", "debt_collection_conduct"),
        ("debt collectors are calling my office every day", "debt_collection_conduct"),
        ("slik saya masih kol 5 padahal lunas", "credit_record"),
        ("my credit score was not updated", "credit_record"),
        ("saya ditipu orang yang mengatasnamakan perusahaan", "fraud"),
        ("there is an unauthorized transaction", "fraud"),
        ("saldo terpotong tapi transaksi gagal", "failed_transaction"),
        ("dendanya besar sekali, bunga mencekik", "fees_and_interest"),
        ("data pribadi saya disebar, data saya bocor", "data_protection"),
        ("gak bisa login min", "technical_problem"),
        ("minta restrukturisasi karena usaha bangkrut", "restructuring"),
        ("cs nya jutek", "service"),
        ("apa kabar", None),
    ],
)
def test_issues(propose: Propose, text: str, issue: str | None) -> None:
    assert propose(text).issue == issue


def test_a_proposal_names_the_words_that_decided(propose: Propose) -> None:
    proposal = propose("ini penipuan, duit gw blm cair")
    assert proposal.category == "withdrawal"
    assert {(r.term, r.value) for r in proposal.category_reasons} >= {
        ("belum cair", "withdrawal"),
        ("penipuan", "fraud"),
    }
    assert [r.term for r in proposal.urgency_reasons] == ["penipuan"]
    assert all(reason.weight > 0 for reason in proposal.category_reasons)


def test_only_categories_and_kinds_of_the_policy_are_proposed(lexicon: Lexicon) -> None:
    spoken = words("gak bisa login")
    assert classify(spoken, lexicon, None).category is None
    assert classify(spoken, lexicon, ("withdrawal",)).category is None
    assert classify(spoken, lexicon, ("withdrawal", "login")).category == "login"
    question = words("mau tanya jam operasional")
    assert classify(question, lexicon).kind == "information"
    assert classify(question, lexicon, None, ("complaint",)).kind == "complaint"


def test_doubt_is_a_complaint_of_medium_urgency_without_category(propose: Propose) -> None:
    assert propose("") == Proposal()
    assert propose("lorem ipsum") == Proposal()
    assert propose("mau tanya, kenapa dana saya belum cair?").kind == "complaint"


def test_words_match_only_whole(propose: Propose) -> None:
    assert propose("kebobolanku dislikers downtown terrorisme") == Proposal()


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("saya lansia 75 tahun", "elderly"),
        ("saya penyandang disabilitas", "disability"),
        ("kena phk", "financial_hardship"),
    ],
)
def test_vulnerable_people_are_noticed(propose: Propose, text: str, tag: str) -> None:
    assert propose(text).vulnerable_tags == (tag,)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("saya sudah lapor ke OJK", "ojk"),
        ("sudah ke laps", "laps"),
        ("this is already in court", "court"),
        ("saya akan lapor ojk", "none"),
    ],
)
def test_cases_that_lie_elsewhere_already(propose: Propose, text: str, where: str) -> None:
    assert propose(text).already_at == where


def test_disputes_and_violations(propose: Propose) -> None:
    proposal = propose("saya dirugikan, mereka menyebar data tanpa persetujuan saya")
    assert proposal.dispute_indication
    assert proposal.violation_indication
    assert not propose("gak bisa login").dispute_indication
