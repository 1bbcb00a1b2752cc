"""`aduan tickets dates`: which promised dates the calendar files would give otherwise today. Changes nothing (R6)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from gateway.cli.out import as_json, complain, say, table
from gateway.cli.place import data_dir_at, store_in
from gateway.cli.rules import rules_by_organisation

if TYPE_CHECKING:
    from tickets.lifecycle_clocks import Moved
    from tickets.lifecycle_values import Rules, Standing
    from tickets.store import Store

_PAGE = 500


def dates(
    organisation: Annotated[str | None, typer.Option(metavar="SLUG", help="Only this organisation.")] = None,
    calendar: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="A calendar file to try; may be repeated."),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Promised dates that the calendar files as they are now would give otherwise. No date moves: it stays promised."""
    from tickets.calendar import CalendarMissing
    from tickets.lifecycle_clocks import preview

    rules = rules_by_organisation(config, calendar or ())
    if organisation is not None and organisation not in rules:
        raise typer.BadParameter(f"there are {', '.join(sorted(rules))}", param_hint="--organisation")
    moved: list[tuple[Standing, Moved]] = []
    looked = 0
    problems: dict[str, None] = {}
    with store_in(data_dir_at(config)) as store:
        for standing, own in _standings(store, rules, organisation):
            looked += 1
            try:
                moved += [(standing, each) for each in preview(own, standing)]
            except CalendarMissing as error:
                problems[str(error)] = None
    if json:
        as_json(
            {
                "calendars": {slug: own.calendar.version for slug, own in rules.items()},
                "tickets": looked,
                "moved": [
                    {
                        "ticket_number": standing.ticket.ticket_number,
                        "organisation": standing.ticket.organisation,
                        "clock": each.clock,
                        "promised": each.promised,
                        "calendar_version": each.calendar_version,
                        "otherwise": each.otherwise,
                    }
                    for standing, each in moved
                ],
                "problems": list(problems),
            }
        )
        return
    if moved:
        table(
            ("number", "organisation", "clock", "promised", "otherwise", "promised by"),
            [
                (
                    standing.ticket.ticket_number, standing.ticket.organisation, each.clock, str(each.promised),
                    str(each.otherwise), each.calendar_version,
                )
                for standing, each in moved
            ],
        )  # fmt: skip
    for problem in problems:
        complain(problem)
    say(
        f"{len(moved)} tanggal akan berbeda, tidak ada yang diubah / "
        f"{len(moved)} dates of {looked} tickets would differ, none was changed"
    )


def _standings(store: Store, rules: dict[str, Rules], organisation: str | None) -> Iterator[tuple[Standing, Rules]]:
    """Every ticket with a running clock, with its organisation's rules."""
    from tickets.lifecycle_values import Standing

    after = ""
    while True:
        page = store.looking.with_clocks(_PAGE, after, organisation)
        for found in page:
            own = rules.get(found.ticket.organisation)
            if own is not None:
                yield Standing(complaint=found.complaint, ticket=found.ticket), own
        if len(page) < _PAGE:
            return
        after = page[-1].complaint.complaint_id
