"""What an operator gives for one WhatsApp number at Meta."""

from __future__ import annotations

from typing import Literal

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field

from connectors.contract import ChannelSettings
from connectors.meta_settings import API_VERSION, ApiVersion, AppSecrets, MediaTimeout, Timeout, VerifyToken
from connectors.signing import Secret


class Template(BaseModel):
    """An approved utility template with at most one variable in its body."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[a-z0-9_]{1,512}$", description="The template's name at Meta.")
    language: str = Field(
        default="id", pattern=r"^[A-Za-z_]{2,10}$", description="The template's language code at Meta."
    )
    variable: bool = Field(default=True, description="Whether its body has one variable, which our text fills.")


class Settings(ChannelSettings):
    """Keys of a `whatsapp_cloud` channel."""

    kind: Literal["whatsapp_cloud"] = Field(description="Which connector serves this channel.")
    phone_number_id: str = Field(
        pattern=r"^[0-9]{1,32}$", description="Meta's id of the business number, from the app's WhatsApp page."
    )
    waba_id: str | None = Field(
        default=None,
        pattern=r"^[0-9]{1,32}$",
        description="Meta's id of the WhatsApp business account; when given, `aduan check --live` looks whether an app "
        "of ours is subscribed to it.",
    )
    access_token: Secret = Field(description="Token of a system user with whatsapp_business_messaging.")
    app_secrets: AppSecrets
    verify_token: VerifyToken
    templates: dict[str, Template] = Field(
        default={}, description="Approved templates by purpose, for notices outside the reply window."
    )
    api_base: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://graph.facebook.com"),
        description="Where the Graph API answers; a proxy or the simulator instead of Meta.",
    )
    api_version: ApiVersion = API_VERSION
    timeout_seconds: Timeout = 15.0
    media_timeout_seconds: MediaTimeout = 120.0
