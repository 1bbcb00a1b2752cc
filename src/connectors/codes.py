"""A provider's error codes as data: `codes.yaml` beside each connector, read here. Pure, so that `parse` may use it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

ErrorClass = Literal["Unavailable", "Throttled", "AuthFailed", "WindowClosed", "Unreachable", "Refused", "Ambiguous"]


class Codes(BaseModel):
    """The provider's error codes and the class that each one means: the content of `codes.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    source: str
    read_on: date
    #: Seconds to wait when the provider throttles and does not say for how long.
    throttled_after: float = Field(gt=0)
    codes: dict[int, ErrorClass]
    #: Whole ranges, "200-299": class.
    ranges: dict[str, ErrorClass] = {}
    #: Waits of single codes that differ from `throttled_after`, seconds.
    after: dict[int, float] = {}

    def named(self, code: int | None) -> ErrorClass | None:
        """The class name of a code, or None when the provider's pages do not list it."""
        if code is None:
            return None
        if code in self.codes:
            return self.codes[code]
        for span, name in self.ranges.items():
            low, _, high = span.partition("-")
            if int(low) <= code <= int(high):
                return name
        return None

    def wait(self, code: int | None) -> float:
        """Seconds to wait after this code when the answer names none."""
        return self.after.get(code, self.throttled_after) if code is not None else self.throttled_after


def load(path: Path) -> Codes:
    """The table in `path`. Raises pydantic's ValidationError naming every wrong key."""
    return Codes.model_validate(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")))
