"""Who calls: the account by OAuth 1.0a or OAuth 2.0, or its app; and where their tokens come from."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from urllib.parse import parse_qs, unquote

from aiohttp import web

from simulator.front import accepts, answer, bearer, refusing
from simulator.x.account import X
from simulator.x.answers import suffer
from simulator.x.errors import ApiError
from simulator.x.signing import oauth_parameters, oauth_proves


class Logins:
    """Finds the account that a login belongs to."""

    def __init__(self, accounts: Sequence[X]) -> None:
        self._accounts = list(accounts)

    def routes(self) -> list[web.RouteDef]:
        """Where tokens are handed out."""
        return [
            web.post("/oauth2/token", refusing(self.app_token)),
            web.post("/2/oauth2/token", refusing(self.token)),
        ]

    async def app_token(self, request: web.Request) -> web.StreamResponse:
        """POST /oauth2/token: the app's own token for its key and secret."""
        key, secret = _basic(request)
        for account in self._accounts:
            if (account.consumer_key, account.consumer_secret) == (key, secret):
                return answer({"token_type": "bearer", "access_token": account.bearer})
        raise ApiError(32, status=403)

    async def token(self, request: web.Request) -> web.StreamResponse:
        """POST /2/oauth2/token: new tokens for a refresh token, which works once."""
        form = {name: values[-1] for name, values in parse_qs((await request.read()).decode()).items()}
        for account in self._accounts:
            confidential = not account.client_secret or _basic(request) == (account.client_id, account.client_secret)
            if not account.client_id or form.get("client_id") != account.client_id or not confidential:
                continue
            fault = account.token_faults.next()
            accepted = account.renew(form.get("refresh_token", "")) if accepts(fault) else None
            if fault is not None:
                return await suffer(fault, request, accepted)
            if accepted is not None:
                return answer(accepted)
        return answer({"error": "invalid_request", "error_description": "Value passed for the token was invalid."}, 400)

    def user(self, request: web.Request) -> X:
        """The account in whose name the call is made."""
        header = request.headers.get("Authorization", "")
        given = oauth_parameters(header)
        for account in self._accounts:
            if account.weather.climate.trouble == "expired-token":
                continue
            if given is None and account.token_works(header.removeprefix("Bearer ")):
                return account
            if given is None or not account.access_token or given.get("oauth_token") != account.access_token:
                continue
            url = str(request.url.with_query(None))
            secrets_ = (account.consumer_secret, account.access_token_secret)
            known = given.get("oauth_consumer_key") == account.consumer_key
            if known and oauth_proves(given, request.method, url, request.rel_url.raw_query_string, *secrets_):
                return account
        raise ApiError(32)

    def app(self, request: web.Request) -> list[X]:
        """The accounts of the app that calls."""
        token = bearer(request)
        found = [each for each in self._accounts if each.bearer == token]
        keys = {each.consumer_key for each in found}
        if not found:
            raise ApiError(32)
        return [each for each in self._accounts if each.consumer_key in keys]


def _basic(request: web.Request) -> tuple[str, str]:
    try:
        text = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic "), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    name, _, secret = text.partition(":")
    return unquote(name), unquote(secret)
