"""User access by OAuth 2.0: tokens live two hours, and the token that renews them works once (RFC 6749 section 6).

A refresh token that was used and whose successor is not on disk is an account that a person must log in again. So a
new pair is written and fsynced before anything uses it, and only one process renews at a time.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import msgspec
from msgspec import Struct

from connectors import http_errors
from connectors.contract import Setup
from connectors.errors import AuthFailed, Misconfigured, Unavailable
from connectors.x.answers import Token
from connectors.x.content import readable
from connectors.x.settings import OAuth2

#: A token is renewed this long before it ends.
EARLY = timedelta(minutes=2)
_LOCK_WAIT = 0.05  # seconds between two looks whether another process has finished renewing


class Pair(Struct, frozen=True, kw_only=True):
    """What the file holds of one login."""

    access_token: str = ""
    refresh_token: str
    ends_at: datetime = datetime.fromtimestamp(0, UTC)


class Tokens:
    """Hands out the access token of one account."""

    def __init__(self, setup: Setup, settings: OAuth2) -> None:
        self._settings = settings
        self._url = f"{str(setup.settings.api_base).rstrip('/')}/2/oauth2/token"
        self._session = setup.session
        self._now = setup.now
        self._within = setup.settings.timeout_seconds
        self._file = settings.token_file
        self._lock = asyncio.Lock()
        self._renewing: set[asyncio.Task[Pair]] = set()
        first = settings.refresh_token.get_secret_value()
        #: What the file knows our pairs by: a new login in the settings begins anew, and so does another account's.
        self._login = hashlib.sha256(first.encode()).hexdigest()
        self._pair = self._first = Pair(refresh_token=first)
        #: Renewed, but the disk refused it: the pair in the file is spent.
        self._unsaved: Pair | None = None

    async def get(self, refused: str = "") -> str:
        """A token that is good now and not the `refused` one. Raises AuthFailed when a person must log in again."""
        if self._good(self._pair, refused):
            return self._pair.access_token
        # Who waits may be cut off; a renewal that X has seen must reach the disk all the same.
        renewing = asyncio.create_task(self._renew(refused))
        self._renewing.add(renewing)
        renewing.add_done_callback(self._renewing.discard)
        return (await asyncio.shield(renewing)).access_token

    async def aclose(self) -> None:
        """Lets renewals that are under way come to their end; safe to call twice."""
        await asyncio.gather(*self._renewing, return_exceptions=True)

    async def _renew(self, refused: str) -> Pair:
        async with self._lock:
            known = self._pair
            if not self._good(known, refused):
                async with self._alone():
                    # Another process may have renewed it meanwhile.
                    stored = await asyncio.to_thread(self._stored)
                    known = self._unsaved or stored.get(self._login, self._first)
                    if not self._good(known, refused):
                        self._unsaved = known = await self._renewed(known)
                    if self._unsaved is not None:
                        await self._save({**stored, self._login: self._unsaved})
                        self._unsaved = None
                    self._pair = known
            return known

    def _good(self, pair: Pair, refused: str) -> bool:
        return bool(pair.access_token) and pair.access_token != refused and self._now() < pair.ends_at - EARLY

    def _stored(self) -> dict[str, Pair]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, Pair])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError, UnicodeError):
            raise Misconfigured("oauth2.token_file cannot be read; log in again and remove it") from None

    async def _renewed(self, old: Pair) -> Pair:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": old.refresh_token,
            "client_id": self._settings.client_id,
        }
        headers = {}
        if self._settings.client_secret is not None:
            secret = self._settings.client_secret.get_secret_value()
            headers["Authorization"] = aiohttp.encode_basic_auth(self._settings.client_id, secret)
        answer = await http_errors.call(
            self._session(), "X", "POST", self._url, within=self._within, writes=False, data=form, headers=headers
        )
        if answer.status in (400, 401, 403):
            raise AuthFailed("X refuses to renew the account's access: log the account in again (oauth2.refresh_token)")
        token = readable(answer.body, Token) if answer.status == 200 else None
        if token is None or not token.access_token:
            raise Unavailable(f"X hands out no token (HTTP {answer.status})")
        return Pair(
            access_token=token.access_token,
            refresh_token=token.refresh_token or old.refresh_token,
            ends_at=self._now() + timedelta(seconds=token.expires_in),
        )

    async def _save(self, pairs: dict[str, Pair]) -> None:
        try:
            await asyncio.to_thread(store, self._file, msgspec.json.encode(pairs))
        except OSError as failed:
            raise Misconfigured(f"oauth2.token_file cannot be written ({type(failed).__name__})") from None

    @asynccontextmanager
    async def _alone(self) -> AsyncGenerator[None, None]:
        """Holds the lock that all processes of this installation share."""
        try:
            descriptor = os.open(self._file.with_name(f"{self._file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as failed:
            raise Misconfigured(f"the folder of oauth2.token_file cannot be used ({type(failed).__name__})") from None
        try:
            while not _locks(descriptor):  # noqa: ASYNC110 - another process holds it: nothing here is told
                await asyncio.sleep(_LOCK_WAIT)
            yield
        finally:
            os.close(descriptor)


def _locks(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def store(file: Path, content: bytes) -> None:
    """Puts the content into the file, readable by us alone, durable when this returns. Raises OSError."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
