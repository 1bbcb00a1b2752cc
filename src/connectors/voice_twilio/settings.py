"""What an operator gives for one telephone number at Twilio."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from connectors.twilio_settings import TwilioSettings

Voice = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,80}$")]


class Voices(BaseModel):
    """Who speaks each language."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    id: Voice = Field(default="Google.id-ID-Standard-A", description="Twilio's voice that speaks Indonesian.")
    en: Voice = Field(default="Google.en-US-Standard-C", description="Twilio's voice that speaks English.")


class Settings(TwilioSettings):
    """Keys of a `voice_twilio` channel."""

    kind: Literal["voice_twilio"] = Field(description="Which connector serves this channel.")
    number: Annotated[str, Field(pattern=r"^\+[0-9]{5,15}$")] = Field(
        description="The telephone number at Twilio that customers call or are forwarded to, as +62..."
    )
    spoken_name: str = Field(
        default="",
        max_length=100,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="The institution's name as the voice says it; empty: the key of the organisation.",
    )
    voices: Voices = Field(default=Voices(), description="Which of Twilio's voices speak.")
    play_back: bool = Field(
        default=True,
        description="Whether callers hear their recording again; false where the account enforces HTTP authentication"
        " on recordings, which Twilio's player cannot give.",
    )
    longest_recording_seconds: int = Field(
        default=600, ge=30, le=3600, description="How long a caller may speak, in seconds."
    )
    silence_seconds: int = Field(
        default=8, ge=2, le=60, description="After how much silence a recording ends, in seconds."
    )
    key_seconds: int = Field(default=7, ge=2, le=60, description="How long a caller has to press a key, in seconds.")
    media_timeout_seconds: float = Field(
        default=300.0, gt=0, le=3600, description="How long the download of one recording may take, in seconds."
    )
