"""Who writes to a page: page-scoped ids, names, and when each last wrote. Bounded."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

WINDOW_SECONDS = 24 * 3600.0
MOST_PEOPLE = 500_000


def id_of(person: str) -> str:
    """The id of a visitor who is known by a user name; digits are an id already."""
    if person.isdigit():
        return person
    return f"24{int.from_bytes(hashlib.sha256(person.lower().encode()).digest()[:6]) % 10**14:014}"


class People:
    """The people of one page."""

    def __init__(self) -> None:
        self._wrote: OrderedDict[str, float] = OrderedDict()
        self._names: OrderedDict[str, str] = OrderedDict()

    def meet(self, person: str, name: str | None = None) -> str:
        """The id of a person, who is remembered."""
        id_ = id_of(person)
        if name is not None or id_ not in self._names:
            self._names[id_] = name or (person if person != id_ else "Budi Santoso")
        _bound(self._names)
        return id_

    def name(self, id_: str) -> str:
        """How the person shows up under a post."""
        return self._names.get(id_, "Budi Santoso")

    def wrote(self, id_: str, at: float) -> None:
        """Opens or renews the window of this person."""
        known = self._wrote.pop(id_, 0.0)
        self._wrote[id_] = max(at, known)
        _bound(self._wrote)

    def knows(self, id_: str) -> bool:
        """True if this person ever wrote or commented."""
        return id_ in self._wrote or id_ in self._names

    def close_window(self, person: str | None = None) -> None:
        """Closes the window of one person, or of all."""
        if person is None:
            self._wrote.clear()
        else:
            self._wrote.pop(id_of(person), None)

    def window_open(self, id_: str, now: float) -> bool:
        """True within 24 h of the person's last message."""
        return now - self._wrote.get(id_, float("-inf")) < WINDOW_SECONDS


def _bound(known: OrderedDict[str, float] | OrderedDict[str, str]) -> None:
    while len(known) > MOST_PEOPLE:
        known.popitem(last=False)
