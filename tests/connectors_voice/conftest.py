"""Twilio, pretended, and our webhook at the address that its number calls."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from connectors.voice_twilio import VoiceTwilio
from connectors_voice.kit import ACCOUNT, Ours, no_network, setup_of
from harness.serving import Serve, small_servers
from simulator.app import start
from simulator.twilio_voice import TwilioVoice


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a small server that gives every request to one function; returns its address."""
    async with small_servers() as start_one:
        yield start_one


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioVoice]:
    """Twilio, pretended."""
    account = TwilioVoice(account_sid=ACCOUNT, auth_token="invented-auth-token", number="+622150996001")
    simulation = await start([account])
    yield account
    await simulation.aclose()


@pytest.fixture
async def ours(serve: Serve, twilio: TwilioVoice) -> AsyncIterator[Ours]:
    """Our webhook at the address that the number calls."""
    ours = Ours()
    public_url = await serve(ours.answer)
    async with aiohttp.ClientSession() as session:
        ours.connector = VoiceTwilio(setup_of(twilio.base_url, public_url, lambda: session))
        twilio.webhook_url = f"{public_url}/in/akseleran-phone"
        yield ours
        await ours.connector.aclose()


@pytest.fixture
def connector(ours: Ours) -> VoiceTwilio:
    """The connector behind our webhook."""
    assert ours.connector is not None
    return ours.connector


@pytest.fixture
def connector_alone() -> VoiceTwilio:
    """The connector without any network."""

    return VoiceTwilio(setup_of("https://api.twilio.com", "https://aduan.example.co.id", no_network))
