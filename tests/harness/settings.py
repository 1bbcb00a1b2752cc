"""Changes of the configuration that tests of the running gateway share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def only(*names: str, **limits: Any) -> Callable[[dict[str, Any]], None]:
    """A change: only these channels with their institutions, forms that are filled quickly, and these limits."""

    def change(config: dict[str, Any]) -> None:
        config["channels"] = {name: config["channels"][name] for name in names}
        used = {channel["organisation"] for channel in config["channels"].values()}
        config["organisations"] = {slug: value for slug, value in config["organisations"].items() if slug in used}
        for channel in config["channels"].values():
            if channel["kind"] == "web_form":
                channel["minimum_fill_time"] = "PT0S"
        config["limits"] |= limits

    return change


def impatient(*names: str, **limits: Any) -> Callable[[dict[str, Any]], None]:
    """A change: only these channels, none of which waits long for an answer, and these limits."""

    def change(config: dict[str, Any]) -> None:
        only(*names, **limits)(config)
        for channel in config["channels"].values():
            channel["timeout_seconds"] = 1
        config["outbox"]["ambiguous_wait_seconds"] = 0.3

    return change
