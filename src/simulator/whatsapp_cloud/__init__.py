"""WhatsApp Cloud API of Meta, pretended on loopback."""

from collections.abc import Sequence

from simulator.meta_account import Handshake
from simulator.place import Account, Ports, Service
from simulator.whatsapp_cloud.account import WhatsAppCloud
from simulator.whatsapp_cloud.limits import Limits
from simulator.whatsapp_cloud.payloads import Number
from simulator.whatsapp_cloud.records import Received, Sent

__all__ = ["SERVICE", "Handshake", "Limits", "Number", "Received", "Sent", "WhatsAppCloud"]


def providers(accounts: Sequence[Account], _ports: Ports) -> list[WhatsAppCloud]:
    """A number for each account; its app is subscribed, as the operator's console would show it after the set-up."""
    found = []
    for account in accounts:
        given = account.settings
        number = WhatsAppCloud(
            app_secret=given["app_secrets"][0],
            access_token=given["access_token"],
            phone_number_id=given["phone_number_id"],
            waba_id=given["waba_id"] or given["phone_number_id"],
            verify_token=given["verify_token"],
            webhook_url=account.webhook_url,
            name=account.name,
            display_phone_number=f"62000{int(given['phone_number_id']) % 10**7:07}",
        )
        number.subscribed = True
        found.append(number)
    return found


SERVICE = Service(kinds=("whatsapp_cloud",), providers=providers)
