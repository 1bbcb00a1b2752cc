"""Errors of the Bot API in Telegram's own shape."""

from __future__ import annotations

from typing import Any

from simulator.front import Refusal

#: The description that Telegram gives where a fault names only a code.
DESCRIPTIONS = {
    400: "Bad Request: chat not found",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    404: "Not Found",
    409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    413: "Request Entity Too Large",
    429: "Too Many Requests: retry after 1",
    500: "Internal Server Error",
    502: "Bad Gateway",
}


class ApiError(Refusal):
    """A call that Telegram refuses; `parameters` help with it."""

    def __init__(self, code: int, description: str = "", **parameters: Any) -> None:
        super().__init__(code)
        self.code = self.status = code
        self.description = description or DESCRIPTIONS.get(code, "Bad Request")
        self.parameters = parameters
        if code == 429 and not parameters:
            self.parameters = {"retry_after": 1}

    def body(self) -> dict[str, Any]:
        """The answer."""
        found: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        return found | ({"parameters": self.parameters} if self.parameters else {})
