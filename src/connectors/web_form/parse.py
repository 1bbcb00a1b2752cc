"""A kept submission of the form -> one message. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from connectors import submission
from normalizer.message import Event, Raw


def parse(raw: Raw, account: str) -> Sequence[Event]:
    """The one message of a kept submission; `account` is the form's slug. Raises Malformed when it cannot be read."""
    return (submission.parse(raw, "web_form", account),)
