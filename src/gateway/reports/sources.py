"""What a report needs from the configuration: the institution's policy and calendar, words, layouts. No secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.config import ReportSettings
from gateway.config_file import mapping_at, text_at
from gateway.installation import Organisation
from tickets.calendar_load import calendar_for, load_calendar_years
from tickets.policy_labels import Labels
from tickets.policy_load import load_labels, load_policy
from tickets.yaml_lines import InvalidFile, Problem, read_document


@dataclass(frozen=True, slots=True)
class Sources:
    """The institutions of a configuration, with what their reports are laid out with."""

    organisations: Mapping[str, Organisation]
    labels: Labels
    layouts: Path


def load_sources(config: Path) -> Sources:
    """What a configuration file names; reads none of its secrets. Raises InvalidFile with every problem it found."""
    document = read_document(config)
    raw: Mapping[str, Any] = document.data if isinstance(document.data, dict) else {}
    folder = config.parent
    years = load_calendar_years(folder / text_at(raw, "calendars", "calendars"))
    organisations: dict[str, Organisation] = {}
    problems: list[Problem] = []
    for slug, section in mapping_at(raw, "organisations").items():
        named = section if isinstance(section, dict) else {}
        try:
            policy = load_policy(folder / str(named.get("policy")))
            organisations[slug] = Organisation(
                slug, str(named.get("name", slug)), policy, calendar_for(policy.calendar, years)
            )
        except InvalidFile as error:
            problems += error.problems
        except LookupError as error:
            problems.append(document.problem(("organisations", slug, "policy"), str(error)))
    if problems:
        raise InvalidFile(problems)
    labels = load_labels(folder / "policies" / "labels.yaml")
    default = str(ReportSettings.model_fields["layouts"].default)
    return Sources(organisations, labels, folder / text_at(mapping_at(raw, "reports"), "layouts", default))
