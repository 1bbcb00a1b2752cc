"""`aduan report ORGANISATION REPORT PERIOD`, `freeze`, `show`, `letter` and `check`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from gateway.cli.out import as_json, complain, fail, say, table
from gateway.cli.report_asked import (
    Asked,
    OrganisationArgument,
    PeriodArgument,
    PersonOption,
    ReportArgument,
    asked_for,
    person,
    report_store,
    sources_at,
)
from gateway.cli.report_text import about, complain_incomplete, explain_figure, print_report, say_frozen

if TYPE_CHECKING:
    from gateway.reports.making import Made
    from tickets.reports_snapshot import Snapshot
    from tickets.reports_values import Report
    from tickets.store import Store

OutOption = Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write it: .xlsx, .csv, .pdf or .json.")]
FormatOption = Annotated[
    Literal["xlsx", "csv", "pdf", "json"] | None, typer.Option("--format", help="Form of the file; else by its name.")
]
AgainOption = Annotated[bool, typer.Option("--again", help="A further edition of a report that was frozen before.")]


def make(
    organisation: OrganisationArgument,
    report: ReportArgument,
    period: PeriodArgument,
    out: OutOption = None,
    format: FormatOption = None,
    freeze: Annotated[bool, typer.Option("--freeze", help="Keep it as it is handed in; see `report freeze`.")] = False,
    again: AgainOption = False,
    explain: Annotated[
        tuple[str, str, str] | None,
        typer.Option(metavar="SECTION ROW COLUMN", help="The tickets behind one figure; `total` and `missing` too."),
    ] = None,
    as_: PersonOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Make a report as the tickets stand now; what a person must still fill in goes to standard error."""
    from gateway.reports.making import over

    asked = asked_for(config, organisation, report, period)
    form = _form(out, format)
    with report_store(config) as store:
        made = asked.make(store)
        snapshot = _freeze(store, asked, made, again, person(as_)) if freeze else None
    if out is not None:
        _write(out, form, asked, made.report, snapshot)
    if explain is not None:
        explain_figure(made.report, explain, json)
    elif json:
        as_json(made.report)
    elif out is None:
        print_report(asked, made.report)
    else:
        say(f"{out}: {asked.rule.id} {asked.span.label}{', nihil / nil' if made.report.is_nil else ''}")
    if snapshot is not None and not json:
        say_frozen(snapshot)
    if not over(asked.span, today()):
        complain(
            f"periode {asked.span.label} belum berakhir / is not over: angkanya masih berubah / figures still change"
        )
    complain_incomplete(made.report)


def freeze(
    organisation: OrganisationArgument,
    report: ReportArgument,
    period: PeriodArgument,
    again: AgainOption = False,
    as_: PersonOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Keep a report as it is handed in: its figures, the tickets behind them and its SHA-256 are never changed."""
    asked = asked_for(config, organisation, report, period)
    with report_store(config) as store:
        made = asked.make(store)
        snapshot = _freeze(store, asked, made, again, person(as_))
    if json:
        as_json(about(snapshot))
    else:
        say_frozen(snapshot)
    complain_incomplete(made.report)


def show(
    organisation: OrganisationArgument,
    report: ReportArgument,
    period: PeriodArgument,
    edition: Annotated[int | None, typer.Option(min=1, help="Which edition; else the last.")] = None,
    out: OutOption = None,
    format: FormatOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Show what was frozen, and what would be counted otherwise today: which figure, which ticket and why."""
    from gateway.reports.keeping import changed_since

    asked = asked_for(config, organisation, report, period)
    form = _form(out, format)
    with report_store(config) as store:
        snapshots = store.reports.snapshots(organisation, report, asked.span.label)
        made = asked.make(store)
    if not snapshots or (edition or 1) > len(snapshots):
        fail(f"{report} {period} of {organisation} was not frozen{'' if edition is None else f' {edition} times'}")
    snapshot = snapshots[(edition or len(snapshots)) - 1]
    try:
        frozen, changes = snapshot.read(), changed_since(snapshot, made)
    except ValueError as error:
        fail(str(error))
    if frozen.layout != asked.used:
        complain(f"the layout changed since: frozen with {frozen.layout.id} {frozen.layout.version}")
    if out is not None:
        _write(out, form, asked, frozen.report, snapshot)
    if json:
        as_json({**about(snapshot), "report": frozen.report, "corrections": changes})
        return
    say_frozen(snapshot)
    print_report(asked, frozen.report)
    say("")
    if not changes:
        say("tidak ada koreksi / no corrections since")
        return
    table(
        ("section", "row", "column", "frozen", "now", "what", "counted now", "why"),
        [
            (
                each.section, each.row or "missing", each.column or "missing", str(each.then), str(each.now), each.item,
                "yes" if each.counted else "no",
                "; ".join(f"{why.what}: {why.then or '-'} -> {why.now or '-'}" for why in each.why),
            )
            for each in changes
        ],
    )  # fmt: skip


def letter(
    organisation: OrganisationArgument,
    report: ReportArgument,
    period: PeriodArgument,
    out: Annotated[Path, typer.Option(metavar="FILE.pdf", help="Where to write it.")],
    date_: Annotated[str | None, typer.Option("--date", metavar="DATE", help="Its date; else today.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """The letter that carries a report when the regulator's electronic system fails (K21), the report as its annex."""
    from gateway.reports.pdf import letter_pdf
    from gateway.reports.printed import names_of

    asked = asked_for(config, organisation, report, period)
    fallback = asked.rule.fallback
    if fallback is None:
        fail(f"the policy of {organisation} states no letter instead of the report `{report}`")
    try:
        on = today() if date_ is None else date.fromisoformat(date_)
    except ValueError as error:
        raise typer.BadParameter("write 2026-04-10", param_hint="--date") from error
    with report_store(config) as store:
        snapshots = store.reports.snapshots(organisation, report, asked.span.label)
        try:
            content = snapshots[-1].read().report if snapshots else asked.make(store).report
        except ValueError as error:
            fail(str(error))
    names = names_of(asked.layout.language, asked.span, asked.organisation, asked.rule, asked.due)
    pdf = letter_pdf(asked.printed(content), names, asked.organisation, fallback, on)
    _keep(out, pdf)
    say(f"{out}: {fallback.to}{'' if snapshots else '; not frozen yet'}")
    complain_incomplete(content)


def check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Every mistake in the mapping files of the reports, each with its line."""
    from tickets.reports_layout import find_layout
    from tickets.yaml_lines import InvalidFile

    sources = sources_at(config)
    wrong = 0
    for slug, organisation in sources.organisations.items():
        for rule in organisation.policy.reports:
            try:
                layout, used = find_layout(sources.layouts, organisation.policy.id, rule.id)
            except InvalidFile as error:
                wrong += len(error.problems)
                for problem in error.problems:
                    complain(str(problem))
            else:
                say(f"good  {slug} {rule.id}: {layout.id} {used.version} ({layout.source})")
    if wrong:
        raise typer.Exit(1)


def today() -> date:
    """The WIB date now."""
    from tickets.calendar import wib_date

    return wib_date(datetime.now(UTC))


def _freeze(store: Store, asked: Asked, made: Made, again: bool, actor: str) -> Snapshot:
    from gateway.reports.keeping import freeze as keep

    try:
        return keep(store, made, asked.used, actor=actor, today=today(), again=again)
    except ValueError as error:
        fail(str(error))


def _form(out: Path | None, given: str | None) -> str:
    form = given or (out.suffix.lower().lstrip(".") if out else "xlsx")
    if form not in {"xlsx", "csv", "pdf", "json"}:
        raise typer.BadParameter(f"`{form}` is no form of a report: xlsx, csv, pdf, json", param_hint="--out")
    if given is not None and out is None:
        raise typer.BadParameter("a form needs a file: give --out", param_hint="--format")
    return form


def _write(out: Path, form: str, asked: Asked, report: Report, snapshot: Snapshot | None) -> None:
    import msgspec

    from gateway.reports.files import csv_file, workbook

    printed = asked.printed(report)
    if form == "xlsx":
        try:
            content = workbook(printed)
        except ValueError as error:
            fail(str(error))
    elif form == "csv":
        content = csv_file(report, asked.layout, printed, asked.sources.labels)
    elif form == "json":
        content = msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"
    else:
        from gateway.reports.pdf import report_pdf

        content = report_pdf(printed, asked.used, snapshot.sha256 if snapshot else None)
    _keep(out, content)


def _keep(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}")
