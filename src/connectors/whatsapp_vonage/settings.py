"""What an operator gives for one WhatsApp number at Vonage."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AnyHttpUrl, Field

from connectors.contract import ChannelSettings
from connectors.signing import Secret, Secrets


class Settings(ChannelSettings):
    """Keys of a `whatsapp_vonage` channel."""

    kind: Literal["whatsapp_vonage"] = Field(description="Which connector serves this channel.")
    number: str = Field(
        pattern=r"^\+[0-9]{5,15}$", description="The WhatsApp number that customers write to, as +62..."
    )
    api_key: str = Field(pattern=r"^[A-Za-z0-9]{1,32}$", description="API key of the account; its webhooks name it.")
    api_secret: Secret = Field(description="API secret of that key, to send and to ask with.")
    signature_secrets: Secrets = Field(
        description="Signature secrets of the account, newest first; give both while you replace one."
    )
    application_id: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        description="The application that the number is linked to; when given, `aduan check --live` looks whether its "
        "inbound address is ours.",
    )
    templates: dict[str, Annotated[str, Field(pattern=r"^[A-Za-z0-9_:.-]{1,600}$")]] = Field(
        default={},
        description="Names of approved templates with one variable by purpose, for notices outside the reply window.",
    )
    template_locale: str = Field(
        default="id", pattern=r"^[A-Za-z_]{2,10}$", description="Language code of those templates at WhatsApp."
    )
    api_base: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://api.nexmo.com"),
        description="Where the API answers; a region of Vonage, a proxy or the simulator instead.",
    )
    timeout_seconds: float = Field(
        default=15.0, gt=0, le=120, description="How long one call of the API may take, in seconds."
    )
    media_timeout_seconds: float = Field(
        default=120.0, gt=0, le=3600, description="How long the download of one attachment may take, in seconds."
    )
