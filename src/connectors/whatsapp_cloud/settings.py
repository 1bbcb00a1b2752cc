"""What an operator gives for one WhatsApp number at Meta."""

from __future__ import annotations

from typing import Literal

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field

from connectors.contract import ChannelSettings
from connectors.signing import Secret, Secrets


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

    model_config = ConfigDict(hide_input_in_errors=True)

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
    app_secrets: Secrets = Field(
        description="App secrets that sign the webhooks, newest first; keep the old one until Meta uses the new one."
    )
    verify_token: Secret = Field(
        description="The word that you type into Meta's console when you register the webhook."
    )
    templates: dict[str, Template] = Field(
        default={}, description="Approved templates by purpose, for notices outside the reply window."
    )
    api_base: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://graph.facebook.com"),
        description="Where the Graph API answers; a proxy or the simulator instead of Meta.",
    )
    api_version: str = Field(
        default="v26.0",
        pattern=r"^v[0-9]{1,3}\.[0-9]$",
        description="Version of the Graph API, as it stands in addresses.",
    )
    timeout_seconds: float = Field(
        default=15.0, gt=0, le=120, description="How long one call of the Graph API may take, in seconds."
    )
    media_timeout_seconds: float = Field(
        default=120.0, gt=0, le=3600, description="How long the download of one attachment may take, in seconds."
    )
