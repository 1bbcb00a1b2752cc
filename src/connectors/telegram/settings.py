"""What an operator gives for one Telegram bot."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, AnyHttpUrl, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from connectors.contract import ChannelSettings
from connectors.signing import Secret, Secrets

_BOT_TOKEN = re.compile(r"[0-9]{3,20}:[A-Za-z0-9_-]{20,120}")
_SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")


def _as_bot_token(token: SecretStr) -> SecretStr:
    if not _BOT_TOKEN.fullmatch(token.get_secret_value()):
        raise ValueError("is no bot token; BotFather gives one like 123456789:AAE...")
    return token


class Settings(ChannelSettings):
    """Keys of a `telegram` channel."""

    model_config = ConfigDict(hide_input_in_errors=True)
    example_keys: ClassVar[tuple[str, ...]] = ("secret_token",)

    kind: Literal["telegram"] = Field(description="Which connector serves this channel.")
    bot_token: Annotated[Secret, AfterValidator(_as_bot_token)] = Field(
        description="The token that BotFather gave for this bot."
    )
    mode: Literal["webhook", "poll"] = Field(
        default="webhook",
        description="Whether Telegram calls us (webhook) or we ask Telegram (poll: no address of ours need be public).",
    )
    secret_token: Secret | None = Field(
        default=None,
        validate_default=True,
        description="The word that Telegram sends with every webhook (1-256 letters, digits, _ and -); needed in mode "
        "webhook.",
    )
    old_secret_tokens: Secrets | None = Field(
        default=None,
        description="Earlier secret tokens that are still accepted; leave them in for some minutes after a change.",
    )
    register_webhook: bool = Field(
        default=True,
        description="Whether we set the bot's webhook ourselves when none is set; one that leads elsewhere is never "
        "touched.",
    )
    greeting: str | None = Field(
        default=None,
        min_length=1,
        max_length=1000,
        description="What a customer who presses START or sends /help is told; null: nothing.",
    )
    api_base: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://api.telegram.org"),
        description="Where the Bot API answers; a proxy, a Bot API server of your own or the simulator instead of "
        "Telegram.",
    )
    poll_seconds: int = Field(
        default=50, ge=1, le=50, description="How long one question for updates may wait at Telegram, in seconds."
    )
    timeout_seconds: float = Field(
        default=15.0, gt=0, le=120, description="How long one call of the Bot API may take, in seconds."
    )
    media_timeout_seconds: float = Field(
        default=120.0, gt=0, le=3600, description="How long the download of one attachment may take, in seconds."
    )

    @field_validator("secret_token")
    @classmethod
    def _proves_the_webhook(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if secret is None and info.data.get("mode") == "webhook":
            raise ValueError("is missing; without it nothing proves that Telegram calls (mode poll needs none)")
        if secret is not None and not _SECRET_TOKEN.fullmatch(secret.get_secret_value()):
            raise ValueError("has 1 to 256 letters, digits, _ and -")
        return secret
