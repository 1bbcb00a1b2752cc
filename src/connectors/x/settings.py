"""What an operator gives for one X account."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, model_validator

from connectors.contract import ChannelSettings
from connectors.signing import Secret


class ConsumerKey(BaseModel):
    """Key and secret of the X app; the secret signs webhooks."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    key: str = Field(pattern=r"^[A-Za-z0-9_-]{1,200}$", description="The API key (consumer key) of the app.")
    secret: Secret = Field(description="The API secret (consumer secret) of the app.")


class OAuth2(BaseModel):
    """User access by OAuth 2.0, whose tokens live two hours and are renewed by a token that works once."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    client_id: str = Field(pattern=r"^[A-Za-z0-9:_-]{1,200}$", description="The OAuth 2.0 client id of the app.")
    client_secret: Secret | None = Field(
        default=None, description="The OAuth 2.0 client secret; null for an app that is a public client."
    )
    refresh_token: Secret = Field(
        description="The refresh token of the first login (scope offline.access); later ones are kept in `token_file`."
    )
    token_file: Path = Field(
        description="Where each new pair of tokens is stored before it is used: a file on a disk that survives, "
        "readable by us alone."
    )


class Settings(ChannelSettings):
    """Keys of an `x` channel."""

    model_config = ConfigDict(hide_input_in_errors=True)
    example_keys: ClassVar[tuple[str, ...]] = ("access_token", "access_token_secret")

    kind: Literal["x"] = Field(description="Which connector serves this channel.")
    user_id: str = Field(pattern=r"^[0-9]{1,19}$", description="The account's id at X, a number.")
    username: str = Field(pattern=r"^[A-Za-z0-9_]{1,15}$", description="The account's name without @.")
    consumer_keys: Annotated[tuple[ConsumerKey, ...], Field(min_length=1)] = Field(
        description="Keys of the app, newest first: webhooks signed with any of them are taken, calls use the first."
    )
    access_token: Secret | None = Field(
        default=None, description="Token of the account for OAuth 1.0a; null when `oauth2` is given."
    )
    access_token_secret: Secret | None = Field(
        default=None, description="Secret of that token; null when `oauth2` is given."
    )
    oauth2: OAuth2 | None = Field(
        default=None, description="OAuth 2.0 instead of OAuth 1.0a; X hands out files of direct messages only to it."
    )
    mode: Literal["webhook", "poll"] = Field(
        default="webhook", description="Whether X calls us, or we ask every `poll_seconds`; asking costs per message."
    )
    replay: bool = Field(
        default=True,
        description="Whether a start in mode `webhook` asks X to push again what was missed, as encrypted messages "
        "stand in no list.",
    )
    api_base: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://api.x.com"),
        description="Where the X API answers; a proxy or the simulator instead of X.",
    )
    poll_seconds: float = Field(
        default=120.0, gt=0, le=3600, description="Pause between two rounds of asking in mode `poll`, in seconds."
    )
    first_look_hours: float = Field(
        default=24.0, ge=0, le=720, description="How far back the very first round of mode `poll` looks, in hours."
    )
    page_size: int = Field(default=100, ge=5, le=100, description="Messages or posts to ask for at once.")
    timeout_seconds: float = Field(
        default=15.0, gt=0, le=120, description="How long one call of the X API may take, in seconds."
    )
    media_timeout_seconds: float = Field(
        default=120.0, gt=0, le=3600, description="How long the download of one attachment may take, in seconds."
    )

    @model_validator(mode="after")
    def _one_way_to_log_in(self) -> Self:
        by_oauth1 = self.access_token is not None and self.access_token_secret is not None
        either = self.access_token is not None or self.access_token_secret is not None
        if self.oauth2 is None and not by_oauth1:
            raise ValueError("give access_token and access_token_secret, or oauth2")
        if self.oauth2 is not None and either:
            raise ValueError("give either oauth2, or access_token and access_token_secret, not both")
        return self
