"""Reads the file that the operator wrote: its references to secrets, its settings, its channels.

Secrets come only by reference (`${ENV_NAME}` or `file:PATH`); a masked one is refused, because it is what a console
shows instead of the secret (T32).
"""

from __future__ import annotations

import os
import re
import types
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError

from connectors import registry
from connectors.errors import Misconfigured
from gateway.config import Config, Listen, data_folder
from gateway.installation import Channel, Front
from tickets.yaml_lines import Document, InvalidFile, Key, Problem, key_text, load_model, nearest, read_document

F = TypeVar("F", bound=Front)

_ENVIRONMENT = re.compile(r"^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$")
_MASK = re.compile(r"^[*•●x]{4,}$")
_PLAIN = "a secret must not stand in this file: give ${ENV_NAME} or file:PATH"


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What stands in one configuration file, with everything that is wrong in it alone."""

    #: As it stands in the file.
    document: Document
    #: With the secrets that it refers to.
    resolved: Document
    #: None when its settings are not valid.
    config: Config | None
    channels: Mapping[str, Channel]
    problems: tuple[Problem, ...]
    #: References that lead nowhere; they hide what only follows from them.
    unresolved: tuple[Problem, ...]

    @property
    def raw(self) -> Mapping[str, Any]:
        """The whole file as a mapping, empty when it is none."""
        return self.resolved.data if isinstance(self.resolved.data, dict) else {}

    @property
    def folder(self) -> Path:
        """What the paths in the file are relative to."""
        return Path(self.document.file).parent


def read_config(path: Path, environ: Mapping[str, str]) -> ConfigFile:
    """The file at `path`, with its problems. Raises InvalidFile when it cannot be read or is not YAML."""
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
    problems += [
        document.problem(key, _PLAIN)
        for key in _all_secret_keys(raw)
        if key not in references and not _MASK.match(str(_at(document.data, key)))
    ]
    return ConfigFile(document, resolved, config, channels, tuple(problems), tuple(unresolved))


def overridden(installation: F, environ: Mapping[str, str] = os.environ) -> F:
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
    known = mapping_at(raw, "organisations")
    for channel_id, section in mapping_at(raw, "channels").items():
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
    for channel_id, section in mapping_at(raw, "channels").items():
        kind = section.get("kind") if isinstance(section, dict) else None
        if isinstance(kind, str):
            with suppress(Misconfigured):  # an unknown kind is named elsewhere
                yield from _secret_keys(registry.find(kind).settings, section, ("channels", channel_id))


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


def mapping_at(raw: Mapping[str, Any], key: str) -> Mapping[Any, Any]:
    """The mapping under a key, empty when there is none."""
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def text_at(raw: Mapping[str, Any], key: str, default: str) -> str:
    """The text under a key, `default` when there is none."""
    value = raw.get(key, default)
    return value if isinstance(value, str) else default
