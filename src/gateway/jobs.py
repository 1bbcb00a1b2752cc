"""What runs by the clock and not by a message: each job for itself, behind everything that customers wait for."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime
from pathlib import Path

from gateway.clock_job import ClockJob
from gateway.handling import Handling
from gateway.housekeeping import Housekeeping
from gateway.installation import Installation
from gateway.matching import Matching
from gateway.reports.reminder import ReportReminder
from gateway.retention import Removal, Retention
from gateway.worker import RunInThread
from tickets.store import Store

Job = Coroutine[None, None, None]


def by_the_clock(
    installation: Installation,
    *,
    data_dir: Path,
    store: Store,
    handling: Handling,
    run: RunInThread,
    busy: Callable[[], bool],
    key: bytes,
    now: Callable[[], datetime],
    owed: Callable[[], None],
) -> Iterator[Job]:
    """Every job, to be run until it is cancelled.

    `key` hides identities, `owed` wakes who sends, `busy` says that messages wait.
    """
    yield ClockJob(installation, store=store, handling=handling, run=run, now=now, owed=owed).run()
    yield Housekeeping(installation, store=store, run=run, now=now).run()
    yield ReportReminder(installation, store=store, run=run, now=now).run()
    removal = Removal(data_dir, store=store, run=run, now=now)
    yield Retention(installation, store=store, removal=removal, run=run, now=now).run()
    yield Matching(
        installation.config.matching,
        store=store,
        lexicon=installation.lexicon,
        key=key,
        run=run,
        busy=busy,
        now=now,
    ).run()
