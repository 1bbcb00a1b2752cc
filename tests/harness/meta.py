"""Webhooks as Meta posts them, made here: signed bytes for storms and kills, independent of the simulator."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from typing import Any


def text_message(wamid: str, sender: str, text: str, at: float | None = None) -> dict[str, Any]:
    """One text message; `sender` is the number in digits."""
    moment = str(int(at if at is not None else time.time()))
    return {"from": sender, "id": wamid, "timestamp": moment, "type": "text", "text": {"body": text}}


def body_of(phone_number_id: str, messages: Sequence[Any], waba_id: str = "200000000001") -> bytes:
    """The body of one POST with these messages."""
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "620000000001", "phone_number_id": phone_number_id},
        "contacts": [],
        "messages": list(messages),
    }
    envelope = {
        "object": "whatsapp_business_account",
        "entry": [{"id": waba_id, "changes": [{"field": "messages", "value": value}]}],
    }
    return json.dumps(envelope).encode()


def signed(body: bytes, app_secret: str) -> dict[str, str]:
    """The headers of a genuine POST of `body`."""
    digest = hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={digest}"}
