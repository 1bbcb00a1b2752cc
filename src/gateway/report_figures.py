"""The figures of a report for programs: what the API answers."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from gateway.installation import Installation
from gateway.reports.making import due_of, make, span_of
from tickets.calendar import CalendarMissing
from tickets.reports_layout import find_layout
from tickets.store import Store
from tickets.yaml_lines import InvalidFile
from web.desk_api.ports import Json


def figures_of(installation: Installation, store: Store) -> Callable[[str, str, str], Json]:
    """What gives a report of an organisation as it stands now, by its id and period.

    It raises LookupError when the policy has no such report, ValueError with a sentence for a bad period and for a
    year without a calendar.
    """

    layouts = installation.file.parent / installation.config.reports.layouts

    def figures(organisation: str, report: str, period: str) -> Json:
        promised = installation.organisations[organisation]
        rule = next((each for each in promised.policy.reports if each.id == report), None)
        if rule is None:
            raise LookupError(report)
        span = span_of(rule, period)
        try:
            layout, _ = find_layout(layouts, promised.policy.id, report)
        except InvalidFile as error:
            # The operator's mistake, not the caller's: nothing of it is told.
            raise RuntimeError("the layout of a report cannot be used") from error
        try:
            made = make(store, promised, rule, span, layout.problem)
        except CalendarMissing as error:
            raise ValueError(str(error)) from error
        try:
            due = due_of(promised, rule, span)
        except CalendarMissing:
            due = None
        found: dict[str, object] = msgspec.to_builtins(made.report)
        return found | {"nil": made.report.is_nil, "due": None if due is None else due.due.isoformat()}

    return figures
