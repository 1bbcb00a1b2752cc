"""What an operator gives for one Facebook page."""

from __future__ import annotations

from typing import Literal

from pydantic import AnyHttpUrl, Field

from connectors.contract import ChannelSettings
from connectors.meta_settings import API_VERSION, ApiVersion, AppSecrets, MediaTimeout, Timeout, VerifyToken
from connectors.signing import Secret


class Settings(ChannelSettings):
    """Keys of a `facebook` channel."""

    kind: Literal["facebook"] = Field(description="Which connector serves this channel.")
    page_id: str = Field(pattern=r"^[0-9]{1,32}$", description="Meta's id of the page, from the page's About section.")
    page_token: Secret = Field(
        description="Token of the page with pages_messaging, pages_manage_metadata, pages_manage_engagement, "
        "pages_read_engagement and pages_read_user_content."
    )
    app_secrets: AppSecrets
    verify_token: VerifyToken
    app_id: str | None = Field(
        default=None,
        pattern=r"^[0-9]{1,32}$",
        description="Meta's id of your app; when given, what another program sends with it is known as yours, and "
        "`aduan check --live` looks whether this very app listens to the page.",
    )
    already_replied: tuple[int, ...] = Field(
        default=(10900, 2534013, 2534014, 2534025),
        description="Codes and subcodes with which Meta refuses a second private reply to a comment; sources "
        "contradict each other, so the comment itself is asked before one counts as sent.",
    )
    reconcile_posts: int = Field(
        default=100,
        ge=1,
        le=1000,
        description="How many of the page's newest posts are looked through for comments that no webhook brought.",
    )
    api_base: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://graph.facebook.com"),
        description="Where the Graph API answers; a proxy or the simulator instead of Meta.",
    )
    api_version: ApiVersion = API_VERSION
    timeout_seconds: Timeout = 15.0
    media_timeout_seconds: MediaTimeout = 120.0
