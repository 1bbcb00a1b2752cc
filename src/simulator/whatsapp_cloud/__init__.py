"""WhatsApp Cloud API of Meta, pretended on loopback."""

from simulator.whatsapp_cloud.account import WhatsAppCloud
from simulator.whatsapp_cloud.limits import Limits
from simulator.whatsapp_cloud.payloads import Number
from simulator.whatsapp_cloud.records import Handshake, Received, Sent

__all__ = ["Handshake", "Limits", "Number", "Received", "Sent", "WhatsAppCloud"]
