"""What `aduan report` prints: sections, the tickets behind a figure, what is missing, what was frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.cli.out import as_json, complain, fail, say, table, wib

if TYPE_CHECKING:
    from gateway.cli.report_asked import Asked
    from tickets.reports_snapshot import Snapshot
    from tickets.reports_values import Report

#: How sums and what nobody filled in are typed; their own keys are no words.
_TYPED = {"total": "*", "missing": ""}


def explain_figure(report: Report, cell: tuple[str, str, str], json: bool) -> None:
    """Prints what stands behind one figure. Ends the command when the report has no such figure."""
    section, row, column = cell[0], *(_TYPED.get(word, word) for word in cell[1:])
    try:
        figure = report.table(section).figure(row, column)
    except LookupError as error:
        fail(str(error.args[0]))
    known = {handled.fact.number: handled for handled in report.handled}
    if json:
        behind = [{"item": item, "complaint": known.get(item.partition("#")[0])} for item in figure.behind]
        as_json({"section": section, "row": row, "column": column, "value": figure.value, "behind": behind})
        return
    say(f"{section} ({row or 'missing'}, {column or 'missing'}): {figure.value}")
    lines: list[tuple[str, ...]] = []
    for item in figure.behind:
        handled = known.get(item.partition("#")[0])
        if handled is None:
            lines.append((item, *("-",) * 8))
            continue
        fact = handled.fact
        said = (
            fact.received, fact.settled, fact.days, "yes" if fact.extended else "no", fact.product, handled.problem,
            fact.cause, fact.state,
        )  # fmt: skip
        lines.append((item, *("-" if value is None else str(value) for value in said)))
    table(
        ("ticket", "received", "settled", "working days", "extended", "product", "problem", "cause", "state now"), lines
    )


def print_report(asked: Asked, report: Report) -> None:
    """Prints every section as a table."""
    printed = asked.printed(report)
    say(f"{printed.title}: {printed.organisation}, {printed.period}")
    for sheet in printed.sheets:
        say(f"\n{sheet.name}")
        table(sheet.headings, [["" if cell is None else str(cell) for cell in row] for row in sheet.rows])
        if not sheet.rows and sheet.nil:
            say(sheet.nil)
    if report.apart:
        say(f"\nbukan pengaduan / no complaints: {', '.join(f'{word} {n}' for word, n in report.apart.items())}")


def complain_incomplete(report: Report) -> None:
    """Prints what a person must still fill in, to standard error."""
    if not report.incomplete:
        return
    complain(f"{len(report.incomplete)} tickets lack what the report asks for; complete them before it is handed in:")
    for each in report.incomplete:
        complain(f"  {each.number}: {', '.join(each.missing)}")


def about(snapshot: Snapshot) -> dict[str, object]:
    """What there is to say of a snapshot beside its figures."""
    names = ("organisation", "report", "period", "edition", "frozen_at", "frozen_by", "sha256")
    return {name: getattr(snapshot, name) for name in names}


def say_frozen(snapshot: Snapshot) -> None:
    """Prints who froze what and when."""
    say(
        f"dibekukan / frozen: {snapshot.organisation} {snapshot.report} {snapshot.period}, edition {snapshot.edition},"
        f" {wib(snapshot.frozen_at)} WIB by {snapshot.frozen_by}, SHA-256 {snapshot.sha256}"
    )
