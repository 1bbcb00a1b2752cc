"""Calls reports to mind: some working days before its due date a report becomes a task, until it is frozen.

Only for periods in which this store was at work: who reported on earlier ones did so without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import partial

import structlog
from msgspec import Struct

from gateway.installation import Installation, Organisation
from gateway.reports.keeping import reminder_id
from gateway.tasks import repeat
from gateway.worker import RunInThread
from tickets.calendar import ONE_DAY, Calendar, CalendarMissing, wib_date
from tickets.deadlines import Period, report_due
from tickets.model import AuditEvent, Records, TaskRow
from tickets.policy_clocks import ReportRule
from tickets.store import Store

log = structlog.get_logger("aduan.reports")

KIND = "report_due"
_EVERY_SECONDS = 1800.0
_UNKNOWN = "due date unknown: add the calendar file of its year"
_ACTOR = "report_reminder"


class DueReport(Struct, frozen=True, kw_only=True):
    """One report that falls due: from `from_` on it is a task, at once where nobody can tell when it is due."""

    organisation: str
    rule: ReportRule
    period: Period
    #: None while the year that it lies in has no calendar file.
    due: date | None
    from_: date

    @property
    def task_id(self) -> str:
        """The id of its task."""
        return reminder_id(self.organisation, self.rule.id, str(self.period))


def due_reports(organisation: Organisation, today: date, days: int) -> Iterator[DueReport]:
    """The reports on the periods that ended last before `today`, each due in time or late.

    Also those whose due date lies in a year without a calendar file: the regulator waits for no calendar of ours.
    """
    for rule in organisation.policy.reports:
        if rule.period is None:
            continue
        period = _ended_before(rule, today)
        try:
            found = report_due(rule, period, organisation.calendar)
            if found is None:
                continue
            due, from_ = found.due, working_days_before(organisation.calendar, found.due, days)
        except CalendarMissing as error:
            log.warning("report_due_unknown", organisation=organisation.slug, report=rule.id, year=error.year)
            due, from_ = None, period.last + ONE_DAY
        yield DueReport(organisation=organisation.slug, rule=rule, period=period, due=due, from_=from_)


def working_days_before(calendar: Calendar, day: date, days: int) -> date:
    """The working day that lies `days` working days before `day`. Raises CalendarMissing."""
    while days:
        day -= ONE_DAY
        days -= calendar.is_working_day(day)
    return day


class ReportReminder:
    """Looks every half hour; every step may be repeated."""

    def __init__(
        self, installation: Installation, *, store: Store, run: RunInThread, now: Callable[[], datetime]
    ) -> None:
        self._installation = installation
        self._store = store
        self._run = run
        self._now = now

    async def run(self) -> None:
        """Works until it is cancelled."""
        await repeat(self.look, _EVERY_SECONDS, "report_reminder")

    async def look(self) -> tuple[int, int]:
        """Numbers of tasks that were opened, and of those that were closed because their report was frozen."""
        opened = closed = 0
        for slug, organisation in self._installation.organisations.items():
            frozen = await asyncio.to_thread(self._frozen, slug)
            if frozen:
                closed += await self._run(partial(self._close, frozen))
            wanted = await asyncio.to_thread(self._wanted, organisation)
            if wanted:
                opened += await self._run(partial(self._open, wanted))
        return opened, closed

    def _frozen(self, organisation: str) -> list[str]:
        """Ids of open tasks whose report was frozen meanwhile."""
        found = []
        for task in self._store.open_tasks(organisation=organisation, kind=KIND):
            _, slug, report, period = task.id.split(":")
            if self._store.reports.snapshots(slug, report, period):
                found.append(task.id)
        return found

    def _wanted(self, organisation: Organisation) -> list[TaskRow]:
        """Tasks of reports that fall due and were neither called to mind nor frozen yet."""
        now, reports = self._now(), self._store.reports
        today, days = wib_date(now), self._installation.config.reports.remind_working_days
        since = reports.at_work_since()
        if since is None:
            return []
        return [
            TaskRow(
                id=each.task_id,
                organisation=each.organisation,
                complaint_id=None,
                kind=KIND,
                reason=f"{each.rule.id} {each.period}: {each.rule.to or 'OJK'}, {each.due or _UNKNOWN}",
                opened_at=now,
            )
            for each in due_reports(organisation, today, days)
            if today >= each.from_
            and wib_date(since) <= each.period.last
            and reports.task(each.task_id) is None
            and not reports.snapshots(each.organisation, each.rule.id, str(each.period))
        ]

    def _open(self, tasks: list[TaskRow]) -> int:
        audit = [
            AuditEvent(
                at=task.opened_at, actor=_ACTOR, type="task.opened", complaint_id=None,
                data={"id": task.id, "kind": task.kind},
            )
            for task in tasks
        ]  # fmt: skip
        with self._store.begin() as tx:
            tx.add(Records(tasks=tasks, audit=audit))
        return len(tasks)

    def _close(self, ids: list[str]) -> int:
        with self._store.begin() as tx:
            return tx.close_tasks(ids, _ACTOR)


def _ended_before(rule: ReportRule, today: date) -> Period:
    """The last whole period before `today`."""
    last = today.replace(day=1) - ONE_DAY
    if rule.period == "month":
        return Period("month", last.replace(day=1))
    while last.month % 3:
        last = last.replace(day=1) - ONE_DAY
    return Period("quarter", date(last.year, last.month - 2, 1))
