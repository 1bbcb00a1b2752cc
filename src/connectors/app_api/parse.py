"""A kept submission of the app -> one message. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from connectors import submission
from normalizer.message import Event, Raw


def parse(raw: Raw) -> Sequence[Event]:
    """The one message of a kept submission; the account is the channel. Raises Malformed when it cannot be read."""
    return (submission.parse(raw, "app_form", raw.channel_id),)
