"""The pretended providers of a demonstration: built from the same settings as our channels, so that both fit."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from gateway.config_load import Channel, Installation
from simulator import Mail, Mailbox, Provider, Simulation, Twilio, Weather, WhatsAppCloud, start


def providers_of(installation: Installation) -> list[Provider]:
    """A pretended account for every channel that points at the simulator."""
    settings = installation.config.simulator
    assert settings is not None
    found: list[Provider] = []
    boxes: list[Mailbox] = []
    for channel in installation.channels.values():
        label = installation.organisations[channel.organisation].name
        webhook = f"{installation.config.public_url}/in/{channel.id}"
        match channel.spec.kind:
            case "whatsapp_cloud":
                found.append(_cloud(channel, label, webhook))
            case "whatsapp_twilio":
                found.append(_twilio(channel, label, webhook))
            case "email":
                boxes.append(_mailbox(channel, label))
            case _:
                continue
    if boxes:
        found.append(Mail(boxes, imap_port=settings.imap_port, smtp_port=settings.smtp_port))
    if settings.weather != "calm":
        for provider in found:
            provider.weather = Weather.named(settings.weather, seed=1)
    return found


async def start_simulator(installation: Installation, host: str = "127.0.0.1") -> Simulation:
    """The running simulation of an installation's providers. Raises OSError when a port is taken."""
    settings = installation.config.simulator
    assert settings is not None
    return await start(providers_of(installation), host=host, port=settings.port)


def _cloud(channel: Channel, label: str, webhook: str) -> Provider:
    settings: Any = channel.settings
    account = WhatsAppCloud(
        app_secret=_plain(settings.app_secrets[0]),
        access_token=_plain(settings.access_token),
        phone_number_id=settings.phone_number_id,
        waba_id=settings.waba_id or settings.phone_number_id,
        verify_token=_plain(settings.verify_token),
        webhook_url=webhook,
        name=label,
        display_phone_number=f"62000{int(settings.phone_number_id) % 10**7:07}",
    )
    account.subscribed = True  # as the operator's console would show it after the set-up
    return account


def _twilio(channel: Channel, label: str, webhook: str) -> Provider:
    settings: Any = channel.settings
    return Twilio(
        account_sid=settings.account_sid,
        auth_token=_plain(settings.auth_tokens[0]),
        number=f"whatsapp:{settings.number}",
        webhook_url=webhook,
        name=label,
    )


def _mailbox(channel: Channel, label: str) -> Mailbox:
    settings: Any = channel.settings
    return Mailbox(settings.address, _plain(settings.imap.password), label)


def _plain(secret: SecretStr) -> str:
    return secret.get_secret_value()
