"""Reads kept deliveries again with today's code: what it would record now, and recording what is new.

Everything goes the way of a first arrival (`gateway.record`), so permanent keys make a repeat change nothing. A dry run
does the same and gives the transaction up, with attachments in a folder that is thrown away.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import msgspec

from connectors.errors import Malformed
from gateway.channels import accounts_of, build_connectors
from gateway.clocks import document_rules
from gateway.files import Files
from gateway.installation import Channel, Installation
from gateway.isolate import Account, Isolated
from gateway.journal import Kept
from gateway.keys import installation_secret
from gateway.letters import ways_of
from gateway.record import Arrival, record
from gateway.recording import Recording
from normalizer.message import Event, Message, Raw, Unreadable
from receipts.access import access_code, code_hash
from tickets.store import Store

ACTOR = "replay"


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What today's code makes of one delivery; names no person."""

    raw_id: str
    channel_id: str
    received_at: datetime
    #: Numbers of tickets that are new, and of those that a message was added to.
    created: Sequence[str] = ()
    added: Sequence[str] = ()
    #: Messages that are recorded already, and how many of them today's code reads differently.
    known: int = 0
    different: int = 0
    #: Where something still cannot be read, and why.
    unreadable: Sequence[str] = ()
    ignored: Sequence[str] = ()
    #: Why nothing could be tried: the channel is gone, or recording failed.
    problem: str | None = None


class _GivenUp(Exception):
    """Ends the transaction of a dry run."""


def secret_of(data_dir: Path) -> bytes:
    """The installation's secret, or a passing one where the server never ran: nothing is made here."""
    return installation_secret(data_dir) if (data_dir / "keys" / "secret").exists() else secrets.token_bytes(32)


def no_network() -> NoReturn:
    """What a connector gets as session where it must only parse. Raises RuntimeError."""
    raise RuntimeError("parse is pure: it has no network")


class Replay:
    """Replays deliveries into one store. Use it as a context manager."""

    def __init__(self, installation: Installation, store: Store, *, now: Callable[[], datetime], dry_run: bool) -> None:
        self._installation = installation
        self._store = store
        self._dry_run = dry_run
        secret = secret_of(installation.data_dir) if dry_run else installation_secret(installation.data_dir)
        self._connectors, self._broken = build_connectors(installation, secret=secret, now=now, session=no_network)
        config = installation.config
        self._isolated = Isolated(
            {
                id_: Account(kind=c.spec.kind, settings=c.settings, public_url=config.public_url, secret=secret)
                for id_, c in installation.channels.items()
                if c.spec.isolate and id_ in self._connectors
            },
            memory_bytes=config.limits.parse_memory_bytes,
            seconds=config.limits.parse_seconds,
        )
        self._folder = tempfile.TemporaryDirectory(prefix="aduan-dry-run-") if dry_run else None
        place = Path(self._folder.name) if self._folder else installation.data_dir / "attachments"
        self._recording = Recording(
            installation=installation,
            files=Files(place, max_bytes=config.attachments.max_bytes),
            rules={slug: document_rules(each.policy) for slug, each in installation.organisations.items()},
            ways=ways_of(installation),
            code_hash=lambda id_: code_hash(secret, id_, access_code(secret, id_)),
            accounts=accounts_of(installation, self._connectors),
            now=now,
        )
        #: Keys that an earlier delivery of this dry run would have recorded.
        self._would_have: set[tuple[str, str]] = set()

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *_: object) -> None:
        self._isolated.close()
        if self._folder is not None:
            self._folder.cleanup()

    def run(self, deliveries: Iterable[tuple[str, Raw]]) -> Iterator[Replayed]:
        """What becomes of each (id, delivery), one transaction each; one that fails does not stop the others."""
        for raw_id, raw in deliveries:
            channel = self._installation.channels.get(raw.channel_id)
            if channel is None or raw.channel_id in self._broken:
                why = self._broken.get(raw.channel_id, "this channel is not configured any more")
                yield self._said(raw_id, raw, problem=why)
                continue
            try:
                yield self._one(raw_id, raw, channel)
            except Exception as error:  # the delivery stays where it is; a person sees the class of the error
                yield self._said(raw_id, raw, problem=f"could not be recorded: {type(error).__name__}")

    def _one(self, raw_id: str, raw: Raw, channel: Channel) -> Replayed:
        events = self._parse(raw, channel)
        unreadable = [*_unreadable(events), *self._unaddressed(events, channel)]
        arrival = Arrival(kept=Kept(id=raw_id, raw=raw), channel=channel, events=events)
        try:
            with self._store.begin() as tx:
                (outcome,) = record(tx, self._recording, [arrival])
                still = {path for path, _ in unreadable}
                items = self._store.quarantine(state="open", raw_id=raw_id)
                tx.resolve_quarantine([item.id for item in items if item.path not in still], "replayed", ACTOR)
                if self._dry_run:
                    raise _GivenUp
        except _GivenUp:
            pass
        created, added, known, different = [], [], 0, 0
        for message in outcome.messages:
            key = (channel.organisation, message.key)
            if message.what == "duplicate" or key in self._would_have:
                known += 1
                different += message.conflict
            elif message.what == "created":
                created.append(message.ticket_number)
            else:
                added.append(message.ticket_number)
            if self._dry_run:
                self._would_have.add(key)
        return self._said(
            raw_id,
            raw,
            created=created,
            added=added,
            known=known,
            different=different,
            unreadable=[f"{path}: {reason}" for path, reason in unreadable],
            ignored=outcome.ignored,
        )

    def _parse(self, raw: Raw, channel: Channel) -> Sequence[Event] | Malformed:
        if channel.spec.isolate:
            (events,) = self._isolated.parse([raw])
            return events
        try:
            return list(self._connectors[channel.id].parse(raw))
        except Malformed as error:
            return error

    def _unaddressed(self, events: Sequence[Event] | Malformed, channel: Channel) -> Iterator[tuple[str, str]]:
        """Messages for an account that nobody configured: `record` keeps them in quarantine."""
        for event in () if isinstance(events, Malformed) else events:
            if isinstance(event, Message) and self._recording.channel_of(channel, event) is None:
                yield f"$[{event.key}]", "its account is not configured"

    @staticmethod
    def _said(raw_id: str, raw: Raw, **found: object) -> Replayed:
        return msgspec.structs.replace(
            Replayed(raw_id=raw_id, channel_id=raw.channel_id, received_at=raw.received_at), **found
        )


def _unreadable(events: Sequence[Event] | Malformed) -> list[tuple[str, str]]:
    if isinstance(events, Malformed):
        return [(events.path, events.reason)]
    return [(event.path, event.reason) for event in events if isinstance(event, Unreadable)]
