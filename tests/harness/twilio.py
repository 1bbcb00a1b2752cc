"""What holds for every kind of message that goes out through Twilio, whatever it is called there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from connectors.errors import Ambiguous
from normalizer.message import Outgoing, Sent
from simulator.twilio import Twilio


class LooksUp(Protocol):
    """A connector that can tell whether a send went."""

    async def send(self, message: Outgoing) -> Sent:
        """Sends."""

    async def find(self, message: Outgoing) -> Sent | None:
        """What was sent, if it was."""


async def tells_what_went(
    twilio: Twilio, connector: LooksUp, out: Callable[..., Outgoing], *, said: str, kept: str, other: str
) -> None:
    """Asserts A13: of two sends without an answer the accepted one is found, the lost one is not, nor anybody else's.

    `kept` is how Twilio keeps the words `said`; `other` is somebody else's number.
    """
    begun = datetime.now(UTC)
    twilio.faults.stall(2, accepted=True)
    with pytest.raises(Ambiguous):
        await connector.send(out(text=said))
    twilio.faults.reset()
    with pytest.raises(Ambiguous):
        await connector.send(out(text="lost"))
    for number in range(5):  # more than one page
        await connector.send(out(text=f"other {number}"))
    found = await connector.find(out(text=said, first_attempt_at=begun))
    assert found is not None
    assert found.provider_id == next(each.sid for each in twilio.sent if each.body == kept)
    assert await connector.find(out(text="lost", first_attempt_at=begun)) is None
    assert await connector.find(out(text=said, recipient=other, first_attempt_at=begun)) is None
    assert await connector.find(out(text=said, first_attempt_at=begun + timedelta(hours=1))) is None
    assert await connector.find(out(text=said)) is None
