"""What an operator gives for the company's own app."""

from __future__ import annotations

from pydantic import Field, field_validator

from connectors.contract import ChannelSettings
from connectors.signing import Secrets

_SHORTEST_KEY = 16


class AppApiSettings(ChannelSettings):
    """Keys of an `app_api` channel."""

    api_keys: Secrets = Field(
        description="What the app's server sends as `X-Api-Key`: one, or two while the old one is being replaced; "
        "each at least 16 characters."
    )

    @field_validator("api_keys")
    @classmethod
    def _long_enough(cls, value: Secrets) -> Secrets:
        if any(len(key.get_secret_value()) < _SHORTEST_KEY for key in value):
            raise ValueError(f"a key is shorter than {_SHORTEST_KEY} characters and could be guessed")
        return value
