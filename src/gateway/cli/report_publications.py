"""`aduan report publication`: negative publications that a person found (K19 (4))."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from gateway.cli.out import as_json, fail, say, table
from gateway.cli.report_asked import OrganisationArgument, PersonOption, person, report_store, sources_at
from gateway.cli.words import one_of

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Negative publications that a person found.")


@app.command()
def add(
    organisation: OrganisationArgument,
    type_: Annotated[
        str,
        typer.Option("--type", metavar="T", help="print, tv_radio, online_media, social_media, readers_letter, other."),
    ],
    date_: Annotated[str, typer.Option("--date", metavar="DATE", help="When it was published (WIB).")],
    url: Annotated[str | None, typer.Option(help="Where it can be read.")] = None,
    count: Annotated[int, typer.Option(min=1, help="How often it appeared: the same report in four papers is 4.")] = 1,
    as_: PersonOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Enter a publication; comments and mentions that became complaints are counted without it."""
    from gateway.ids import new_id
    from tickets.calendar import wib_date
    from tickets.reports_values import PUBLICATION_TYPES, Publication

    _must_exist(config, organisation)
    one_of(type_, PUBLICATION_TYPES, "--type")
    found = next(word for word in PUBLICATION_TYPES if word == type_)
    if url is not None and (urlsplit(url).scheme not in {"http", "https"} or not url.isprintable()):
        raise typer.BadParameter("an address begins with https:// or http://", param_hint="--url")
    now, day = datetime.now(UTC), _day(date_, "--date")
    if day > wib_date(now):
        raise typer.BadParameter(f"{day} has not come yet", param_hint="--date")
    publication = Publication(
        id=new_id(now),
        organisation=organisation,
        type=found,
        published_on=day,
        count=count,
        url=url,
        added_at=now,
        added_by=person(as_),
    )
    with report_store(config) as store, store.begin() as tx:
        tx.reports.publish(publication)
    if json:
        as_json(publication)
    else:
        say(f"{publication.id}: {publication.type}, {publication.published_on}, {publication.count}")


@app.command("list")
def list_(
    organisation: OrganisationArgument,
    since: Annotated[str, typer.Option(metavar="DATE", help="Published on or after.")] = "2000-01-01",
    until: Annotated[str, typer.Option(metavar="DATE", help="Published on or before.")] = "9999-12-31",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """What was entered, the earliest first; what was withdrawn stays and counts no more."""
    _must_exist(config, organisation)
    with report_store(config) as store:
        found = store.reports.publications(organisation, _day(since, "--since"), _day(until, "--until"))
    if json:
        as_json(found)
        return
    table(
        ("id", "date", "type", "count", "address", "entered by", "counts"),
        [
            (
                each.id, str(each.published_on), each.type, str(each.count), each.url or "-", each.added_by,
                "no" if each.withdrawn_at else "yes",
            )
            for each in found
        ],
    )  # fmt: skip


@app.command()
def withdraw(
    organisation: OrganisationArgument,
    id_: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    as_: PersonOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Take a publication back that was entered wrongly."""
    _must_exist(config, organisation)
    with report_store(config) as store, store.begin() as tx:
        withdrawn = tx.reports.withdraw(organisation, id_, person(as_))
    if withdrawn is None:
        fail(f"{organisation} has no publication {id_} that counts")
    say(f"{withdrawn.id}: counts no more")


def _must_exist(config: Path, organisation: str) -> None:
    one_of(organisation, tuple(sources_at(config).organisations), "ORGANISATION")


def _day(given: str, option: str) -> date:
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise typer.BadParameter("write 2026-04-10", param_hint=option) from error
