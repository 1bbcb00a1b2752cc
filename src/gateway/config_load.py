"""Reads a whole configuration and names every mistake in it at once: file, line, key, what to do.

Secrets come only by reference (`${ENV_NAME}` or `file:PATH`); a masked one is refused, because it is what a console
shows instead of the secret (T32).
"""

from __future__ import annotations

import os
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError

from connectors import registry
from connectors.contract import ChannelSettings, Spec
from connectors.errors import Misconfigured
from gateway.config import Config, Listen, data_folder
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
_MASK = re.compile(r"^[*•●x]{4,}$")
_PLAIN = "a secret must not stand in this file: give ${ENV_NAME} or file:PATH"


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


def overridden(installation: Installation, environ: Mapping[str, str] = os.environ) -> Installation:
    """The demonstration with HOST, PORT and DATA_DIR of the environment; any other installation unchanged.

    DATA_DIR is relative to the working directory. Raises InvalidFile when PORT is not a port.
    """
    config = installation.config
    if config.environment != "demo":
        return installation
    listen = {"host": environ.get("HOST") or config.listen.host, "port": environ.get("PORT") or config.listen.port}
    try:
        chosen = Listen.model_validate(listen)
    except ValidationError as error:
        raise InvalidFile([Problem("the environment", None, "PORT", "must be a port, 0 to 65535")]) from error
    public_url = config.public_url
    if chosen != config.listen:
        # A server that listens everywhere is still reached by its own machine's address.
        host = "127.0.0.1" if chosen.host in {"0.0.0.0", "::"} else chosen.host  # noqa: S104  # compared, not bound
        public_url = f"http://[{host}]:{chosen.port}" if ":" in host else f"http://{host}:{chosen.port}"
    return replace(
        installation,
        config=config.model_copy(update={"listen": chosen, "public_url": public_url}),
        data_dir=data_folder(installation.file, config.environment, config.data_dir, environ),
    )


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Installation:
    """The installation that `path` describes. Raises InvalidFile with every problem of every file it names."""
    document = read_document(path)
    resolved, unresolved, references = _resolve(document, path.parent, environ)
    problems: list[Problem] = []
    config: Config | None = None
    try:
        config = load_model(resolved, Config)
    except InvalidFile as error:
        problems += error.problems
    raw = resolved.data if isinstance(resolved.data, dict) else {}
    channels, found = _channels(resolved, raw)
    problems += found
    organisations, found = _organisations(resolved, raw, path.parent)
    problems += found
    wording, labels, lexicon, found = _texts(raw, path.parent)
    problems += found
    problems += _contradictions(resolved, raw, organisations)
    problems += [
        document.problem(key, _PLAIN)
        for key in _all_secret_keys(raw)
        if key not in references and not _MASK.match(str(_at(document.data, key)))
    ]
    problems = unresolved + _not_named_by(unresolved, problems)
    if problems or config is None or wording is None or labels is None or lexicon is None:
        raise InvalidFile(dict.fromkeys(sorted(problems, key=lambda p: (p.file, p.line or 0, p.key))))
    return Installation(
        file=path,
        config=config,
        data_dir=data_folder(path, None, config.data_dir, environ),
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
        elif "${" in node:
            problems.append(document.problem(key, "a reference must be the whole value: ${ENV_NAME} and nothing else"))
        elif node.startswith("file:"):
            references.add(key)
            return _read_secret(document, key, folder / node.removeprefix("file:"), problems)
        return node

    data = walk(document.data, ())
    return replace(document, data=data), problems, frozenset(references)


def _read_secret(document: Document, key: Key, file: Path, problems: list[Problem]) -> str:
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        problems.append(document.problem(key, f"the file named here cannot be read ({reason}): put the secret there"))
        return "unset"
    if not text:
        problems.append(document.problem(key, "the file named here is empty: put the secret there"))
    elif _MASK.match(text):
        problems.append(document.problem(key, "the file named here holds a masked secret: put the real one there"))
    return text or "unset"


def _not_named_by(unresolved: Iterable[Problem], problems: Iterable[Problem]) -> list[Problem]:
    """The problems without those that only follow from a reference that could not be resolved."""
    named = {(problem.file, problem.key) for problem in unresolved}
    named |= {(file, key.rpartition("[")[0]) for file, key in named if key.endswith("]")}
    return [problem for problem in problems if (problem.file, problem.key) not in named]


def _section(document: Document, prefix: Key) -> Document:
    """The part of a document below `prefix`, as a document of its own."""
    data = document.data
    for part in prefix:
        data = data[part]
    size = len(prefix)
    lines = {key[size:]: line for key, line in document.lines.items() if key[:size] == prefix}
    return replace(document, data=data, lines=lines)


def _channels(document: Document, raw: Mapping[str, Any]) -> tuple[dict[str, Channel], list[Problem]]:
    channels: dict[str, Channel] = {}
    problems: list[Problem] = []
    known = _mapping(raw, "organisations")
    for channel_id, section in _mapping(raw, "channels").items():
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
        organisation = section.get("organisation")
        if isinstance(organisation, str) and organisation not in known:
            problems.append(
                document.problem(
                    (*prefix, "organisation"),
                    f"there is no organisation `{organisation}` under `organisations`" + nearest(organisation, known),
                )
            )
        try:
            settings = load_model(_section(document, prefix), spec.settings)
        except InvalidFile as error:
            path = key_text(prefix)
            problems += [replace(p, key=f"{path}.{p.key}" if p.key else path) for p in error.problems]
            continue
        channels[channel_id] = Channel(channel_id, settings.organisation, spec, settings)
    return channels, problems


def _all_secret_keys(raw: Mapping[str, Any]) -> Iterator[Key]:
    """Where the file holds a secret, told by the types of the settings, so that other mistakes do not hide it."""
    yield from _secret_keys(Config, raw, ())
    for channel_id, section in _mapping(raw, "channels").items():
        if isinstance(section, dict) and section.get("kind") in registry.kinds():
            yield from _secret_keys(registry.find(section["kind"]).settings, section, ("channels", channel_id))


def _secret_keys(annotation: Any, value: Any, key: Key) -> Iterator[Key]:
    origin, inside = get_origin(annotation), get_args(annotation)
    if annotation is SecretStr:
        if isinstance(value, str):
            yield key
    elif origin is Annotated:
        yield from _secret_keys(inside[0], value, key)
    elif origin in {Union, types.UnionType}:
        for option in inside:
            yield from _secret_keys(option, value, key)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel) and isinstance(value, dict):
        for name, field in annotation.model_fields.items():
            alias = field.alias or name
            yield from _secret_keys(field.annotation, value.get(alias), (*key, alias))
    elif origin in {dict, Mapping} and isinstance(value, dict):
        for name, inner in value.items():
            yield from _secret_keys(inside[1], inner, (*key, name))
    elif origin in {tuple, list} and isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _secret_keys(inside[0], inner, (*key, index))


def _at(data: Any, key: Key) -> Any:
    for part in key:
        data = data[part]
    return data


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
    for slug, section in _mapping(raw, "organisations").items():
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
    document: Document, raw: Mapping[str, Any], organisations: Mapping[str, Organisation]
) -> list[Problem]:
    """What is wrong between keys that are valid alone; read from the file, so that other mistakes do not hide it."""
    problems: list[Problem] = []
    demo = raw.get("environment") == "demo"
    if raw.get("simulator") is not None and not demo:
        problems.append(document.problem(("simulator",), "pretended providers need `environment: demo`: remove it"))
    served = {
        section.get("organisation") for section in _mapping(raw, "channels").values() if isinstance(section, dict)
    }
    problems += [
        document.problem(("organisations", slug), "has no channel under `channels`: add one")
        for slug in _mapping(raw, "organisations")
        if slug not in served
    ]
    for slug, organisation in () if demo else organisations.items():
        key: Key = ("organisations", slug, "policy")
        problems += [document.problem(key, sentence) for sentence in organisation.policy.production_problems()]
    return problems


def _mapping(raw: Mapping[str, Any], key: str) -> Mapping[Any, Any]:
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def _text(raw: Mapping[str, Any], key: str, default: str) -> str:
    value = raw.get(key, default)
    return value if isinstance(value, str) else default
