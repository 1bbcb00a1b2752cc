"""Errors of the Graph API for pages: number, subcode, HTTP status and title as Meta's error reference lists them."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.meta_graph import MetaError

# code -> (HTTP status, title). A business may rely on the numbers alone: statuses and titles change.
TITLES: Mapping[int, tuple[int, str]] = {
    0: (401, "AuthException"),
    1: (500, "An unknown error occurred"),
    2: (503, "Service temporarily unavailable"),
    3: (500, "API Method"),
    4: (400, "Application request limit reached"),
    10: (403, "Application does not have permission for this action"),
    17: (400, "User request limit reached"),
    32: (400, "Page request limit reached"),
    100: (400, "Invalid parameter"),
    190: (401, "Access token has expired"),
    200: (403, "Permissions error"),
    230: (403, "Requires pages_messaging permission to manage the object"),
    299: (403, "Permissions error"),
    368: (403, "The action attempted has been deemed abusive or is otherwise disallowed"),
    551: (400, "This person isn't available right now."),
    613: (400, "Calls to this api have exceeded the rate limit."),
    2500: (400, "Unknown path components"),
    10900: (400, "Activity already replied to"),
    80001: (400, "There have been too many calls to this Page account."),
    80006: (400, "There have been too many messages from this Page."),
}
# subcode -> the code that it comes with
CODES: Mapping[int, int] = {
    33: 100,
    463: 190,
    1545041: 551,
    1545133: 2,
    1893063: 10,
    2018001: 100,
    2018278: 10,
    2534013: 10,
    2534014: 10,
    2534022: 10,
    2534025: 10,
}


class GraphError(MetaError):
    """A call that the Graph API refuses; named by its code, or by its subcode where that says more."""

    def __init__(self, number: int, details: str = "", *, status: int | None = None) -> None:
        code = CODES.get(number, number)
        documented, title = TITLES.get(code, (400, "Error"))
        super().__init__(
            f"(#{code}) {details or title}",
            code=code,
            subcode=number if number in CODES else 463 if number == 190 else None,
            status=status if status is not None else documented,
        )
