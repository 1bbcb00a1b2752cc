"""Makes the report of an institution from the store, as its tickets stand now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time

from msgspec import Struct

from gateway.installation import Organisation
from tickets.calendar import ONE_DAY, WIB, Due
from tickets.deadlines import Period, report_due
from tickets.lifecycle_values import Rules
from tickets.policy_clocks import ReportRule
from tickets.reports import build
from tickets.reports_facts import Reader
from tickets.reports_values import Fact, ProblemField, Report, Span
from tickets.store import Store

#: No complaint is older, and no calendar will ever reach further.
_EARLIEST, _LATEST = 2000, 2199


class Made(Struct, frozen=True, kw_only=True):
    """A report with the facts of all tickets that were read for it, also of those that do not count."""

    report: Report
    facts: tuple[Fact, ...]


def make(
    store: Store, organisation: Organisation, rule: ReportRule, span: Span, problem: Sequence[ProblemField]
) -> Made:
    """The report of the days of `span` (WIB). Raises CalendarMissing for years without a calendar file."""
    since, until = _midnight(span.first), _midnight(span.last) + ONE_DAY
    rules = Rules(policy=organisation.policy, calendar=organisation.calendar)
    reader = Reader(rules)
    slug = organisation.slug
    with store.reports.at_once() as read:
        facts = tuple(reader.fact(standing) for standing in read.standings(slug, since, until))
        said = read.public_said(slug, since, until)
        publications = read.publications(slug, span.first, span.last)
    report = build(slug, rule, span, rules, facts=facts, said=said, publications=publications, problem=problem)
    return Made(report=report, facts=facts)


def span_of(rule: ReportRule, text: str) -> Span:
    """The days that a report is made for. Raises ValueError when its period is another one, or no period at all."""
    span = Span.parse(text)
    if not _EARLIEST <= span.first.year <= span.last.year <= _LATEST:
        raise ValueError(f"the years of reports are {_EARLIEST} to {_LATEST}")
    if rule.period is not None:
        try:
            found = Period.parse(text)
        except ValueError:
            found = None
        if found is None or found.kind != rule.period:
            example = "2026-02" if rule.period == "month" else "2026-Q1"
            raise ValueError(f"the report `{rule.id}` is made for a {rule.period}: write {example}")
    return span


def over(span: Span, today: date) -> bool:
    """Whether the last day of the span has passed: only then can its report be handed in."""
    return today > span.last


def due_of(organisation: Organisation, rule: ReportRule, span: Span) -> Due | None:
    """When the report is due; None where nothing states it (A23). Raises CalendarMissing."""
    if rule.period is None:
        return None
    return report_due(rule, Period.parse(span.label), organisation.calendar)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=WIB)
