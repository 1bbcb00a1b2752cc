"""Graph API errors: number, HTTP status and title as Meta's error reference lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.meta_graph import MetaError

# code -> (HTTP status, title). A business may rely on the code alone: statuses and titles change (providers say so).
TITLES: Mapping[int, tuple[int, str]] = {
    0: (401, "AuthException"),
    1: (400, "API Unknown"),
    2: (503, "API Service"),
    3: (500, "API Method"),
    4: (400, "API Too Many Calls"),
    10: (403, "Permission Denied"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    190: (401, "Access token has expired"),
    200: (403, "API Permission"),
    299: (403, "API Permission"),
    368: (403, "Temporarily blocked for policies violations"),
    2500: (400, "Unknown path components"),
    80007: (400, "Rate limit issues"),
    130429: (400, "Rate limit hit"),
    130472: (400, "User's number is part of an experiment"),
    130497: (403, "Business account is restricted from messaging users in this country"),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (503, "Service unavailable"),
    131021: (400, "Recipient cannot be sender"),
    131026: (400, "Message undeliverable"),
    131030: (400, "Recipient phone number not in allowed list"),
    131031: (403, "Account has been locked"),
    131042: (400, "Business eligibility payment issue"),
    131045: (500, "Incorrect certificate"),
    131047: (400, "Re-engagement message"),
    131048: (400, "Spam rate limit hit"),
    131049: (400, "Meta chose not to deliver"),
    131050: (400, "User has stopped marketing messages from this business"),
    131051: (400, "Unsupported message type"),
    131052: (400, "Media download error"),
    131053: (400, "Media upload error"),
    131056: (400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: (500, "Account in maintenance mode"),
    131062: (400, "Recipient phone number is required"),
    132000: (400, "Template Param Count Mismatch"),
    132001: (404, "Template does not exist"),
    132005: (400, "Template Hydrated Text Too Long"),
    132007: (400, "Template Format Character Policy Violated"),
    132012: (400, "Template Parameter Format Mismatch"),
    132015: (400, "Template is Paused"),
    132016: (400, "Template is Disabled"),
    133010: (400, "Phone number Not Registered"),
    133016: (400, "Account register deregister rate limit exceeded"),
    137000: (400, "Identity mismatch"),
}


class GraphError(MetaError):
    """A call that the Graph API refuses."""

    def __init__(self, code: int, details: str = "", *, status: int | None = None) -> None:
        documented, title = TITLES.get(code, (400, "Error"))
        words = f"(#{code}) {details if details and code < 130000 else title}"
        super().__init__(
            "Error validating access token: Session has expired." if code == 190 else words,
            code=code,
            subcode=463 if code == 190 else None,
            status=status if status is not None else documented,
        )
        self.title = title
        self.details = details

    def body(self) -> dict[str, Any]:
        """The error as the Graph API writes it; those of WhatsApp carry their details apart."""
        found = super().body()
        if self.code >= 130000:
            found["error"]["error_data"] = {"messaging_product": "whatsapp", "details": self.details or self.title}
        return found

    def webhook(self) -> dict[str, Any]:
        """The error as a failed status or an unsupported message carries it."""
        return {
            "code": self.code,
            "title": self.title,
            "message": self.title,
            "error_data": {"details": self.details or self.title},
            "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
        }
