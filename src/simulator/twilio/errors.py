"""Twilio's REST errors: number, HTTP status and message as its error dictionary lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.front import Refusal

# code -> (HTTP status, message)
MESSAGES: Mapping[int, tuple[int, str]] = {
    11751: (400, "Media Message - Media exceeds messaging provider size limit"),
    14107: (429, "Message rate limit exceeded"),
    20001: (400, "Unknown parameters in the request"),
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal Server Error"),
    20503: (503, "Service Unavailable"),
    21211: (400, "The 'To' number is not a valid phone number."),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (400, "The 'From' phone number provided is not a valid message-capable Twilio phone number."),
    21609: (400, "The 'StatusCallback' URL is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21619: (400, "A text message body or media urls must be specified."),
    21620: (400, "Invalid media URL(s)"),
    21655: (400, "The ContentSid is Invalid"),
    21656: (400, "The ContentVariables Parameter is invalid"),
    21910: (400, "Invalid 'From' and 'To' pair. 'From' and 'To' should be of the same channel"),
    30001: (429, "Queue overflow"),
    30002: (403, "Account suspended"),
    63003: (400, "Channel could not find To address"),
    63005: (400, "Channel did not accept given content"),
    63007: (400, "Twilio could not find a Channel with the specified From address"),
    63013: (400, "Message failed to send because it violates Channel provider's policy"),
    63016: (400, "Failed to send freeform message because you are outside the allowed window."),
    63018: (429, "Rate limit exceeded for Channel"),
    63019: (400, "Media failed to download"),
    63024: (400, "Invalid message recipient"),
    63033: (400, "Recipient blocked to receive message"),
}


class RestError(Refusal):
    """A call that Twilio refuses."""

    def __init__(self, code: int, message: str = "", *, status: int | None = None) -> None:
        documented, words = MESSAGES.get(code, (400, "Error"))
        super().__init__(message or words)
        self.code = code
        self.status = status if status is not None else documented

    @property
    def headers(self) -> Mapping[str, str]:
        """Who is not logged in is told how to."""
        return {"WWW-Authenticate": 'Basic realm="Twilio API"'} if self.status == 401 else {}

    def body(self) -> dict[str, Any]:
        """The error as the REST API writes it."""
        return {
            "code": self.code,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
