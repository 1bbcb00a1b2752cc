"""What an operator gives for a webhook."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tickets.forwarders.settings import Secret, TargetSettings

PREFIX = "whsec_"
#: Bytes of a secret (Standard Webhooks 1.0.0, "Signature scheme").
LEAST_BYTES, MOST_BYTES = 24, 64


def key_of(secret: Secret) -> bytes:
    """The key that a secret holds. Raises ValueError when it is none of the specification's."""
    try:
        key = base64.b64decode(secret.get_secret_value().removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"must be {PREFIX} and base64") from None
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"must hold {LEAST_BYTES} to {MOST_BYTES} random bytes, written as {PREFIX} and base64")
    return key


def _signing(secret: Secret) -> Secret:
    key_of(secret)
    return secret


class WebhookSettings(TargetSettings):
    """A program of yours that hears of every change (Standard Webhooks)."""

    kind: Literal["webhook"] = Field(description="`webhook`: your own program, signed (Standard Webhooks).")
    secrets: Annotated[list[Annotated[Secret, AfterValidator(_signing)]], Field(min_length=1, max_length=4)] = Field(
        description="Signing secrets, `whsec_` and base64; every request carries a signature by each, for rotation."
    )
