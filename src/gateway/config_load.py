"""Reads a whole configuration and names every mistake in it at once: file, line, key, what to do.

Secrets come only by reference (`${ENV_NAME}` or `file:PATH`); a masked one is refused, because it is what a console
shows instead of the secret (peers.md T32).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from connectors import registry
from connectors.contract import ChannelSettings, Spec
from connectors.errors import Misconfigured
from gateway.config import Config
from normalizer import lexicon as lexicons
from receipts.wording import Wording
from receipts.wording_load import load_wording
from tickets.calendar import Calendar
from tickets.calendar_load import calendar_for, load_calendar_years
from tickets.policy import Policy
from tickets.policy_labels import Labels
from tickets.policy_load import load_labels, load_policy
from tickets.yaml_lines import Document, InvalidFile, Key, Problem, key_text, load_model, nearest, read_document

_ENVIRONMENT = re.compile(r"^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$")
_MASK = re.compile(r"^[*•x]{4,}$")


@dataclass(frozen=True, slots=True)
class Organisation:
    """One institution with what it promised."""

    slug: str
    name: str
    policy: Policy
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Channel:
    """One configured channel with the connector that serves it."""

    id: str
    organisation: str
    spec: Spec
    settings: ChannelSettings


@dataclass(frozen=True, slots=True)
class Installation:
    """A configuration that can run: everything that was read, checked."""

    file: Path
    config: Config
    data_dir: Path
    organisations: Mapping[str, Organisation]
    channels: Mapping[str, Channel]
    wording: Wording
    labels: Labels
    lexicon: lexicons.Lexicon

    def channel_of(self, organisation: str, kind: str) -> Channel | None:
        """The first channel of a kind that an organisation has."""
        return next((c for c in self.channels.values() if (c.organisation, c.spec.kind) == (organisation, kind)), None)


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Installation:
    """The installation that `path` describes. Raises InvalidFile with every problem of every file it names."""
    document = read_document(path)
    resolved, problems, references = _resolve(document, path.parent, environ)
    config: Config | None = None
    try:
        config = load_model(resolved, Config)
    except InvalidFile as error:
        problems += error.problems
    raw = resolved.data if isinstance(resolved.data, dict) else {}
    channels, found = _channels(resolved, raw, references)
    problems += found
    problems += _plain_secrets(resolved, (), config, references)
    organisations, found = _organisations(resolved, raw, path.parent)
    problems += found
    wording, labels, lexicon, found = _texts(raw, path.parent)
    problems += found
    if config is not None:
        problems += _contradictions(resolved, config, channels, organisations)
    if problems or config is None or wording is None or labels is None or lexicon is None:
        raise InvalidFile(dict.fromkeys(sorted(problems, key=lambda p: (p.file, p.line or 0, p.key))))
    return Installation(
        file=path,
        config=config,
        data_dir=(path.parent / config.data_dir).resolve(),
        organisations=organisations,
        channels=channels,
        wording=wording,
        labels=labels,
        lexicon=lexicon,
    )


def _resolve(
    document: Document, folder: Path, environ: Mapping[str, str]
) -> tuple[Document, list[Problem], frozenset[Key]]:
    """The document with references replaced, what was wrong with them, and where they stood."""
    problems: list[Problem] = []
    references: set[Key] = set()

    def walk(node: Any, key: Key) -> Any:
        if isinstance(node, dict):
            return {name: walk(value, (*key, name)) for name, value in node.items()}
        if isinstance(node, list):
            return [walk(value, (*key, index)) for index, value in enumerate(node)]
        if not isinstance(node, str):
            return node
        if _MASK.match(node):
            problems.append(
                document.problem(key, "this is a masked secret, not the secret: give ${ENV_NAME} or file:PATH")
            )
        elif match := _ENVIRONMENT.match(node):
            references.add(key)
            value = environ.get(match[1], "")
            if not value:
                problems.append(document.problem(key, f"the environment variable {match[1]} is not set: set it"))
            elif _MASK.match(value):
                problems.append(document.problem(key, f"{match[1]} holds a masked secret: set the real one"))
            return value or "unset"
        elif node.startswith("file:"):
            references.add(key)
            try:
                return (folder / node.removeprefix("file:")).read_text(encoding="utf-8").strip() or "unset"
            except (OSError, UnicodeDecodeError) as error:
                problems.append(document.problem(key, f"the file named here cannot be read ({type(error).__name__})"))
                return "unset"
        return node

    data = walk(document.data, ())
    return replace(document, data=data), problems, frozenset(references)


def _section(document: Document, prefix: Key) -> Document:
    """The part of a document below `prefix`, as a document of its own."""
    data = document.data
    for part in prefix:
        data = data[part]
    size = len(prefix)
    lines = {key[size:]: line for key, line in document.lines.items() if key[:size] == prefix}
    return replace(document, data=data, lines=lines)


def _channels(
    document: Document, raw: Mapping[str, Any], references: frozenset[Key]
) -> tuple[dict[str, Channel], list[Problem]]:
    channels: dict[str, Channel] = {}
    problems: list[Problem] = []
    sections = raw.get("channels")
    for channel_id, section in (sections if isinstance(sections, dict) else {}).items():
        prefix: Key = ("channels", channel_id)
        if not isinstance(section, dict):
            problems.append(document.problem(prefix, "must hold keys: at least `kind` and `organisation`"))
            continue
        kind = section.get("kind")
        if not isinstance(kind, str):
            problems.append(document.problem((*prefix, "kind"), f"is missing: one of {', '.join(registry.kinds())}"))
            continue
        try:
            spec = registry.find(kind)
        except Misconfigured as error:
            hint = nearest(kind, registry.kinds())
            problems.append(document.problem((*prefix, "kind"), f"{error}{hint}"))
            continue
        try:
            settings = load_model(_section(document, prefix), spec.settings)
        except InvalidFile as error:
            path = key_text(prefix)
            problems += [replace(p, key=f"{path}.{p.key}" if p.key else path) for p in error.problems]
            continue
        problems += _plain_secrets(document, prefix, settings, references)
        if settings.organisation not in (raw.get("organisations") or {}):
            known = raw.get("organisations") or {}
            problems.append(
                document.problem(
                    (*prefix, "organisation"),
                    f"there is no organisation `{settings.organisation}` under `organisations`"
                    + nearest(settings.organisation, known),
                )
            )
        channels[channel_id] = Channel(channel_id, settings.organisation, spec, settings)
    return channels, problems


def _plain_secrets(
    document: Document, prefix: Key, settings: BaseModel | None, references: frozenset[Key]
) -> list[Problem]:
    """Secrets that stand in the file itself."""
    if settings is None:
        return []
    return [
        document.problem(key, "a secret must not stand in this file: give ${ENV_NAME} or file:PATH")
        for key in _secret_keys(settings, prefix)
        if key in document.lines and key not in references
    ]


def _secret_keys(value: Any, key: Key) -> Iterator[Key]:
    if isinstance(value, SecretStr):
        yield key
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from _secret_keys(getattr(value, name), (*key, field.alias or name))
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _secret_keys(inner, (*key, name))
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from _secret_keys(inner, (*key, index))


def _organisations(
    document: Document, raw: Mapping[str, Any], folder: Path
) -> tuple[dict[str, Organisation], list[Problem]]:
    organisations: dict[str, Organisation] = {}
    problems: list[Problem] = []
    try:
        years = load_calendar_years(folder / _text(raw, "calendars", "calendars"))
    except InvalidFile as error:
        problems += error.problems
        years = ()
    sections = raw.get("organisations")
    for slug, section in (sections if isinstance(sections, dict) else {}).items():
        if not isinstance(section, dict) or not isinstance(section.get("policy"), str):
            continue  # the model has named it
        key: Key = ("organisations", slug, "policy")
        try:
            policy = load_policy(folder / section["policy"])
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
    raw: Mapping[str, Any], folder: Path
) -> tuple[Wording | None, Labels | None, lexicons.Lexicon | None, list[Problem]]:
    problems: list[Problem] = []
    wording: Wording | None = None
    labels: Labels | None = None
    lexicon: lexicons.Lexicon | None = None
    try:
        wording = load_wording(folder / _text(raw, "wording", "wording"))
    except InvalidFile as error:
        problems += error.problems
    try:
        labels = load_labels(folder / "policies" / "labels.yaml")
    except InvalidFile as error:
        problems += error.problems
    place = folder / _text(raw, "lexicon", "lexicon")
    try:
        documents = [read_document(file) for file in sorted(place.glob("*.yaml"))]
        lexicon = lexicons.compile({Path(d.file).stem: d.data for d in documents})
    except InvalidFile as error:
        problems += error.problems
    except ValueError as error:
        problems += [Problem(str(place), None, "", line) for line in str(error).splitlines()]
    return wording, labels, lexicon, problems


def _contradictions(
    document: Document,
    config: Config,
    channels: Mapping[str, Channel],
    organisations: Mapping[str, Organisation],
) -> list[Problem]:
    problems: list[Problem] = []
    demo = config.environment == "demo"
    if config.simulator is not None and not demo:
        problems.append(document.problem(("simulator",), "pretended providers need `environment: demo`: remove it"))
    for slug, organisation in organisations.items():
        if not demo:
            key: Key = ("organisations", slug, "policy")
            problems += [document.problem(key, sentence) for sentence in organisation.policy.production_problems()]
        if not any(channel.organisation == slug for channel in channels.values()):
            problems.append(document.problem(("organisations", slug), "has no channel under `channels`: add one"))
    return problems


def _text(raw: Mapping[str, Any], key: str, default: str) -> str:
    value = raw.get(key, default)
    return value if isinstance(value, str) else default
