"""The page of requirements: what counts as a proof, and what it refuses to print."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.requirements_page import Proof, Requirement, page, proofs, read_requirements
from tickets.policy_load import load_policy
from tickets.yaml_lines import InvalidFile

ROOT = Path(__file__).parents[2]
TESTS = '''
import pytest

def test_k7_a8_the_name_begins_with_them(): ...
def test_sheet_a13_is_no_promise(): ...
def test_the_number_k9_later_in_a_name(): ...
async def test_docstring():
    """K10, A10: says which."""
def test_sheet():
    """Sheet A11: a fact of a provider."""
def test_late():
    """It proves K12."""
@pytest.mark.requirement("U1", "U2")
def test_marked(): ...
def helper_k1(): ...
'''


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    """A folder of tests."""
    folder = tmp_path / "tests" / "tickets"
    folder.mkdir(parents=True)
    (folder / "test_some.py").write_text(TESTS)
    return tmp_path / "tests"


def test_a_proof_names_its_promise_at_the_beginning(tests: Path) -> None:
    found = {number: [proof.test for proof in some] for number, some in proofs(tests).items()}
    assert found == {
        "K7": ["test_k7_a8_the_name_begins_with_them"],
        "A8": ["test_k7_a8_the_name_begins_with_them"],
        "K10": ["test_docstring"],
        "A10": ["test_docstring"],
        "U1": ["test_marked"],
        "U2": ["test_marked"],
    }
    assert proofs(tests)["U1"][0].file == "tests/tickets/test_some.py"


K1 = Requirement(number="K1", institution="KlikACC", says="Something.")
PROOF = Proof(file="tests/test_a.py", test="test_k1")


def test_the_page_leads_to_the_tests() -> None:
    text = page((K1,), {"K1": (PROOF,)}, "note")
    assert "| K1 | Something. | [test_a.py](../tests/test_a.py): `test_k1` |" in text
    assert "1 of 1 lines" in text


@pytest.mark.parametrize(
    ("requirement", "found", "says"),
    [
        (K1, {}, "no test names K1"),
        (Requirement(number="K1", institution="x", says="x", missing="why"), {"K1": (PROOF,)}, "take `missing` away"),
        (K1, {"K1": (PROOF,), "K99": (PROOF,)}, "K99 is named by test_k1 and is no number"),
    ],
)
def test_a_page_that_would_not_be_true_is_not_written(
    requirement: Requirement, found: dict[str, tuple[Proof, ...]], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        page((requirement,), found, "note")


def test_a_promise_without_a_test_says_why() -> None:
    silent = Requirement(number="A2", institution="Akseleran", says="Principles.", missing="no rule")
    assert "| A2 | Principles. | none: no rule |" in page((silent,), {}, "note")


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "requirements.yaml"
    path.write_text("KlikACC:\n  K1: Something.\n  X2: Something.\n  K3: {says: ''}\n")
    with pytest.raises(InvalidFile) as caught:
        read_requirements(path)
    assert [problem.line for problem in caught.value.problems] == [3, 4]


def test_every_number_of_the_three_institutions_is_there() -> None:
    numbers = [each.number for each in read_requirements(ROOT / "docs" / "requirements.yaml")]
    expected = [f"{letter}{n}" for letter, most in (("K", 22), ("A", 23), ("U", 9)) for n in range(1, most + 1)]
    assert numbers == expected


def test_k1_a1_the_legal_basis_is_named() -> None:
    """K1, A1: what the procedure rests on stands in the policy, in the order of the published page."""
    basis = {
        slug: load_policy(ROOT / "config" / "policies" / f"{slug}.yaml").legal_basis
        for slug in ("klikacc", "akseleran")
    }
    assert basis["klikacc"] == (
        "POJK 18/POJK.07/2018",
        "POJK 1/POJK.07/2013",
        "UU 8/1999",
        "SEOJK 2/SEOJK.07/2014",
    )
    assert basis["akseleran"] == ("POJK 22/2023", "POJK 18/POJK.07/2018", "SEOJK 17/SEOJK.07/2018")
