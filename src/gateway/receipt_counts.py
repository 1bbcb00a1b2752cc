"""How many receipts somebody had lately: the guard against answering for ever (P26)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from normalizer.message import Message
from tickets.store import Transaction

_ONE_DAY = timedelta(hours=24)


class ReceiptCounts:
    """Counts of the last 24 hours: what the store has, and what one batch adds to it."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], int] = {}

    def read(self, tx: Transaction, organisation: str, messages: Iterable[Message], now: datetime) -> None:
        """Asks the store about everybody who wrote these messages."""
        counted = {_counted_by(message) for message in messages}
        for column, counts_of in (("recipient", tx.receipt_counts), ("sender", tx.complaint_counts)):
            names = {name for kind, name in counted if kind == column}
            if names:
                found = counts_of(organisation, names, now - _ONE_DAY)
                self._counts |= {(organisation, column, name): count for name, count in found.items()}

    def of(self, organisation: str, message: Message) -> int:
        """How many receipts whoever wrote this had."""
        return self._counts.get((organisation, *_counted_by(message)), 0)

    def add(self, organisation: str, message: Message) -> None:
        """One receipt more is on its way."""
        self._counts[(organisation, *_counted_by(message))] = self.of(organisation, message) + 1


def _counted_by(message: Message) -> tuple[str, str]:
    """The address that is answered, or the sender where each message has another address or none."""
    if message.reply is None or message.visibility == "public":
        return "sender", message.sender.key
    return "recipient", message.reply.recipient
