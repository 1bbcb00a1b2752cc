"""One attempt to send one outbox row: write it, look for an earlier copy, hand over its parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from connectors.contract import Lookup
from connectors.errors import Ambiguous, Unavailable
from connectors.facts import Facts
from normalizer.message import Outgoing, Sent
from receipts.compose import body_hash
from receipts.lane import Lane
from receipts.outcome import Attempt
from tickets.model import OutboxItem


class Writer(Protocol):
    """Turns a due row into what is sent."""

    async def write(self, item: OutboxItem, facts: Facts) -> tuple[Outgoing, ...]:
        """The parts to send on the route in use. Whatever it raises halts the row, never the channel."""

    def version(self, template: str) -> str:
        """The content hash of a template's wording, for the receipt's record."""


async def attempt(
    item: OutboxItem, lane: Lane, writer: Writer, now: Callable[[], datetime], send_seconds: float
) -> Attempt:
    """What one attempt did; errors are in the result, only a cancellation is raised."""
    row = item.row
    if row.ambiguous and not row.possible_duplicate:
        # From here on the customer may get a second copy: P11 wants each of them flagged.
        row = replace(row, possible_duplicate=True)
        item = replace(item, row=row)
    at = now()
    parts = 0
    sent: list[Sent] = []
    said: str | None = None
    version: str | None = None
    error: Exception | None = None
    try:
        outgoing = await writer.write(item, lane.channel.facts)
        parts = len(outgoing)
        said, version = body_hash(outgoing), writer.version(row.template)
        doubtful = row.ambiguous
        for out in outgoing[row.parts_sent :]:
            found = await _find(out, lane, send_seconds) if doubtful else None
            doubtful = False
            sent.append(found or await _send(out, lane, send_seconds))
    except Exception as failure:
        error = failure
    return Attempt(row=row, at=at, parts=parts, sent=tuple(sent), error=error, body_hash=said, template_version=version)


async def _send(out: Outgoing, lane: Lane, seconds: float) -> Sent:
    await lane.pace()
    try:
        async with asyncio.timeout(seconds):
            return await lane.channel.connector.send(out)
    except TimeoutError as error:
        raise Ambiguous(f"no answer within {seconds:g} s") from error


async def _find(out: Outgoing, lane: Lane, seconds: float) -> Sent | None:
    """What the provider knows of an earlier attempt, where its history can be asked (A13)."""
    connector = lane.channel.connector
    if lane.channel.facts.ambiguous_evidence.value != "list_before_retry" or not isinstance(connector, Lookup):
        return None
    try:
        async with asyncio.timeout(seconds):
            return await connector.find(out)
    except (TimeoutError, Ambiguous) as error:
        # Nothing was sent: asking again is harmless, sending without having asked is not.
        raise Unavailable("the provider's history gave no answer") from error
