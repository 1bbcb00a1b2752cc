"""What an operator gives for one WhatsApp number at Twilio."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from connectors.twilio_settings import TwilioSettings

Number = Annotated[
    str, Field(pattern=r"^(whatsapp:)?\+[0-9]{5,15}$"), AfterValidator(lambda given: given.removeprefix("whatsapp:"))
]


class Settings(TwilioSettings):
    """Keys of a `whatsapp_twilio` channel."""

    kind: Literal["whatsapp_twilio"] = Field(description="Which connector serves this channel.")
    number: Number = Field(alias="from", description="The WhatsApp number that customers write to, as +62...")
    templates: dict[str, Annotated[str, Field(pattern=r"^HX[0-9a-fA-F]{32}$")]] = Field(
        default={},
        description="Content SIDs of approved templates by purpose, for notices outside the reply window.",
    )
    media_timeout_seconds: float = Field(
        default=120.0, gt=0, le=3600, description="How long the download of one attachment may take, in seconds."
    )
