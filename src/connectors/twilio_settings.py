"""What an operator gives for an account at Twilio, whatever goes through it."""

from __future__ import annotations

from pydantic import AnyHttpUrl, Field

from connectors.codes import Codes
from connectors.contract import ChannelSettings, Setup
from connectors.signing import Secret, Secrets
from connectors.twilio_messages import Messages
from connectors.twilio_signing import Proof


class TwilioSettings(ChannelSettings):
    """Keys of every channel at Twilio that calls its REST API."""

    account_sid: str = Field(pattern=r"^AC[0-9a-fA-F]{32}$", description="SID of the Twilio account or sub-account.")
    auth_tokens: Secrets = Field(
        description="Auth tokens of the account, the one to call with first; give both while you replace one."
    )
    shared_keys: dict[str, Secret] = Field(
        default={},
        description="Shared keys that may sign webhooks with HMAC-SHA256, by their key id; empty when you use none.",
    )
    api_base: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://api.twilio.com"),
        description="Where Twilio's REST API answers; a proxy or the simulator instead of Twilio.",
    )
    timeout_seconds: float = Field(
        default=15.0, gt=0, le=120, description="How long one call of the REST API may take, in seconds."
    )
    page_size: int = Field(
        default=200, ge=1, le=1000, description="How many entries one page holds when missed ones are looked for."
    )

    @property
    def root(self) -> str:
        """Where the REST API answers, without a slash at the end."""
        return str(self.api_base).rstrip("/")

    def proof(self, setup: Setup) -> Proof:
        """What proves the webhooks of the channel."""
        most = setup.facts.max_body_bytes.value
        return Proof(setup.public_url, self.auth_tokens, self.shared_keys, most=most)

    def messages(self, setup: Setup, codes: Codes) -> Messages:
        """The account's REST API."""
        return Messages(
            setup,
            root=self.root,
            account_sid=self.account_sid,
            auth_token=self.auth_tokens[0],
            codes=codes,
            timeout_seconds=self.timeout_seconds,
            page_size=self.page_size,
        )
