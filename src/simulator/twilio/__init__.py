"""Twilio messaging (WhatsApp senders), pretended on loopback."""

from simulator.twilio.account import Twilio
from simulator.twilio.calling import Alert
from simulator.twilio.records import Media, Message

__all__ = ["Alert", "Media", "Message", "Twilio"]
