"""Every channel that a policy publishes has its journey, calm and in every weather (K5, A5)."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from harness.installation import CONFIG
from harness.lines import LINES, weather_channels
from simulator.weather import CLIMATES
from tickets.policy_load import load_policy

JOURNEYS = sorted(Path(__file__).parent.glob("test_*.py"))
POLICIES = [path for path in sorted((CONFIG / "policies").glob("*.yaml")) if "\nprefix:" in path.read_text("utf-8")]
#: Climates that say something about every provider: the others are about windows, logins and subscriptions.
COMMON = set(CLIMATES) - {"window-closed", "expired-token", "unsubscribed"}


def shown_in(module: Path) -> dict[str, tuple[str, ...]]:
    """What a module says it shows: institution -> channels; read without running it."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [t.id for t in node.targets if isinstance(t, ast.Name)] == ["SHOWN"]:
            found: dict[str, tuple[str, ...]] = ast.literal_eval(node.value)
            return found
    return {}


def calm(slug: str, channel: str) -> list[str]:
    """The modules with a journey of this channel in calm weather."""
    return [module.name for module in JOURNEYS if channel in shown_in(module).get(slug, ())]


def stormy(slug: str, channel: str) -> set[str]:
    """The climates in which this channel of the institution is played."""
    lines = [line for line in LINES if line.source.partition("-")[0] == slug and line.channel == channel]
    return {climate for line in lines for climate in CLIMATES if line.meets(climate)}


def published() -> list[tuple[str, str]]:
    """Institution and channel of every policy here; what a policy only assumes is not published."""
    policies = [load_policy(path) for path in POLICIES]
    return [
        (policy.id, channel) for policy in policies for channel, rule in policy.channels.items() if not rule.assumed
    ]


@pytest.mark.parametrize(("slug", "channel"), published())
def test_a_published_channel_has_its_journey(slug: str, channel: str) -> None:
    """K5, A5: a complaint enters there and its receipt comes back, calm and in every weather that provider can have."""
    assert calm(slug, channel), f"no module in {JOURNEYS[0].parent.name} shows {channel} of {slug}"
    assert stormy(slug, channel) >= COMMON, f"no line of {slug} plays {channel} in {COMMON - stormy(slug, channel)}"


def test_the_policies_are_the_three() -> None:
    """D2: what two institutions publish, and of the third nothing that it does not."""
    by_institution = Counter(slug for slug, _ in published())
    assert by_institution == {"klikacc": 3, "akseleran": 11}


@pytest.mark.parametrize("climate", CLIMATES)
def test_each_climate_is_played(climate: str) -> None:
    """Further weather is met by somebody, and each of its troubles by all who can have it."""
    assert [line for line in LINES if line.meets(climate)]
    expected = {"window-closed": {"whatsapp", "facebook_dm", "instagram_dm", "x_dm"}}.get(climate, set())
    assert {line.channel for line in LINES if line.window and line.meets(climate)} >= expected


def test_each_kind_of_the_demonstration_has_a_line() -> None:
    """A channel that is wired and never rained on would be the first to leak."""
    wired: dict[str, Any] = YAML(typ="safe").load((CONFIG / "demo.yaml").read_text(encoding="utf-8"))["channels"]
    weather_channels(config := {"channels": dict(wired), "outbox": {}, "limits": {}})
    played = {channel["kind"] for channel in config["channels"].values()}
    assert played == {channel["kind"] for channel in wired.values()}
