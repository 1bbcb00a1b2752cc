"""Twilio's telephone numbers, pretended on loopback: a caller dials, listens, presses keys and speaks."""

from collections.abc import Sequence

from simulator.place import Account, Ports, Service
from simulator.twilio_voice.account import TwilioVoice
from simulator.twilio_voice.calls import Call, HangUp, Key, Recording, Silence, Speech

__all__ = ["SERVICE", "Call", "HangUp", "Key", "Recording", "Silence", "Speech", "TwilioVoice"]


def providers(accounts: Sequence[Account], _ports: Ports) -> list[TwilioVoice]:
    """A telephone number for each account."""
    return [
        TwilioVoice(
            account_sid=account.settings["account_sid"],
            auth_token=account.settings["auth_tokens"][0],
            number=account.settings["number"],
            webhook_url=account.webhook_url,
            name=account.name,
            media_needs_login=not account.settings.get("play_back", True),
        )
        for account in accounts
    ]


SERVICE = Service(kinds=("voice_twilio",), providers=providers)
