"""The state of every channel, for /readyz and `aduan channels`: what works, what a person must do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal

import structlog
from msgspec import Struct

from gateway.metrics import Metrics

log = structlog.get_logger("aduan.health")


class ChannelState(Struct, frozen=True, kw_only=True):
    """How one channel is doing."""

    state: Literal["unknown", "good", "troubled", "broken"] = "unknown"
    #: What happened and, when broken, what to do.
    reason: str | None = None
    since: datetime | None = None
    last_event_at: datetime | None = None


class Health:
    """States of all channels; changes are logged once."""

    def __init__(self, channels: list[str], metrics: Metrics, now: Callable[[], datetime]) -> None:
        self._states = {channel: ChannelState() for channel in channels}
        self._metrics = metrics
        self._now = now

    @property
    def states(self) -> Mapping[str, ChannelState]:
        """State by channel id."""
        return self._states

    def good(self, channel: str) -> None:
        """The channel works."""
        before = self._states[channel]
        now = self._now()
        if before.state != "good":
            if before.state != "unknown":
                log.info("channel_recovered", channel=channel)
            self._states[channel] = ChannelState(state="good", since=now, last_event_at=now)
            self._metrics.channel_up.labels(channel).set(1)
        else:
            self._states[channel] = ChannelState(state="good", since=before.since, last_event_at=now)

    def troubled(self, channel: str, reason: str) -> None:
        """The provider does not answer: it is tried again without a person."""
        self._change(channel, "troubled", reason)

    def broken(self, channel: str, reason: str) -> None:
        """A person must act."""
        self._change(channel, "broken", reason)

    def _change(self, channel: str, state: Literal["troubled", "broken"], reason: str) -> None:
        before = self._states[channel]
        if (before.state, before.reason) == (state, reason):
            return
        log.warning("channel_changed", channel=channel, state=state, reason=reason)
        self._states[channel] = ChannelState(
            state=state, reason=reason, since=self._now(), last_event_at=before.last_event_at
        )
        self._metrics.channel_up.labels(channel).set(0)
