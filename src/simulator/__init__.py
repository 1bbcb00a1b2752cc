"""Every provider pretended on loopback: real signatures, windows, limits, retries and bad weather.

Imports nothing of the rest of the project: it is a second opinion on what providers do, not a mirror of what we think.
"""

from simulator.app import Simulation, start
from simulator.faults import Faults
from simulator.mail import Mail, Mailbox
from simulator.place import Account, Attachment, Choice, Line, Place, Ports, Provider, Talk
from simulator.twilio import Twilio
from simulator.weather import CLIMATES, Climate, Weather
from simulator.whatsapp_cloud import WhatsAppCloud

__all__ = [
    "CLIMATES",
    "Account",
    "Attachment",
    "Choice",
    "Climate",
    "Faults",
    "Line",
    "Mail",
    "Mailbox",
    "Place",
    "Ports",
    "Provider",
    "Simulation",
    "Talk",
    "Twilio",
    "Weather",
    "WhatsAppCloud",
    "start",
]
