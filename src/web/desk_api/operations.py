"""Every address of the API once: mounted from here, and described from here in `/openapi.json`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web
from msgspec import Struct

from tickets.people import Person
from web.desk_api import views
from web.desk_api.ports import Office

View = Callable[[Office, Person, web.Request], Awaitable[web.Response]]


class Parameter(Struct, frozen=True, kw_only=True):
    """One value in the path, the query or a header."""

    name: str
    where: str
    says: str
    #: None: any text.
    schema: Mapping[str, Any] | None = None
    required: bool = False


class Operation(Struct, frozen=True, kw_only=True):
    """One method of one address."""

    method: str
    path: str
    view: View
    says: str
    parameters: tuple[Parameter, ...] = ()
    #: Name of the schema of the body, and of what is answered; None without.
    body: str | None = None
    answer: str | None = None
    #: The answer is a list of `answer`.
    several: bool = False
    status: int = 200
    errors: tuple[int, ...] = ()


_LIMIT = Parameter(
    name="limit",
    where="query",
    says="At most so many; 50 unless told.",
    schema={"type": "integer", "minimum": 1, "maximum": views.MOST},
)
_ORGANISATION = Parameter(name="organisation", where="query", says="Only this organisation (its key in aduan.yaml).")
_NUMBER = Parameter(name="number", where="path", says="A ticket number; one that was merged leads on.", required=True)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path="/api/v1/tickets",
        view=views.list_tickets,
        says="Tickets, the newest first.",
        parameters=(
            _ORGANISATION,
            Parameter(name="state", where="query", says="A state of the ticket machine, or `open`."),
            Parameter(name="channel", where="query", says="Only this channel (whatsapp, email, ...)."),
            Parameter(name="after", where="query", says="The complaint_id of the last line seen: the page behind it."),
            _LIMIT,
        ),
        answer="TicketLine",
        several=True,
    ),
    Operation(
        method="GET",
        path="/api/v1/tickets/{number}",
        view=views.show_ticket,
        says="Everything that is kept of one complaint. That it was read is written into the audit log.",
        parameters=(_NUMBER,),
        answer="TicketView",
        errors=(404,),
    ),
    Operation(
        method="POST",
        path="/api/v1/tickets/{number}/events",
        view=views.post_event,
        says="Gives an event to the ticket: what changed and what goes out to the customer.",
        parameters=(
            _NUMBER,
            Parameter(
                name="If-Match",
                where="header",
                says='The revision of the ticket that you saw, as `"7"`; when it has moved on the answer is 409.',
            ),
            Parameter(name="Idempotency-Key", where="header", says="The same key does the same once."),
            Parameter(
                name="dry_run",
                where="query",
                says="Only say what would happen.",
                schema={"type": "boolean"},
            ),
            Parameter(
                name="at",
                where="query",
                says="When it happened, if not now: never in the future; what must be punctual is judged by today.",
                schema={"type": "string", "format": "date-time"},
            ),
        ),
        body="Event",
        answer="Done",
        errors=(400, 403, 404, 409, 422),
    ),
    Operation(
        method="GET",
        path="/api/v1/tasks",
        view=views.list_tasks,
        says="What people must do, the oldest first.",
        parameters=(_ORGANISATION, _LIMIT),
        answer="Task",
        several=True,
    ),
    Operation(
        method="POST",
        path="/api/v1/tasks/{id}/close",
        view=views.close_task,
        says="Closes an open task.",
        parameters=(Parameter(name="id", where="path", says="The task.", required=True),),
        status=204,
        errors=(403, 404),
    ),
    Operation(
        method="GET",
        path="/api/v1/channels",
        view=views.list_channels,
        says="Your channels: what each can do, and how it stands.",
        answer="ChannelState",
        several=True,
    ),
    Operation(
        method="GET",
        path="/api/v1/quarantine",
        view=views.list_quarantine,
        says="What could not be understood and waits for a person; without its contents.",
        parameters=(_LIMIT,),
        answer="Quarantined",
        several=True,
    ),
    Operation(
        method="POST",
        path="/api/v1/quarantine/{id}/dismiss",
        view=views.dismiss,
        says="Decides that an item of the quarantine needs no more; its bytes stay as long as the policy says.",
        parameters=(Parameter(name="id", where="path", says="The item.", required=True),),
        status=204,
        errors=(403, 404),
    ),
    Operation(
        method="GET",
        path="/api/v1/proposals",
        view=views.list_proposals,
        says="Complaints that may be one, or have one cause, and wait for a person's decision.",
        parameters=(_ORGANISATION, _LIMIT),
        answer="Proposal",
        several=True,
    ),
    Operation(
        method="POST",
        path="/api/v1/proposals/{id}/confirm",
        view=views.confirm_proposal,
        says="They belong together: the newer one goes on under the older one's number, or is grouped under it.",
        parameters=(Parameter(name="id", where="path", says="The proposal.", required=True),),
        answer="Done",
        errors=(403, 404, 422),
    ),
    Operation(
        method="POST",
        path="/api/v1/proposals/{id}/refuse",
        view=views.refuse_proposal,
        says="They have nothing to do with each other: they are not proposed again.",
        parameters=(Parameter(name="id", where="path", says="The proposal.", required=True),),
        status=204,
        errors=(403, 404),
    ),
    Operation(
        method="GET",
        path="/api/v1/organisations/{organisation}/reports/{kind}/{period}",
        view=views.show_report,
        says="The figures of a report to the regulator, as they are now.",
        parameters=(
            Parameter(name="organisation", where="path", says="Its key in aduan.yaml.", required=True),
            Parameter(name="kind", where="path", says="`monthly`, `quarterly` or `periodic`.", required=True),
            Parameter(
                name="period", where="path", says="2026-02, 2026-Q1, or two dates joined by `..`.", required=True
            ),
        ),
        answer="Report",
        errors=(400, 404),
    ),
)
