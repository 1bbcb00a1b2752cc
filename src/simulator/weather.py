"""Bad weather: what a provider does wrong on purpose, seeded, so that a run can be repeated."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

Trouble = Literal["rate-limit", "server-error", "stall", "expired-token", "window-closed"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Climate:
    """How often each kind of trouble comes; chances lie between 0 and 1."""

    duplicate: float = 0.0  # chance that a webhook or mail is delivered again
    batch: int = 1  # updates that may share one webhook
    shuffle: bool = False
    trouble: Trouble | None = None  # what an API call of the business meets
    chance: float = 0.0
    spell: int = 3  # troubles in a row after which one call goes well; 0 = never ends
    stall_seconds: float = 30.0
    again_days: float = 0.0  # every webhook comes once more so many days later; 0: never
    unsubscribed: bool = False  # no webhook comes; what the provider's history lists is all there is


CLIMATES: Mapping[str, Climate] = {
    "calm": Climate(),
    "duplicates": Climate(duplicate=0.5),
    "batches": Climate(batch=25),
    "shuffle": Climate(shuffle=True),
    "rate-limit": Climate(trouble="rate-limit", chance=0.5),
    "server-errors": Climate(trouble="server-error", chance=0.5),
    "stall": Climate(trouble="stall", chance=0.3, spell=1),
    "expired-token": Climate(trouble="expired-token", chance=1.0, spell=0),
    "window-closed": Climate(trouble="window-closed", chance=1.0, spell=0),
    "redelivery-after-8-days": Climate(again_days=8.0),
    "unsubscribed": Climate(unsubscribed=True),
}

MOST_COPIES = 3  # of one delivery, so that a storm of duplicates stays bounded


@dataclass(slots=True)
class Weather:
    """One provider's weather; the same seed and the same calls give the same troubles."""

    name: str = "calm"
    climate: Climate = field(default_factory=Climate)
    seed: int = 0
    _random: random.Random = field(init=False, repr=False)
    _in_a_row: int = field(init=False, default=0, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    @classmethod
    def named(cls, name: str, seed: int = 0) -> Weather:
        """The weather of that name; raises ValueError with the known names."""
        try:
            climate = CLIMATES[name]
        except KeyError:
            raise ValueError(f"unknown weather {name!r}; known: {', '.join(CLIMATES)}") from None
        return cls(name=name, climate=climate, seed=seed)

    @property
    def holds_deliveries(self) -> bool:
        """True if deliveries are collected before they go out."""
        climate = self.climate
        return climate.duplicate > 0 or climate.batch > 1 or climate.shuffle or climate.again_days > 0

    def trouble(self) -> Trouble | None:
        """What the next API call meets, or None when it goes well."""
        climate = self.climate
        if climate.trouble is None:
            return None
        if climate.spell and self._in_a_row >= climate.spell:
            self._in_a_row = 0
            return None
        if self._random.random() >= climate.chance:
            self._in_a_row = 0
            return None
        self._in_a_row += 1
        return climate.trouble

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices, by this weather's own chance."""
        return self._random.choice(choices)

    def arrange(self, items: Sequence[T]) -> list[list[T]]:
        """The deliveries that these items become: some shared, some repeated, some late."""
        order = list(items)
        if self.climate.shuffle:
            self._random.shuffle(order)
        groups: list[list[T]] = []
        while order:
            size = self._random.randint(1, self.climate.batch) if self.climate.batch > 1 else 1
            groups.append(order[:size])
            order = order[size:]
        if self.climate.duplicate:
            for group in list(groups):
                copies = 0
                while copies < MOST_COPIES and self._random.random() < self.climate.duplicate:
                    groups.insert(self._random.randint(0, len(groups)), group)
                    copies += 1
        return groups
