"""YAML files that a person types: read them so that every mistake is named at once, with its file, line, key and cure.

YAML 1.2 (ruamel.yaml): `no` is a word, not False, and `1.10` stays as typed when quoted. No message repeats a value of
the file, so that this also serves files that hold secrets.
"""

from __future__ import annotations

import hashlib
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

Key = tuple[str | int, ...]
#: What pydantic names in Python's words, in the words of somebody who types YAML.
_EXPECTED = {
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "dict_type": "a mapping (key: value)",
    "mapping_type": "a mapping (key: value)",
    "tuple_type": "a list",
    "list_type": "a list",
    "string_type": "text (put it in quotes)",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "invalid_key": "under a key that is text (put the key in quotes)",
}
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file: where it stands and what to do about it; `line` is None when the whole file is meant."""

    file: str
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class InvalidFile(ValueError):
    """A file cannot be used; `problems` names everything that is wrong with it, one line each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Document:
    """The plain data of one YAML file, with the line of each key and the SHA-256 of its bytes."""

    file: str
    data: Any
    lines: Mapping[Key, int]
    sha256: str

    def line_of(self, key: Key) -> int | None:
        """The line of a key, or of the nearest key above it that stands in the file."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key)

    def problem(self, key: Key, message: str) -> Problem:
        """A problem at a key of this file."""
        return Problem(self.file, self.line_of(key), key_text(key), message)


#: Reads the file at a path, as `read_document` does.
Read = Callable[[Path], Document]


def key_text(key: Key) -> str:
    """A key path as people write it: tracks[2].resolve.days."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_document(path: Path) -> Document:
    """The content of a YAML 1.2 file. Raises InvalidFile when it cannot be read or is not YAML."""
    try:
        raw = path.read_bytes()
        text = raw.decode()
    except OSError as error:
        raise InvalidFile([Problem(str(path), None, "", f"cannot be read ({error.strerror})")]) from error
    except UnicodeDecodeError as error:
        raise InvalidFile([Problem(str(path), None, "", "is not UTF-8 text: save it as UTF-8")]) from error
    lines: dict[Key, int] = {(): 1}
    try:
        data = _plain(YAML(typ="rt").load(text), (), lines)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise InvalidFile([Problem(str(path), line, "", f"is not valid YAML: {_syntax(error)}")]) from error
    except RecursionError as error:
        raise InvalidFile([Problem(str(path), None, "", "is nested too deeply to be read")]) from error
    except (YAMLError, ValueError) as error:
        raise InvalidFile([Problem(str(path), None, "", "is not valid YAML")]) from error
    return Document(str(path), data, lines, hashlib.sha256(raw).hexdigest())


def load_model(document: Document, model: type[M]) -> M:
    """The file as a checked value. Raises InvalidFile with all problems at once."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        problems = [_problem(document, model, detail) for detail in error.errors(include_input=False)]
        raise InvalidFile(sorted(problems, key=lambda p: (p.line or 0, p.key))) from error


def nearest(word: str, known: Iterable[str]) -> str:
    """A suggestion to append to a message, or an empty string when nothing known comes close."""
    close = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean `{close[0]}`?" if close else ""


def unknown(word: str, known: Iterable[str]) -> str:
    """The message about an unknown key: the nearest known key, or all of them when nothing comes close."""
    names = sorted(known)
    return f"unknown key{nearest(word, names) or '; known here: ' + ', '.join(names)}"


def _plain(node: Any, key: Key, lines: dict[Key, int]) -> Any:
    if isinstance(node, CommentedMap):
        mapping: dict[Any, Any] = {}
        for name, value in node.items():
            # A key may be a number; a key that is a list or mapping has only its text.
            known = name if isinstance(name, int) else str(name)
            child = (*key, known)
            # A key that came in through a merge (<<) has no place of its own.
            lines[child] = node.lc.key(name)[0] + 1 if name in node.lc.data else lines[key]
            mapping[known] = _plain(value, child, lines)
        return mapping
    if isinstance(node, CommentedSeq):
        for index in range(len(node)):
            lines[(*key, index)] = node.lc.item(index)[0] + 1
        return [_plain(value, (*key, index), lines) for index, value in enumerate(node)]
    return node


def _problem(document: Document, model: type[BaseModel], detail: ErrorDetails) -> Problem:
    kind = detail["type"]
    key = _key_in_file(document.data, detail["loc"], missing=kind == "missing")
    if kind == "extra_forbidden":
        return document.problem(key, unknown(str(detail["loc"][-1]), _known_keys(model, detail["loc"][:-1])))
    if kind == "missing":
        return document.problem(key, "this key is missing: add it")
    if kind in {"value_error", "assertion_error"}:
        return document.problem(key, detail["msg"].split(", ", 1)[-1])
    expected = _EXPECTED.get(kind) or detail["msg"].removeprefix("Input should be ").removeprefix("String should ")
    must = "must " if detail["msg"].startswith("String should ") else "must be "
    return document.problem(key, f"wrong value: {'' if expected == detail['msg'] else f'this {must}'}{expected}")


def _key_in_file(data: Any, loc: tuple[str | int, ...], *, missing: bool) -> Key:
    """The part of a pydantic location that exists in the file: names of union members are not keys."""
    key: list[str | int] = []
    for position, part in enumerate(loc):
        inside = part in data if isinstance(data, dict) else isinstance(data, list) and isinstance(part, int)
        if inside:
            key.append(part)
            data = data[part]
        elif missing and position == len(loc) - 1:
            key.append(part)
    return tuple(key)


def _known_keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> set[str]:
    found: list[Any] = [model]
    for part in loc:
        found = [step for annotation in found for step in _inside(annotation, part)] or found
    return {field.alias or name for m in _models(found) for name, field in m.model_fields.items()}


def _inside(annotation: Any, part: str | int) -> list[Any]:
    steps: list[Any] = []
    for option in _options(annotation):
        if isinstance(option, type) and issubclass(option, BaseModel):
            steps += [f.annotation for name, f in option.model_fields.items() if part in {name, f.alias}]
        elif get_origin(option) in {tuple, list}:
            steps.append(get_args(option)[0])
        elif get_origin(option) in {dict, Mapping}:
            steps.append(get_args(option)[1])
    return steps


def _options(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _options(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        return [option for member in get_args(annotation) for option in _options(member)]
    return [annotation]


def _models(annotations: list[Any]) -> list[type[BaseModel]]:
    options = [option for annotation in annotations for option in _options(annotation)]
    return [option for option in options if isinstance(option, type) and issubclass(option, BaseModel)]


def _syntax(error: MarkedYAMLError) -> str:
    """What is wrong with the syntax, without the values that ruamel quotes beside a repeated key."""
    text = (error.problem or "unreadable").splitlines()[0].removeprefix("but ")
    return text.partition(" with value ")[0]
