"""What an operator gives for one telephone number at Twilio."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field

from connectors.contract import ChannelSettings
from connectors.signing import Secret, Secrets

Voice = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,80}$")]


class Voices(BaseModel):
    """Who speaks each language."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    id: Voice = Field(default="Google.id-ID-Standard-A", description="Twilio's voice that speaks Indonesian.")
    en: Voice = Field(default="Google.en-US-Standard-C", description="Twilio's voice that speaks English.")


class Settings(ChannelSettings):
    """Keys of a `voice_twilio` channel."""

    model_config = ConfigDict(hide_input_in_errors=True)

    kind: Literal["voice_twilio"] = Field(description="Which connector serves this channel.")
    account_sid: str = Field(pattern=r"^AC[0-9a-fA-F]{32}$", description="SID of the Twilio account or sub-account.")
    auth_tokens: Secrets = Field(
        description="Auth tokens of the account, the one to call with first; give both while you replace one."
    )
    shared_keys: dict[str, Secret] = Field(
        default={},
        description="Shared keys that may sign webhooks with HMAC-SHA256, by their key id; empty when you use none.",
    )
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
    api_base: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://api.twilio.com"),
        description="Where Twilio's REST API answers; a proxy or the simulator instead of Twilio.",
    )
    timeout_seconds: float = Field(
        default=15.0, gt=0, le=120, description="How long one call of the REST API may take, in seconds."
    )
    media_timeout_seconds: float = Field(
        default=300.0, gt=0, le=3600, description="How long the download of one recording may take, in seconds."
    )
    page_size: int = Field(
        default=200, ge=1, le=1000, description="How many calls one page holds when missed ones are looked for."
    )
