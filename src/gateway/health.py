"""The state of every channel, for /readyz and `aduan channels`: what works, what a person must do.

Several parts know something of a channel: who pulls it, who asks its history, who checks its subscription. Each speaks
for itself only, so that one that is content does not hide what another found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal

import structlog
from msgspec import Struct

from gateway.metrics import Metrics

log = structlog.get_logger("aduan.health")

Source = Literal["start", "pull", "reconcile", "check", "silence"]
State = Literal["unknown", "good", "troubled", "broken"]
#: From best to worst: the worst that any part found is what a channel is.
_ORDER: tuple[State, ...] = ("unknown", "good", "troubled", "broken")


class ChannelState(Struct, frozen=True, kw_only=True):
    """How one channel is doing."""

    state: State = "unknown"
    #: What happened and, when broken, what to do.
    reason: str | None = None
    since: datetime | None = None
    last_event_at: datetime | None = None


class _Found(Struct, frozen=True):
    state: State
    reason: str | None


class Health:
    """States of all channels; changes are logged once."""

    def __init__(self, channels: list[str], metrics: Metrics, now: Callable[[], datetime]) -> None:
        self._found: dict[str, dict[Source, _Found]] = {channel: {} for channel in channels}
        self._states = {channel: ChannelState() for channel in channels}
        self._heard: dict[str, datetime] = {}
        self._metrics = metrics
        self._now = now

    @property
    def states(self) -> Mapping[str, ChannelState]:
        """State by channel id."""
        return {
            channel: ChannelState(
                state=state.state, reason=state.reason, since=state.since, last_event_at=self._heard.get(channel)
            )
            for channel, state in self._states.items()
        }

    def state(self, channel: str) -> State:
        """How the channel is, in a word."""
        return self._states[channel].state

    def heard(self, channel: str) -> None:
        """The provider brought something."""
        self._heard[channel] = self._now()

    def heard_at(self, channel: str) -> datetime | None:
        """When the provider last brought something since the start."""
        return self._heard.get(channel)

    def good(self, channel: str, source: Source) -> None:
        """The channel works, as far as this part can tell."""
        self._note(channel, source, _Found("good", None))

    def troubled(self, channel: str, source: Source, reason: str) -> None:
        """The provider does not answer: it is tried again without a person."""
        self._note(channel, source, _Found("troubled", reason))

    def broken(self, channel: str, source: Source, reason: str) -> None:
        """A person must act."""
        self._note(channel, source, _Found("broken", reason))

    def _note(self, channel: str, source: Source, found: _Found) -> None:
        mine = self._found[channel]
        if mine.get(source) == found:
            return
        mine[source] = found
        worst = max(mine.values(), key=lambda each: _ORDER.index(each.state))
        before = self._states[channel]
        if (before.state, before.reason) == (worst.state, worst.reason):
            return
        self._states[channel] = ChannelState(state=worst.state, reason=worst.reason, since=self._now())
        self._metrics.channel_up.labels(channel).set(1 if worst.state == "good" else 0)
        if worst.state != "good":
            log.warning("channel_changed", channel=channel, state=worst.state, reason=worst.reason)
        elif before.state != "unknown":
            log.info("channel_recovered", channel=channel)
