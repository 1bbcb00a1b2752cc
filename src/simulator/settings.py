"""What an operator or the demo tells the simulator: ports, accounts, where their webhooks go, the weather."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, field_validator

from simulator.mail import Mail, Mailbox
from simulator.place import Provider
from simulator.twilio import Twilio
from simulator.weather import CLIMATES, Weather
from simulator.whatsapp_cloud import WhatsAppCloud


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CloudAccount(_Strict):
    """A WhatsApp number at Meta."""

    name: str = Field(description="The institution, as the page shows it.")
    webhook_url: str = Field(default="", description="Where Meta posts its webhooks.")
    phone_number_id: str = Field(description="The number's id in the Graph API.")
    waba_id: str = Field(description="The business account's id.")
    access_token: str = Field(repr=False, description="The token that the business must send.")
    app_secret: str = Field(repr=False, description="What webhooks are signed with.")
    verify_token: str = Field(repr=False, description="What the handshake carries.")
    display_phone_number: str = Field(default="622150996000", description="The number that customers write to.")


class TwilioAccount(_Strict):
    """A WhatsApp sender at Twilio."""

    name: str = Field(description="The institution, as the page shows it.")
    webhook_url: str = Field(default="", description="Where Twilio posts inbound messages.")
    fallback_url: str = Field(default="", description="Where Twilio turns when the first address fails.")
    account_sid: str = Field(description="AC and 32 hex digits.")
    auth_token: str = Field(repr=False, description="What webhooks are signed with, and the API password.")
    number: str = Field(description="The sender with its channel, for example whatsapp:+622150996000.")


class MailboxAccount(_Strict):
    """A mailbox of an institution."""

    name: str = Field(description="The institution, as the page shows it.")
    address: str = Field(description="The mail address, which is the login name too.")
    password: str = Field(repr=False, description="The password for IMAP and SMTP.")


class MailServer(_Strict):
    """The mail server of all institutions."""

    imap_port: int = Field(default=0, ge=0, le=65535, description="0 takes a free port.")
    smtp_port: int = Field(default=0, ge=0, le=65535, description="0 takes a free port.")
    authserv_id: str = Field(default="mx.simulator.invalid", description="Who signs Authentication-Results.")
    mailboxes: Sequence[MailboxAccount] = Field(description="The mailboxes.")


class Settings(_Strict):
    """The whole simulator."""

    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8090, ge=0, le=65535, description="The port of the page and of all HTTP providers.")
    weather: str = Field(default="calm", description="The name of the weather that it starts in.")
    seed: int = Field(default=0, description="Makes bad weather repeatable.")
    statuses: bool = Field(default=True, description="Whether delivery statuses are reported.")
    whatsapp_cloud: Sequence[CloudAccount] = Field(default=(), description="Numbers at Meta.")
    twilio: Sequence[TwilioAccount] = Field(default=(), description="Senders at Twilio.")
    mail: MailServer | None = Field(default=None, description="The mail server; left out, there is none.")

    @field_validator("weather")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in CLIMATES:
            raise ValueError(f"known are {', '.join(CLIMATES)}")
        return name

    def providers(self) -> list[Provider]:
        """The providers that these settings describe, not yet started."""
        made: list[Provider] = [
            WhatsAppCloud(**account.model_dump(), statuses=self.statuses) for account in self.whatsapp_cloud
        ]
        made.extend(Twilio(**account.model_dump(), statuses=self.statuses) for account in self.twilio)
        if self.mail is not None:
            boxes = [Mailbox(each.address, each.password, each.name) for each in self.mail.mailboxes]
            made.append(
                Mail(
                    boxes,
                    imap_port=self.mail.imap_port,
                    smtp_port=self.mail.smtp_port,
                    authserv_id=self.mail.authserv_id,
                )
            )
        for index, provider in enumerate(made):
            provider.weather = Weather.named(self.weather, self.seed + index)
        return made
