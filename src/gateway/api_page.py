"""The page that describes the API of the desk for people; `/openapi.json` is the same for programs."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.handling_events import EventKind, kinds
from web.desk_api.operations import OPERATIONS, Operation


def page(note: str) -> str:
    """The page as Markdown; `note` says that it is generated."""
    lines = [
        note, "", "# The API of the desk", "",
        "For programs that work with tickets. Every request carries a bearer token of a person of the desk",
        "(`aduan user token NAME --label PROGRAM`): what the person may not see is answered as if it were not there,",
        "what the person's role does not allow is 403. `GET /openapi.json` describes the same for machines.", "",
        "Times are RFC 3339 with offset, dates are WIB dates, money whole rupiah. Errors are problem+json (RFC 9457).",
        "An event that the policy does not allow is 422: `rule` names the key of the policy, `sources` the promises",
        "behind it ([requirements](requirements.md)); `detail_id` and `detail` say it in Indonesian and English.",
        "", "Complaints come in by other addresses: [web form and app](operate/web_form.md), staff and providers.", "",
        "| method | address | what it does |", "|---|---|---|",
    ]  # fmt: skip
    lines += [f"| {each.method} | [`{each.path}`](#{_anchor(each)}) | {each.says} |" for each in OPERATIONS]
    for each in OPERATIONS:
        lines += _operation(each)
    lines += [
        "", "# Events", "",
        "The body of `POST /api/v1/tickets/{number}/events`: `event` and its fields. The same words serve",
        "`aduan tickets do NUMBER EVENT field=value`. Fields with a question mark may be left out. What only the clock",
        "may say is not listed.",
    ]  # fmt: skip
    lines += list(_events(kinds()))
    return "\n".join([*lines, ""])


def _operation(operation: Operation) -> list[str]:
    lines = ["", f"## {operation.method} {operation.path}", "", operation.says, ""]
    if operation.parameters:
        lines += ["| name | where | what |", "|---|---|---|"]
        lines += [f"| `{each.name}` | {each.where} | {each.says} |" for each in operation.parameters]
        lines.append("")
    answer = operation.answer or "nothing"
    said = f"Answers {operation.status} with {'a list of ' if operation.several else ''}{answer}"
    errors = ", ".join(str(status) for status in sorted({401, 429, *operation.errors}))
    return [*lines, f"{said}; errors: {errors}."]


def _events(events: Iterable[EventKind]) -> Iterable[str]:
    for each in events:
        if each.by == "clock":
            continue
        yield from ("", f"## {each.event}", "", each.says)
        if each.fields:
            yield from ("", "| field | takes |", "|---|---|")
            for field in sorted(each.fields, key=lambda field: not field.required):
                takes = field.takes.replace("|", "\\|")
                yield f"| `{field.name}`{'' if field.required else '?'} | {takes} |"


def _anchor(operation: Operation) -> str:
    """The anchor that GitHub gives to the heading: lower case, signs left out, spaces as hyphens."""
    heading = f"{operation.method} {operation.path}".lower()
    return "".join(char if char.isalnum() else "-" if char == " " else char if char in "-_" else "" for char in heading)
