"""The X API as the account calls it: tweepy's requests, our network.

tweepy knows addresses and parameters. Its own network part does not fit here: it calls a host that is written into it,
may sleep for a quarter of an hour inside a call, and raises another library's error at an answer that is not JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from tweepy.asynchronous import AsyncClient
from tweepy.asynchronous.client import OAuthClient

from connectors import http_errors
from connectors.contract import Setup
from connectors.errors import AuthFailed, Unavailable
from connectors.http_errors import Answered
from connectors.x import answers
from connectors.x.answers import Called, Token
from connectors.x.content import readable
from connectors.x.payload import NOTHING
from connectors.x.settings import Settings
from connectors.x.tokens import Tokens


class Api(AsyncClient):  # type: ignore[misc]  # tweepy ships no types
    """Calls in the name of the account, and those that only the app may make; answers come as they are."""

    def __init__(self, setup: Setup) -> None:
        settings: Settings = setup.settings
        super().__init__(return_type=aiohttp.ClientResponse, wait_on_rate_limit=False)
        self.base = str(settings.api_base).rstrip("/")
        self._setup = setup
        self._settings = settings
        self._app_token = ""
        self._tokens = Tokens(setup, settings.oauth2) if settings.oauth2 is not None else None

    async def request(
        self,
        method: str,
        route: str,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        user_auth: bool = True,
    ) -> Answered:
        """A good answer to a call of tweepy's, made in the name of the account. Raises a class of connectors.errors."""
        url = self._url(route, params)
        login = await self.login(method, url)
        answer = await self._call(method, url, login, json)
        if answer.status == 401 and self._tokens is not None:
            # Withdrawn before its time: renewed once, and nothing was done under the old one.
            login = await self.login(method, url, refused=login["Authorization"].removeprefix("Bearer "))
            answer = await self._call(method, url, login, json)
        return self._good(answer, _called(route), writes=method == "POST")

    async def as_app(self, method: str, route: str, json: Any = None) -> Answered:
        """A good answer to a call that only the app may make. Raises a class of connectors.errors."""
        for attempt in (1, 2):
            self._app_token = self._app_token or await self._log_app_in()
            answer = await self._call(method, self._url(route), {"Authorization": f"Bearer {self._app_token}"}, json)
            if answer.status != 401 or attempt == 2:
                break
            self._app_token = ""
        return self._good(answer, "account", writes=False)

    async def login(self, method: str, url: str, refused: str = "") -> dict[str, str]:
        """The header that logs the account in for one call. Raises AuthFailed when a person must log in again."""
        if self._tokens is not None:
            return {"Authorization": f"Bearer {await self._tokens.get(refused)}"}
        key, settings = self._settings.consumer_keys[0], self._settings
        assert settings.access_token is not None
        assert settings.access_token_secret is not None
        signer = OAuthClient(
            key.key,
            key.secret.get_secret_value(),
            settings.access_token.get_secret_value(),
            settings.access_token_secret.get_secret_value(),
        )
        _, headers, _ = signer.sign(url, method)
        return {"Authorization": str(headers["Authorization"])}

    async def aclose(self) -> None:
        """Lets a renewal of tokens that is under way come to its end; safe to call twice."""
        if self._tokens is not None:
            await self._tokens.aclose()

    async def _call(self, method: str, url: str, login: Mapping[str, str], json: Any = None) -> Answered:
        headers = dict(login)
        sent: dict[str, Any] = {}
        if json is not None:
            headers["Content-Type"] = "application/json"
            sent["data"] = msgspec.json.encode(json)
        return await http_errors.call(
            self._setup.session(),
            "X",
            method,
            url,
            within=self._settings.timeout_seconds,
            writes=method == "POST",
            headers=headers,
            **sent,
        )

    def _good(self, answer: Answered, called: Called, *, writes: bool) -> Answered:
        found = readable(answer.body, answers.Answer)
        # X says 200 also when all that it has to say is what went wrong.
        wrong = found is not None and found.errors and found.data == NOTHING
        if answer.status not in (200, 201) or wrong:
            raise answers.refusal(answer, called, self._setup.now(), writes=writes)
        return answer

    async def _log_app_in(self) -> str:
        key = self._settings.consumer_keys[0]
        answer = await http_errors.call(
            self._setup.session(),
            "X",
            "POST",
            f"{self.base}/oauth2/token",
            within=self._settings.timeout_seconds,
            writes=False,
            data={"grant_type": "client_credentials"},
            headers={"Authorization": aiohttp.encode_basic_auth(quote(key.key), quote(key.secret.get_secret_value()))},
        )
        if answer.status in (400, 401, 403):
            raise AuthFailed("X refuses the key and secret of the app (consumer_keys)")
        self._good(answer, "account", writes=False)
        token = readable(answer.body, Token)
        if token is None or not token.access_token:
            raise Unavailable("X hands out no token for the app")
        return token.access_token

    def _url(self, route: str, params: Mapping[str, Any] | None = None) -> str:
        # Sorted and quoted here, so that what is signed is what is sent.
        query = urlencode(sorted((params or {}).items()), quote_via=quote)
        return f"{self.base}{route}" + (f"?{query}" if query else "")


def _called(route: str) -> Called:
    if route.endswith("/messages"):
        return "message"
    if route == "/2/tweets":
        return "post"
    return "list" if route.endswith(("/dm_events", "/mentions")) else "account"
