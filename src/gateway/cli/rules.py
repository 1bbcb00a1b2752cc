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
    from tickets.yaml_lines import InvalidFile

    try:
        return _rules(config, calendars)
    except (InvalidFile, LookupError) as error:
        fail(str(error))


def _rules(config: Path, calendars: Sequence[Path] = (), only: str | None = None) -> dict[str, Rules]:
    """As `rules_by_organisation`; raises InvalidFile, or LookupError for a calendar that nobody has written."""
    from tickets.calendar_load import calendar_for, load_calendar_year, load_calendar_years
    from tickets.lifecycle_values import Rules
    from tickets.policy_load import load_policy

    folder, data = config.parent, _read(config)
    years = {(each.calendar, each.year): each for each in load_calendar_years(folder / _text(data, "calendars"))}
    for file in calendars:
        instead = load_calendar_year(file)
        years[(instead.calendar, instead.year)] = instead
    found = {}
    for slug, named in _policies(data).items():
        if only not in {None, slug}:
            continue
        policy = load_policy(folder / named)
        found[slug] = Rules(policy=policy, calendar=calendar_for(policy.calendar, tuple(years.values())))
    return found


def profile_beside(policy: Policy, file: Path) -> RegulatoryProfile | None:
    """The regulatory profile that a policy is compared with, from the policy's folder; None where there is none.

    Ends the command with every problem of the profile.
    """
    from tickets.yaml_lines import InvalidFile

    try:
        return _profile(policy, file)
    except InvalidFile as error:
        fail(str(error))


def profile_lines(config: Path, standing: Standing) -> list[str]:
    """What the profile would give for a ticket, for the desk; empty where nothing is compared or can be read."""
    from tickets.deadlines_profile import profile_dates
    from tickets.lifecycle_clocks import case_of
    from tickets.yaml_lines import InvalidFile

    slug = standing.ticket.organisation
    file = _policies(_read(config)).get(slug)
    if file is None:
        return []
    promised = {str(name): each.due for name, each in standing.ticket.life.promised.items()}
    try:
        rules = _rules(config, only=slug)[slug]
        profile = _profile(rules.policy, config.parent / file)
        if profile is None:
            return []
        return [str(each) for each in profile_dates(rules.policy, rules.calendar, profile, case_of(standing), promised)]
    except (InvalidFile, LookupError):
        return []  # `aduan check` names what is wrong; a ticket is shown all the same


def _profile(policy: Policy, file: Path) -> RegulatoryProfile | None:
    from tickets.policy_load import load_profile

    ref = policy.regulatory_profile
    if ref is None or ref.mode == "off":
        return None
    named = file.with_name(f"{ref.id}.yaml")
    return load_profile(named) if named.is_file() else None


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
