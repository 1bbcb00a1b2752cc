"""What X says when it refuses: problems in version 2's shape, and a few that still come in version 1.1's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from simulator.front import Refusal

PROBLEMS = "https://api.x.com/2/problems/"


class Known(NamedTuple):
    """How a refusal comes: HTTP status, title, detail, type; `old` in the shape of version 1.1."""

    status: int
    title: str
    detail: str
    type: str = "about:blank"
    old: bool = False


#: What a test or the weather names, by the number of version 1.1 where there is one.
ERRORS: Mapping[int, Known] = {
    32: Known(401, "Unauthorized", "Unauthorized"),
    34: Known(404, "Not Found Error", "Could not find the resource.", f"{PROBLEMS}resource-not-found"),
    64: Known(403, "Forbidden", "Your account is suspended and is not permitted to access this feature.", old=True),
    88: Known(429, "Too Many Requests", "Too Many Requests"),
    89: Known(401, "Unauthorized", "Invalid or expired token.", old=True),
    130: Known(503, "Service Unavailable", "Service Unavailable"),
    131: Known(500, "Internal Server Error", "Something went wrong.", f"{PROBLEMS}internal-error"),
    150: Known(403, "Forbidden", "You cannot send messages to users: the recipient is not following you."),
    179: Known(403, "Forbidden", "Not authorized to view this post.", f"{PROBLEMS}not-authorized-for-resource"),
    186: Known(400, "Invalid Request", "Your post is too long.", f"{PROBLEMS}invalid-request"),
    187: Known(403, "Forbidden", "You are not allowed to create a Tweet with duplicate content."),
    214: Known(400, "Invalid Request", "One or more parameters was invalid.", f"{PROBLEMS}invalid-request"),
    226: Known(403, "Forbidden", "This request looks like it might be automated.", old=True),
    261: Known(403, "Forbidden", "Your client app is not configured for this.", f"{PROBLEMS}oauth1-permissions"),
    326: Known(403, "Forbidden", "To protect our users, this account is temporarily locked.", old=True),
    349: Known(403, "Forbidden", "You do not have permission to DM one or more participants."),
    354: Known(400, "Invalid Request", "The text of your message is too long.", f"{PROBLEMS}invalid-request"),
    385: Known(403, "Forbidden", "You attempted to reply to a Tweet that is deleted or not visible to you."),
    402: Known(402, "CreditsDepleted", "Your account does not have any credits for this.", f"{PROBLEMS}credits"),
    403: Known(403, "Forbidden", "Forbidden"),
    429: Known(429, "UsageCapExceeded", "Usage cap exceeded: Monthly product cap", f"{PROBLEMS}usage-capped"),
    433: Known(
        403,
        "Forbidden",
        "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the "
        "author of the post you are replying to.",
    ),
    453: Known(403, "Client Forbidden", "This access level has not this endpoint.", f"{PROBLEMS}client-forbidden"),
}


class ApiError(Refusal):
    """A call that X refuses."""

    def __init__(self, code: int, *, status: int | None = None, headers: Mapping[str, str] | None = None) -> None:
        known = ERRORS.get(code, Known(400, "Invalid Request", "Invalid Request", f"{PROBLEMS}invalid-request"))
        super().__init__(known.detail)
        self.code = code
        self.known = known
        self.status = status if status is not None else known.status
        self._headers = dict(headers or {})

    @property
    def headers(self) -> Mapping[str, str]:
        """The limits, where they are what refuses."""
        return self._headers

    def body(self) -> dict[str, Any]:
        """The refusal as X writes it."""
        known = self.known
        if known.old:
            return {"errors": [{"code": self.code, "message": known.detail}]}
        problem = {"title": known.title, "detail": known.detail, "type": known.type}
        if known.type == "about:blank":
            return {**problem, "status": self.status}
        return {"errors": [{"message": known.detail, "parameters": {}}], **problem} if self.status == 400 else problem
