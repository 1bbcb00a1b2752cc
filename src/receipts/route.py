"""Where an answer may go, in which order, and whether one is owed at all. Pure (section 8; sheet A13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from connectors.facts import Facts
from normalizer.complaint import Complaint
from normalizer.identity import phone
from normalizer.message import NO_MESSAGE_TO_CALLER, NO_PUBLIC_ANSWER, NUMBER_HEARD, Channel, Message
from tickets.model import OutboxRow, Route, TaskRow
from tickets.told import ToldComplaint

#: Comments and mentions: everybody reads what is said there.
PUBLIC: frozenset[Channel] = frozenset({"facebook_comment", "instagram_comment", "x_mention"})
#: Where the private answer to one of them arrives: its length and form are those of a direct message.
PRIVATE_OF: Mapping[Channel, Channel] = {
    "facebook_comment": "facebook_dm",
    "instagram_comment": "instagram_dm",
    "x_mention": "x_dm",
}
#: The receipt's template, in the outbox and among a provider's approved ones.
RECEIPT = "receipt"
#: Where the receipt is handed over on the spot: shown on the screen, read out or printed.
HANDED_OVER: frozenset[Channel] = frozenset({"web_form", "app_form", "phone", "walk_in"})


class Way(Struct, frozen=True, kw_only=True):
    """One configured channel of an organisation that can carry an answer."""

    channel_id: str
    #: What its connector serves.
    channels: tuple[Channel, ...]
    facts: Facts
    #: Purposes for which it has an approved template ("receipt", "notice").
    templates: frozenset[str] = frozenset()


class Owed(Struct, frozen=True, kw_only=True):
    """The receipt that a complaint is owed, also when it may not be sent; then with the task for a person."""

    row: OutboxRow
    task: TaskRow | None = None


def routes(complaint: Complaint, message: Message, ways: Mapping[str, Way], now: datetime) -> tuple[Route, ...]:
    """The lawful ways to answer in private, best first: the same thread, then other addresses the customer gave.

    `ways` are the channels of the complaint's organisation by their id.
    """
    found: list[Route] = []
    here = ways.get(complaint.channel_id)
    reply = message.reply
    facts = here.facts.of(message.channel) if here is not None else None
    if reply is not None and here is not None and facts is not None and _private_here(message, facts):
        hours = facts.reply_window_hours.value
        found.append(
            Route(
                channel_id=here.channel_id,
                recipient=reply.recipient,
                channel=PRIVATE_OF.get(message.channel, complaint.channel),
                in_reply_to=reply.in_reply_to,
                references=reply.references,
                window_until=reply.window_until
                or (message.sent_at + timedelta(hours=hours) if hours is not None else None),
            )
        )
    if reply is not None and here is not None and message.visibility == "private":
        found += [
            by_template(here, reply.recipient, complaint.channel, name) for name in sorted(here.templates & {RECEIPT})
        ]
    found += other_addresses(complaint, ways, RECEIPT)
    return tuple(r for r in found if usable(r, now))


def usable(route: Route, now: datetime) -> bool:
    """Whether the provider still allows this way: a free answer within its window, a template at any time (P14)."""
    return route.window_until is None or now < route.window_until


def proven(complaint: ToldComplaint, route: Route, ways: Sequence[Route] = ()) -> bool:
    """Whether the person behind the complaint is known to read this address: only then may it get case data (A10, A12).

    A `From` line and an address typed into a form prove nothing; staff who spoke to the person do, and so does the
    WhatsApp number that wrote: `ways`, all routes of the message, tell whether an SMS goes to that same number.
    """
    if complaint.entered_by is not None:
        return True
    if route.channel_id == complaint.channel_id and complaint.channel != "email":
        return True
    if route.channel == "sms" and complaint.channel == "whatsapp":
        wrote = {_number(way) for way in ways if way.channel == "whatsapp" and way.channel_id == complaint.channel_id}
        return _number(route) in wrote
    # Of a caller nobody vouches for anything: who is verified, a person of the desk has verified.
    return complaint.complainant.verified and complaint.channel in {"email", "web_form", "app_form", "phone"}


def may_receipt(previous: int, limit: int = 3) -> bool:
    """Whether a sender who had `previous` receipts in the last 24 hours may get another (section 8, loop guard)."""
    return previous < limit


def owed(
    complaint: Complaint,
    message: Message,
    ways: Mapping[str, Way],
    *,
    key: str,
    task_id: str,
    previous: int,
    now: datetime,
    limit: int = 3,
) -> Owed:
    """The receipt row of a new complaint (K2): due, or suppressed with its reason and a task for a person.

    `key` and `task_id` are fresh ids; `previous` counts the sender's receipts of the last 24 hours.
    """
    ways_found = () if message.no_receipt else routes(complaint, message, ways, now)
    reason: str | None = None
    if message.no_receipt:
        reason = message.no_receipt
    elif not may_receipt(previous, limit):
        reason = "sender_limit"
    elif not ways_found:
        reason = (
            "handed_over"
            if _handed_over(complaint, message)
            else "public_only"
            if message.visibility == "public"
            else "no_route"
        )
    row = OutboxRow(
        key=key,
        organisation=complaint.tenant,
        complaint_id=complaint.complaint_id,
        template=RECEIPT,
        language="en" if complaint.complainant.language == "en" else "id",
        routes=ways_found,
        state="due" if reason is None else "suppressed",
        due_at=now,
        reason=reason,
    )
    if reason is None or reason == "handed_over":
        return Owed(row=row)
    return Owed(
        row=row,
        task=TaskRow(
            id=task_id,
            organisation=complaint.tenant,
            complaint_id=complaint.complaint_id,
            kind="no_route" if reason in {"no_route", "public_only"} else "needs_agent",
            reason=f"receipt suppressed: {reason}",
            opened_at=now,
        ),
    )


def public_line(complaint: Complaint, message: Message, *, key: str, now: datetime) -> OutboxRow | None:
    """The one neutral answer under a public comment, beside the receipt (section 8); None where none may go out."""
    if message.visibility != "public" or message.reply is None or message.no_receipt:
        return None
    if NO_PUBLIC_ANSWER in message.flags:
        return None
    reply = message.reply
    return OutboxRow(
        key=key,
        organisation=complaint.tenant,
        complaint_id=complaint.complaint_id,
        template="public_reply",
        language="en" if complaint.complainant.language == "en" else "id",
        routes=(
            Route(
                channel_id=complaint.channel_id,
                recipient=reply.recipient,
                channel=message.channel,
                in_reply_to=reply.in_reply_to,
                window_until=reply.window_until,
            ),
        ),
        due_at=now,
    )


def _handed_over(complaint: Complaint, message: Message) -> bool:
    """Whether the customer has the receipt already; who speaks to a machine may hang up before it tells the number."""
    if complaint.channel == "phone" and complaint.entered_by is None:
        return NUMBER_HEARD in message.flags
    return complaint.channel in HANDED_OVER


def _private_here(message: Message, facts: Facts) -> bool:
    private = facts.private_reply.value
    if message.visibility == "public":
        return private == "from_comment_once"
    return private not in {"never", "by_template"}


def other_addresses(complaint: Complaint, ways: Mapping[str, Way], purpose: str) -> list[Route]:
    """The addresses that the customer gave beside the thread; `purpose` names the approved template to use."""
    who = complaint.complainant
    found: list[Route] = []
    others: Sequence[Way] = [w for w in ways.values() if w.channel_id != complaint.channel_id]
    if who.email and complaint.channel != "email":
        found += [
            Route(channel_id=w.channel_id, recipient=who.email, channel="email") for w in serving(others, "email")
        ]
    # A message costs money and rings in somebody's pocket: only to a number that is known to be the customer's.
    # Who called from it has it in hand; a forged caller id sends a stranger two lines without case data (K6, A6).
    if who.phone and (who.verified or complaint.entered_by is not None or _calls(complaint)):
        started = [w for w in others if purpose in w.templates and complaint.channel != "whatsapp"]
        found += [by_template(w, who.phone, "whatsapp", purpose) for w in serving(started, "whatsapp")]
        found += [Route(channel_id=w.channel_id, recipient=who.phone, channel="sms") for w in serving(others, "sms")]
    return found


def _number(route: Route) -> str:
    """The telephone number of an address, as providers spell it in their several ways."""
    return phone(route.recipient) or route.recipient


def _calls(complaint: Complaint) -> bool:
    return complaint.channel == "phone" and NO_MESSAGE_TO_CALLER not in complaint.flags


def by_template(way: Way, recipient: str, channel: Channel, purpose: str) -> Route:
    """The way by an approved template, which knows no window."""
    return Route(channel_id=way.channel_id, recipient=recipient, channel=channel, template=purpose)


def serving(ways: Sequence[Way], channel: Channel) -> list[Way]:
    """The first of the configured channels that serves this one, or nothing."""
    return [w for w in ways if channel in w.channels][:1]
