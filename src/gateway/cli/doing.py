"""`aduan tickets do`, `done` and `events`: what happens to a ticket, as a person of the desk records it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from gateway.cli.out import as_json, complain, fail, say
from gateway.cli.place import installation_at, store_in
from gateway.cli.words import has_time, moment, person

if TYPE_CHECKING:
    from gateway.handling import Handling
    from gateway.handling_events import EventKind
    from gateway.handling_values import Done, Refused
    from gateway.installation import Installation
    from tickets.lifecycle_events import Event
    from tickets.store import Store


def do(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The ticket, or an alias of it.")],
    event: Annotated[str, typer.Argument(metavar="EVENT", help="What happened: see `aduan tickets events`.")],
    fields: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FIELD=VALUE]...", help="Its fields; lists as a,b; text of a file as @FILE."),
    ] = None,
    actor: Annotated[
        str | None, typer.Option("--actor", metavar="NAME", help="Who records it; else the login name.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="ISO", help="When it happened, if not now; WIB without an offset.")
    ] = None,
    revision: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Refuse when the ticket changed after this revision of it.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="A key of your choice: the same event with it is done once.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")] = False,
    group: Annotated[
        bool, typer.Option("--group", help="Also for every ticket that is grouped under it (a mass event).")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Record what happened to a ticket: its state, its dates and what the customer is sent follow from the policy."""
    from sqlalchemy.exc import OperationalError

    read = _event(event, fields or ())
    who = acting(actor)
    happened = _happened(at)
    if group and (happened or revision is not None or dry_run or json):
        raise typer.BadParameter("goes together with --key and --actor only", param_hint="--group")
    installation = installation_at(config)
    with store_in(installation.data_dir) as store:
        try:
            if group:
                _for_all(installation, store, number, read, who, key)
                return
            found = handling_of(installation, store).once(
                number, read, actor=who, at=happened, revision=revision, key=key, dry_run=dry_run
            )
        except OperationalError:
            fail("the ticket store is busy or cannot be written, nothing was changed: run this again in a moment")
        except LookupError:
            fail(f"{number} belongs to an organisation that {installation.file} does not describe")
    tell(found, installation, dry_run=dry_run, json=json)


def events(json: JsonOption = False) -> None:
    """Every event with its fields (those that must be given first) and who may say it."""
    from gateway.handling_events import kinds

    found = kinds()
    if json:
        as_json(found)
        return
    for each in found:
        say(f"{each.event}  ({_by(each)})")
        say(f"    {each.says}")
        for field in sorted(each.fields, key=lambda field: not field.required):
            say(f"    {field.name}{'' if field.required else '?'} = {field.takes}")


def done(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The ticket, or an alias of it.")],
    task: Annotated[str, typer.Argument(metavar="TASK", help="The kind of its open task: see `aduan tickets show`.")],
    actor: Annotated[
        str | None, typer.Option("--actor", metavar="NAME", help="Who did it; else the login name.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Close a task of a ticket that no event ends, such as a letter that was brought."""
    from sqlalchemy.exc import OperationalError

    from tickets.numbers import parse

    who = acting(actor)
    parsed = parse(number)
    with store_in(installation_at(config).data_dir) as store:
        try:
            with store.begin() as tx:
                found = tx.find(number if parsed is None else str(parsed))
                if found is None:
                    fail(f"there is no ticket {number}")
                waiting = tx.casework.open_tasks(found.complaint.complaint_id)
                count = tx.close_tasks([each.id for each in waiting if each.kind == task], who)
        except OperationalError:
            fail("the ticket store is busy or cannot be written, nothing was changed: run this again in a moment")
    if not count:
        kinds = sorted({each.kind for each in waiting})
        fail(f"no task `{task}` is open for {number}; open are: {', '.join(kinds) or 'none'}")
    say(f"{found.ticket.ticket_number}  {task}: selesai / done")


def _for_all(installation: Installation, store: Store, number: str, event: Event, actor: str, key: str | None) -> None:
    from uuid import uuid4

    from gateway.cli.duplicates import finish
    from gateway.deciding import Deciding

    deciding = Deciding(store, handling_of(installation, store))
    finish(deciding.for_all(number, event, actor=actor, key=key or uuid4().hex))


def _by(kind: EventKind) -> str:
    if kind.by == "clock":
        return "the clock alone / hanya jam sistem"
    said = ", on the word of the complainant / atas pernyataan pengadu" if kind.on_word_of_complainant else ""
    return f"staff / petugas{said}"


def _event(tag: str, given: Sequence[str]) -> Event:
    """The event of the typed words. Ends the command with 2 and everything that is wrong with them."""
    from gateway.handling_events import UnknownEvent, WrongFields, kinds, read_words
    from tickets.yaml_lines import nearest

    known = {each.event: each for each in kinds() if each.by == "staff"}
    words: dict[str, str] = {}
    for each in given:
        name, sign, value = each.partition("=")
        if not sign or name in words:
            fail(f"`{each}` {'is given twice' if sign else 'is not FIELD=VALUE'}", 2)
        words[name] = _text(value)
        if not _is_text(words[name]):
            fail(f"{name} is not text in UTF-8", 2)
    try:
        return read_words(tag, words)
    except UnknownEvent:
        hint = nearest(tag, list(known)) or ""
        fail(f"there is no event `{tag}` for a person{hint}; there are: {', '.join(known)}", 2)
    except WrongFields as error:
        for name, what in error.problems:
            complain(f"{name}: {what}")
        takes = ", ".join(f"{field.name}{'' if field.required else '?'} = {field.takes}" for field in known[tag].fields)
        fail(f"{tag} takes {takes or 'no fields'}", 2)


def _text(value: str) -> str:
    """The value itself, or what the file behind an @ holds; @@ is an @."""
    if value.startswith("@@"):
        return value[1:]
    if not value.startswith("@"):
        return value
    file = Path(value[1:])
    try:
        return file.read_bytes().decode("utf-8-sig").strip()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}", 2)
    except UnicodeDecodeError:
        fail(f"{file} is not text in UTF-8", 2)


def _is_text(value: str) -> bool:
    """False for bytes of the command line that were no UTF-8: they cannot be kept, nor sent to anybody."""
    return not any("\ud800" <= sign <= "\udfff" for sign in value)


def acting(given: str | None) -> str:
    """Who acts, as the audit log names people; never a name that stands for the system."""
    from gateway.cli.entering import login_name
    from gateway.handling_events import OF_THE_SYSTEM

    who = person(given, "--actor") if given else login_name()
    if who in OF_THE_SYSTEM:
        raise typer.BadParameter(f"`{who}` stands for the system in the records: name a person", param_hint="--actor")
    return who


def _happened(given: str | None) -> datetime | None:
    if given is None:
        return None
    if not has_time(given):
        raise typer.BadParameter("give the time of day too: 2026-01-05T10:00", param_hint="--at")
    return moment(given, "--at").astimezone(UTC)


def handling_of(installation: Installation, store: Store) -> Handling:
    from gateway.handling import Handling
    from gateway.handling_notices import notices_of
    from gateway.ids import new_id

    def now() -> datetime:
        return datetime.now(UTC)

    def fresh() -> str:
        return new_id(now())

    return Handling(installation, store=store, new_id=fresh, now=now, owe=notices_of(installation, fresh))


def tell(found: Done | Refused, installation: Installation, *, dry_run: bool, json: bool) -> None:
    """Prints what became of it; ends the command with 1 when it was refused."""
    from gateway.cli.doing_text import lines_of, refusal_lines
    from gateway.handling_values import Refused
    from gateway.handling_words import told

    if json:
        as_json(told(found, dry_run=dry_run))
    elif isinstance(found, Refused):
        for line in refusal_lines(found):
            complain(line)
    else:
        for line in lines_of(found, dry_run=dry_run):
            say(line)
    if isinstance(found, Refused):
        raise typer.Exit(1)
