"""Ticket numbers that one batch gives out: the store's sequence is read once and moved once for each day."""

from __future__ import annotations

from datetime import date

from tickets.numbers import make
from tickets.store import Transaction


class TicketNumbers:
    """The numbers of one transaction; `take` takes them from the store at its end."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._given: dict[tuple[str, date], range] = {}

    def next(self, prefix: str, day: date) -> str:
        """The next ticket number of the prefix on the WIB date."""
        given = self._given.get((prefix, day)) or self._tx.next_numbers(prefix, day, 0)
        self._given[(prefix, day)] = range(given.start, given.stop + 1)
        return make(prefix, day, given.stop)

    def take(self) -> None:
        """Takes what was given out from the store."""
        for (prefix, day), numbers in self._given.items():
            self._tx.next_numbers(prefix, day, len(numbers))
