"""What an operator gives for one WhatsApp number at Twilio."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, AnyHttpUrl, ConfigDict, Field

from connectors.contract import ChannelSettings
from connectors.signing import Secret, Secrets

Number = Annotated[
    str, Field(pattern=r"^(whatsapp:)?\+[0-9]{5,15}$"), AfterValidator(lambda given: given.removeprefix("whatsapp:"))
]


class Settings(ChannelSettings):
    """Keys of a `whatsapp_twilio` channel."""

    model_config = ConfigDict(hide_input_in_errors=True)

    kind: Literal["whatsapp_twilio"] = Field(description="Which connector serves this channel.")
    account_sid: str = Field(pattern=r"^AC[0-9a-fA-F]{32}$", description="SID of the Twilio account or sub-account.")
    auth_tokens: Secrets = Field(
        description="Auth tokens of the account, the one to call with first; give both while you replace one."
    )
    shared_keys: dict[str, Secret] = Field(
        default={},
        description="Shared keys that may sign webhooks with HMAC-SHA256, by their key id; empty when you use none.",
    )
    number: Number = Field(alias="from", description="The WhatsApp number that customers write to, as +62...")
    templates: dict[str, Annotated[str, Field(pattern=r"^HX[0-9a-fA-F]{32}$")]] = Field(
        default={},
        description="Content SIDs of approved templates by purpose, for notices outside the reply window.",
    )
    api_base: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://api.twilio.com"),
        description="Where Twilio's REST API answers; a proxy or the simulator instead of Twilio.",
    )
    timeout_seconds: float = Field(
        default=15.0, gt=0, le=120, description="How long one call of the REST API may take, in seconds."
    )
    media_timeout_seconds: float = Field(
        default=120.0, gt=0, le=3600, description="How long the download of one attachment may take, in seconds."
    )
    page_size: int = Field(
        default=200, ge=1, le=1000, description="How many messages one page holds when missed ones are looked for."
    )
