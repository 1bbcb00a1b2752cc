"""How each figure is read: which day decides, which band, what counts as a complaint."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.reports.making import due_of, make, span_of
from gateway.reports.sources import Sources
from normalizer.complaint import Outcome
from report_tickets import Recorded, extended, keep, publications, recorded, wib
from tickets.calendar import CalendarMissing
from tickets.life import Life
from tickets.lifecycle_values import Rules, Standing
from tickets.policy_clocks import ReportRule
from tickets.reports import band, build
from tickets.reports_facts import Reader
from tickets.reports_values import MISSING, TOTAL, Fact, Report, Span
from tickets.store import Store

#: Worked case 6: written, received Monday 2 March 2026; 20 working days end on 7 April, 20 more on 6 May.
RECEIVED = wib(date(2026, 3, 2))
DUE, LONGER = date(2026, 4, 7), date(2026, 5, 6)


def report_of(
    sources: Sources, *tickets: Recorded, period: str = "2026-Q2", report: str = "quarterly", slug: str = "klikacc"
) -> Report:
    organisation = sources.organisations[slug]
    rule = next((rule for rule in organisation.policy.reports if rule.id == report), None)
    if rule is None:  # klikUMKM promises no report: its operator may add one
        sections = ("product_problem", "settled_in_period", "causes", "negative_publication")
        rule = ReportRule(id=report, period="quarter", due=None, sections=sections)
    rules = Rules(policy=organisation.policy, calendar=organisation.calendar)
    reader = Reader(rules)
    facts = [reader.fact(Standing(complaint=each.complaint, ticket=each.ticket)) for each in tickets]
    return build(slug, rule, span_of(rule, period), rules, facts=facts)


def codes(report: Report) -> list[str]:
    return [handled.code for handled in report.handled]


@pytest.mark.parametrize(
    ("settled", "more_time", "code"),
    [
        (DUE, False, "101"),
        (DUE, True, "101"),
        (DUE + timedelta(days=1), False, "103"),
        (DUE + timedelta(days=1), True, "102"),
        (LONGER, True, "102"),
        (LONGER + timedelta(days=1), True, "103"),
        (LONGER, False, "103"),
        (date(2026, 6, 30), True, "103"),
        (date(2026, 7, 1), True, "104"),
        (None, False, "104"),
    ],
)
def test_k10_k11_the_bands_end_with_their_last_day(
    sources: Sources, settled: date | None, more_time: bool, code: str
) -> None:
    """K10, K11: 20 working days, 20 more when they were granted; beyond counts what took longer without a grant."""
    ticket = recorded(
        1,
        RECEIVED,
        state="in_progress" if settled is None else "resolved",
        closed=None if settled is None else wib(settled, 23, 59),
        life=extended(RECEIVED, LONGER) if more_time else None,
    )
    assert codes(report_of(sources, ticket)) == [code]


def test_a_day_that_does_not_count_is_after_the_last_day(sources: Sources) -> None:
    """R2: received Thursday 1 January 2026, due Friday 30 January; Saturday the 31st is too late."""
    tickets = [
        recorded(n, wib(date(2026, 1, 1)), state="resolved", closed=wib(day))
        for n, day in ((1, date(2026, 1, 30)), (2, date(2026, 1, 31)))
    ]
    report = report_of(sources, *tickets, period="2026-Q1")
    assert [(each.code, each.fact.days) for each in report.handled] == [("201", 20), ("203", 21)]


def test_an_answer_on_the_day_itself_took_no_day(sources: Sources) -> None:
    ticket = recorded(1, RECEIVED, state="resolved", closed=RECEIVED + timedelta(hours=1))
    (handled,) = report_of(sources, ticket, period="2026-Q1").handled
    assert (handled.code, handled.fact.days) == ("201", 0)


@pytest.mark.parametrize(
    ("received", "code"),
    [
        (wib(date(2026, 3, 31), 23, 59), "104"),
        (wib(date(2026, 4, 1), 0, 0), "204"),
        (wib(date(2026, 6, 30), 23, 59), "204"),
        (wib(date(2026, 7, 1), 0, 0), None),
    ],
)
def test_the_wib_date_of_arrival_decides_the_period(sources: Sources, received: datetime, code: str | None) -> None:
    assert codes(report_of(sources, recorded(1, received))) == ([code] if code else [])


@pytest.mark.parametrize("state", ["resolved", "rejected", "withdrawn"])
def test_what_is_settled(sources: Sources, state: str) -> None:
    assert codes(report_of(sources, recorded(1, RECEIVED, state=state, closed=wib(DUE)))) == ["101"]


@pytest.mark.parametrize(
    "state",
    ["received", "in_progress", "awaiting_documents", "escalated", "responded", "objection_review", "referred"],
)
def test_k12_what_is_in_process(sources: Sources, state: str) -> None:
    """K12: what is with a court or LAPS stays in process until the forum has decided."""
    assert codes(report_of(sources, recorded(1, RECEIVED, state=state))) == ["104"]


def test_k12_what_a_forum_decided_is_measured_like_any_other(sources: Sources) -> None:
    ticket = recorded(1, RECEIVED, state="resolved", closed=wib(DUE))
    at_court = Recorded(
        complaint=ticket.complaint,
        ticket=replace(ticket.ticket, tier="court_or_adr"),
        messages=(),
    )
    assert codes(report_of(sources, at_court)) == ["101"]


@pytest.mark.parametrize(
    ("change", "apart"),
    [
        ({"state": "dismissed"}, {"dismissed": 1}),
        ({"state": "merged"}, {"merged": 1}),
        ({"kind": "suggestion"}, {"suggestion": 1}),
    ],
)
def test_what_is_no_complaint_is_no_figure(sources: Sources, change: dict[str, Any], apart: dict[str, int]) -> None:
    report = report_of(sources, recorded(1, wib(date(2026, 4, 1)), closed=None, **change))
    assert report.is_nil
    assert report.apart == apart


def test_k9_an_oral_complaint_that_turned_written_counts_from_there(sources: Sources) -> None:
    """K9, worked case 12: documents came on Monday 25 May 2026, 20 working days end on Friday 26 June."""
    turned = Life(written_since=wib(date(2026, 5, 25)))
    tickets = [
        recorded(n, wib(date(2026, 5, 4)), channel="phone", form="oral", state="resolved", closed=wib(day), life=turned)
        for n, day in ((1, date(2026, 6, 26)), (2, date(2026, 6, 27)))
    ]
    assert codes(report_of(sources, *tickets)) == ["201", "203"]


def test_a10_akselerans_time_follows_the_tier_and_begins_with_the_documents(sources: Sources) -> None:
    """A10, worked case 9: documents complete on Monday 15 June 2026; two units have until Monday 22 June."""
    made = [
        recorded(
            n, wib(date(2026, 6, 8)), organisation="akseleran", state="resolved", closed=wib(day),
            documents_complete_at=wib(date(2026, 6, 15), 14),
        )
        for n, day in ((1, date(2026, 6, 22)), (2, date(2026, 6, 23)))
    ]  # fmt: skip
    two_units = [replace(each, ticket=replace(each.ticket, tier="cross_unit")) for each in made]
    report = report_of(sources, *two_units, period="2026-06-01..2026-06-30", report="periodic", slug="akseleran")
    assert codes(report) == ["201", "203"]


def test_u8_where_a_person_types_the_new_date_it_is_the_limit(sources: Sources) -> None:
    """U6, U8: a problem has 5 working days, an extension the date that was typed."""
    made = [
        recorded(
            n, wib(date(2026, 4, 6)), organisation="klikumkm", state="resolved", closed=wib(day),
            life=extended(wib(date(2026, 4, 8)), date(2026, 5, 20)),
        )
        for n, day in ((1, date(2026, 4, 13)), (2, date(2026, 5, 20)), (3, date(2026, 5, 21)))
    ]  # fmt: skip
    report = report_of(sources, *made, slug="klikumkm")
    assert codes(report) == ["201", "202", "203"]


def test_k19_product_problem_and_cause_that_nobody_filled_in_are_shown_and_named(sources: Sources) -> None:
    """K19 (1), (3): nothing is guessed; a person completes it before the report is handed in."""
    bare = recorded(1, wib(date(2026, 4, 1)), state="resolved", closed=wib(date(2026, 4, 2)))
    whole = recorded(
        2, wib(date(2026, 4, 1)), state="resolved", closed=wib(date(2026, 4, 2)), product="P2P", category="login",
        outcome=Outcome(root_cause=130),
    )  # fmt: skip
    waiting = recorded(3, wib(date(2026, 4, 1)), product="P2P", issue="fraud", category="login")
    report = report_of(sources, bare, whole, waiting)
    assert [(each.number, each.missing) for each in report.incomplete] == [
        (bare.ticket.ticket_number, ("product", "problem", "cause"))
    ]
    problems = report.table("product_problem")
    assert (problems.rows, problems.columns) == (("P2P", MISSING, TOTAL), ("fraud", "login", MISSING, TOTAL))
    assert problems.value("P2P", "login") == problems.value("P2P", "fraud") == problems.value(MISSING, MISSING) == 1
    causes = report.table("causes")
    assert (causes.value("130", "count"), causes.value(MISSING, "count")) == (1, 1)


def test_k19_negative_publication_counts_what_people_found_and_what_was_said_in_public(
    store: Store, sources: Sources
) -> None:
    """K19 (4): comments and mentions that opened or joined a complaint are social media; the rest is entered."""
    said = [wib(date(2026, 4, 3)), wib(date(2026, 4, 30), 23, 59), wib(date(2026, 5, 1), 0, 0)]
    tickets = [
        recorded(1, wib(date(2026, 3, 30)), said=said),
        recorded(2, wib(date(2026, 4, 2)), said=said, state="dismissed", closed=wib(date(2026, 4, 5))),
        recorded(3, wib(date(2026, 4, 2)), said=said, kind="information"),
        recorded(4, wib(date(2026, 4, 2)), said=said[:1], state="merged", closed=wib(date(2026, 4, 5))),
    ]
    entered = publications(400)
    keep(store, tickets, entered)
    organisation = sources.organisations["klikacc"]
    rule = organisation.policy.reports[0]
    report = make(store, organisation, rule, span_of(rule, "2026-04"), ("issue",)).report
    table = report.table("negative_publication")
    april = [p for p in entered if p.published_on.month == 4 and p.withdrawn_at is None]
    assert any(p.type == "social_media" for p in april)
    for type_ in ("print", "tv_radio", "online_media", "readers_letter", "other"):
        assert table.value(type_, "count") == sum(p.count for p in april if p.type == type_)
    social = table.figure("social_media", "count")
    assert social.value == 3 + sum(p.count for p in april if p.type == "social_media")
    assert [item for item in social.behind if "#" in item] == [
        "KLA-00000001#C00000001-1", "KLA-00000001#C00000001-2", "KLA-00000004#C00000004-1",
    ]  # fmt: skip


def test_k19_a_comment_counts_in_its_month_although_the_closing_was_entered_late(
    store: Store, sources: Sources
) -> None:
    """K19 (4): the desk enters on 3 April that the matter ended on 31 March; the comment of 2 April was public."""
    late = recorded(
        1, wib(date(2026, 3, 30)), said=[wib(date(2026, 4, 2))], state="resolved", closed=wib(date(2026, 3, 31))
    )
    keep(store, [late], [])
    organisation = sources.organisations["klikacc"]
    rule = organisation.policy.reports[0]
    report = make(store, organisation, rule, span_of(rule, "2026-04"), ("issue",)).report
    assert report.table("negative_publication").value("social_media", "count") == 1
    assert report.table("standing").value("open_before", "count") == 0


@pytest.mark.parametrize(
    ("typed", "counted"),
    [
        ("*", MISSING),
        (" - ", MISSING),
        ("\u00a0", MISSING),
        ("  Pinjaman\n modal\tkerja ", "Pinjaman modal kerja"),
        ("P2P*", "P2P*"),
    ],
)
def test_k19_a_product_is_what_somebody_named_and_never_a_sum(typed: str, counted: str, sources: Sources) -> None:
    """K19 (1): a star stands for sums in our figures, a dash for what nobody knew: neither is a product."""
    ticket = recorded(1, wib(date(2026, 2, 3)), product=typed, issue="fraud")
    report = report_of(sources, ticket, period="2026-02", report="monthly")
    table = report.table("product_problem")
    assert table.rows == (counted, TOTAL)
    assert (table.value(counted, "fraud"), table.value(TOTAL, TOTAL)) == (1, 1)


def test_a_ticket_whose_last_day_lies_in_a_year_without_calendar_needs_none(sources: Sources) -> None:
    opened = recorded(1, wib(date(2027, 12, 20)))
    settled = recorded(2, wib(date(2027, 12, 20)), state="resolved", closed=wib(date(2027, 12, 30)))
    assert codes(report_of(sources, opened, settled, period="2027-Q4")) == ["204", "201"]
    with pytest.raises(CalendarMissing):
        report_of(sources, recorded(3, wib(date(2027, 12, 20)), state="resolved", closed=wib(date(2028, 1, 5))))


@pytest.mark.parametrize(
    ("report", "period", "due"),
    [
        ("monthly", "2025-12", "2026-01-15"),
        ("monthly", "2026-02", "2026-03-13"),
        ("monthly", "2026-03", "2026-04-15"),
        ("monthly", "2026-05", "2026-06-15"),
        ("quarterly", "2025-Q4", "2026-01-12"),
        ("quarterly", "2026-Q1", "2026-04-10"),
        ("quarterly", "2026-Q2", "2026-07-10"),
        ("quarterly", "2025-Q1", "2025-04-10"),
    ],
)
def test_k18_k20_when_a_report_is_due(sources: Sources, report: str, period: str, due: str) -> None:
    """K18: the 10th working day of the next month. K20: the 10th, moved to a working day. Worked cases 14 and 15."""
    organisation = sources.organisations["klikacc"]
    rule = next(rule for rule in organisation.policy.reports if rule.id == report)
    found = due_of(organisation, rule, span_of(rule, period))
    assert found is not None
    assert found.due.isoformat() == due


def test_a23_the_operator_gives_the_period(sources: Sources) -> None:
    """A23: no period is stated, so any days may be asked for, and nothing is ever due."""
    akseleran = sources.organisations["akseleran"]
    (rule,) = akseleran.policy.reports
    for text in ("2026-02", "2026-Q1", "2026-01-15..2026-02-14"):
        assert due_of(akseleran, rule, span_of(rule, text)) is None
    assert span_of(rule, "2026-01-15..2026-02-14") == Span(
        label="2026-01-15..2026-02-14", first=date(2026, 1, 15), last=date(2026, 2, 14)
    )


@pytest.mark.parametrize(
    "text", ["2026", "2026-13", "2026-Q5", "2026-02-01..2026-01-01", "2026-02-30..2026-03-01", ".."]
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"period|days|first day"):
        Span.parse(text)


_DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))


@st.composite
def _facts(draw: st.DrawFn) -> list[Fact]:
    found = []
    for number in range(draw(st.integers(0, 12))):
        received = draw(_DAYS)
        settled = draw(st.none() | st.dates(received, date(2027, 3, 1)))
        found.append(
            Fact(
                number=str(number), state="in_progress" if settled is None else "resolved", kind="complaint",
                channel="email", form="written", role="user", tier="single_unit", received=received,
                counted_from=received, settled=settled, days=None if settled is None else (settled - received).days,
                allowed=20, allowed_longer=draw(st.none() | st.just(40)), extended=False,
                product=draw(st.sampled_from(["P2P", None])), cause=draw(st.sampled_from([110, None])),
            )
        )  # fmt: skip
    return found


@given(_facts(), st.sampled_from(["2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4", "2027-Q1"]))
def test_nothing_is_lost_between_two_periods(sources: Sources, facts: list[Fact], period: str) -> None:
    organisation = sources.organisations["klikacc"]
    rules = Rules(policy=organisation.policy, calendar=organisation.calendar)
    monthly, rule = organisation.policy.reports
    span = span_of(rule, period)
    report = build("klikacc", rule, span, rules, facts=facts)
    rows = {row: report.table("standing").figure(row, "count").behind for row in report.table("standing").rows}
    assert {*rows["open_before"]} | {*rows["received"]} == {*rows["settled"]} | {*rows["open_after"]}
    assert not {*rows["open_before"]} & {*rows["received"]}
    assert not {*rows["settled"]} & {*rows["open_after"]}
    assert {*rows["open_after"]} == {f.number for f in facts if band(f, span) == "open" and f.received <= span.last}
    months = [
        build("klikacc", monthly, span_of(monthly, month), rules, facts=facts)
        for month in (f"{span.first:%Y}-{span.first.month + n:02d}" for n in range(3))
    ]
    for row in ("received", "settled"):
        parts = [item for month in months for item in month.table("standing").figure(row, "count").behind]
        assert sorted(parts) == sorted(rows[row])
