"""What an operator gives for complaints that staff enter."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from connectors.contract import ChannelSettings
from connectors.signing import Secrets

_SHORTEST_TOKEN = 16
#: How a person is named in the records: as a login name.
PERSON = r"[a-z0-9][a-z0-9._-]{0,39}"

Person = Annotated[str, Field(pattern=rf"^{PERSON}$")]


class StaffSettings(ChannelSettings):
    """Keys of a `staff` channel."""

    people: dict[Person, Secrets] = Field(
        default_factory=dict,
        description="Who may enter complaints over HTTP: a name for the records, and the tokens that the person's "
        "program sends as `Authorization: Bearer`, each at least 16 characters; `aduan tickets open` on this machine "
        "needs none.",
    )
    received_within_days: int = Field(
        default=366,
        ge=1,
        le=36_500,
        description="A complaint that is said to have come longer ago than this is taken for a mistyped year.",
    )

    @field_validator("people")
    @classmethod
    def _tell_apart(cls, value: dict[str, Secrets]) -> dict[str, Secrets]:
        tokens = [token.get_secret_value() for each in value.values() for token in each]
        if any(len(token) < _SHORTEST_TOKEN for token in tokens):
            raise ValueError(f"a token is shorter than {_SHORTEST_TOKEN} characters and could be guessed")
        if len(set(tokens)) < len(tokens):
            raise ValueError("a token stands twice: it would not say who entered a complaint")
        return value
