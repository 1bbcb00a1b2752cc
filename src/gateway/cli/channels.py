"""`aduan channels`: what each configured channel can receive, answer and report, from facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from gateway.cli.out import as_json, say
from gateway.cli.place import installation_at

if TYPE_CHECKING:
    from gateway.installation import Channel, Installation


def channels(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """What each configured channel can receive, answer and report, printed from facts."""
    installation = installation_at(config)
    found = [_described(installation, channel) for channel in installation.channels.values()]
    if json:
        as_json(found)
        return
    for each in found:
        say(f"{each['id']}  ({each['name']}, {each['organisation']})")
        for label in ("serves", "receives", "answers", "reports", "form"):
            say(f"  {label:<9} {each[label]}")


def _described(installation: Installation, channel: Channel) -> dict[str, object]:
    from gateway.cli.capabilities import address_of, answers, by_facts, receives, reports

    facts = channel.spec.facts
    parts = by_facts(channel.spec)
    policy = installation.organisations[channel.organisation].policy
    return {
        "id": channel.id,
        "kind": channel.spec.kind,
        "name": facts.name.value,
        "organisation": channel.organisation,
        "serves": ", ".join(channel.spec.channels),
        "receives": receives(
            channel.spec,
            address_of(channel.spec, installation.config.public_url, channel.organisation, channel.id),
        ),
        "answers": _joined([(names, answers(each)) for names, each in parts]),
        "reports": _joined([(names, reports(each)) for names, each in parts]),
        "form": ", ".join(f"{name}: {policy.form_of(name)}" for name in channel.spec.channels),
        "facts": {name: fact.value for name, fact in facts.each().items()},
        "facts_by_channel": {
            name: {key: getattr(each, key).value for key in each.model_fields_set}
            for name, each in facts.by_channel.items()
        },
    }


def _joined(parts: Sequence[tuple[Sequence[str], str]]) -> str:
    """What is said of each group of channels; without their names where all are alike."""
    if len({text for _, text in parts}) == 1:
        return parts[0][1]
    return " | ".join(f"{', '.join(names)}: {text}" for names, text in parts)
