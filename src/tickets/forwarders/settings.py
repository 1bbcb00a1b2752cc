"""What an operator gives for a target store, whatever its kind; the rest stands beside each kind."""

from __future__ import annotations

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator


def real(secret: SecretStr) -> SecretStr:
    """`secret`, unless it is empty or the mask that a form showed instead of it (T32)."""
    if not secret.get_secret_value().strip("*•●· \t\r\n"):
        raise ValueError("this is the mask of a secret, not the secret; give it as ${NAME} or file:PATH")
    return secret


def address(value: str) -> str:
    """`value` without a slash at its end. Raises ValueError when it is no plain http or https address."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.password:
        raise ValueError("must be an address such as https://tickets.example.co.id, without a user or password")
    if parts.query or parts.fragment:
        raise ValueError("must have no ? and no #: secrets never stand in an address")
    return value.rstrip("/")


Secret = Annotated[SecretStr, AfterValidator(real)]
Address = Annotated[str, AfterValidator(address)]


class TargetSettings(BaseModel):
    """What every target has."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(
        pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$", description="Its name in records, commands and logs."
    )
    organisations: tuple[str, ...] = Field(
        default=(), description="Whose tickets it gets, by key of `organisations`; empty: everybody's."
    )
    url: Address = Field(description="Where it is reached.")
    inside: bool = Field(
        default=False, description="Whether its host may lie inside the own network, and be reached by plain http."
    )
    timeout_seconds: float = Field(default=15.0, gt=0, le=120, description="Time that one call may take.")
    at_once: int = Field(default=4, ge=1, le=64, description="Tickets that are handed over at the same time.")
    look_seconds: float = Field(
        default=120.0, ge=1, description="How often it is asked what others changed there, seconds."
    )
    give_up_hours: float = Field(
        default=120.0, gt=0, description="After this long a hand-over that it declines is a person's task."
    )
    tell_after_seconds: float = Field(
        default=900.0, ge=0, description="After so long without success /readyz asks for a person, seconds."
    )

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if self.url.startswith("http://") and not self.inside:
            raise ValueError("url must begin with https:// (http:// only with `inside: true`)")
        return self
