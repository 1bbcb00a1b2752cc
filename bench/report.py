"""The quarterly report: from a year's store to the finished workbook, beside counting the same tickets in plain SQL.

10,000 tickets of one year are recorded once; each round reads, counts and writes the report of a quarter.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from bench import machine
from bench.figures import Figure, number

if TYPE_CHECKING:
    from gateway.reports.sources import Sources

# The year is the one that the tests count in SQL.
sys.path.append(str(machine.ROOT / "tests"))

_TICKETS = 10_000
#: Most seconds that a report of a quarter may take.
_PROMISED_SECONDS = 5.0
_PERIOD = "2026-Q2"
#: The least that anybody has to do: look at each stored document of the organisation once.
_SQL = """
SELECT json_extract(CAST(complaint AS TEXT), '$.product'),
       json_extract(CAST(complaint AS TEXT), '$.outcome.root_cause'),
       json_array_length(CAST(ticket AS TEXT), '$.life.extensions') > 0, state, count(*)
FROM tickets WHERE organisation = 'klikacc' AND kind = 'complaint' GROUP BY 1, 2, 3, 4
"""


def measure(rounds: int) -> list[Figure]:
    """Seconds for the report of a quarter, as a share of what is promised and beside plain SQL."""
    from gateway.reports.sources import load_sources

    sources = load_sources(machine.ROOT / "config" / "demo.yaml")
    database = machine.WORK / "report.db"
    for left in database.parent.glob("report.db*"):
        left.unlink()
    _record(database)
    ours: list[float] = []
    sql: list[float] = []
    for _ in range(rounds + 1):
        sql.append(_timed(lambda: _count(database)))
        ours.append(_timed(lambda: _report(database, sources)))
    # The first of each fills the page cache.
    ours, sql = ours[1:], sql[1:]
    note = f"the slowest took {number(max(ours))} s; at most {_PROMISED_SECONDS:g} s are promised"
    name = f"report of a quarter, {_TICKETS:,} tickets a year"
    return [
        Figure(
            name=name,
            unit="s",
            ours=ours,
            baseline_name="promised",
            baseline=[_PROMISED_SECONDS] * rounds,
            goal=1.0,
            sense="at most",
            notes=[note],
        ),
        Figure(name=f"{name}, beside plain SQL", unit="s", ours=ours, baseline_name="SQL", baseline=sql),
    ]


def _record(database: Path) -> None:
    from report_tickets import a_year, keep, publications
    from tickets.store import Store

    store = Store.open(f"sqlite:///{database}")
    keep(store, a_year(_TICKETS), publications(300))
    store.close()


def _report(database: Path, sources: Sources) -> None:
    """Everything that `aduan report klikacc quarterly 2026-Q2 --out q2.xlsx` does once Python is up."""
    from gateway.reports.files import workbook
    from gateway.reports.making import due_of, make, span_of
    from gateway.reports.printed import printed
    from tickets.reports_layout import find_layout
    from tickets.store import Store

    klikacc = sources.organisations["klikacc"]
    rule = next(rule for rule in klikacc.policy.reports if rule.id == "quarterly")
    layout, _ = find_layout(sources.layouts, klikacc.policy.id, rule.id)
    span = span_of(rule, _PERIOD)
    store = Store.open(f"sqlite:///{database}")
    try:
        report = make(store, klikacc, rule, span, layout.problem).report
        if report.is_nil:
            raise RuntimeError("the report of the benchmark is empty")
        pages = printed(report, layout, sources.labels, klikacc, rule, due_of(klikacc, rule, span))
        (machine.WORK / "report.xlsx").write_bytes(workbook(pages))
    finally:
        store.close()


def _count(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        if not connection.execute(_SQL).fetchall():
            raise RuntimeError("the store of the benchmark is empty")


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
