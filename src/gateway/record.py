"""What one batch of deliveries means for the core store, written in one transaction.

The store's unique keys are the only memory against doubles: whatever comes twice is found there and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from connectors.errors import Malformed
from gateway.batch import Batch
from gateway.installation import Channel
from gateway.journal import Kept
from gateway.recording import MessageOutcome, Recording
from normalizer.message import (
    NUMBER_HEARD,
    Deletion,
    Delivery,
    Edit,
    Event,
    Ignored,
    Message,
    Permission,
    Rekey,
    Unreadable,
)
from tickets.store import Transaction


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery from the journal with what it was parsed to."""

    kept: Kept
    channel: Channel
    events: Sequence[Event] | Malformed


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one delivery."""

    raw_id: str
    messages: Sequence[MessageOutcome] = ()
    #: Complaints whose number the customer is known to have heard.
    handed_over: Sequence[str] = ()
    quarantined: int = 0
    ignored: Sequence[str] = ()
    deliveries: int = 0


def record(tx: Transaction, recording: Recording, arrivals: Sequence[Arrival]) -> list[Outcome]:
    """Outcomes in the order of `arrivals`, once the rows are in the transaction. Raises the store's errors."""
    found: dict[str, Outcome] = {}
    raws: set[str] = set()
    for part in _parts(arrivals):
        for outcome in _record_part(tx, recording, part, raws):
            earlier = found.get(outcome.raw_id)
            found[outcome.raw_id] = outcome if earlier is None else _together(earlier, outcome)
    return list(found.values())


def _parts(arrivals: Sequence[Arrival]) -> Iterator[list[Arrival]]:
    """The arrivals, cut behind every new identity of a sender: what follows must find the threads under it."""
    part: list[Arrival] = []
    for arrival in arrivals:
        start = 0
        if not isinstance(arrival.events, Malformed):
            for end, event in enumerate(arrival.events, 1):
                if isinstance(event, Rekey):
                    yield [*part, msgspec.structs.replace(arrival, events=arrival.events[start:end])]
                    part, start = [], end
            if start and start == len(arrival.events):
                continue
            if start:
                arrival = msgspec.structs.replace(arrival, events=arrival.events[start:])
        part.append(arrival)
    if part:
        yield part


def _together(first: Outcome, second: Outcome) -> Outcome:
    return Outcome(
        raw_id=first.raw_id,
        messages=(*first.messages, *second.messages),
        handed_over=(*first.handed_over, *second.handed_over),
        quarantined=first.quarantined + second.quarantined,
        ignored=(*first.ignored, *second.ignored),
        deliveries=first.deliveries + second.deliveries,
    )


def _record_part(tx: Transaction, recording: Recording, arrivals: Sequence[Arrival], raws: set[str]) -> list[Outcome]:
    batch = Batch(recording, tx, raws)
    by_organisation: dict[str, list[Message]] = {}
    for arrival in arrivals:
        for event in () if isinstance(arrival.events, Malformed) else arrival.events:
            if isinstance(event, Message) and (channel := recording.channel_of(arrival.channel, event)):
                by_organisation.setdefault(channel.organisation, []).append(event)
    for slug, messages in by_organisation.items():
        batch.prepare(slug, messages)
    outcomes = [_record_one(batch, recording, arrival) for arrival in arrivals]
    tx.add(batch.records())
    if owed := batch.told():
        tx.forwards.add(owed)
    tx.hand_over([told for outcome in outcomes for told in outcome.handed_over])
    for arrival in arrivals:
        _apply(tx, recording, arrival)
    return outcomes


def _record_one(batch: Batch, recording: Recording, arrival: Arrival) -> Outcome:
    kept, channel = arrival.kept, arrival.channel
    if isinstance(arrival.events, Malformed):
        batch.quarantine(kept, channel, arrival.events.path, arrival.events.reason)
        return Outcome(raw_id=kept.id, quarantined=1)
    messages: list[MessageOutcome] = []
    ignored: list[str] = []
    handed_over: list[str] = []
    quarantined = deliveries = 0
    for event in arrival.events:
        match event:
            case Message():
                addressed = recording.channel_of(channel, event)
                if addressed is not None:
                    messages.append(batch.message(kept, addressed, event))
                    if NUMBER_HEARD in event.flags:
                        handed_over.append(messages[-1].complaint_id)
                else:
                    # Genuine, but for a number that nobody configured: a person must, then it is replayed.
                    batch.quarantine(kept, channel, f"$[{event.key}]", "its account is not configured: add a channel")
                    quarantined += 1
            case Unreadable():
                batch.quarantine(kept, channel, event.path, event.reason)
                quarantined += 1
            case Ignored():
                ignored.append(event.reason)
            case Delivery():
                # What became of a send is not something a customer said: its bytes are not kept.
                deliveries += 1
            case Edit() | Deletion() | Rekey() | Permission():
                batch.keep_raw(kept, channel)
    if ignored and not messages:
        batch.keep_raw(kept, channel)
    return Outcome(
        raw_id=kept.id,
        messages=messages,
        handed_over=handed_over,
        quarantined=quarantined,
        ignored=ignored,
        deliveries=deliveries,
    )


def _apply(tx: Transaction, recording: Recording, arrival: Arrival) -> None:
    """What happened to messages that are already there, the customer's and ours."""
    if isinstance(arrival.events, Malformed):
        return
    deliveries: dict[str, list[Delivery]] = {}
    for event in arrival.events:
        if isinstance(event, Message | Ignored | Unreadable):
            continue
        # An account that nobody configured has no messages here either: its events change nothing.
        channel = recording.channel_of(arrival.channel, event) or arrival.channel
        match event:
            case Edit():
                tx.edit(channel.organisation, event)
            case Deletion():
                tx.delete(channel.organisation, event)
            case Rekey():
                tx.rekey(channel.organisation, event)
            case Permission():
                tx.permit(channel.id, event)
            case Delivery():
                deliveries.setdefault(channel.id, []).append(event)
    for channel_id, reports in deliveries.items():
        tx.deliveries(channel_id, reports)
