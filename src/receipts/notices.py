"""What an event of a ticket's life owes the customer: rows of the outbox on lawful routes, or a person's task. Pure.

A notice is never said in public. It goes where the customer wrote in private last, then by an approved template, then
to other addresses (sheet A13). An address that nobody proved hears no more than that there is news.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from normalizer.complaint import Complaint, Representative
from normalizer.identity import phone
from normalizer.message import Channel, Message
from receipts.notice_values import PREFIX, REPRESENTATIVE, data_of
from receipts.route import Way, by_template, other_addresses, proven, serving, usable
from receipts.split import length
from tickets.lifecycle_values import Notice
from tickets.model import MessageRow, OutboxRow, Route, TaskRow, Ticket

#: The purpose of an approved template that may carry a notice.
NOTICE: Final = "notice"
#: Kinds of tasks: nobody can be reached; only that there is news can be told; the representative has no address.
NO_ROUTE, BRING_LETTER, TELL_REPRESENTATIVE = "no_route", "bring_letter", "tell_representative"
#: What is said of the case in these is no secret from whoever acts for the customer: what is still needed.
_TO_ANYBODY: Final = frozenset({"documents_requested", "documents_reminder"})
#: Of a short message this share is left for what stands around the text of the desk.
_ROOM_FOR_TEXT: Final = 1 / 3
#: An answer also names what is offered, the last day to object, what silence means, and the bodies outside.
_OFFERS: Final = frozenset({"answer", "objection_answer"})
_ROOM_BESIDE_AN_OFFER: Final = 1 / 6


class Owed(Struct, frozen=True, kw_only=True):
    """The messages that a notice brings, also one that may not be sent, and what a person must do then."""

    rows: tuple[OutboxRow, ...]
    tasks: tuple[TaskRow, ...] = ()


def notice_rows(
    complaint: Complaint,
    ticket: Ticket,
    notice: Notice,
    messages: Sequence[MessageRow],
    ways: Mapping[str, Way],
    *,
    new_id: Callable[[], str],
    now: datetime,
) -> Owed:
    """The rows of a notice: one for the customer, one for the representative where it is for both (K15, K17).

    `ticket` is the one after the event: its revision is part of each row's name, so a repeated event finds its rows.
    `messages` are those of the complaint, newest last; `ways` the channels of its organisation; `now` is aware UTC.
    A row without a lawful way is suppressed, and a person has a task at once.
    """
    found = notice_routes(complaint, messages, ways, now)
    if not notice.representative and notice.kind not in _TO_ANYBODY:
        found = tuple(route for route in found if not _is_representatives(complaint, route))
    # It arrives as a whole, or a person has the task to bring it: what falls short is only used where nothing else is.
    whole = tuple(route for route in found if _says_all(complaint, route, notice, found, ways))
    row = _row(complaint, template_name(notice, ticket), whole or found, data_of(notice, now), new_id, now)
    rows = [row]
    todo: dict[str, str] = {}
    if not found:
        todo[NO_ROUTE] = "there is no lawful way to the customer"
    elif not whole:
        todo[BRING_LETTER] = "the customer is only told that there is news, or its dates"
    representative = _informed(complaint, notice)
    if representative is not None:
        taken = {route.recipient for route in found}
        theirs = _routes_to(representative, ways, taken)
        if theirs:
            name = f"{row.template}:{REPRESENTATIVE}"
            rows.append(_row(complaint, name, theirs, data_of(notice, now, to_representative=True), new_id, now))
        elif not taken & {representative.email, representative.phone}:
            todo[TELL_REPRESENTATIVE] = "there is no way to the representative"
    bring = f"bring the letter of `aduan letter {ticket.ticket_number} --notice {row.template} --out FILE.pdf`"
    return Owed(
        rows=tuple(rows),
        tasks=tuple(
            TaskRow(
                id=new_id(),
                organisation=complaint.tenant,
                complaint_id=complaint.complaint_id,
                kind=kind,
                reason=f"{PREFIX}{notice.kind}: {why}; {bring}",
                opened_at=now,
            )
            for kind, why in todo.items()
        ),
    )


def _row(
    complaint: Complaint,
    name: str,
    routes: tuple[Route, ...],
    data: Mapping[str, str],
    new_id: Callable[[], str],
    now: datetime,
) -> OutboxRow:
    return OutboxRow(
        key=new_id(),
        organisation=complaint.tenant,
        complaint_id=complaint.complaint_id,
        template=name,
        language="en" if complaint.complainant.language == "en" else "id",
        routes=routes,
        state="due" if routes else "suppressed",
        due_at=now,
        reason=None if routes else NO_ROUTE,
        data=data,
    )


def template_name(notice: Notice, ticket: Ticket) -> str:
    """The name of a notice's row: its template and the ticket's revision, by which it is found again."""
    return f"{PREFIX}{notice.kind}:{ticket.life.revision}"


def notice_routes(
    complaint: Complaint, messages: Sequence[MessageRow], ways: Mapping[str, Way], now: datetime
) -> tuple[Route, ...]:
    """The lawful ways to the customer now, best first; those to proven addresses before all others.

    Private conversations, newest first, within their window; then the same by an approved template; then other
    addresses. A comment is no conversation: it has one private answer, which was the receipt's. Once the customer
    writes there, that direct message is one.
    """
    talks = _conversations(complaint, messages, ways)
    found = [
        Route(
            channel_id=row.channel_id,
            recipient=reply.recipient,
            channel=row.message.channel,
            in_reply_to=reply.in_reply_to,
            references=reply.references,
            window_until=_window(row, way),
        )
        for row, way in talks
        if (reply := row.message.reply) is not None
    ]
    found += [
        by_template(way, row.message.reply.recipient, row.message.channel, NOTICE)
        for row, way in talks
        if row.message.reply is not None and NOTICE in way.templates
    ]
    found += other_addresses(complaint, ways, NOTICE)
    usable_now = [route for route in _without_repeats(found) if usable(route, now)]
    return tuple(sorted(usable_now, key=lambda route: not proven(complaint, route, usable_now)))


def _conversations(
    complaint: Complaint, messages: Sequence[MessageRow], ways: Mapping[str, Way]
) -> list[tuple[MessageRow, Way]]:
    """The newest private message of each address that can be answered, the newest of all first."""
    found: dict[tuple[str, str], tuple[MessageRow, Way]] = {}
    for row in reversed(messages):
        message, way = row.message, ways.get(row.channel_id)
        # A list, a bounce, another machine: what a person of the desk wrote is no answer to those either (P25).
        if message.reply is None or message.visibility != "private" or message.no_receipt or way is None:
            continue
        if _is_strangers(complaint, message):
            continue
        if way.facts.of(message.channel).private_reply.value == "same_thread":
            found.setdefault((row.channel_id, message.reply.recipient), (row, way))
    return list(found.values())


def _is_strangers(complaint: Complaint, message: Message) -> bool:
    """Whether an email of the complaint, a merged one for instance, names a sender for whom nobody vouches (A10)."""
    if message.channel != "email" or message.sender.verified or message.reply is None:
        return False
    return message.reply.recipient.casefold() != (complaint.complainant.email or "").casefold()


def _window(row: MessageRow, way: Way) -> datetime | None:
    """Until when a free answer is allowed: what the provider said, else what its facts say."""
    reply, message = row.message.reply, row.message
    hours = way.facts.of(message.channel).reply_window_hours.value
    if reply is not None and reply.window_until is not None:
        return reply.window_until
    return message.sent_at + timedelta(hours=hours) if hours is not None else None


def _without_repeats(routes: Sequence[Route]) -> list[Route]:
    found: dict[tuple[str, str, str | None], Route] = {}
    for route in routes:
        found.setdefault((route.channel_id, route.recipient, route.template), route)
    return list(found.values())


def _says_all(
    complaint: Complaint, route: Route, notice: Notice, routes: Sequence[Route], ways: Mapping[str, Way]
) -> bool:
    """Whether the whole notice reaches the customer this way.

    A short message has room for a short text only, and none for the addresses of the bodies that a rejection must name.
    """
    if not proven(complaint, route, routes):
        return False
    if route.template is None and route.channel != "sms":
        return True
    facts = ways[route.channel_id].facts.of(route.channel or complaint.channel)
    room = facts.max_text.value * (_ROOM_BESIDE_AN_OFFER if notice.kind in _OFFERS else _ROOM_FOR_TEXT)
    return notice.kind != "rejection" and length(notice.text, facts.text_unit.value) <= room


def _informed(complaint: Complaint, notice: Notice) -> Representative | None:
    """The representative whom the notice is also for; the ticket machine says so only of one who may hear it (K15)."""
    return complaint.representative if notice.representative else None


def _is_representatives(complaint: Complaint, route: Route) -> bool:
    """Whether a route leads to the representative, who hears nothing of the case without a power of attorney (K15)."""
    who = complaint.representative
    if who is None:
        return False
    theirs = {known for known in (phone(who.phone), who.email) if known}
    customers = {known for known in (phone(complaint.complainant.phone), complaint.complainant.email) if known}
    return (phone(route.recipient) or route.recipient.casefold()) in theirs - customers


def _routes_to(who: Representative, ways: Mapping[str, Way], taken: set[str]) -> tuple[Route, ...]:
    """The ways to a representative: the addresses that staff have noted, but none that the customer's row has."""
    addresses: tuple[tuple[Channel, str | None], ...] = (("email", who.email), ("sms", who.phone))
    return tuple(
        Route(channel_id=way.channel_id, recipient=address, channel=channel)
        for channel, address in addresses
        if address and address not in taken
        for way in serving(list(ways.values()), channel)
    )
