"""An installation as a value: what was read from its configuration, checked.

In two parts, because a start needs them at different times. `Front` is what it takes to receive messages: the file that
the operator wrote and its channels. `Installation` adds what it takes to understand them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.contract import ChannelSettings, Spec
from gateway.config import Config

if TYPE_CHECKING:
    # Their modules take longer to import than a first message takes to acknowledge.
    from gateway.clocks import Promise
    from normalizer.lexicon import Lexicon
    from receipts.wording import Wording
    from tickets.calendar import Calendar
    from tickets.policy import Policy
    from tickets.policy_labels import Labels


@dataclass(frozen=True, slots=True)
class Organisation:
    """One institution with what it promised."""

    slug: str
    name: str
    policy: Policy
    calendar: Calendar
    #: What it promised lately, by all that a promise depends on; only `gateway.clocks` reads and writes it.
    promised: dict[tuple[object, ...], Promise] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Channel:
    """One configured channel with the connector that serves it."""

    id: str
    organisation: str
    spec: Spec
    settings: ChannelSettings


@dataclass(frozen=True, slots=True)
class Front:
    """The part of a configuration that messages are received with."""

    file: Path
    config: Config
    data_dir: Path
    channels: Mapping[str, Channel]


@dataclass(frozen=True, slots=True)
class Installation(Front):
    """A configuration that can run: everything that was read, checked."""

    organisations: Mapping[str, Organisation]
    wording: Wording
    labels: Labels
    lexicon: Lexicon

    def channel_of(self, organisation: str, kind: str) -> Channel | None:
        """The first channel of a kind that an organisation has."""
        return next((c for c in self.channels.values() if (c.organisation, c.spec.kind) == (organisation, kind)), None)
