"""The report to the regulator: facts of tickets become figures, each with what stands behind it (K18-K22, A23). Pure.

How each figure is read (which day decides, what counts as settled) is written down in docs/operate/reports.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tickets.lifecycle_values import Rules
from tickets.policy_clocks import ReportRule
from tickets.reports_values import (
    CAUSES,
    COUNT,
    MISSING,
    NO_COMPLAINT,
    PUBLICATION_TYPES,
    SETTLEMENT_ROWS,
    STANDING_ROWS,
    TOTAL,
    Band,
    Fact,
    Figure,
    Handled,
    Incomplete,
    Missing,
    ProblemField,
    Publication,
    PublicSaid,
    Report,
    Section,
    Span,
    Table,
)

_BANDS: Mapping[Band, str] = {"within": "1", "extended": "2", "beyond": "3", "open": "4"}
#: (row, column, what is counted, how often)
_Entry = tuple[str, str, str, int]


def build(
    organisation: str,
    rule: ReportRule,
    span: Span,
    rules: Rules,
    *,
    facts: Iterable[Fact],
    said: Iterable[PublicSaid] = (),
    publications: Iterable[Publication] = (),
    problem: Sequence[ProblemField] = ("issue", "category"),
) -> Report:
    """The report of an institution about the days of `span`, as the tickets stand now.

    `facts` are at least those of every ticket that was received before the end of the span and not closed before its
    beginning. `problem` says which fields name the problem, the first that is filled.
    """
    read = sorted(facts, key=lambda fact: (fact.received, fact.number))
    counted = [fact for fact in read if _is_complaint(fact) and _was_open(fact, span)]
    handled = tuple(_handled(fact, span, problem) for fact in counted)
    entries: dict[Section, list[_Entry]] = {
        "standing": [entry for each in handled for entry in _standing(each, span)],
        "product_problem": [
            (each.fact.product or MISSING, each.problem or MISSING, each.fact.number, 1)
            for each in handled
            if each.fact.received in span
        ],
        "settled_in_period": [(each.code, COUNT, each.fact.number, 1) for each in handled],
        "causes": [
            (MISSING if each.fact.cause is None else str(each.fact.cause), COUNT, each.fact.number, 1)
            for each in handled
            if each.settled
        ],
        "negative_publication": [*_published(publications, span), *_commented(said, span)],
    }
    wanted: tuple[Section, ...] = ("standing", *rule.sections)
    return Report(
        organisation=organisation,
        report=rule.id,
        span=span,
        policy_version=rules.policy.version,
        calendar_version=rules.calendar.version,
        tables=tuple(_table(section, entries[section]) for section in wanted),
        handled=handled,
        apart=_apart(read, span),
        incomplete=tuple(found for each in handled if (found := _incomplete(each, span)).missing),
    )


def band(fact: Fact, span: Span) -> Band:
    """How the complaint stood at the end of the span: settled in its time, in its longer time, beyond, or open.

    A complaint that took longer than its time although nobody extended it counts as beyond: the report may make the
    institution look slower than it was, never faster.
    """
    if fact.settled is None or fact.days is None or fact.settled > span.last:
        return "open"
    if fact.days <= fact.allowed:
        return "within"
    in_days = fact.allowed_longer is not None and fact.days <= fact.allowed_longer
    by_date = fact.longer_until is not None and fact.settled <= fact.longer_until
    return "extended" if in_days or by_date else "beyond"


def _is_complaint(fact: Fact) -> bool:
    return fact.kind == "complaint" and fact.state not in NO_COMPLAINT


def _was_open(fact: Fact, span: Span) -> bool:
    return fact.received <= span.last and (fact.settled is None or fact.settled >= span.first)


def _handled(fact: Fact, span: Span, problem: Sequence[ProblemField]) -> Handled:
    stood = band(fact, span)
    named = {"issue": fact.issue, "category": fact.category}
    return Handled(
        fact=fact,
        code=f"{'2' if fact.received in span else '1'}0{_BANDS[stood]}",
        problem=next((word for field in problem if (word := named[field])), None),
        settled=stood != "open",
    )


def _standing(handled: Handled, span: Span) -> list[_Entry]:
    before = "received" if handled.fact.received in span else "open_before"
    after = "settled" if handled.settled else "open_after"
    return [(row, COUNT, handled.fact.number, 1) for row in (before, after)]


def _published(publications: Iterable[Publication], span: Span) -> list[_Entry]:
    return [
        (each.type, COUNT, f"publication {each.id}", each.count)
        for each in publications
        if each.withdrawn_at is None and each.published_on in span
    ]


def _commented(said: Iterable[PublicSaid], span: Span) -> list[_Entry]:
    """Comments of merged tickets count too: what was public stays so, whichever ticket answers it."""
    return [
        ("social_media", COUNT, f"{each.number}#{each.message_id}", 1)
        for each in said
        if each.kind == "complaint" and each.state != "dismissed" and each.on in span
    ]


def _table(section: Section, entries: Sequence[_Entry]) -> Table:
    """The figures of a section with their sums; the rows of an open section are the words that occur."""
    rows: tuple[str, ...]
    columns: tuple[str, ...] = (COUNT,)
    match section:
        case "standing":
            return Table(section=section, rows=STANDING_ROWS, columns=columns, figures=_figures(entries))
        case "settled_in_period":
            rows = (*SETTLEMENT_ROWS, TOTAL)
        case "causes":
            rows = (*CAUSES, MISSING, TOTAL)
        case "negative_publication":
            rows = (*PUBLICATION_TYPES, TOTAL)
        case "product_problem":
            rows = (*_words({entry[0] for entry in entries}), TOTAL)
            columns = (*_words({entry[1] for entry in entries}), TOTAL)
    sums = [(TOTAL, column, behind, count) for _, column, behind, count in entries]
    if section == "product_problem":
        sums += [(row, TOTAL, behind, count) for row, _, behind, count in entries]
        sums += [(TOTAL, TOTAL, behind, count) for *_, behind, count in entries]
    return Table(section=section, rows=rows, columns=columns, figures=_figures([*entries, *sums]))


def _words(found: set[str]) -> list[str]:
    """In the order of the alphabet, what nobody filled in last."""
    return sorted(found, key=lambda word: (word == MISSING, word.casefold(), word))


def _figures(entries: Iterable[_Entry]) -> tuple[Figure, ...]:
    cells: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for row, column, behind, count in entries:
        cells.setdefault((row, column), []).append((behind, count))
    return tuple(
        Figure(
            row=row,
            column=column,
            value=sum(count for _, count in found),
            behind=tuple(sorted(behind for behind, _ in found)),
        )
        for (row, column), found in sorted(cells.items())
    )


def _apart(facts: Iterable[Fact], span: Span) -> dict[str, int]:
    counts: dict[str, int] = {}
    for fact in facts:
        if fact.received in span and not _is_complaint(fact):
            word = fact.state if fact.state in NO_COMPLAINT else fact.kind
            counts[word] = counts.get(word, 0) + 1
    return dict(sorted(counts.items()))


def _incomplete(handled: Handled, span: Span) -> Incomplete:
    """Product and problem are reported when it comes in, its cause when it is settled."""
    fact, missing = handled.fact, list[Missing]()
    if fact.received in span:
        if fact.product is None:
            missing.append("product")
        if handled.problem is None:
            missing.append("problem")
    if handled.settled and fact.cause is None:
        missing.append("cause")
    return Incomplete(number=fact.number, missing=tuple(missing))
