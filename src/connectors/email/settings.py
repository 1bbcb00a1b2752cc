"""What an operator gives for one mailbox: where mail comes in and where it goes out."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from connectors.contract import ChannelSettings
from connectors.email import addresses

Tls = Literal["implicit", "starttls", "none"]


def real(secret: SecretStr) -> SecretStr:
    """`secret`, unless it is empty or the mask that a form showed instead of it (T32)."""
    if not secret.get_secret_value().strip("*•●· \t\r\n"):
        raise ValueError("this is the mask of a secret, not the secret; give it as ${NAME} or file:PATH")
    return secret


def mailbox(value: str) -> str:
    """`value` in normal form. Raises ValueError when it is no e-mail address."""
    found = addresses.normal(value)
    if not found:
        raise ValueError("this is not an e-mail address")
    return found


def is_loopback(host: str) -> bool:
    """Whether `host` can only be this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


Secret = Annotated[SecretStr, AfterValidator(real)]
Mailbox = Annotated[str, AfterValidator(mailbox)]


class OAuth2(BaseModel):
    """An access token, or what is needed to ask for one whenever the last one ends."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    token: Secret | None = Field(None, description="An access token that somebody else keeps fresh.")
    token_url: str | None = Field(None, description="Where a refresh token is exchanged for an access token.")
    client_id: str | None = Field(None, description="The id of the application at the mail provider.")
    client_secret: Secret | None = Field(
        None, description="The secret of the application, where the provider wants one."
    )
    refresh_token: Secret | None = Field(None, description="The token that was granted to the application.")
    scope: str | None = Field(None, description="The scope to ask for, where the provider wants one.")
    mechanism: Literal["xoauth2", "oauthbearer"] = Field("xoauth2", description="How the token is shown to the server.")

    @model_validator(mode="after")
    def _one_way(self) -> OAuth2:
        refreshed = self.token_url and self.client_id and self.refresh_token
        if bool(self.token) == bool(refreshed):
            raise ValueError("give either `token`, or `token_url`, `client_id` and `refresh_token`")
        if self.token_url and not self.token_url.startswith("https://"):
            host = self.token_url.removeprefix("http://").partition("/")[0].rpartition(":")[0].strip("[]")
            if not self.token_url.startswith("http://") or not is_loopback(host):
                raise ValueError("`token_url` must begin with https://")
        return self


class Server(BaseModel):
    """A mail server and how to log in there."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    host: str = Field(min_length=1, description="Name of the server, as its certificate says.")
    port: int | None = Field(None, ge=1, le=65535, description="Its port; without it the standard port for `tls`.")
    tls: Tls = Field("implicit", description="implicit, starttls, or none (this machine only); there is no fallback.")
    ca_file: Path | None = Field(None, description="Certificates to trust instead of the system's, in PEM.")
    timeout_seconds: float = Field(60, gt=0, le=600, description="How long to wait for an answer of the server.")

    @model_validator(mode="after")
    def _no_clear_text(self) -> Server:
        if self.tls == "none" and not is_loopback(self.host):
            raise ValueError("`tls: none` is for a server on this machine only: passwords would travel in the clear")
        return self


class Imap(Server):
    """Where mail is fetched."""

    user: str = Field(min_length=1, description="The login name.")
    password: Secret | None = Field(None, description="The password; or give `oauth2`.")
    oauth2: OAuth2 | None = Field(None, description="Log in with a token (Gmail, Microsoft 365) instead of a password.")
    folder: str = Field("INBOX", min_length=1, description="The folder that is read; it is never changed.")
    check_every_seconds: float = Field(
        120,
        ge=0.2,
        le=540,
        description="How often to look even when the server reports nothing new (IDLE may die silently).",
    )
    backlog: Literal["all", "new"] = Field(
        "all",
        description="Whether the first start takes the mail that is already there, or only what arrives from then on.",
    )

    @model_validator(mode="after")
    def _one_credential(self) -> Imap:
        if (self.password is None) == (self.oauth2 is None):
            raise ValueError("give either `password` or `oauth2`")
        return self


class Smtp(Server):
    """Where answers are handed in."""

    user: str | None = Field(None, description="The login name; without it nobody logs in (a relay that knows us).")
    password: Secret | None = Field(None, description="The password; or give `oauth2`.")
    oauth2: OAuth2 | None = Field(None, description="Log in with a token instead of a password.")
    connections: int = Field(4, ge=1, le=50, description="How many connections may be open at once.")

    @model_validator(mode="after")
    def _one_credential(self) -> Smtp:
        given = (self.password is not None) + (self.oauth2 is not None)
        if given != (self.user is not None):
            raise ValueError("give `user` with either `password` or `oauth2`, or none of them")
        return self


class EmailSettings(ChannelSettings):
    """One mailbox."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    example_keys: ClassVar[tuple[str, ...]] = ("imap.password", "smtp.user", "smtp.password")
    address: Mailbox = Field(description="The address that customers write to and that answers come from.")
    aliases: tuple[Mailbox, ...] = Field((), description="Other addresses whose mail lands in this mailbox.")
    display_name: str | None = Field(None, max_length=100, description="The name beside our address in answers.")
    imap: Imap = Field(description="Where mail is fetched.")
    smtp: Smtp = Field(description="Where answers are handed in.")
    authserv_id: str | None = Field(
        None,
        description="The name our own mail server writes into Authentication-Results; it must remove forged ones.",
    )
    plus_addressing: bool = Field(
        False,
        description="Whether the server delivers name+anything@ to name@; answers and bounces then carry a token.",
    )
    max_bytes: int = Field(
        26_214_400,
        ge=65_536,
        le=104_857_600,
        description="Largest mail that is read whole; of a larger one the beginning.",
    )
