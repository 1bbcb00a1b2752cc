"""Hands tickets to a queue of Request Tracker 5 by its REST 2.0 API (docs/operate/request_tracker.md).

A ticket there is found by a link: it "refers to" `urn:aduan:complaint:<id>`. RT makes the link in the same database
transaction as the ticket, lets everybody search for it without any preparation, and takes it along when tickets are
merged; it has no unique key, so whoever makes a ticket looks before and after. Nobody is made a requestor: RT would
write to the customer too.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

from tickets.forwarders import request_tracker_text as words
from tickets.forwarders.contract import Handed, Handover, Remote, Seen
from tickets.forwarders.errors import Misconfigured, Refused, Unavailable
from tickets.forwarders.http import Call
from tickets.forwarders.request_tracker_api import Api, RtTicket, RtTransaction, text, written
from tickets.forwarders.request_tracker_history import accounted, by_others, conflicts, note, unsettled
from tickets.forwarders.request_tracker_settings import RequestTrackerSettings

#: Whoever the token belongs to, in a query.
ME = "'__CurrentUser__'"
#: How often a write is tried anew when somebody changed the ticket in between.
MOST_TRIES = 4
#: What happened this much before the moment that is asked about tells whose doing RT's own entries are.
CONTEXT = timedelta(minutes=2)
#: RT's own mails are no change; there may be as many of them as of everything else together.
NO_MAILS = "Type != 'EmailRecord' AND Type != 'CommentEmailRecord'"


class RequestTracker:
    """One queue of one RT."""

    def __init__(self, settings: RequestTrackerSettings, call: Call, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._api = Api(settings.name, settings.url, settings.token.get_secret_value(), call)
        self._now = now
        #: The user that the token belongs to, once RT has told.
        self._me: str | None = None
        #: The same ticket twice at the same time would be found by neither.
        self._busy: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def target(self) -> str:
        """Its name in the settings."""
        return self._settings.name

    async def create(self, handover: Handover) -> Handed:
        """Makes the ticket unless one refers to the complaint, and brings it to our state."""
        async with self._alone(handover):
            ref = await self._found(handover.external_id)
            if ref is not None:
                return await self._bring(handover, ref, handover.remote)
            made = await self._make(handover)
            # Somebody else may have made one at the same time: the older one is it.
            ref = await self._found(handover.external_id) or made
            known = _remote(await self._api.ticket(made)) if ref == made else None
            return await self._bring(handover, ref, known)

    async def update(self, handover: Handover) -> Handed:
        """Adds what was said or what happened to the ticket's history, and brings it to our state."""
        ref = handover.store_ref
        if ref is None:
            ref = (await self.create(handover)).store_ref
        async with self._alone(handover):
            # A creation that was cut off may have ended long after its repeat.
            await self._found(handover.external_id)
            # RT reopens a closed ticket for a message: our state comes behind it.
            if handover.text is not None:
                await self._say(handover, ref)
            return await self._bring(handover, ref, handover.remote, comments=handover.text is None)

    async def changes(self, since: datetime) -> Sequence[Seen]:
        """The tickets that we made and others changed at or after `since`, oldest change first."""
        asked = max(self._now() - since, timedelta())
        # RT counts from its own clock, so that it need not agree with ours.
        window = f"ObjectType = 'RT::Ticket' AND TicketCreator = {ME} AND {NO_MAILS} AND Created >= "
        recent = await self._ids(f"{window}{text(f'{_seconds(asked)} seconds ago')} AND Creator != {ME}")
        if not recent:
            return ()
        around = window + text(f"{_seconds(asked + CONTEXT)} seconds ago")
        ours = await self._ids(f"{around} AND Creator = {ME}")
        rows = await self._api.transactions(around)
        histories: dict[str, list[RtTransaction]] = {}
        for row in rows:
            histories.setdefault(str(row.object_id), []).append(row)
        seen: dict[str, Seen] = {}
        for ref, history in histories.items():
            foreign = tuple(row for row in by_others(history, ours) if row.id in recent)
            if not foreign:
                continue
            # One that was hidden from us in this moment is told of by its next update.
            with contextlib.suppress(Refused):
                change = _seen(await self._api.ticket(ref), foreign, accounted(history, None, "0"))
                seen[change.store_ref] = change
        return sorted(seen.values(), key=lambda each: each.changed_at)

    async def check(self) -> None:
        """Whether the token is good, the queue is there, and the rights are there as far as RT tells them."""
        queue = self._settings.queue
        links = await self._api.queue(queue)
        if links is None:
            raise Misconfigured(f"{self.target}: there is no queue {queue}, or the token's user lacks SeeQueue on it")
        if not any(link.ref == "create" for link in links):
            raise Misconfigured(f"{self.target}: the token's user lacks CreateTicket on the queue {queue}")
        # The other rights show only at a ticket.
        ref = await self._api.newest(f"Creator = {ME} AND Queue = {text(queue)}")
        if ref is None:
            return
        offered = {link.ref for link in (await self._api.ticket(ref)).links}
        needed = {"correspond": "ReplyToTicket", "comment": "CommentOnTicket"}
        missing = [right for each, right in needed.items() if each not in offered]
        if missing:
            raise Misconfigured(f"{self.target}: the token's user lacks {', '.join(missing)} on the queue {queue}")

    async def aclose(self) -> None:
        """Gives connections back."""
        await self._api.aclose()

    def _alone(self, handover: Handover) -> asyncio.Lock:
        lock = self._busy.get(handover.external_id)
        if lock is None:
            lock = self._busy[handover.external_id] = asyncio.Lock()
        return lock

    async def _found(self, external_id: str) -> str | None:
        """The oldest ticket that refers to the complaint; younger ones that we made are merged into it."""
        query = f"RefersTo = {text(words.link(external_id))}"
        found = sorted(await self._api.tickets(query), key=int)
        if len(found) > 1:
            # A person may have cloned the ticket with its links: theirs stays.
            ours = await self._api.tickets(f"{query} AND Creator = {ME}")
            for each in found[1:]:
                if each in ours:
                    await self._api.change(each, {"MergeInto": int(found[0])})
        return found[0] if found else None

    async def _make(self, handover: Handover) -> str:
        fields: dict[str, Any] = {
            "Queue": self._settings.queue,
            "Subject": words.subject(handover.complaint),
            "Content": words.content(handover),
            "ContentType": "text/plain",
            "RefersTo": [words.link(handover.external_id)],
        }
        promised = words.due(handover.ticket)
        if promised is not None:
            fields["Due"] = written(promised)
        return await self._api.create(fields)

    async def _bring(self, handover: Handover, ref: str, known: Remote | None, *, comments: bool = False) -> Handed:
        """Writes our state unless somebody there changed it since `known`; since the beginning when that is None."""
        wanted = self._settings.statuses[handover.ticket.state]
        ticket, rows, changed, wrote = await self._write(handover, ref, known)
        said = comments and await self._say(handover, ref)
        after = await self._api.ticket(ref) if wrote or said else ticket
        if wrote and after.status == ticket.status != wanted:
            # RT answers 200 also when it changes nothing.
            raise Refused(
                "status", f"{self.target} does not let the ticket go from {after.status} to {wanted}: its lifecycle, "
                "the right ModifyTicket, or an open ticket that it depends on",
            )  # fmt: skip
        rows += await self._since(after, ticket.version)
        foreign = await self._foreign(after, rows)
        if changed is not None:
            foreign = tuple(row for row in foreign if row.number > int(ticket.version))
        remote = Remote(state=after.status, version=accounted(rows, unsettled(foreign, wanted), _version(known)))
        return Handed(store_ref=str(after.id), remote=remote, changed=changed)

    async def _write(
        self, handover: Handover, ref: str, known: Remote | None
    ) -> tuple[RtTicket, tuple[RtTransaction, ...], Seen | None, bool]:
        """The ticket before our write, its history since `known`, a conflict in it, whether anything was written."""
        for _ in range(MOST_TRIES):
            ticket = await self._api.ticket(ref)
            rows = await self._since(ticket, _version(known))
            foreign = await self._foreign(ticket, rows)
            if conflicts(foreign, self._settings.statuses[handover.ticket.state]):
                return ticket, rows, _seen(ticket, foreign, accounted(rows, None, "0")), False
            wanted = self._wanted(handover, ticket) if handover.write_state else {}
            if "Due" in wanted and not await self._due_is_ours(ticket):
                del wanted["Due"]
            if not wanted:
                return ticket, rows, None, False
            if await self._api.change(str(ticket.id), wanted, ticket.version):
                return ticket, rows, None, True
        raise Unavailable(f"{self.target}: the ticket is being changed there all the time")

    async def _say(self, handover: Handover, ref: str) -> bool:
        """Adds one message to the history; False when it stands there already."""
        # The words of a new complaint stand in the ticket's first message.
        if handover.type == "complaint.received":
            return False
        subject = words.message_subject(handover)
        # Also when nothing was left open: a later call of the first attempt may be what failed.
        if await self._api.history(ref, f"{NO_MAILS} AND Subject = {text(subject)}"):
            return False
        how = "comment" if handover.text is None else "correspond"
        await self._api.say(ref, how, subject, words.message(handover))
        return True

    def _wanted(self, handover: Handover, ticket: RtTicket) -> dict[str, Any]:
        """The fields of the ticket that are not as we have them."""
        wanted: dict[str, Any] = {}
        status = self._settings.statuses[handover.ticket.state]
        if ticket.status != status:
            wanted["Status"] = status
        promised = words.due(handover.ticket)
        if promised is not None and ticket.due != promised:
            wanted["Due"] = written(promised)
        return wanted

    async def _since(self, ticket: RtTicket, version: str) -> tuple[RtTransaction, ...]:
        """The ticket's history behind an entry of it."""
        if version == ticket.version:
            return ()
        return await self._api.history(str(ticket.id), f"{NO_MAILS} AND id > {int(version)}")

    async def _foreign(self, ticket: RtTicket, rows: Sequence[RtTransaction]) -> tuple[RtTransaction, ...]:
        """What others did in a part of the ticket's history."""
        if not rows:
            return ()
        me = await self._name(ticket)
        return by_others(rows, {row.id for row in rows if row.creator.id == me})

    async def _name(self, ticket: RtTicket) -> str | None:
        """The name of the token's user in RT; None while that user did nothing to the ticket."""
        if self._me is None:
            done = await self._api.history(str(ticket.id), f"Creator = {ME}")
            self._me = str(done[0].creator.id) if done else None
        return self._me

    async def _due_is_ours(self, ticket: RtTicket) -> bool:
        """Whether nobody else ever set the date there."""
        return not await self._api.history(str(ticket.id), f"Field = 'Due' AND Creator != {ME}")

    async def _ids(self, query: str) -> frozenset[str]:
        return frozenset(row.id for row in await self._api.transactions(query))


def _seconds(length: timedelta) -> int:
    # One more for the part of a second that RT does not keep, one for the way there.
    return math.ceil(length.total_seconds()) + 2


def _remote(ticket: RtTicket) -> Remote:
    return Remote(state=ticket.status, version=ticket.version)


def _version(known: Remote | None) -> str:
    return known.version if known is not None and known.version is not None else "0"


def _seen(ticket: RtTicket, foreign: Sequence[RtTransaction], version: str) -> Seen:
    prefix = words.link("")
    carried = (link.url.removeprefix(prefix) for link in ticket.links if link.url.startswith(prefix))
    return Seen(
        store_ref=str(ticket.id), external_id=next(carried, None), by_us=False, note=note(foreign),
        remote=Remote(state=ticket.status, version=version), changed_at=foreign[-1].created.astimezone(UTC),
    )  # fmt: skip
