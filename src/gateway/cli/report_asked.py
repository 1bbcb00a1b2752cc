"""Which report was asked for: read from the words of a command, made from the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.out import fail
from gateway.cli.place import data_dir_at, refuse, store_in
from gateway.cli.words import one_of

if TYPE_CHECKING:
    from gateway.installation import Organisation
    from gateway.reports.making import Made
    from gateway.reports.printed import Printed
    from gateway.reports.sources import Sources
    from tickets.calendar import Due
    from tickets.policy_clocks import ReportRule
    from tickets.reports_layout import Layout
    from tickets.reports_snapshot import LayoutUsed
    from tickets.reports_values import Report, Span
    from tickets.store import Store

OrganisationArgument = Annotated[str, typer.Argument(metavar="ORGANISATION", help="A key of `organisations`.")]
ReportArgument = Annotated[
    str, typer.Argument(metavar="REPORT", help="monthly, quarterly or another report of the policy.")
]
PeriodArgument = Annotated[
    str, typer.Argument(metavar="PERIOD", help="2026-02, 2026-Q1 or 2026-01-01..2026-06-30, as the report has it.")
]
PersonOption = Annotated[str | None, typer.Option("--as", metavar="NAME", help="Who does it; else the login name.")]


@dataclass(frozen=True)
class Asked:
    """One report of one institution about certain days, with its layout."""

    sources: Sources
    organisation: Organisation
    rule: ReportRule
    span: Span
    layout: Layout
    used: LayoutUsed
    due: Due | None

    def make(self, store: Store) -> Made:
        """The report as the tickets stand now. Ends the command when a year has no calendar."""
        from gateway.reports.making import make
        from tickets.calendar import CalendarMissing

        try:
            return make(store, self.organisation, self.rule, self.span, self.layout.problem)
        except CalendarMissing as error:
            fail(str(error))

    def printed(self, report: Report) -> Printed:
        """The report in the words of its layout."""
        from gateway.reports.printed import printed

        return printed(report, self.layout, self.sources.labels, self.organisation, self.rule, self.due)


def asked_for(config: Path, organisation: str, report: str, period: str) -> Asked:
    """What the words of a command ask for. Ends the command when they, or a file that they need, are wrong."""
    from gateway.reports.making import due_of, span_of
    from tickets.calendar import CalendarMissing
    from tickets.reports_layout import find_layout
    from tickets.yaml_lines import InvalidFile

    sources = sources_at(config)
    one_of(organisation, tuple(sources.organisations), "ORGANISATION")
    found = sources.organisations[organisation]
    rules = {rule.id: rule for rule in found.policy.reports}
    if not rules:
        fail(f"the policy of {organisation} promises no report to a regulator")
    one_of(report, tuple(rules), "REPORT")
    try:
        span = span_of(rules[report], period)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="PERIOD") from error
    try:
        layout, used = find_layout(sources.layouts, found.policy.id, report)
    except InvalidFile as error:
        refuse(sources.layouts, error)
    try:
        due = due_of(found, rules[report], span)
    except CalendarMissing:  # the date is only printed: a report on the last year with a calendar can be made
        due = None
    return Asked(sources, found, rules[report], span, layout, used, due)


def sources_at(config: Path) -> Sources:
    """The institutions of a configuration. Ends the command with every problem of its files."""
    from gateway.reports.sources import load_sources
    from tickets.yaml_lines import InvalidFile

    if not config.is_file():
        fail(f"there is no {config}: name one with --config or ADUAN_CONFIG, or make one with `aduan init`", 2)
    try:
        return load_sources(config)
    except InvalidFile as error:
        refuse(config, error)


@contextmanager
def report_store(config: Path) -> Iterator[Store]:
    """The ticket store of a configuration, also while the server runs."""
    with store_in(data_dir_at(config)) as store:
        yield store


def person(given: str | None) -> str:
    """Who runs the command, as the audit log names people."""
    from gateway.cli.entering import login_name

    return given or login_name()
