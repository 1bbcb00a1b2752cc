"""What every front of the Graph API has in common: refusals, versions in addresses, JSON bodies."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from simulator.front import Refusal

_VERSION = re.compile(r"v\d{1,3}\.\d")
_decode = msgspec.json.Decoder().decode


class MetaError(Refusal):
    """A call that the Graph API refuses: code, subcode (None: it has none) and HTTP status."""

    def __init__(
        self, message: str, *, code: int, status: int, subcode: int | None = None, type_: str = "OAuthException"
    ) -> None:
        super().__init__(message)
        self.code = code
        self.subcode = subcode
        self.status = status
        self.type = type_

    @property
    def headers(self) -> Mapping[str, str]:
        """An invalid token also carries the header that OAuth asks for."""
        if self.code != 190:
            return {}
        return {"WWW-Authenticate": 'OAuth "Facebook Platform" "invalid_token" "token expired"'}

    def body(self) -> dict[str, Any]:
        """The error as the Graph API writes it."""
        error: dict[str, Any] = {
            "message": str(self),
            "type": self.type,
            "code": self.code,
            "fbtrace_id": "A" + secrets.token_urlsafe(16),
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        return {"error": error}


def check_version(request: web.Request, refusal: Callable[[int], MetaError]) -> None:
    """Raises the refusal of code 2500 where the address names no version of the Graph API."""
    if _VERSION.fullmatch(request.match_info["version"]) is None:
        raise refusal(2500)


def read_json(raw: bytes, refusal: Callable[[int, str], MetaError]) -> Any:
    """The JSON body of a call; raises the refusal of code 100 when it is none."""
    try:
        return _decode(raw)
    except msgspec.DecodeError:
        raise refusal(100, "The body is not JSON.") from None
