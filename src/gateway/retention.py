"""What goes when its time is over: personal data after the policy's years (D6), and what customers deleted themselves.

A legal hold stops both. Erasing leaves the figures; files that no other complaint has are overwritten and removed, then
the databases are rewritten, so that nothing stays in their free pages.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog
from msgspec import Struct

from gateway.files import Files
from gateway.ids import new_id
from gateway.installation import Installation, Organisation
from gateway.worker import RunInThread
from tickets.calendar import WIB, wib_date
from tickets.model import KnownThread, Records, TaskRow
from tickets.records import Obstacle, erase_on, obstacle
from tickets.records_rebuild import own_messages, without_message
from tickets.store import Store

log = structlog.get_logger("aduan.retention")

ACTOR = "retention"
#: The kind of task in which a person erases the copies that other ticket stores hold.
ELSEWHERE = "erase_elsewhere"
#: How soon our copy of a deleted message goes where a policy says so; what is left of it in free pages and files goes
#: with the next look.
_DELETIONS_SECONDS = 30.0
#: From this hour (WIB) on, once a day: rewriting a database is work for the night.
_HOUR = 2
_REST = timedelta(hours=1)
#: Who brings a file has recorded it by then: a form may refer to one that it sent before for a day.
_SETTLED = timedelta(days=1)
_BUSY_SECONDS = 5.0
#: The look before the last one has rewritten what was erased before this.
_LATELY = timedelta(hours=36)


class Due(Struct, frozen=True, kw_only=True):
    """A closed complaint whose years are over, and what still keeps it."""

    ticket_number: str
    organisation: str
    state: str
    closed_on: date
    erase_on: date
    obstacle: Obstacle | None = None


class Done(Struct, frozen=True, kw_only=True):
    """What one look erased."""

    complaints: int = 0
    messages: int = 0
    files: int = 0
    #: The databases were rewritten; False when nothing went, when somebody kept them busy, or without room.
    compacted: bool = False


class Removal:
    """Takes what was erased from the disk; every step may be repeated."""

    def __init__(self, data_dir: Path, *, store: Store, run: RunInThread, now: Callable[[], datetime]) -> None:
        self._data_dir = data_dir
        self._store = store
        self._files = Files(data_dir / "attachments", max_bytes=0)
        self._run = run
        self._now = now

    async def finish(self) -> Done:
        """Removes the files of what was erased and rewrites the databases."""
        files = await self.sweep()
        return Done(files=files, compacted=await self.compact())

    async def compact(self) -> bool:
        """Rewrites the databases without what was deleted; False without room or while somebody keeps them busy."""
        folder = self._data_dir
        size = (folder / "tickets.db").stat().st_size
        if shutil.disk_usage(folder).free < 2 * size:
            log.warning("no_room_to_compact", bytes=2 * size)
            return False
        journal = await asyncio.to_thread(compact_journal, folder / "journal.db")
        return await self._run(self._store.compact) and journal

    async def sweep(self) -> int:
        """How many files went that no complaint has any longer."""
        doomed = await asyncio.to_thread(self._store.records.doomed)
        if not doomed:
            return 0
        used = await asyncio.to_thread(self._store.records.in_use, doomed)
        return await self._run(partial(self._remove, sorted(doomed.keys() - used), used))

    def _remove(self, unused: Sequence[str], used: frozenset[str]) -> int:
        settled = self._now() - _SETTLED
        gone = [sha256 for sha256 in unused if self._files.remove(sha256, untouched_since=settled)]
        with self._store.begin() as tx:
            tx.records.forget_files([*gone, *used])
        return len(gone)


class Retention:
    """Looks once a night; every step may be repeated."""

    def __init__(
        self,
        installation: Installation,
        *,
        store: Store,
        removal: Removal,
        run: RunInThread,
        now: Callable[[], datetime],
        every_seconds: float = _DELETIONS_SECONDS,
    ) -> None:
        self._installation = installation
        self._store = store
        self.removal = removal
        self._every = every_seconds
        #: Something was erased since the databases were rewritten.
        self._unfinished = False
        self._compacted_at: datetime | None = None
        self._run = run
        self._now = now

    async def run(self) -> None:
        """Works until it is cancelled."""
        looked: date | None = None
        rested = self._now()
        while True:
            await asyncio.sleep(self._every)
            local = self._now().astimezone(WIB)
            if local < rested:
                continue
            try:
                if looked != local.date() and local.hour >= _HOUR:
                    await self.look()
                    looked = local.date()
                elif await self.deletions():
                    await self.removal.sweep()
            except Exception as error:  # tried again in an hour; nothing else waits for it
                log.exception("retention_failed", error=type(error).__name__)
                rested = self._now() + _REST

    def due(self) -> Iterator[Due]:
        """The complaints whose years are over now, with what still keeps them; reads only."""
        for organisation in self._installation.organisations.values():
            yield from self._due(organisation)

    async def look(self) -> Done:
        """Erases what is due, removes files and rewrites the databases."""
        due = [each.ticket_number for each in await asyncio.to_thread(list, self.due()) if each.obstacle is None]
        complaints = 0
        for number in due:
            complaints += await self._run(partial(self._erase, number))
        messages = await self.deletions()
        await self._run(self._purge_parked)
        files = await self.removal.sweep()
        self._unfinished |= bool(complaints or messages) or await asyncio.to_thread(self._is_behind)
        compacted = self._unfinished and await self.removal.compact()
        self._unfinished &= not compacted
        if compacted:
            self._compacted_at = self._now()
        if complaints or messages or files:
            log.info("erased", complaints=complaints, messages=messages, files=files, compacted=compacted)
        return Done(complaints=complaints, messages=messages, files=files, compacted=compacted)

    async def deletions(self) -> int:
        """How many messages that their senders deleted lost what they said, where a policy says so."""
        slugs = self._erasing()
        if not slugs:
            return 0
        count = 0
        for message_id in await asyncio.to_thread(self._store.records.waiting_deletions, slugs):
            count += await self._run(partial(self._erase_message, message_id))
        self._unfinished |= bool(count)
        return count

    def _is_behind(self) -> bool:
        """Whether something was erased lately that this process did not see: by a command, or before it was killed."""
        last = self._store.records.last_erased_at()
        return last is not None and last > (self._compacted_at or self._now() - _LATELY)

    def _erasing(self) -> list[str]:
        organisations = self._installation.organisations.items()
        return [slug for slug, each in organisations if each.policy.deleted_messages == "erase_text"]

    def _due(self, organisation: Organisation) -> Iterator[Due]:
        years = organisation.policy.retention_years
        if years is None:
            return
        now = self._now()
        today = wib_date(now)
        # No later than the true date for any of them: each is looked at below.
        for found in self._store.records.closed_until(organisation.slug, now - timedelta(days=365 * years)):
            ticket = found.ticket
            day = erase_on(found.complaint, ticket, years)
            if day > today or (ticket.state == "merged" and self._goes_on(ticket.ticket_number)):
                continue
            yield Due(
                ticket_number=ticket.ticket_number,
                organisation=organisation.slug,
                state=ticket.state,
                closed_on=wib_date(ticket.closed_at or found.complaint.closed_at or ticket.updated_at),
                erase_on=day,
                obstacle=obstacle(found.complaint, ticket),
            )

    def _goes_on(self, number: str) -> bool:
        """Whether a merged complaint goes when the one does that it was merged into."""
        view = self._store.ticket(number)
        return view is not None and view.ticket.ticket_number != number

    def _erase(self, number: str) -> int:
        """1 when it was erased; looked at again inside the transaction, because it may have been reopened or held."""
        with self._store.begin() as tx:
            found = tx.find(number)
            if found is None or not self._is_due(found) or tx.records.obstacle(number, patient=False) is not None:
                return 0
            gone = tx.records.erase(number, "retention", ACTOR)
            if gone.elsewhere:
                # Nobody reads what a nightly job gives back: the copies that others hold are a person's task.
                task = TaskRow(
                    id=new_id(self._now()),
                    organisation=found.ticket.organisation,
                    complaint_id=gone.complaint_id,
                    kind=ELSEWHERE,
                    reason=f"erase it there too: {', '.join(gone.elsewhere)}",
                    opened_at=self._now(),
                )
                tx.add(Records(tasks=[task]))
        return 1

    def _is_due(self, found: KnownThread) -> bool:
        organisation = self._installation.organisations.get(found.ticket.organisation)
        years = organisation.policy.retention_years if organisation else None
        return years is not None and erase_on(found.complaint, found.ticket, years) <= wib_date(self._now())

    def _erase_message(self, message_id: str) -> int:
        with self._store.begin() as tx:
            case = tx.records.withdrawn(message_id)
            if case is None:
                return 0
            policy = self._installation.organisations[case.row.organisation].policy
            others = [row.message for row in case.others]
            told = [
                without_message(
                    each.complaint,
                    case.row.message,
                    others if len(case.group) == 1 else own_messages(each.complaint, others),
                    files_gone=case.files,
                    lexicon=self._installation.lexicon,
                    categories=policy.categories,
                    kinds=policy.intake.kinds if policy.intake else None,
                )
                for each in case.group
            ]
            tx.records.erase_message(message_id, told)
        return 1

    def _purge_parked(self) -> int:
        """Edits of messages that never came go with the deliveries of their time."""
        days = [organisation.policy.raw_payload_days for organisation in self._installation.organisations.values()]
        longest = max((each for each in days if each is not None), default=None)
        if longest is None or None in days:
            return 0
        with self._store.begin() as tx:
            return tx.records.purge_parked(self._now() - timedelta(days=longest))


def compact_journal(path: Path, *, busy_seconds: float = _BUSY_SECONDS) -> bool:
    """Rewrites the journal without what was recorded; False while somebody keeps it busy, True when there is none."""
    if not path.exists():
        return True
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=busy_seconds)) as db:
            db.execute("vacuum")
            busy, *_ = db.execute("pragma wal_checkpoint(truncate)").fetchone()
    except sqlite3.OperationalError:
        return False
    return bool(busy == 0)
