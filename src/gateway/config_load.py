"""Reads a whole configuration and names every mistake in it at once: file, line, key, what to do."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.config import data_folder
from gateway.config_file import ConfigFile, mapping_at, overridden, read_config, text_at
from gateway.installation import Installation, Organisation
from normalizer import lexicon as lexicons
from receipts.wording import Wording
from receipts.wording_load import load_wording
from tickets.calendar_load import calendar_for, load_calendar_years
from tickets.policy_labels import Labels
from tickets.policy_load import load_labels, load_policy
from tickets.yaml_lines import Document, InvalidFile, Key, Problem, Read, read_document

__all__ = ["load", "overridden", "whole"]


@dataclass(frozen=True, slots=True)
class _Understood:
    """What the files beside the configuration file say, with everything that is wrong in them."""

    organisations: Mapping[str, Organisation]
    wording: Wording | None
    labels: Labels | None
    lexicon: lexicons.Lexicon | None
    problems: tuple[Problem, ...]


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Installation:
    """The installation that `path` describes. Raises InvalidFile with every problem of every file it names."""
    return whole(read_config(path, environ), environ)


def whole(own: ConfigFile, environ: Mapping[str, str], read: Read = read_document) -> Installation:
    """The installation of a configuration file, every other file read by `read`. Raises InvalidFile as `load` does."""
    path = Path(own.document.file)
    rest = _understand(own, read)
    problems = [*own.unresolved, *_not_named_by(own.unresolved, (*own.problems, *rest.problems))]
    config, wording, labels, lexicon = own.config, rest.wording, rest.labels, rest.lexicon
    if problems or config is None or wording is None or labels is None or lexicon is None:
        raise InvalidFile(dict.fromkeys(sorted(problems, key=lambda p: (p.file, p.line or 0, p.key))))
    return Installation(
        file=path,
        config=config,
        data_dir=data_folder(path, None, config.data_dir, environ),
        organisations=rest.organisations,
        channels=own.channels,
        wording=wording,
        labels=labels,
        lexicon=lexicon,
    )


def _understand(own: ConfigFile, read: Read) -> _Understood:
    """The policies, calendars, texts and words that a configuration file names, each file read by `read`."""
    organisations, problems = _organisations(own.resolved, own.raw, own.folder, read)
    wording, labels, lexicon, found = _texts(own.raw, own.folder, read)
    problems += [*found, *_contradictions(own.resolved, own.raw, organisations)]
    return _Understood(organisations, wording, labels, lexicon, tuple(problems))


def _not_named_by(unresolved: Iterable[Problem], problems: Iterable[Problem]) -> list[Problem]:
    """The problems without those that only follow from a reference that could not be resolved."""
    named = {(problem.file, problem.key) for problem in unresolved}
    named |= {(file, key.rpartition("[")[0]) for file, key in named if key.endswith("]")}
    return [problem for problem in problems if (problem.file, problem.key) not in named]


def _organisations(
    document: Document, raw: Mapping[str, Any], folder: Path, read: Read
) -> tuple[dict[str, Organisation], list[Problem]]:
    organisations: dict[str, Organisation] = {}
    problems: list[Problem] = []
    try:
        years = load_calendar_years(folder / text_at(raw, "calendars", "calendars"), read)
    except InvalidFile as error:
        problems += error.problems
        years = ()
    for slug, section in mapping_at(raw, "organisations").items():
        if not isinstance(section, dict) or not isinstance(section.get("policy"), str):
            continue  # the model has named it
        key: Key = ("organisations", slug, "policy")
        try:
            policy = load_policy(folder / section["policy"], read)
        except InvalidFile as error:
            problems += error.problems
            problems.append(document.problem(key, f"{section['policy']} cannot be used: see the lines of that file"))
            continue
        if not years:
            continue
        try:
            calendar = calendar_for(policy.calendar, years)
        except LookupError as error:
            problems.append(document.problem(key, str(error)))
            continue
        organisations[slug] = Organisation(slug, str(section.get("name", slug)), policy, calendar)
    return organisations, problems


def _texts(
    raw: Mapping[str, Any], folder: Path, read: Read
) -> tuple[Wording | None, Labels | None, lexicons.Lexicon | None, list[Problem]]:
    problems: list[Problem] = []
    wording: Wording | None = None
    labels: Labels | None = None
    lexicon: lexicons.Lexicon | None = None
    try:
        wording = load_wording(folder / text_at(raw, "wording", "wording"), read)
    except InvalidFile as error:
        problems += error.problems
    try:
        labels = load_labels(folder / "policies" / "labels.yaml", read)
    except InvalidFile as error:
        problems += error.problems
    place = folder / text_at(raw, "lexicon", "lexicon")
    try:
        documents = [read(file) for file in sorted(place.glob("*.yaml"))]
        lexicon = lexicons.compile({Path(d.file).stem: d.data for d in documents})
    except InvalidFile as error:
        problems += error.problems
    except ValueError as error:
        problems += [Problem(str(place), None, "", line) for line in str(error).splitlines()]
    return wording, labels, lexicon, problems


def _contradictions(
    document: Document, raw: Mapping[str, Any], organisations: Mapping[str, Organisation]
) -> list[Problem]:
    """What is wrong between keys that are valid alone; read from the file, so that other mistakes do not hide it."""
    problems: list[Problem] = []
    demo = raw.get("environment") == "demo"
    if raw.get("simulator") is not None and not demo:
        problems.append(document.problem(("simulator",), "pretended providers need `environment: demo`: remove it"))
    served = {
        section.get("organisation") for section in mapping_at(raw, "channels").values() if isinstance(section, dict)
    }
    problems += [
        document.problem(("organisations", slug), "has no channel under `channels`: add one")
        for slug in mapping_at(raw, "organisations")
        if slug not in served
    ]
    for slug, organisation in () if demo else organisations.items():
        key: Key = ("organisations", slug, "policy")
        problems += [document.problem(key, sentence) for sentence in organisation.policy.production_problems()]
    return problems
