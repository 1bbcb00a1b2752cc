"""10,000 tickets of a year: every figure and the tickets behind it equal a count in plain SQL over stored documents.

The counts know nothing of our code: working days come from the calendar files, the 20 and 20 days from K10 and K11.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from gateway.reports.making import Made, make, span_of
from gateway.reports.sources import Sources
from report_tickets import a_year, keep, publications
from tickets.reports_values import TOTAL, Report
from tickets.store import Store

CALENDARS = Path(__file__).parents[3] / "config" / "calendars"
PERIODS = [f"2026-Q{n}" for n in range(1, 5)] + ["2026-01", "2026-02", "2026-06", "2026-12"]
Cells = dict[tuple[str, str], tuple[int, tuple[str, ...]]]

#: One line per ticket: dates in WIB, `n` counts working days up to a date.
_LINES = """
WITH documents AS (
  SELECT ticket_number, organisation, state, kind, closed_at, effective_received_date AS day0,
         date(received_at / 1000000 + 7 * 3600, 'unixepoch') AS received,
         date(closed_at / 1000000 + 7 * 3600, 'unixepoch') AS closed,
         CAST(complaint AS TEXT) AS complaint, CAST(ticket AS TEXT) AS ticket
  FROM tickets
), dated AS (
  SELECT *, CASE WHEN state IN ('resolved', 'rejected', 'withdrawn') THEN max(closed, received) END AS settled
  FROM documents
  WHERE organisation = 'klikacc' AND kind = 'complaint' AND state NOT IN ('dismissed', 'merged')
), lines AS (
  SELECT *, received BETWEEN :first AND :last AS new,
         CASE WHEN settled IS NULL OR settled > :last THEN 4
              WHEN settled <= day0 THEN 1
              WHEN (SELECT n FROM working WHERE day = date(settled, '-1 day'))
                   - (SELECT n FROM working WHERE day = day0) < 20 THEN 1
              WHEN coalesce(json_array_length(ticket, '$.life.extensions'), 0) > 0
                   AND (SELECT n FROM working WHERE day = date(settled, '-1 day'))
                   - (SELECT n FROM working WHERE day = day0) < 20 + 20 THEN 2
              ELSE 3 END AS band
  FROM dated
  WHERE received <= :last AND (settled IS NULL OR settled >= :first)
)
"""
_SECTIONS = {
    "standing": """
        SELECT CASE new WHEN 1 THEN 'received' ELSE 'open_before' END, 'count', 1, ticket_number FROM lines
        UNION ALL
        SELECT CASE band WHEN 4 THEN 'open_after' ELSE 'settled' END, 'count', 1, ticket_number FROM lines
    """,
    "product_problem": """
        SELECT coalesce(json_extract(complaint, '$.product'), ''),
               coalesce(json_extract(complaint, '$.issue'), json_extract(complaint, '$.category'), ''),
               1, ticket_number
        FROM lines WHERE new
    """,
    "settled_in_period": "SELECT (1 + new) || '0' || band, 'count', 1, ticket_number FROM lines",
    "causes": """
        SELECT coalesce(json_extract(complaint, '$.outcome.root_cause'), '') || '', 'count', 1, ticket_number
        FROM lines WHERE band < 4
    """,
    "negative_publication": """
        SELECT type, 'count', count, 'publication ' || id FROM publications
        WHERE organisation = 'klikacc' AND withdrawn_at IS NULL AND published_on BETWEEN :first AND :last
        UNION ALL
        SELECT 'social_media', 'count', 1, ticket_number || '#' || messages.id
        FROM messages JOIN tickets USING (complaint_id)
        WHERE messages.organisation = 'klikacc' AND kind = 'complaint' AND state <> 'dismissed'
          AND json_extract(CAST(document AS TEXT), '$.visibility') = 'public'
          AND date(json_extract(CAST(document AS TEXT), '$.sent_at'), '+7 hours') BETWEEN :first AND :last
    """,
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year of KlikACC, and some tickets of somebody else."""
    path = tmp_path_factory.mktemp("year") / "tickets.db"
    store = Store.open(f"sqlite:///{path}")
    keep(store, a_year(10_000), publications(300))
    store.close()
    return path


@pytest.fixture(scope="module")
def store(database: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{database}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def made(store: Store, sources: Sources) -> dict[str, Made]:
    """The report of each period."""
    klikacc = sources.organisations["klikacc"]
    rules = {rule.period: rule for rule in klikacc.policy.reports}
    found = {}
    for period in PERIODS:
        rule = rules["quarter" if "Q" in period else "month"]
        found[period] = make(store, klikacc, rule, span_of(rule, period), ("issue", "category"))
    return found


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("section", _SECTIONS)
def test_k19_k22_every_figure_equals_a_count_in_sql(
    database: Path, made: dict[str, Made], section: str, period: str
) -> None:
    """K19, K22: products and problems, settlement, causes and negative publication; with the tickets behind each."""
    report = made[period].report
    expected = _counted(database, section, report)
    table = report.table(section)
    found: Cells = {(f.row, f.column): (f.value, f.behind) for f in table.figures if TOTAL not in (f.row, f.column)}
    assert found == expected
    assert sum(value for value, _ in expected.values()) > 0
    for row, column in expected:
        assert row in table.rows
        assert column in table.columns


@pytest.mark.parametrize("period", PERIODS)
def test_what_stood_open_came_in_and_was_settled_adds_up(made: dict[str, Made], period: str) -> None:
    report = made[period].report
    standing, settlement = report.table("standing"), report.table("settled_in_period")

    def standing_of(row: str) -> int:
        return standing.value(row, "count")

    def settled(*rows: str) -> int:
        return sum(settlement.value(row, "count") for row in rows)

    assert standing_of("open_before") + standing_of("received") == standing_of("settled") + standing_of("open_after")
    assert standing_of("open_before") == settled("101", "102", "103", "104")
    assert standing_of("received") == settled("201", "202", "203", "204")
    assert standing_of("open_after") == settled("104", "204")
    assert standing_of("received") == report.table("product_problem").value(TOTAL, TOTAL)
    assert standing_of("settled") == report.table("causes").value(TOTAL, "count")


def test_a_quarter_begins_with_what_the_one_before_left_open(made: dict[str, Made]) -> None:
    reports = [made[f"2026-Q{n}"].report for n in range(1, 5)]
    for before, after in pairwise(reports):
        left = before.table("standing").figure("open_after", "count")
        found = after.table("standing").figure("open_before", "count")
        assert left.behind == found.behind


@pytest.mark.parametrize("period", PERIODS)
def test_sums_count_what_their_cells_count(made: dict[str, Made], period: str) -> None:
    for table in made[period].report.tables:
        if table.section == "standing":
            continue
        for column in table.columns:
            parts = [table.figure(row, column) for row in table.rows if row != TOTAL]
            total = table.figure(TOTAL, column)
            assert total.value == sum(part.value for part in parts)
            assert sorted(total.behind) == sorted(item for part in parts for item in part.behind)


def test_everything_missing_is_named(made: dict[str, Made]) -> None:
    report = made["2026-Q2"].report
    product = report.table("product_problem").figure("", TOTAL).behind
    problem = report.table("product_problem").figure(TOTAL, "").behind
    cause = report.table("causes").figure("", "count").behind
    for word, numbers in (("product", product), ("problem", problem), ("cause", cause)):
        assert numbers
        assert [each.number for each in report.incomplete if word in each.missing] == sorted(
            numbers, key=lambda number: next(i for i, h in enumerate(report.handled) if h.fact.number == number)
        )


def test_what_is_no_complaint_is_counted_apart(database: Path, made: dict[str, Made]) -> None:
    report = made["2026-Q3"].report
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute(
            """SELECT CASE WHEN state IN ('dismissed', 'merged') THEN state ELSE kind END AS word, count(*) FROM tickets
            WHERE (kind <> 'complaint' OR state IN ('dismissed', 'merged'))
              AND date(received_at / 1000000 + 7 * 3600, 'unixepoch') BETWEEN '2026-07-01' AND '2026-09-30'
              AND (closed_at IS NULL OR closed_at >= 1782838800000000)
            GROUP BY word"""
        ).fetchall()
    assert report.apart == dict(found)
    assert set(report.apart) == {"dismissed", "merged", "information"}


def _counted(database: Path, section: str, report: Report) -> Cells:
    days = {"first": report.span.first.isoformat(), "last": report.span.last.isoformat()}
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TEMP TABLE working (day TEXT PRIMARY KEY, n INTEGER)")
        connection.executemany("INSERT INTO working VALUES (?, ?)", _working_days())
        rows = connection.execute(_LINES + _SECTIONS[section], days).fetchall()
    cells: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for row, column, count, item in rows:
        cells.setdefault((row, column), []).append((count, item))
    return {
        cell: (sum(count for count, _ in found), tuple(sorted(item for _, item in found)))
        for cell, found in cells.items()
    }


def _working_days() -> list[tuple[str, int]]:
    """Every date of the calendar files with the number of working days up to it."""
    off: set[date] = set()
    for file in sorted(CALENDARS.glob("*.yaml")):
        off |= {row["date"] for row in YAML(typ="safe").load(file.read_text(encoding="utf-8"))["days"]}
    found, day, count = [], date(2025, 1, 1), 0
    while day <= date(2027, 12, 31):
        count += day.weekday() < 5 and day not in off
        found.append((day.isoformat(), count))
        day += timedelta(days=1)
    return found
