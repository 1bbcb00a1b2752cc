"""`aduan report`: reports to the regulator, and by when they are due (K18-K22, A23)."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gateway.cli.due import rules_of
from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from gateway.cli.out import as_json, fail, say
from gateway.cli.report_making import check, freeze, letter, make, show
from gateway.cli.report_publications import app as publications


class _OrACommand(TyperGroup):
    """`aduan report klikacc monthly 2026-02`: what is no command is an organisation, whose report is made."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["make", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_OrACommand,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Reports to the regulator.\n\naduan report ORGANISATION monthly|quarterly PERIOD --out FILE.xlsx makes one.",
)
for _command in (make, freeze, show, letter, check):
    app.command()(_command)
app.add_typer(publications, name="publication")


@app.command()
def calendar(
    policy: Annotated[str, typer.Option(metavar="P", help="Policy: an id or a file.")],
    period: Annotated[list[str], typer.Option(metavar="PERIOD", help="2026-02 or 2026-Q1; may be repeated.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """By when each report on a period is due, with the days counted and skipped and why."""
    from tickets.calendar import CalendarMissing
    from tickets.deadlines import Period, report_due

    promised, days = rules_of(policy, config)
    found: list[dict[str, object]] = []
    for text in period:
        try:
            asked = Period.parse(text)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--period") from error
        for rule in promised.reports:
            if rule.period != asked.kind:
                continue
            try:
                due = report_due(rule, asked, days)
            except CalendarMissing as error:
                fail(str(error))
            if due is not None:
                found.append(
                    {
                        "report": rule.id,
                        "period": str(asked),
                        "due": due.due.isoformat(),
                        "to": rule.to or "OJK",
                        "counted": [day.isoformat() for day in due.counted],
                        "skipped": [{"date": s.date.isoformat(), "reason": str(s.reason)} for s in due.skipped],
                    }
                )
    if json:
        as_json(found)
        return
    for each in found:
        say(f"{each['due']}  {each['report']} {each['period']}: {each['to']}")
    if not found:
        say(f"{promised.id} states no date for these periods")
