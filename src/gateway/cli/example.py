"""Settings as YAML that a person goes on with: required keys by ${ENV_NAME}, the others as `#key: default`."""

from __future__ import annotations

import json
import textwrap
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, TypeAdapter
from pydantic.fields import FieldInfo

from connectors.contract import Spec

_WIDTH = 116


@dataclass
class Example:
    """Lines of a file that is being written, and the environment variables that they name."""

    #: Whether optional keys are written too, as `#key: default`, each with its sentence.
    complete: bool
    lines: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)

    def say(self, text: str, indent: int = 0) -> None:
        """Adds a sentence as a comment."""
        pad = " " * indent
        self.lines += textwrap.wrap(text, _WIDTH, initial_indent=f"{pad}# ", subsequent_indent=f"{pad}# ")

    def put(self, text: str, indent: int, *, disabled: bool = False) -> None:
        """Adds a key, or a key that is not in force."""
        self.lines.append(f"{' ' * indent}{'#' if disabled else ''}{text}")

    def channel(self, channel_id: str, organisation: str, spec: Spec) -> None:
        """Adds a channel with the settings of its connector."""
        self.put(f"{channel_id}:", 2)
        self.put(f"kind: {spec.kind}", 4)
        self.put(f"organisation: {organisation}", 4)
        prefix = channel_id.replace("-", "_").upper()
        self.model(spec.settings, 4, prefix, chosen=spec.settings.example_keys, leave=("kind", "organisation"))

    def model(
        self,
        model: type[BaseModel],
        indent: int,
        prefix: str,
        *,
        chosen: tuple[str, ...] = (),
        leave: tuple[str, ...] = (),
        disabled: bool = False,
    ) -> None:
        """Adds the keys of a part of the settings; `prefix` begins the names of its environment variables."""
        for name, info in model.model_fields.items():
            key = info.alias or name
            if key in leave:
                continue
            inside = tuple(path.removeprefix(f"{key}.") for path in chosen if path.startswith(f"{key}."))
            wanted = not disabled and (info.is_required() or key in chosen or bool(inside))
            if not wanted and not self.complete:
                continue
            if info.description:
                self.say(info.description, indent)
            variable = f"{prefix}_{key.upper()}" if prefix else key.upper()
            self._key(key, info, indent, variable, inside, wanted)

    def _key(
        self, key: str, info: FieldInfo, indent: int, variable: str, inside: tuple[str, ...], wanted: bool
    ) -> None:
        nested, is_list = model_in(info.annotation)
        if nested is not None and is_list and wanted:
            self.put(f"{key}:", indent)
            first = len(self.lines)
            self.model(nested, indent + 4, variable)
            self._dash(first, indent + 2)
        elif nested is not None and not is_list:
            self.put(f"{key}:", indent, disabled=not wanted)
            self.model(nested, indent + 2, variable, chosen=inside, disabled=not wanted)
        elif wanted:
            self.variables[variable] = info.description or key
            value = f'["${{{variable}}}"]' if _is_list(info.annotation) else f"${{{variable}}}"
            self.put(f"{key}: {value}", indent)
        elif info.is_required():
            self.put(f"{key}: ${{{variable}}}", indent, disabled=True)
        else:
            self.put(f"{key}: {default_of(info)}", indent, disabled=True)

    def _dash(self, first: int, indent: int) -> None:
        """Makes the keys from line `first` on the one item of a list."""
        for number in range(first, len(self.lines)):
            if not self.lines[number].lstrip().startswith("#"):
                self.lines[number] = f"{' ' * indent}- {self.lines[number].lstrip()}"
                return


def default_of(info: FieldInfo) -> str:
    """The default of a key as it would be typed in YAML."""
    default = info.get_default(call_default_factory=True, validated_data={})
    annotated: Any = info.annotation
    return json.dumps(TypeAdapter(annotated).dump_python(default, mode="json"), ensure_ascii=False)


def model_in(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The part of the settings that a type holds, itself or as items of a list; of several, the first."""
    for option in _options(annotation):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option, False
        if get_origin(option) in {tuple, list}:
            return model_in(get_args(option)[0])[0], True
    return None, False


def is_secret(annotation: Any) -> bool:
    """Whether a key holds a secret, itself, in a list or in a mapping."""
    for option in _options(annotation):
        if option is SecretStr:
            return True
        if get_origin(option) in {tuple, list, dict} and any(is_secret(part) for part in get_args(option)):
            return True
    return False


def _is_list(annotation: Any) -> bool:
    return any(get_origin(option) in {tuple, list} for option in _options(annotation))


def _options(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        yield from _options(get_args(annotation)[0])
    elif get_origin(annotation) in {Union, types.UnionType}:
        for option in get_args(annotation):
            yield from _options(option)
    else:
        yield annotation
