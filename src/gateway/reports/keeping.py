"""Freezes a report as it was handed in, and compares what was frozen with the tickets of today."""

from __future__ import annotations

from datetime import date

from gateway.reports.making import Made, over
from tickets.reports_snapshot import Correction, LayoutUsed, Snapshot, corrections, document
from tickets.reports_values import Span
from tickets.store import Store


def reminder_id(organisation: str, report: str, period: str) -> str:
    """The id of the task that calls a report to mind: at most one for each period, also when the job runs twice."""
    return f"report_due:{organisation}:{report}:{period}"


def freeze(store: Store, made: Made, layout: LayoutUsed, *, actor: str, today: date, again: bool = False) -> Snapshot:
    """The snapshot that is kept from now on, with its audit event; closes the task of this report.

    Raises ValueError when the period is not over, or when it was frozen before and `again` does not ask for a further
    edition; what was frozen before is never changed.
    """
    report = made.report
    period = report.span.label
    problem = _too_early(report.span, today)
    if problem is not None:
        raise ValueError(problem)
    with store.begin() as tx:
        before = tx.reports.editions(report.organisation, report.report, period)
        if before and not again:
            raise ValueError(
                f"{report.report} {period} was frozen before ({before}): `show` lists what changed since;"
                " a further edition needs `--again`"
            )
        snapshot = tx.reports.freeze(report.organisation, report.report, period, document(report, layout), actor)
        tx.close_tasks([reminder_id(report.organisation, report.report, period)], actor)
    return snapshot


def changed_since(snapshot: Snapshot, made: Made) -> tuple[Correction, ...]:
    """What would be counted otherwise today. Raises ValueError when the snapshot itself was changed."""
    return corrections(snapshot.read().report, made.report, made.facts)


def _too_early(span: Span, today: date) -> str | None:
    return None if over(span, today) else f"the period {span.label} is not over: it can be frozen from the day after"
