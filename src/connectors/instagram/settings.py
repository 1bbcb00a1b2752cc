"""What an operator gives for one Instagram professional account."""

from __future__ import annotations

from typing import Literal

from pydantic import AnyHttpUrl, Field

from connectors.contract import ChannelSettings
from connectors.meta_settings import API_VERSION, ApiVersion, MediaTimeout, Timeout, VerifyToken
from connectors.signing import Secret, Secrets


class Settings(ChannelSettings):
    """Keys of an `instagram` channel. Which login the app uses is a matter of `api_base` and `page_id` alone."""

    kind: Literal["instagram"] = Field(description="Which connector serves this channel.")
    account_id: str = Field(
        pattern=r"^[0-9]{1,32}$",
        description="Meta's id of the Instagram professional account (17841...), as webhooks name it.",
    )
    page_id: str | None = Field(
        default=None,
        pattern=r"^[0-9]{1,32}$",
        description="The Facebook Page that is linked to the account, when the app uses Facebook Login: messages then "
        "go out through the Page; leave it away with Instagram Login.",
    )
    access_token: Secret = Field(
        description="Token of the linked Page (Facebook Login) or of the account itself (Instagram Login, IGAA...)."
    )
    app_secrets: Secrets = Field(
        description="Secrets that sign the webhooks, newest first: the app's secret, with Instagram Login the "
        "Instagram app secret; several are valid at once."
    )
    verify_token: VerifyToken
    api_base: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://graph.facebook.com"),
        description="Where the Graph API answers: https://graph.facebook.com with Facebook Login, "
        "https://graph.instagram.com with Instagram Login, or a proxy or the simulator.",
    )
    api_version: ApiVersion = API_VERSION
    history_posts: int = Field(
        default=50,
        ge=0,
        le=10_000,
        description="How many of the newest posts are asked for comments that no webhook brought; 0 asks none.",
    )
    already_replied: tuple[int, ...] = Field(
        default=(10900, 2534013, 2534014, 2534025),
        description="Codes and subcodes by which Meta says that a comment was answered in private before; sources "
        "contradict each other, so the conversation itself is asked before one counts as sent.",
    )
    timeout_seconds: Timeout = 15.0
    media_timeout_seconds: MediaTimeout = 120.0
