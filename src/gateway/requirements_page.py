"""The page that says which published promise is proven by which test, written from the tests themselves.

A test names a promise at the beginning of its name (`test_k7_...`) or docstring ("K7, A8: ..."), or in a marker
(`@pytest.mark.requirement("K7")`). Anywhere else a number proves nothing: provider sheets number their facts alike.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from tickets.yaml_lines import InvalidFile, Problem, read_document

_NUMBER = re.compile(r"^[KAU][1-9][0-9]?$")
#: Rules of working days (r) and gaps of the texts (g) may stand between.
_IN_NAME = re.compile(r"^test_((?:[kaurg][1-9][0-9]?_)+)")
_OPENING = re.compile(r"^((?:[KAU][1-9][0-9]?(?:, | and |/)?)+):")
_MARKER = "requirement"


class Requirement(Struct, frozen=True, kw_only=True):
    """One published promise: what it says in our words, and why it has no test when it has none."""

    number: str
    institution: str
    says: str
    missing: str | None = None


class Proof(Struct, frozen=True, kw_only=True, order=True):
    """A test that names a promise; `file` is relative to the repository."""

    file: str
    test: str


def read_requirements(path: Path) -> tuple[Requirement, ...]:
    """The promises in the order of the file. Raises InvalidFile with the line of what is wrong."""
    document = read_document(path)
    found: list[Requirement] = []
    problems: list[Problem] = []
    for institution, lines in (document.data or {}).items():
        for number, said in lines.items():
            key = (institution, number)
            says, missing = (said, None) if isinstance(said, str) else (said.get("says"), said.get("missing"))
            if not _NUMBER.match(number):
                problems.append(document.problem(key, "a number is K, A or U with one or two digits"))
            elif not isinstance(says, str) or not says.strip():
                problems.append(document.problem(key, "say in one sentence what is promised"))
            else:
                found.append(Requirement(number=number, institution=institution, says=says, missing=missing))
    if problems:
        raise InvalidFile(problems)
    return tuple(found)


def proofs(tests: Path) -> Mapping[str, tuple[Proof, ...]]:
    """The tests below a folder that name each number."""
    found: dict[str, set[Proof]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        file = path.relative_to(tests.parent).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for number in _named(node):
                    found.setdefault(number, set()).add(Proof(file=file, test=node.name))
    return {number: tuple(sorted(some)) for number, some in found.items()}


def page(requirements: tuple[Requirement, ...], proven: Mapping[str, tuple[Proof, ...]], note: str) -> str:
    """The page as Markdown. Raises ValueError for a promise without a test or a reason, and for an unknown number."""
    wrong = _contradictions(requirements, proven)
    if wrong:
        raise ValueError("; ".join(wrong))
    covered = sum(1 for each in requirements if each.number in proven)
    lines = [
        note, "", "# Requirements", "",
        "What the three institutions publish about complaints, line by line, and the tests that prove each line. The",
        f"numbers are quoted by tests and refusals. {covered} of {len(requirements)} lines are proven by tests.",
    ]  # fmt: skip
    institution = ""
    for each in requirements:
        if each.institution != institution:
            institution = each.institution
            lines += ["", f"## {institution}", "", "| number | promise | tests |", "|---|---|---|"]
        lines.append(f"| {each.number} | {each.says} | {_tests(each, proven.get(each.number, ()))} |")
    return "\n".join([*lines, ""])


def _contradictions(requirements: tuple[Requirement, ...], proven: Mapping[str, tuple[Proof, ...]]) -> list[str]:
    known = {each.number for each in requirements}
    wrong = [
        f"{number} is named by {proven[number][0].test} and is no number" for number in sorted(proven.keys() - known)
    ]
    for each in requirements:
        if each.number in proven and each.missing:
            wrong.append(f"{each.number} has tests: take `missing` away")
        if each.number not in proven and not each.missing:
            wrong.append(f"no test names {each.number}, and docs/requirements.yaml does not say why")
    return wrong


def _tests(requirement: Requirement, found: tuple[Proof, ...]) -> str:
    if not found:
        return f"none: {requirement.missing}"
    by_file: dict[str, list[str]] = {}
    for proof in found:
        by_file.setdefault(proof.file, []).append(proof.test)
    return "<br>".join(
        f"[{file.removeprefix('tests/')}](../{file}): {', '.join(f'`{test}`' for test in tests)}"
        for file, tests in by_file.items()
    )


def _named(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    begins = _IN_NAME.match(node.name)
    if begins:
        yield from (word.upper() for word in begins[1].split("_") if word[:1] in {"k", "a", "u"})
    opening = _OPENING.match(ast.get_docstring(node) or "")
    if opening:
        yield from re.findall(r"[KAU][1-9][0-9]?", opening[1])
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(attr=name), args=args) if name == _MARKER:
                yield from (str(arg.value) for arg in args if isinstance(arg, ast.Constant))
