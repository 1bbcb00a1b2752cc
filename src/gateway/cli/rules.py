"""What the organisations of a configuration promised, read without the file's secrets and without its server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.out import fail

if TYPE_CHECKING:
    from tickets.lifecycle_values import Rules, Standing
    from tickets.policy import Policy
    from tickets.policy_profile import RegulatoryProfile


def rules_by_organisation(config: Path, calendars: Sequence[Path] = ()) -> dict[str, Rules]:
    """The rules of every organisation. A file of `calendars` stands for the configured one of its year.

    Ends the command with every problem of the first file that has some.
    """
    from tickets.calendar_load import calendar_for, load_calendar_year, load_calendar_years
    from tickets.lifecycle_values import Rules
    from tickets.policy_load import load_policy
    from tickets.yaml_lines import InvalidFile

    folder, data = config.parent, _read(config)
    try:
        years = {(each.calendar, each.year): each for each in load_calendar_years(folder / _text(data, "calendars"))}
        for file in calendars:
            instead = load_calendar_year(file)
            years[(instead.calendar, instead.year)] = instead
        found = {}
        for slug, named in _policies(data).items():
            policy = load_policy(folder / named)
            found[slug] = Rules(policy=policy, calendar=calendar_for(policy.calendar, tuple(years.values())))
    except (InvalidFile, LookupError) as error:
        fail(str(error))
    return found


def profile_beside(policy: Policy, file: Path) -> RegulatoryProfile | None:
    """The regulatory profile that a policy is compared with, from the policy's folder; None where there is none."""
    from tickets.policy_load import load_profile
    from tickets.yaml_lines import InvalidFile

    ref = policy.regulatory_profile
    if ref is None or ref.mode == "off":
        return None
    named = file.with_name(f"{ref.id}.yaml")
    try:
        return load_profile(named) if named.is_file() else None
    except InvalidFile as error:
        fail(str(error))


def profile_lines(config: Path, standing: Standing) -> list[str]:
    """What the profile would give for a ticket, for the desk; empty where nothing is compared or known."""
    from tickets.calendar import CalendarMissing
    from tickets.deadlines_profile import profile_dates
    from tickets.lifecycle_clocks import case_of

    slug = standing.ticket.organisation
    file = _policies(_read(config)).get(slug)
    rules = rules_by_organisation(config).get(slug)
    profile = None if rules is None or file is None else profile_beside(rules.policy, config.parent / file)
    if rules is None or profile is None:
        return []
    promised = {str(name): each.due for name, each in standing.ticket.life.promised.items()}
    try:
        found = profile_dates(rules.policy, rules.calendar, profile, case_of(standing), promised)
    except CalendarMissing:
        return []
    return [str(each) for each in found]


def _policies(data: dict[str, object]) -> dict[str, str]:
    """Organisation -> its policy file, relative to the configuration."""
    sections = data.get("organisations")
    known = sections if isinstance(sections, dict) else {}
    return {
        str(slug): section["policy"]
        for slug, section in known.items()
        if isinstance(section, dict) and isinstance(section.get("policy"), str)
    }


def _text(data: dict[str, object], key: str) -> str:
    return str(data.get(key, key))


def _read(config: Path) -> dict[str, object]:
    from tickets.yaml_lines import InvalidFile, read_document

    if not config.is_file():
        fail(f"there is no {config}: give the configuration file with --config")
    try:
        data = read_document(config).data
    except InvalidFile as error:
        fail(str(error))
    return data if isinstance(data, dict) else {}
