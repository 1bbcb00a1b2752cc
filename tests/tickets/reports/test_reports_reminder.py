"""A report that falls due becomes a task, in time and once; it is done when the report was frozen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from gateway.config_load import load
from gateway.installation import Installation
from gateway.reports.keeping import freeze, reminder_id
from gateway.reports.making import make, span_of
from gateway.reports.reminder import KIND, ReportReminder, due_reports, working_days_before
from gateway.reports.sources import Sources
from harness import write_config
from report_tickets import wib
from tickets.model import AuditEvent
from tickets.reports_snapshot import LayoutUsed
from tickets.store import Store

T = TypeVar("T")
#: Looks once, at a moment.
Look = Callable[[datetime], Awaitable[tuple[int, int]]]


async def run(work: Callable[[], T], /) -> T:
    """The test's own thread writes."""
    return work()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return load(write_config(tmp_path_factory.mktemp("installation")))


def at_work(store: Store, day: date) -> None:
    with store.begin() as tx:
        tx.note([AuditEvent(at=wib(day), actor="aduan", type="complaint.received", complaint_id=None, data={})])


@pytest.fixture
def store(store: Store) -> Store:
    """A store that is at work since January."""
    at_work(store, date(2026, 1, 2))
    return store


@pytest.fixture
def remind(installation: Installation, store: Store) -> Look:
    async def look(now: datetime) -> tuple[int, int]:
        return await ReportReminder(installation, store=store, run=run, now=lambda: now).look()

    return look


def open_ids(store: Store) -> list[str]:
    return [task.id for task in store.open_tasks(kind=KIND)]


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        # Due on Friday 10 July: five working days before are 3 and 6 to 9 July. The month is due on the 14th.
        (date(2026, 7, 2), []),
        (date(2026, 7, 3), ["quarterly 2026-Q2"]),
        (date(2026, 7, 6), ["quarterly 2026-Q2"]),
        (date(2026, 7, 7), ["monthly 2026-06", "quarterly 2026-Q2"]),
        (date(2026, 7, 31), ["monthly 2026-06", "quarterly 2026-Q2"]),
        # The quarter is still the last one that ended; the month that is due now is July.
        (date(2026, 8, 20), ["monthly 2026-07", "quarterly 2026-Q2"]),
    ],
)
async def test_k18_k20_a_report_is_called_to_mind_five_working_days_before(
    store: Store, remind: Look, today: date, expected: list[str]
) -> None:
    """K18, K20: in time to be handed in; also late, as long as it was not."""
    assert await remind(wib(today)) == (len(expected), 0)
    assert sorted(open_ids(store)) == [f"report_due:klikacc:{each.replace(' ', ':')}" for each in expected]


async def test_the_reminder_may_look_as_often_as_it_likes(store: Store, remind: Look) -> None:
    assert await remind(wib(date(2026, 7, 31))) == (2, 0)
    assert await remind(wib(date(2026, 7, 31), 11)) == (0, 0)
    tasks = store.open_tasks(kind=KIND)
    assert [task.reason.split(":")[0] for task in tasks] == ["monthly 2026-06", "quarterly 2026-Q2"]
    with store.begin() as tx:
        tx.close_tasks([task.id for task in tasks], "siti")
    assert await remind(wib(date(2026, 7, 31), 12)) == (0, 0)
    assert open_ids(store) == []


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (None, []),
        (date(2026, 7, 1), []),
        (date(2026, 6, 30), ["monthly:2026-06", "quarterly:2026-Q2"]),
    ],
)
async def test_a_period_before_the_store_was_at_work_is_nobodys_task(
    installation: Installation, tmp_path: Path, first: date | None, expected: list[str]
) -> None:
    fresh = Store.open(f"sqlite:///{tmp_path / 'fresh.db'}")
    try:
        if first is not None:
            at_work(fresh, first)
        now = wib(date(2026, 7, 31))
        await ReportReminder(installation, store=fresh, run=run, now=lambda: now).look()
        assert sorted(open_ids(fresh)) == [f"report_due:klikacc:{each}" for each in expected]
    finally:
        fresh.close()


async def test_a_frozen_report_is_done(store: Store, sources: Sources, remind: Look) -> None:
    """Freezing closes its task; where the task is opened behind it, the next look closes it."""
    klikacc = sources.organisations["klikacc"]
    layout = LayoutUsed(id="x", version="0")
    await remind(wib(date(2026, 7, 31)))
    for rule, period in zip(klikacc.policy.reports, ("2026-06", "2026-Q2"), strict=True):
        made = make(store, klikacc, rule, span_of(rule, period), ("issue",))
        freeze(store, made, layout, actor="siti", today=date(2026, 7, 31))
    assert open_ids(store) == []
    assert await remind(wib(date(2026, 7, 31))) == (0, 0)
    assert store.verify_audit().intact


async def test_a_report_that_another_program_froze_closes_its_task(store: Store, remind: Look) -> None:
    await remind(wib(date(2026, 7, 3)))
    with store.begin() as tx:
        tx.reports.freeze("klikacc", "quarterly", "2026-Q2", b"{}", "siti")
    assert await remind(wib(date(2026, 7, 3), 12)) == (0, 1)
    assert open_ids(store) == []


async def test_k18_k20_a_year_without_calendar_stops_no_reminder(store: Store, remind: Look) -> None:
    """K18, K20: in January of a year whose holidays nobody entered the reports of December are due all the same."""
    assert await remind(wib(date(2028, 1, 3))) == (2, 0)
    assert open_ids(store) == ["report_due:klikacc:monthly:2027-12", "report_due:klikacc:quarterly:2027-Q4"]
    assert all("add the calendar file" in task.reason for task in store.open_tasks(kind=KIND))
    assert await remind(wib(date(2028, 1, 4))) == (0, 0)


def test_working_days_before_pass_over_holidays(sources: Sources) -> None:
    calendar = sources.organisations["klikacc"].calendar
    # 18 to 24 March 2026 are holidays, joint leave and a weekend.
    assert working_days_before(calendar, date(2026, 3, 26), 2) == date(2026, 3, 17)
    assert working_days_before(calendar, date(2026, 3, 26), 0) == date(2026, 3, 26)


def test_a23_where_no_date_is_stated_nothing_falls_due(sources: Sources) -> None:
    """A23: the period is not stated, so no report of Akseleran is ever called to mind."""
    assert list(due_reports(sources.organisations["akseleran"], date(2026, 7, 31), 5)) == []


def test_the_task_of_a_report_has_one_id(sources: Sources) -> None:
    klikacc = sources.organisations["klikacc"]
    assert [each.task_id for each in due_reports(klikacc, date(2026, 7, 31), 5)] == [
        reminder_id("klikacc", "monthly", "2026-06"),
        reminder_id("klikacc", "quarterly", "2026-Q2"),
    ]
