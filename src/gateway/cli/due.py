"""`aduan due`: when something must be answered and solved, with every day counted and skipped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast, get_args

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from gateway.cli.out import as_json, fail, say
from gateway.cli.rules import profile_beside
from gateway.cli.words import has_time, moment, one_of

if TYPE_CHECKING:
    from tickets.calendar import Calendar
    from tickets.deadlines import Case, Deadlines
    from tickets.deadlines_profile import ProfileDate
    from tickets.policy import Policy


def due(
    policy: Annotated[
        str, typer.Option(metavar="P", help="Policy: an id (policies/<id>.yaml beside the configuration) or a file.")
    ],
    channel: Annotated[str, typer.Option(metavar="C", help="Channel: whatsapp, email, phone, web_form, ...")],
    received: Annotated[str, typer.Option(metavar="ISO", help="When it arrived; without an offset: WIB.")],
    complete: Annotated[str | None, typer.Option(metavar="ISO", help="When the documents were complete.")] = None,
    requested: Annotated[str | None, typer.Option(metavar="ISO", help="When documents were asked for.")] = None,
    answered: Annotated[
        str | None, typer.Option(metavar="ISO", help="When it was answered for the first time.")
    ] = None,
    written_since: Annotated[
        str | None, typer.Option(metavar="ISO", help="When an oral complaint turned written (its documents came).")
    ] = None,
    kind: Annotated[
        str, typer.Option(metavar="K", help="complaint, information, suggestion or criticism.")
    ] = "complaint",
    tier: Annotated[
        str,
        typer.Option(metavar="T", help="single_unit, cross_unit, directors, external_party or court_or_adr."),
    ] = "single_unit",
    form: Annotated[
        Literal["oral", "written"] | None, typer.Option(help="How it counts; otherwise as its channel does.")
    ] = None,
    documents: Annotated[
        Literal["yes", "no"] | None, typer.Option(help="Whether documents came with it; yes when --complete is given.")
    ] = None,
    extended: Annotated[
        list[str] | None, typer.Option(metavar="ISO", help="When the notice of an extension was sent; may be repeated.")
    ] = None,
    ground: Annotated[
        str, typer.Option(metavar="G", help="Ground of the extension, as the policy names it.")
    ] = "special_examination",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Deadlines of one complaint, each with the working days counted and skipped and why."""
    from normalizer.complaint import Kind, Tier
    from normalizer.message import Channel
    from tickets.calendar import CalendarMissing
    from tickets.deadlines import Case, Extension, Refused, deadlines, explain, explain_text, may_extend

    one_of(channel, get_args(Channel), "--channel")
    one_of(kind, get_args(Kind), "--kind")
    one_of(tier, get_args(Tier), "--tier")
    promised, calendar = rules_of(policy, config)
    if not has_time(received) and (form or promised.form_of(channel)) == "oral" and promised.hours_of(channel):
        raise typer.BadParameter("this channel has office hours: give the time of day too", param_hint="--received")
    case = Case(
        channel=channel,
        received_at=moment(received, "--received"),
        form="written" if written_since and form is None else form,
        kind=cast(Kind, kind),
        tier=cast(Tier, tier),
        has_documents=documents == "yes" if documents else complete is not None,
        documents_requested_at=moment(requested, "--requested") if requested else None,
        documents_complete_at=moment(complete, "--complete") if complete else None,
        written_since=moment(written_since, "--written-since") if written_since else None,
        first_response_at=moment(answered, "--answered") if answered else None,
    )
    try:
        for notice in extended or ():
            wanted = Extension(ground=ground, notified_at=moment(notice, "--extended"))
            granted = may_extend(promised, calendar, case, wanted)
            if isinstance(granted, Refused):
                fail(f"the extension of {notice} is refused: {granted}")
            case = replace(case, extensions=(*case.extensions, granted.extension))
        found = deadlines(promised, calendar, case)
    except CalendarMissing as error:
        fail(str(error))
    profile = _profile_dates(promised, calendar, case, found, policy_file(policy, config))
    if json:
        as_json(explain(found) | {"regulatory_profile": [_as_data(each) for each in profile]})
    else:
        say(f"{promised.id}: {channel}, {case.received_at.isoformat(timespec='minutes')}")
        say(explain_text(found))
        for each in profile:
            say(f"{'! ' if each.exceeds else ''}{each}")


def _profile_dates(
    policy: Policy, calendar: Calendar, case: Case, found: Deadlines, file: Path
) -> tuple[ProfileDate, ...]:
    """What the policy's regulatory profile would give for the same case."""
    from tickets.deadlines_profile import profile_dates

    profile = profile_beside(policy, file)
    promised = {name: clock.due for name, clock in found.clocks}
    return () if profile is None else profile_dates(policy, calendar, profile, case, promised)


def _as_data(found: ProfileDate) -> dict[str, object]:
    return {
        "profile": found.profile,
        "clock": found.clock,
        "due": found.due.isoformat(),
        "promised": found.promised.isoformat(),
        "exceeds": found.exceeds,
    }


def policy_file(policy: str, config: Path) -> Path:
    """The file of a policy that was named by its id or by a file; it need not be there."""
    named = Path(policy)
    return named if named.is_file() else config.parent / "policies" / f"{policy}.yaml"


def rules_of(policy: str, config: Path) -> tuple[Policy, Calendar]:
    """The policy and its calendar; ends the command when a file has problems."""
    from tickets.calendar_load import calendar_for, load_calendar_years
    from tickets.policy_load import load_policy
    from tickets.yaml_lines import InvalidFile, read_document

    file = policy_file(policy, config)
    if not file.is_file():
        known = sorted(p.stem for p in file.parent.glob("*.yaml"))
        hint = f"; there are {', '.join(known)}" if known else ""
        raise typer.BadParameter(f"there is no file {policy} and no {file}{hint}", param_hint="--policy")
    try:
        calendars: object = "calendars"
        if config.is_file():
            data = read_document(config).data
            calendars = data.get("calendars", calendars) if isinstance(data, dict) else calendars
        promised = load_policy(file)
        return promised, calendar_for(promised.calendar, load_calendar_years(config.parent / str(calendars)))
    except InvalidFile as error:
        fail(str(error))
    except LookupError as error:
        fail(str(error))
