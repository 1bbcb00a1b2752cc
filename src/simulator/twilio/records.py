"""What Twilio keeps of each message, and how its REST API shows it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

API_VERSION = "2010-04-01"
SEGMENT = 153  # GSM-7 characters of one part of a long text


@dataclass(slots=True)
class Media:
    """A file of a message."""

    sid: str
    content: bytes
    media_type: str
    at: float
    filename: str = ""


@dataclass(slots=True)
class Message:
    """A message in either direction. `from_` and `to` carry the channel prefix."""

    sid: str
    account_sid: str
    inbound: bool
    from_: str
    to: str
    body: str
    at: float
    status: str
    media: list[Media] = field(default_factory=list)
    kind: str = "text"
    messaging_service_sid: str | None = None
    status_callback: str = ""
    content_sid: str | None = None
    content_variables: dict[str, str] = field(default_factory=dict)
    persistent_action: list[str] = field(default_factory=list)
    error_code: int | None = None
    error_message: str | None = None
    updated: float = 0.0
    in_reply_to: str | None = None

    @property
    def uri(self) -> str:
        """The path of the message in the REST API, without .json."""
        return f"/{API_VERSION}/Accounts/{self.account_sid}/Messages/{self.sid}"

    def as_json(self) -> dict[str, Any]:
        """The message resource; times are RFC 2822 in UTC."""
        created = rfc2822(self.at)
        return {
            "account_sid": self.account_sid,
            "api_version": API_VERSION,
            "body": self.body,
            "date_created": created,
            "date_sent": created,
            "date_updated": rfc2822(self.updated or self.at),
            "direction": "inbound" if self.inbound else "outbound-api",
            "error_code": self.error_code,
            "error_message": self.error_message,
            "from": self.from_,
            "messaging_service_sid": self.messaging_service_sid,
            "num_media": str(len(self.media)),
            "num_segments": str(max(1, -(-len(self.body) // SEGMENT))),
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{self.uri}/Media.json"},
            "to": self.to,
            "uri": f"{self.uri}.json",
        }

    def media_json(self, media: Media) -> dict[str, Any]:
        """The media resource."""
        return {
            "account_sid": self.account_sid,
            "content_type": media.media_type,
            "date_created": rfc2822(media.at),
            "date_updated": rfc2822(media.at),
            "parent_sid": self.sid,
            "sid": media.sid,
            "uri": f"{self.uri}/Media/{media.sid}.json",
        }


def new_sid(prefix: str) -> str:
    """A Twilio identifier: two letters and 32 hex digits."""
    return prefix + secrets.token_hex(16)


def rfc2822(at: float) -> str:
    """Seconds since the epoch as Twilio writes times."""
    return format_datetime(datetime.fromtimestamp(int(at), UTC))
