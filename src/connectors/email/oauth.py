"""Access tokens for mail servers that take no passwords (RFC 6749 section 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import aiohttp

from connectors.email.settings import OAuth2
from connectors.errors import AuthFailed, Unavailable

#: A token is exchanged this long before it ends.
EARLY = timedelta(minutes=2)
TIMEOUT = aiohttp.ClientTimeout(total=30)


class Tokens:
    """Hands out one access token until shortly before it ends: asking at every poll gets an application banned."""

    def __init__(
        self, settings: OAuth2, session: Callable[[], aiohttp.ClientSession], now: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._session = session
        self._now = now
        self._lock = asyncio.Lock()
        self._token = settings.token.get_secret_value() if settings.token else ""
        self._ends: datetime | None = None
        self._refresh = settings.refresh_token.get_secret_value() if settings.refresh_token else ""

    async def get(self) -> str:
        """A token that is good now. Raises AuthFailed when the grant is gone, Unavailable when nobody answers."""
        async with self._lock:
            fresh = self._token and (self._ends is None or self._now() < self._ends - EARLY)
            if not fresh:
                await self._exchange()
            return self._token

    def forget(self) -> bool:
        """Drops a token that the server refused; returns whether another can be asked for."""
        if not self._refresh or not self._token:
            return False
        self._token = ""
        return True

    async def _exchange(self) -> None:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self._refresh,
            "client_id": self._settings.client_id or "",
        }
        if self._settings.client_secret:
            form["client_secret"] = self._settings.client_secret.get_secret_value()
        if self._settings.scope:
            form["scope"] = self._settings.scope
        try:
            async with self._session().post(
                self._settings.token_url or "", data=form, timeout=TIMEOUT, allow_redirects=False
            ) as answer:
                if answer.status in (400, 401, 403):
                    raise AuthFailed("the token endpoint refuses our grant: log the application in again")
                if answer.status != 200:
                    raise Unavailable(f"the token endpoint answers {answer.status}")
                found = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unavailable(f"the token endpoint does not answer ({type(error).__name__})") from None
        token = found.get("access_token") if isinstance(found, dict) else None
        if not isinstance(token, str) or not token:
            raise Unavailable("the token endpoint gives no access token")
        lifetime = found.get("expires_in")
        seconds = float(lifetime) if isinstance(lifetime, int | float | str) and str(lifetime).isdigit() else 3600.0
        self._token, self._ends = token, self._now() + timedelta(seconds=seconds)
        if isinstance(found.get("refresh_token"), str) and found["refresh_token"]:
            self._refresh = found["refresh_token"]
