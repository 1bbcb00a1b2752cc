"""Looks for complaints that may belong together, behind the intake: proposals and tasks, never a merge.

It reads what was recorded in its order and remembers how far it came, so that nothing is compared twice or left out,
also over a restart. While messages wait to be acknowledged or recorded it waits too, a minute at most.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import structlog

from gateway.config import Matching as Settings
from gateway.ids import new_id
from gateway.worker import RunInThread
from normalizer.complaint import Complaint
from normalizer.lexicon import Lexicon, words
from tickets.matching import LEAST_WORDS, Match, Traits, crowd, likeness, match, traits_of
from tickets.model import Records, TaskRow
from tickets.store import Store, Transaction

log = structlog.get_logger("aduan.matching")

JOB = "matching"
#: Kinds of the tasks that a proposal opens.
SAME, CROWD = "possible_duplicate", "possible_mass_event"
_EVERY_SECONDS = 5.0
#: However busy the server is, it looks so often.
_LATEST_SECONDS = 60.0
#: With much to catch up it rests so many times as long as it worked: taking in and sending come first.
_REST = 19.0
_AT_ONCE = 100
#: Complaints of one organisation that a new one is compared with for a mass event.
_REMEMBERED = 1_000


class Matching:
    """The job; every step may be repeated."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        lexicon: Lexicon,
        key: bytes,
        run: RunInThread,
        busy: Callable[[], bool],
        now: Callable[[], datetime],
    ) -> None:
        """`key` is the secret that hides the identities in the index; `busy` says whether messages wait."""
        self._settings = settings
        self._store = store
        self._lexicon = lexicon
        self._key = key
        self._run = run
        self._busy = busy
        self._now = now
        self._recent: dict[str, deque[Traits]] | None = None
        #: The first complaint of the mass event that a complaint was proposed for.
        self._first_of: OrderedDict[str, Traits] = OrderedDict()

    async def run(self) -> None:
        """Works until it is cancelled."""
        looked = time.monotonic()
        while True:
            began, count = time.monotonic(), 0
            try:
                if not self._busy() or began - looked >= _LATEST_SECONDS:
                    looked = began
                    count = await self.look()
            except Exception as error:  # tried again soon; nothing else waits for it
                log.error("matching_failed", error=type(error).__name__)
            worked = time.monotonic() - began
            await asyncio.sleep(worked * _REST if count == _AT_ONCE else _EVERY_SECONDS)

    async def look(self) -> int:
        """How many further complaints were compared; at most a hundred at once."""
        return await self._run(self._look)

    def _look(self) -> int:
        with self._store.begin() as tx:
            position = tx.proposals.position(JOB)
            found = self._store.proposals.complaints_after(position, _AT_ONCE)
            if not found:
                return 0
            recent = self._remembered(position)
            tasks: list[TaskRow] = []
            for complaint in found:
                traits = self._traits(complaint)
                tasks += self._same(tx, traits)
                line = recent.setdefault(traits.organisation, deque(maxlen=_REMEMBERED))
                tasks += self._crowd(tx, traits, line)
                line.append(traits)
            tx.add(Records(tasks=tasks))
            tx.proposals.advance(JOB, found[-1].complaint_id)
        return len(found)

    def _same(self, tx: Transaction, traits: Traits) -> Iterator[TaskRow]:
        """Other complaints of the same person about the same, each once."""
        settings = self._settings
        within = timedelta(days=settings.days)
        tx.proposals.remember(traits)
        for other in tx.proposals.known_as(traits, traits.received_at - within):
            found = match(traits, self._traits(other), within=within, least=settings.least_likeness)
            if found is not None and tx.proposals.propose(self._id(), "same", traits.organisation, found):
                reason = f"same {', '.join(found.shared)}, texts {found.likeness:.0%} alike: merge or refuse"
                yield self._task(traits, found.complaint_id, SAME, reason)

    def _crowd(self, tx: Transaction, traits: Traits, recent: Sequence[Traits]) -> Iterator[TaskRow]:
        """Many like complaints: a task for the first time, then one proposal for each that follows."""
        rule = self._settings.mass_event
        within = timedelta(hours=rule.hours)
        found = crowd(traits, recent, within=within, least=rule.least_likeness, many=rule.customers)
        # What is remembered here must not bring back what was erased since.
        alike = [each for each in found if not tx.records.is_erased(each.complaint_id)]
        if not alike:
            return
        known = next(
            (
                each
                for each in alike
                if each.complaint_id in self._first_of
                and not tx.records.is_erased(self._first_of[each.complaint_id].complaint_id)
            ),
            None,
        )
        first = self._first_of[known.complaint_id] if known is not None else alike[0]
        for each in (traits,) if known is not None else alike[1:]:
            shared = Match(
                complaint_id=each.complaint_id,
                other_id=first.complaint_id,
                shared=(),
                likeness=round(likeness(first.words, each.words), 2),
                words=tuple(sorted(first.words & each.words)[:20]),
            )
            tx.proposals.propose(self._id(), "crowd", traits.organisation, shared)
            self._first_of[each.complaint_id] = first
        while len(self._first_of) > _REMEMBERED:
            self._first_of.popitem(last=False)
        if known is None:
            reason = f"{len(alike)} customers wrote alike within {rule.hours} h: one cause? group or refuse"
            yield self._task(traits, first.complaint_id, CROWD, reason)

    def _remembered(self, position: str) -> dict[str, deque[Traits]]:
        """The complaints of the last hours up to the position, by organisation; read once after a start."""
        if self._recent is None:
            self._recent = {}
            since = self._now() - timedelta(hours=self._settings.mass_event.hours)
            by_id: dict[str, Traits] = {}
            for complaint in self._store.proposals.recent(position, since, _REMEMBERED):
                by_id[complaint.complaint_id] = traits = self._traits(complaint)
                self._recent.setdefault(traits.organisation, deque(maxlen=_REMEMBERED)).append(traits)
            for each in self._store.proposals.listed(kind="crowd", state=None, since=since, limit=_REMEMBERED):
                if each.other_id in by_id:
                    self._first_of[each.complaint_id] = by_id[each.other_id]
        return self._recent

    def _traits(self, complaint: Complaint) -> Traits:
        return traits_of(complaint, self._telling, self._key)

    def _telling(self, text: str) -> list[str]:
        """The words of a text that say what it is about, in their usual spelling; of a short text all of them.

        The small words also hold what every customer of a lender writes about ("dana", "akun"): alone they must count.
        """
        spelling, small = self._lexicon.spelling, self._lexicon.stop_words
        every = words(text)
        telling = [word for word in every if word not in small]
        chosen = telling if len({*telling}) > LEAST_WORDS else every
        return [spelling.get(word, word) for word in chosen]

    def _task(self, traits: Traits, complaint_id: str, kind: str, reason: str) -> TaskRow:
        return TaskRow(
            id=self._id(),
            organisation=traits.organisation,
            complaint_id=complaint_id,
            kind=kind,
            reason=reason,
            opened_at=self._now(),
        )

    def _id(self) -> str:
        return new_id(self._now())
