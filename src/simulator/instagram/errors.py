"""Graph API errors as Instagram's messaging and comments give them: code, subcode and HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from simulator.meta_graph import MetaError


class Known(NamedTuple):
    """How an error comes: HTTP status, code, subcode (0: none) and title."""

    status: int
    code: int
    subcode: int
    title: str


# What a test or the weather names -> how it comes; a subcode stands for itself together with its code.
ERRORS: Mapping[int, Known] = {
    1: Known(500, 1, 0, "An unknown error has occurred."),
    2: Known(503, 2, 0, "An unexpected error has occurred. Please retry your request later."),
    3: Known(400, 3, 0, "Application does not have the capability to make this API call."),
    4: Known(403, 4, 0, "Application request limit reached"),
    10: Known(403, 10, 0, "Application does not have permission for this action"),
    17: Known(400, 17, 0, "User request limit reached"),
    32: Known(400, 32, 0, "Page request limit reached"),
    33: Known(400, 100, 33, "Unsupported request. Object does not exist or cannot be loaded"),
    100: Known(400, 100, 0, "Invalid parameter"),
    190: Known(401, 190, 463, "Error validating access token: Session has expired."),
    200: Known(403, 200, 0, "Permissions error"),
    230: Known(403, 230, 0, "No consent from user"),
    368: Known(403, 368, 0, "The action attempted has been deemed abusive or is otherwise disallowed"),
    551: Known(400, 551, 0, "This person isn't available right now."),
    613: Known(400, 613, 0, "Calls to this api have exceeded the rate limit."),
    2500: Known(400, 2500, 0, "Unknown path components"),
    10900: Known(400, 10900, 0, "Activity already replied to"),
    80006: Known(400, 80006, 0, "There have been too many calls to this Messenger account."),
    1545041: Known(400, 100, 1545041, "Message Not Sent: this person isn't receiving messages from you right now."),
    1545133: Known(500, 2, 1545133, "Temporary send message failure. Please try again later."),
    1893063: Known(403, 10, 1893063, "The Page has been restricted"),
    2018278: Known(403, 10, 2018278, "This message is sent outside of allowed window."),
    2534001: Known(400, 100, 2534001, "Message failed to send because the thread is archived."),
    2534013: Known(400, 100, 2534013, "The comment cannot be replied to in private."),
    2534014: Known(400, 100, 2534014, "The requested user cannot be found."),
    2534022: Known(403, 10, 2534022, "This message is sent outside of allowed window."),
    2534025: Known(400, 100, 2534025, "The comment was already replied to."),
}


class GraphError(MetaError):
    """A call that the Graph API refuses."""

    def __init__(self, name: int, details: str = "", *, status: int | None = None) -> None:
        known = ERRORS.get(name, Known(400, name, 0, "Error"))
        super().__init__(
            f"(#{known.code}) {details or known.title}",
            code=known.code,
            subcode=known.subcode or None,
            status=status if status is not None else known.status,
            type_="IGApiException" if known.code != 190 else "OAuthException",
        )
