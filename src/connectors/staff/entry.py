"""What staff say beside the complaint itself: how it came, and when. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from msgspec import Struct

from connectors.submission import ENTERED_CHANNELS, EnteredChannel
from connectors.submission_fields import Problem, problem

#: Fields of the document that are judged here.
NAMES = ("channel", "received_at")
_WIB = timezone(timedelta(hours=7), "WIB")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(_DATE.pattern + r"T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})")


class Entry(Struct, frozen=True, kw_only=True):
    """How and when a complaint came."""

    channel: EnteredChannel
    #: UTC; None: when it was entered.
    received_at: datetime | None


def check(fields: Mapping[str, Any], now: datetime, within: timedelta) -> tuple[Entry | None, list[Problem]]:
    """The entry, or what is wrong with it: a moment must lie in the span `within` that ends `now` (R10).

    A date alone is the start of that day in Jakarta; a call needs its hour (K6, A6, R5).
    """
    problems: list[Problem] = []
    channel = next((each for each in ENTERED_CHANNELS if each == fields.get("channel")), None)
    if channel is None:
        given = fields.get("channel")
        code = "required" if given in (None, "") else "not_a_choice"
        problems.append(problem("channel", code, choices=", ".join(ENTERED_CHANNELS)))
    received_at: datetime | None = None
    value = fields.get("received_at")
    if isinstance(value, str) and value.strip():
        received_at, wrong = _moment(value.strip(), channel, now, within)
        problems += wrong
    elif value is not None and not isinstance(value, str):
        problems.append(problem("received_at", "not_text"))
    return (None if channel is None else Entry(channel=channel, received_at=received_at)), problems


def _moment(
    text: str, channel: EnteredChannel | None, now: datetime, within: timedelta
) -> tuple[datetime | None, list[Problem]]:
    try:
        if _DATE.fullmatch(text):
            if channel == "phone":
                return None, [problem("received_at", "needs_time")]
            moment = datetime.fromisoformat(text).replace(tzinfo=_WIB)
        elif _MOMENT.fullmatch(text):
            moment = datetime.fromisoformat(text)
        else:
            raise ValueError
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None, [problem("received_at", "not_a_moment")]
    if moment > now:
        return None, [problem("received_at", "in_the_future")]
    if now - moment > within:
        return None, [problem("received_at", "too_long_ago", days=within.days)]
    return moment, []
