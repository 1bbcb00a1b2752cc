"""What an operator gives for the public complaint form."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from connectors.contract import ChannelSettings

_ORIGIN = re.compile(r"(https://[a-z0-9.-]+|http://(?:127\.0\.0\.1|localhost|\[::1\]))(?::[0-9]{1,5})?")


def _origin(value: str) -> str:
    if not _ORIGIN.fullmatch(value):
        raise ValueError(
            "write the origin alone, as https://www.example.co.id (no path, no *); http only for this machine itself"
        )
    return value


class WebFormSettings(ChannelSettings):
    """Keys of a `web_form` channel."""

    slug: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        description="Where the form stands: `/<slug>/`; the key of the organisation when left out.",
    )
    allowed_origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = Field(
        default=(),
        description="Web sites that may show the form in a frame or send it by script, as `https://www.example.co.id`.",
    )
    minimum_fill_time: timedelta = Field(
        default=timedelta(seconds=3),
        ge=timedelta(0),
        description="A form that comes back sooner than this is shown again: people need longer, programs do not.",
    )
    valid_for: timedelta = Field(
        default=timedelta(hours=24),
        gt=timedelta(0),
        description="A form that comes back later than this is shown again with everything that was typed.",
    )
