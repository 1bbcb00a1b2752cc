"""One complaint as lines for the desk."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.cli.life_text import life_lines, outcome_lines, representative_line
from gateway.cli.out import wib
from tickets.store import MessageView, TicketView


def lines_of(view: TicketView) -> Iterator[str]:
    """The whole complaint: state and dates, the person, what was said, what was answered, what is to do."""
    complaint, ticket = view.complaint, view.ticket
    yield f"{ticket.ticket_number}  {ticket.state}  {ticket.organisation}"
    if view.aliases:
        yield f"  also known as   {', '.join(view.aliases)}"
    yield f"  received        {wib(complaint.received_at)} WIB by {complaint.channel} ({complaint.channel_id})"
    if complaint.entered_by is not None:
        yield f"  entered by      {complaint.entered_by}"
    yield f"  counts from     {complaint.effective_received_date}, {complaint.form}"
    yield f"  answer by       {ticket.first_response_due or '-'}"
    earliest = f"{ticket.resolve_earliest} to " if ticket.resolve_earliest else ""
    yield f"  solve by        {earliest}{ticket.resolve_due or '-'}"
    if ticket.closed_at is not None:
        yield f"  closed          {wib(ticket.closed_at)}"
    assessment = complaint.assessment
    yield f"  kind            {complaint.kind}, category {complaint.category or '-'}, issue {complaint.issue or '-'}"
    yield f"  assessed        urgency {assessment.urgency}, severity {assessment.severity}, tier {ticket.tier}"
    if complaint.missing_documents:
        yield f"  still missing   {', '.join(complaint.missing_documents)}"
    if complaint.flags:
        yield f"  flags           {', '.join(complaint.flags)}"
    person = complaint.complainant
    known = (
        ("name", person.full_name),
        ("phone", person.phone),
        ("e-mail", person.email),
        ("address", person.id_address),
        ("customer", person.customer_ref),
        ("handle", complaint.sender_handle),
    )
    verified = "verified" if person.verified else "not verified"
    yield f"  complainant     {person.role}, {person.language}, {verified}"
    for label, value in known:
        if value:
            yield f"    {label:<14}{value}"
    if complaint.representative is not None:
        yield representative_line(complaint.representative)
    yield from life_lines(complaint, ticket)
    yield from outcome_lines(complaint.outcome)
    for message in view.messages:
        yield from _message(message)
    for file in view.attachments:
        what = f"{file.status}, {file.mime_sniffed or 'unknown type'}, {file.size or 0} bytes"
        yield f"  file            {file.name_safe} ({what}{', ' + file.reason if file.reason else ''})"
    for receipt in complaint.receipts:
        why = f", {receipt.reason}" if receipt.reason else ""
        yield f"  {receipt.template:<15} {receipt.state} by {receipt.channel}, {wib(receipt.sent_at)}{why}"
    for task in view.tasks:
        state = "open" if task.closed_at is None else f"done {wib(task.closed_at)}"
        yield f"  task            {task.kind} ({state}): {task.reason}"
    for event in view.audit:
        yield f"  {wib(event.at)}  {event.actor}  {event.type}"


def _message(view: MessageView) -> Iterator[str]:
    message = view.row.message
    changed = f", {len(view.versions) - 1} times edited" if len(view.versions) > 1 else ""
    gone = f", withdrawn {wib(view.withdrawn_at)}" if view.withdrawn_at else ""
    yield f"  message         {wib(message.sent_at)}{changed}{gone}"
    if message.subject:
        yield f"    | {message.subject}"
    for line in view.text.splitlines():
        yield f"    | {line}"
