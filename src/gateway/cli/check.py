"""`aduan check`: every mistake of the configuration at once, what the machine lacks, and what the regulator may ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from gateway.cli.out import as_json, fail, say

if TYPE_CHECKING:
    from gateway.cli.environment import Looked
    from gateway.installation import Installation
    from tickets.yaml_lines import Problem


#: How far promises reach, an extension included: 40 working days with the long holidays among them.
AHEAD = timedelta(days=100)


def check(
    live: Annotated[bool, typer.Option("--live", help="Also ask every provider and our own public address.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Validate the whole configuration: every error with file, line, key and what to do."""
    from gateway.cli import environment
    from gateway.config_load import load, overridden
    from tickets.yaml_lines import InvalidFile

    if not config.is_file():
        fail(f"there is no {config}: name one with --config or ADUAN_CONFIG, or make one with `aduan init`", 2)
    installation: Installation | None = None
    problems: list[Problem] = []
    try:
        installation = overridden(load(config))
    except InvalidFile as error:
        problems = list(error.problems)
    warnings, found = _profile_warnings(installation)
    problems += found
    problems += _unknown_weather(installation)
    warnings += calendar_warnings(installation, datetime.now(UTC))
    looked = environment.look(installation)
    if live and installation is not None:
        from gateway.cli.live import ask

        looked += ask(installation)
    good = not problems and all(each.good for each in looked)
    if json:
        as_json(
            {
                "good": good,
                "problems": [{"file": p.file, "line": p.line, "key": p.key, "message": p.message} for p in problems],
                "warnings": warnings,
                "looked_at": looked,
            }
        )
    else:
        _print(config, installation, problems, warnings, looked)
        if live and installation is None:
            say("--live: not asked, because the configuration cannot be used")
    if not good:
        raise typer.Exit(1)


def _print(
    config: Path,
    installation: Installation | None,
    problems: list[Problem],
    warnings: list[str],
    looked: list[Looked],
) -> None:
    for problem in problems:
        say(str(problem))
    for warning in warnings:
        say(f"warning: {warning}")
    for each in looked:
        say(f"{'good' if each.good else 'BAD '}  {each.what}: {each.found}")
    wrong = len(problems) + sum(not each.good for each in looked)
    if wrong or installation is None:
        say(f"\n{config}: {wrong} to correct / {wrong} perlu diperbaiki")
    else:
        counted = f"{len(installation.organisations)} organisations, {len(installation.channels)} channels"
        say(f"\n{config}: {counted}, no mistake found / tidak ada kesalahan")


def _unknown_weather(installation: Installation | None) -> list[Problem]:
    """The simulator's weather is a word that only the simulator knows."""
    if installation is None or installation.config.simulator is None:
        return []
    from simulator import CLIMATES
    from tickets.yaml_lines import nearest, read_document

    weather = installation.config.simulator.weather
    if weather in CLIMATES:
        return []
    hint = nearest(weather, CLIMATES) or f"; known are {', '.join(CLIMATES)}"
    return [read_document(installation.file).problem(("simulator", "weather"), f"unknown weather{hint}")]


def calendar_warnings(installation: Installation | None, now: datetime) -> list[str]:
    """Organisations whose promises will soon reach into a year without a calendar: no date can be given then."""
    from tickets.calendar import CalendarMissing, wib_date

    found: list[str] = []
    for slug, organisation in installation.organisations.items() if installation is not None else ():
        try:
            organisation.calendar.why_not(wib_date(now + AHEAD))
        except CalendarMissing as error:
            found.append(f"{slug}: {error}")
    return found


def _profile_warnings(installation: Installation | None) -> tuple[list[str], list[Problem]]:
    """Where policies promise less than their regulatory profile asks: warned about, never an error (D3)."""
    from tickets.policy_load import load_profile
    from tickets.policy_profile import warnings
    from tickets.yaml_lines import InvalidFile

    found: list[str] = []
    problems: list[Problem] = []
    if installation is None:
        return found, problems
    for slug, organisation in installation.organisations.items():
        ref = organisation.policy.regulatory_profile
        if ref is None or ref.mode == "off":
            continue
        file = installation.file.parent / installation.config.organisations[slug].policy
        try:
            profile = load_profile(file.with_name(f"{ref.id}.yaml"))
        except InvalidFile as error:
            problems += [each for each in error.problems if each not in problems]
            continue
        found += [f"{slug}: {profile.id}: {each}" for each in warnings(organisation.policy, profile)]
    return found, problems
