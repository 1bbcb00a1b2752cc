"""What the calls of one account have cost since the process started, by what was called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

#: Above this many resources in a day each reading counts anew: a figure that is too high rather than memory.
_MOST_REMEMBERED = 200_000


class Prices(BaseModel):
    """The content of prices.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    source: str
    read_on: date
    #: US dollars for one.
    each: Mapping[str, float]


PRICES = Prices.model_validate(
    YAML(typ="safe", pure=True).load((Path(__file__).parent / "prices.yaml").read_text(encoding="utf-8"))
).each


class Costs:
    """Counts in US dollars; what is read twice on one day (UTC) is billed once."""

    def __init__(self) -> None:
        self._spent = dict.fromkeys(PRICES, 0.0)
        self._day: date | None = None
        self._read: set[str] = set()

    @property
    def spent(self) -> Mapping[str, float]:
        """US dollars by what was called: the keys of prices.yaml."""
        return dict(self._spent)

    def made(self, what: str) -> None:
        """Counts one message or post that X took."""
        self._spent[what] += PRICES[what]

    def read(self, what: str, ids: Iterable[str], day: date) -> None:
        """Counts what a list brought on this day (UTC)."""
        if day != self._day:
            self._day = day
            self._read.clear()
        for each in ids:
            named = f"{what}:{each}"
            if named not in self._read:
                self._spent[what] += PRICES[what]
                if len(self._read) < _MOST_REMEMBERED:
                    self._read.add(named)
