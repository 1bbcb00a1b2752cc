"""The Bot API as python-telegram-bot calls it, over the session that all channels share, with our classes of errors.

The library's own transport is not used: its errors do not say whether a send may have left, and its HTTP client writes
whole addresses into the log, and the bot's token stands in every address. The library takes 0.3 s and 28 MB to import,
so this module is imported when the first call is made: keeping webhooks needs none of it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal, TypeVar

import aiohttp
import msgspec
from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML
from telegram import Bot, LinkPreviewOptions, ReplyParameters
from telegram.error import TelegramError
from telegram.request import BaseRequest, RequestData

from connectors import codes, http_errors
from connectors.errors import (
    CLASSES,
    Ambiguous,
    ConnectorError,
    Refused,
    Throttled,
    Unavailable,
    Unreachable,
)
from connectors.telegram.payload import Answer, Updates

HERE = Path(__file__).parent
CODES = codes.load(HERE / "codes.yaml")
_FILE_PATH = re.compile(r"[A-Za-z0-9_-]+(?:[./][A-Za-z0-9_-]+)*")
T = TypeVar("T")


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """What Telegram knows of a bot's webhook."""

    url: str
    #: Updates that it has not accepted yet.
    waiting: int
    failed_at: datetime | None
    failure: str


class Garbled(Unavailable):
    """An answer that is none: longer than any should be, cut off, or a page of something in between."""


class Refusals(BaseModel):
    """The content of refusals.yaml: words of a description and the class that each one means."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    source: str
    read_on: date
    words: Mapping[str, Literal["Unavailable", "Unreachable", "Refused", "Misconfigured"]]

    def named(self, description: str) -> type[ConnectorError] | None:
        """The class that the description means, or None."""
        lower = description.lower()
        return next((CLASSES[name] for words, name in self.words.items() if words in lower), None)


REFUSALS = Refusals.model_validate(YAML(typ="safe", pure=True).load((HERE / "refusals.yaml").read_text("utf-8")))


def error(status: int, body: bytes, headers: Mapping[str, str], now: datetime, *, writes: bool) -> ConnectorError:
    """The error that an answer means; no word of the answer gets into it."""
    answer = _envelope(body)
    if answer is None or answer.ok:
        if status == HTTPStatus.OK:
            text = "Telegram answered 200 with something that is no answer"
            return Ambiguous(text) if writes else Garbled(text)
        return http_errors.error("Telegram", CODES, status, headers=headers, now=now, writes=writes)
    code = answer.error_code or status
    asked = answer.parameters.retry_after if answer.parameters is not None else None
    if asked is not None:
        return Throttled(
            f"Telegram says wait (code {code})", after=min(max(float(asked), 0.0), http_errors.LONGEST_WAIT)
        )
    kind = REFUSALS.named(answer.description)
    if kind is Refused:
        return Refused(str(code), "Telegram refuses this message")
    if kind is not None:
        return kind(f"Telegram answered code {code}")
    return http_errors.error("Telegram", CODES, status, code=code, headers=headers, now=now, writes=writes)


def _envelope(body: bytes) -> Answer | None:
    try:
        return msgspec.json.decode(body, type=Answer)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


class Transport(BaseRequest):
    """Carries the library's calls; `within` is in seconds."""

    def __init__(
        self, session: Callable[[], aiohttp.ClientSession], now: Callable[[], datetime], *, within: float
    ) -> None:
        super().__init__()
        self._session = session
        self._now = now
        self._within = within

    @property
    def read_timeout(self) -> float:
        """Seconds that a call may take."""
        return self._within

    async def initialize(self) -> None:
        """Holds nothing of its own."""

    async def shutdown(self) -> None:
        """The session belongs to the gateway."""

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = None,
        write_timeout: Any = None,
        connect_timeout: Any = None,
        pool_timeout: Any = None,
    ) -> tuple[int, bytes]:
        """The status and body of a good answer. Raises a class of `connectors.errors`."""
        fields = request_data.json_parameters if request_data is not None else {}
        return HTTPStatus.OK, await self.ask(url, fields)

    async def ask(self, url: str, fields: Mapping[str, str], *, longer: float = 0.0) -> bytes:
        """The body of a good answer; `longer` seconds are what Telegram may wait beyond the usual."""
        # Only a message that goes out is a write: everything else may be asked again.
        writes = url.endswith("/sendMessage")
        answered = await http_errors.call(
            self._session(), "Telegram", "POST", url, within=self._within + longer, writes=writes, data=dict(fields)
        )
        good = _envelope(answered.body) if answered.status == HTTPStatus.OK else None
        if good is None or not good.ok:
            raise error(answered.status, answered.body, answered.headers, self._now(), writes=writes)
        return answered.body


class Api:
    """One bot's calls; every method raises classes of `connectors.errors` only."""

    def __init__(self, base: str, token: str, transport: Transport) -> None:
        # At its debug level the library writes the address with the token, and the texts of customers.
        logging.getLogger("telegram").setLevel(logging.WARNING)
        self._transport = transport
        self._calls = f"{base}/bot{token}/"
        self._files = f"{base}/file/bot{token}/"
        self._bot = Bot(
            token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=transport,
            get_updates_request=transport,
        )

    async def bot_id(self) -> int:
        """Whose token this is."""
        return (await _result(self._bot.get_me())).id

    async def send(self, chat: int, text: str, quoted: int | None = None) -> int:
        """Sends plain text and gives the number of the message; a quoted message that is gone does not matter."""
        message = await _result(
            self._bot.send_message(
                chat_id=chat,
                text=text,
                reply_parameters=ReplyParameters(quoted, allow_sending_without_reply=True) if quoted else None,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            ),
            writes=True,
        )
        return message.message_id

    async def do(self, call: Mapping[str, str | int]) -> None:
        """Makes a call that is given with its `method`."""
        fields = {name: str(value) for name, value in call.items() if name != "method"}
        await self._transport.ask(f"{self._calls}{call['method']}", fields)

    async def webhook(self) -> Webhook:
        """The webhook that Telegram knows, and how it fares."""
        found = await _result(self._bot.get_webhook_info())
        return Webhook(
            url=found.url,
            waiting=found.pending_update_count,
            failed_at=found.last_error_date,
            failure=(found.last_error_message or "no reason given")[:200],
        )

    async def set_webhook(self, url: str, secret: str | None, wanted: Sequence[str]) -> None:
        """Lets Telegram push to this address; what waits comes too."""
        await _result(self._bot.set_webhook(url, secret_token=secret, allowed_updates=wanted))

    async def delete_webhook(self) -> None:
        """Ends pushing; what waits goes on waiting."""
        await _result(self._bot.delete_webhook(drop_pending_updates=False))

    async def file_url(self, file_id: str) -> str:
        """Where a file lies for an hour. The address holds the token: it goes nowhere but to the media client."""
        try:
            file = await _result(self._bot.get_file(file_id))
        except Refused:
            raise Unreachable("Telegram does not hand out this file") from None
        path = (file.file_path or "").removeprefix(self._files)
        if not _FILE_PATH.fullmatch(path):
            raise Unreachable("Telegram names no address for this attachment")
        return self._files + path

    async def updates(
        self, offset: int | None, *, limit: int, wait: int, wanted: Sequence[str]
    ) -> list[msgspec.Raw] | None:
        """The next updates as the bytes that came, or None when the answer cannot be read (too long, cut off).

        Not by the library's get_updates: it reads all updates at once and fails at the first odd one, and with it
        every later one. `wait` is in seconds.
        """
        fields = {"limit": str(limit), "timeout": str(wait), "allowed_updates": msgspec.json.encode(wanted).decode()}
        if offset is not None:
            fields["offset"] = str(offset)
        try:
            body = await self._transport.ask(f"{self._calls}getUpdates", fields, longer=wait)
            return msgspec.json.decode(body, type=Updates).result
        except (Garbled, msgspec.MsgspecError, UnicodeError, RecursionError):
            return None


async def _result(call: Coroutine[Any, Any, T], *, writes: bool = False) -> T:
    """What a method of the library gives."""
    try:
        return await call
    except TelegramError as failed:
        if isinstance(failed.__cause__, ConnectorError):
            raise failed.__cause__ from None
        raise _unclear(type(failed).__name__, writes) from None
    except (KeyError, TypeError, ValueError, AttributeError) as odd:
        # The library does not check what it reads: the call itself went through.
        raise _unclear(type(odd).__name__, writes) from None


def _unclear(what: str, writes: bool) -> ConnectorError:
    text = f"Telegram's answer cannot be read ({what})"
    return Ambiguous(text) if writes else Unavailable(text)
