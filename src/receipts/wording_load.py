"""Reads and checks config/wording/*.yaml: every mistake of both files at once, each with its file and line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from receipts.wording import LANGUAGES, PLACEHOLDER, Choice, Language, Sentence, Text, Tongue, Wording
from receipts.wording_rules import (
    ALWAYS,
    DATES,
    DOCUMENT,
    LENGTHS,
    LETTER,
    NOTICE_KINDS,
    NOTICE_VALUES,
    PHRASES,
    RULES,
    WORD_LISTS,
    Rule,
)
from tickets.yaml_lines import Document, InvalidFile, Key, Problem, Read, read_document, unknown

_TOP = ("wording", "language", "dates", "phrases", "templates", "notices", "document", "letter")
#: Sections in which a sentence must name the same values in both languages.
_SAID = frozenset({"phrases", "templates", "notices", "document", "letter"})


def load_wording(folder: Path, read: Read = read_document) -> Wording:
    """The texts of a folder with id.yaml and en.yaml. Raises InvalidFile with every problem of both files."""
    documents: dict[Language, Document] = {}
    problems: list[Problem] = []
    for language in LANGUAGES:
        try:
            documents[language] = read(folder / f"{language}.yaml")
        except InvalidFile as error:
            problems += error.problems
    for language, document in documents.items():
        problems += _check(document, language)
    if len(documents) == len(LANGUAGES):
        problems += _differences(documents["id"], documents["en"])
    if problems:
        raise InvalidFile(sorted(set(problems), key=lambda p: (p.file, p.line or 0, p.key)))
    return Wording(
        tongues={language: _tongue(document.data) for language, document in documents.items()},
        versions=_versions(documents),
    )


def _check(document: Document, language: Language) -> Iterator[Problem]:
    data = document.data
    if not isinstance(data, dict):
        yield document.problem((), "must be a mapping with the keys " + ", ".join(_TOP))
        return
    yield from _keys(document, (), data, _TOP)
    if data.get("wording") != 1:
        yield document.problem(("wording",), "must be 1, the version of this grammar")
    if data.get("language") != language:
        yield document.problem(("language",), f"must be {language}, as the name of the file says")
    yield from _dates(document, data.get("dates"))
    phrases = data.get("phrases")
    yield from _keys(document, ("phrases",), phrases, (*PHRASES, *WORD_LISTS))
    for name, needs in PHRASES.items():
        yield from _sentence(document, ("phrases", name), _at(phrases, name), Rule(needs, needs))
    for group in WORD_LISTS:
        yield from _words(document, ("phrases", group), _at(phrases, group))
    for section, printed in (("document", DOCUMENT), ("letter", LETTER)):
        texts = data.get(section)
        yield from _keys(document, (section,), texts, printed)
        for name, needs in printed.items():
            yield from _sentence(document, (section, name), _at(texts, name), Rule(needs, needs))
    yield from _templates(document, data.get("templates"))
    yield from _notices(document, data.get("notices"))


def _dates(document: Document, dates: Any) -> Iterator[Problem]:
    yield from _keys(document, ("dates",), dates, ("weekdays", "months", *DATES))
    for name, count in (("weekdays", 7), ("months", 12)):
        names = _at(dates, name)
        if names is not None and not (
            isinstance(names, list) and len(names) == count and all(isinstance(n, str) and n for n in names)
        ):
            yield document.problem(("dates", name), f"must be a list of {count} names")
    for name, needs in DATES.items():
        yield from _sentence(document, ("dates", name), _at(dates, name), Rule(needs, needs))


def _templates(document: Document, templates: Any) -> Iterator[Problem]:
    yield from _keys(document, ("templates",), templates, RULES)
    for template, media in RULES.items():
        texts = _at(templates, template)
        if texts is None:
            continue
        yield from _keys(document, ("templates", template), texts, media)
        for medium, rule in media.items():
            body = _at(texts, medium)
            if body is not None:
                yield from _text(document, ("templates", template, medium), body, rule)


def _notices(document: Document, notices: Any) -> Iterator[Problem]:
    yield from _keys(document, ("notices",), notices, NOTICE_KINDS)
    rule = Rule(NOTICE_VALUES, frozenset())
    for kind in NOTICE_KINDS:
        texts = _at(notices, kind)
        if texts is None:
            continue
        yield from _keys(document, ("notices", kind), texts, ("subject", *LENGTHS))
        yield from _sentence(
            document, ("notices", kind, "subject"), _at(texts, "subject"), Rule(frozenset(), frozenset())
        )
        for length in LENGTHS:
            if _at(texts, length) is not None:
                yield from _text(document, ("notices", kind, length), texts[length], rule)


def _text(document: Document, key: Key, body: Any, rule: Rule) -> Iterator[Problem]:
    if not isinstance(body, dict) or not body:
        yield document.problem(key, "must be a mapping of sentences")
        return
    if key[-1] in {"email", "email_unproven"} and "subject" not in body:
        yield document.problem((*key, "subject"), "this key is missing: an email needs a subject")
    printed: set[str] = set()
    for name, value in body.items():
        options = value if isinstance(value, list) else [value]
        if not options:
            yield document.problem((*key, name), "is an empty list: write a sentence or remove the key")
        for option in options:
            yield from _sentence(document, (*key, name), option, rule)
        if name != "subject" and len(options) == 1 and isinstance(options[0], str):
            names = set(PLACEHOLDER.findall(options[0]))
            printed |= names if names <= ALWAYS else set()
    for name in sorted(rule.required - printed):
        yield document.problem(key, f"must print {{{name}}} in a sentence that names nothing that may be unknown")
    if not rule.required and not any(
        isinstance(o, str) and not PLACEHOLDER.search(o)
        for v in body.values()
        for o in (v if isinstance(v, list) else [v])
    ):
        yield document.problem(key, "must hold a sentence that needs no value, or the text could be empty")


def _sentence(document: Document, key: Key, value: Any, rule: Rule) -> Iterator[Problem]:
    if value is None:
        return  # a missing key is named by its mapping
    if not isinstance(value, str) or not value:
        yield document.problem(key, "must be a text")
        return
    names = PLACEHOLDER.findall(value)
    for name in names:
        if name not in rule.allowed:
            yield document.problem(key, f"value {{{name}}}: {unknown(name, rule.allowed)}")
    if any(sign in PLACEHOLDER.sub("", value) for sign in "{}"):
        yield document.problem(key, "holds a brace that is not part of a {name}")
    if rule.required == rule.allowed and set(names) != rule.required:
        missing = ", ".join(f"{{{name}}}" for name in sorted(rule.required - set(names)))
        if missing:
            yield document.problem(key, f"must name {missing}")
    if any(ord(sign) < 32 and sign != "\n" for sign in value):
        yield document.problem(key, "holds a control character")


def _words(document: Document, key: Key, words: Any) -> Iterator[Problem]:
    if words is None:
        return
    if not isinstance(words, dict):
        yield document.problem(key, "must be a mapping of words")
        return
    for name, value in words.items():
        if not isinstance(value, str) or not value:
            yield document.problem((*key, name), "must be a text")


def _keys(document: Document, key: Key, value: Any, known: Iterable[str]) -> Iterator[Problem]:
    names = list(known)
    if value is None and key:
        return  # the mapping above names it
    if not isinstance(value, dict):
        yield document.problem(key, "must be a mapping")
        return
    for name in value:
        if name not in names:
            yield document.problem((*key, name), unknown(str(name), names))
    for name in names:
        if value.get(name) is None:
            yield document.problem((*key, name), "this key is missing: add it")


def _differences(one: Document, other: Document) -> Iterator[Problem]:
    """A sentence must exist in both languages and name the same values."""
    for document, twin in ((one, other), (other, one)):
        there = dict(_leaves(twin.data))
        for key, names in _leaves(document.data):
            if key not in there:
                yield document.problem(key, f"stands only here: {Path(twin.file).name} must have it too")
            elif names != there[key] and key[-1] != "subject":
                yield document.problem(key, f"names other values than {Path(twin.file).name}")


def _leaves(data: Any, key: Key = ()) -> Iterator[tuple[Key, frozenset[str]]]:
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _leaves(value, (*key, name))
    elif key and key[0] in _SAID:
        texts = data if isinstance(data, list) else [data]
        yield key, frozenset(name for text in texts if isinstance(text, str) for name in PLACEHOLDER.findall(text))


def _at(data: Any, key: str) -> Any:
    return data.get(key) if isinstance(data, dict) else None


def _choice(value: str | list[str]) -> Choice:
    return tuple(Sentence.of(text) for text in (value if isinstance(value, list) else [value]))


def _tongue(data: dict[str, Any]) -> Tongue:
    phrases, dates = data["phrases"], data["dates"]
    return Tongue(
        weekdays=tuple(dates["weekdays"]),
        months=tuple(dates["months"]),
        date_pattern=Sentence.of(dates["long"]),
        clock_pattern=Sentence.of(dates["clock"]),
        phrases={name: Sentence.of(phrases[name]) for name in PHRASES},
        words={group: phrases[group] for group in WORD_LISTS},
        texts={
            (template, medium): Text(
                Sentence.of(body["subject"]) if "subject" in body else None,
                tuple(_choice(value) for name, value in body.items() if name != "subject"),
            )
            for template, media in RULES.items()
            for medium, body in ((medium, data["templates"][template][medium]) for medium in media)
        },
        document={name: Sentence.of(data["document"][name]) for name in DOCUMENT},
        notices={
            (kind, length): Text(
                Sentence.of(data["notices"][kind]["subject"]),
                tuple(map(_choice, data["notices"][kind][length].values())),
            )
            for kind in NOTICE_KINDS
            for length in LENGTHS
        },
        letter={name: Sentence.of(data["letter"][name]) for name in LETTER},
    )


def _versions(documents: Mapping[Language, Document]) -> dict[str, str]:
    versions = {template: _version(documents, "templates", template) for template in RULES}
    # A notice is its own words in the frame of the template `notice`.
    return versions | {f"notice_{kind}": _version(documents, "notices", kind) for kind in NOTICE_KINDS}


def _version(documents: Mapping[Language, Document], section: str, name: str) -> str:
    """The first 12 hex digits of the SHA-256 of all that a template's texts are made of."""
    content = [
        [
            language,
            d.data["dates"],
            d.data["phrases"],
            d.data[section][name],
            *([d.data["templates"]["notice"], d.data["letter"]] if section == "notices" else []),
        ]
        for language, d in documents.items()
    ]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:12]
