"""Which published sentence a rule of a policy comes from: numbers of docs/requirements.md beside the keys. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

#: K: KlikACC, A: Akseleran, U: klikUMKM.
Requirement = Annotated[str, Field(pattern=r"^[KAU][1-9][0-9]?$")]
#: A key of the policy, with full stops: `tracks.written.extend`; parts of a list are named by their id.
Rule = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$")]
Sources = dict[Rule, Annotated[tuple[Requirement, ...], Field(min_length=1)]]


def sources_of(sources: Mapping[str, tuple[str, ...]], rule: str) -> tuple[str, ...]:
    """The requirement numbers of a rule, else those of the nearest rule above it; () where the text is silent."""
    while rule:
        if rule in sources:
            return sources[rule]
        rule = rule.rpartition(".")[0]
    return ()


def unknown_rules(policy: Mapping[str, Any]) -> tuple[str, ...]:
    """Those keys of `sources` that name no rule of the policy, which is given as plain data of its model."""
    return tuple(rule for rule in policy.get("sources") or () if not _stands(policy, rule.split(".")))


def _stands(value: Any, path: list[str]) -> bool:
    if not path:
        return True
    if isinstance(value, Mapping):
        return path[0] in value and _stands(value[path[0]], path[1:])
    if isinstance(value, list | tuple):
        return any(_stands(item, path[1:]) for item in value if isinstance(item, Mapping) and item.get("id") == path[0])
    return False
