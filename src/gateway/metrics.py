"""Counters and gauges for Prometheus. Labels are channel ids and classes of things, never a person's data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

if TYPE_CHECKING:
    from gateway.record import Outcome


class Metrics:
    """Everything that is counted, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.kept = self._counter("aduan_deliveries_kept", "Deliveries that are durable in the journal.", "channel")
        self.refused = self._counter(
            "aduan_requests_refused", "Requests that were answered with an error and not kept.", "channel", "status"
        )
        self.listed = self._counter(
            "aduan_messages_listed", "Messages that a provider's history listed, known ones included.", "channel"
        )
        self.missed = self._counter(
            "aduan_messages_missed", "Messages that only a provider's history brought, not its webhook.", "channel"
        )
        self.messages = self._counter("aduan_messages", "Messages by what became of them.", "what")
        self.ignored = self._counter("aduan_events_ignored", "Events that are never complaints.", "reason")
        self.quarantined = self._counter("aduan_items_quarantined", "Items that could not be understood.")
        self.parked = self._counter("aduan_deliveries_parked", "Deliveries that could not be recorded.")
        self.sends = self._counter("aduan_sends", "Attempts to send, by what became of them.", "channel", "outcome")
        self.depth = Gauge(
            "aduan_depth", "Things that wait, by queue and state.", ["queue", "state"], registry=self.registry
        )
        self.costs = Gauge(
            "aduan_provider_costs_dollars",
            "What a provider's calls cost since the start, by what was called.",
            ["channel", "call"],
            registry=self.registry,
        )
        self.channel_up = Gauge(
            "aduan_channel_up",
            "1 when the channel works, 0 when a person must act.",
            ["channel"],
            registry=self.registry,
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def count(self, outcome: Outcome) -> None:
        """Counts what became of one delivery."""
        for message in outcome.messages:
            self.messages.labels(message.what).inc()
        for reason in outcome.ignored:
            self.ignored.labels(reason[:60]).inc()
        if outcome.quarantined:
            self.quarantined.inc(outcome.quarantined)

    def text(self) -> bytes:
        """The exposition format of Prometheus."""
        return generate_latest(self.registry)
