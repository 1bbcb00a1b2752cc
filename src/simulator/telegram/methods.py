"""The methods of the Bot API that a complaint channel needs: each gives its result or raises ApiError."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from simulator.telegram.account import Telegram
from simulator.telegram.errors import ApiError

Json = dict[str, Any]
TEXT_LIMIT = 4_096  # UTF-16 units
FILE_LIMIT = 20 * 1024 * 1024
PATH_LIFE = 3_600.0
MOST_WAIT = 50
STRUCTURED = frozenset({"allowed_updates", "reply_parameters", "reply_markup", "link_preview_options", "entities"})
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


async def call(account: Telegram, method: str, given: Mapping[str, Any]) -> Any:
    """The result of a method; names are compared without regard to case. Raises ApiError."""
    found = METHODS.get(method.lower())
    if found is None:
        raise ApiError(404, "Not Found: method not found")
    account.calls.append(method)
    return await found(account, {name: _value(name, text) for name, text in given.items()})


def _value(name: str, text: Any) -> Any:
    """A parameter as it is meant: lists and objects come as JSON in a form."""
    if isinstance(text, str) and name in STRUCTURED:
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
    return text


def _number(given: Mapping[str, Any], name: str, default: int) -> int:
    try:
        return int(given.get(name, default))
    except (TypeError, ValueError):
        raise ApiError(400, f"Bad Request: {name} must be a number") from None


async def _get_me(account: Telegram, _: Json) -> Json:
    return account.me()


async def _get_updates(account: Telegram, given: Json) -> list[Json]:
    if account.webhook_url:
        raise ApiError(
            409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the "
            "webhook first"
        )  # fmt: skip
    account.polls += 1
    account.queue.wake()
    mine = account.polls
    offset, limit = _number(given, "offset", 0), min(max(_number(given, "limit", 100), 1), 100)
    if "allowed_updates" in given and isinstance(given["allowed_updates"], list):
        account.allowed_updates = tuple(given["allowed_updates"])
    if offset:
        account.queue.confirm(offset)
    await account.queue.wait(min(_number(given, "timeout", 0), MOST_WAIT))
    if mine != account.polls:
        raise ApiError(409)
    return account.queue.first(limit)


async def _set_webhook(account: Telegram, given: Json) -> bool:
    url, secret = str(given.get("url", "")), str(given.get("secret_token", ""))
    if not url:
        account.delete_webhook()
        return True
    parts = urlsplit(url)
    # Telegram takes HTTPS only; this side of the loopback there is no certificate.
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise ApiError(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
    if secret and not _SECRET.fullmatch(secret):
        raise ApiError(400, "Bad Request: secret token contains unallowed characters")
    if str(given.get("drop_pending_updates", "")).lower() == "true":
        account.queue.clear()
    allowed = given.get("allowed_updates")
    account.set_webhook(url, secret, allowed if isinstance(allowed, list) else None)
    return True


async def _delete_webhook(account: Telegram, given: Json) -> bool:
    account.delete_webhook()
    if str(given.get("drop_pending_updates", "")).lower() == "true":
        account.queue.clear()
    return True


async def _get_webhook_info(account: Telegram, _: Json) -> Json:
    found: Json = {
        "url": account.webhook_url,
        "has_custom_certificate": False,
        "pending_update_count": len(account.queue),
    }
    if account.webhook_url:
        found |= {"max_connections": 40, "ip_address": "127.0.0.1"}
    if account.webhook_url and account.last_error is not None:
        at, text = account.last_error
        found |= {"last_error_date": int(at), "last_error_message": text}
    return found


async def _send_message(account: Telegram, given: Json) -> Json:
    chat_id, text = _number(given, "chat_id", 0), str(given.get("text", ""))
    if not text.strip():
        raise ApiError(400, "Bad Request: message text is empty")
    if len(text.encode("utf-16-le")) // 2 > TEXT_LIMIT:
        raise ApiError(400, "Bad Request: message is too long")
    if "parse_mode" in given:
        raise ApiError(400, "Bad Request: can't parse entities: this simulator takes plain text")
    person = account.chats.find(chat_id)
    if person is None:
        raise ApiError(400, "Bad Request: chat not found")
    if chat_id in account.deactivated:
        raise ApiError(403, "Forbidden: user is deactivated")
    if chat_id in account.blocked:
        raise ApiError(403, "Forbidden: bot was blocked by the user")
    if account.weather.climate.trouble == "window-closed":
        raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
    quoted = given.get("reply_parameters")
    if isinstance(quoted, dict) and not account.chats.has_message(chat_id, int(quoted.get("message_id", 0))):
        if not quoted.get("allow_sending_without_reply"):
            raise ApiError(400, "Bad Request: message to be replied not found")
        given = {name: value for name, value in given.items() if name != "reply_parameters"}
    if account.limits is not None and (wait := account.limits.retry_after(chat_id, account.clock())) is not None:
        raise ApiError(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
    sent = account.keep(person, text, given)
    return {
        "message_id": sent.message_id,
        "from": account.me(),
        "chat": person.chat(),
        "date": int(sent.at),
        "text": text,
    }


async def _answer_callback_query(account: Telegram, given: Json) -> bool:
    account.answered_taps.append(str(given.get("callback_query_id", "")))
    return True


async def _get_file(account: Telegram, given: Json) -> Json:
    file = account.files.get(str(given.get("file_id", "")))
    if file is None:
        raise ApiError(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
    if file.size > FILE_LIMIT:
        raise ApiError(400, "Bad Request: file is too big")
    if account.clock() >= file.path_until:
        file.path = f"documents/file_{len(file.path) + account.calls.total}"
        file.path_until = account.clock() + PATH_LIFE
    return {
        "file_id": file.file_id,
        "file_unique_id": file.file_id[-12:],
        "file_size": file.size,
        "file_path": file.path,
    }


METHODS: Mapping[str, Callable[[Telegram, Json], Awaitable[Any]]] = {
    "getme": _get_me,
    "getupdates": _get_updates,
    "setwebhook": _set_webhook,
    "deletewebhook": _delete_webhook,
    "getwebhookinfo": _get_webhook_info,
    "sendmessage": _send_message,
    "answercallbackquery": _answer_callback_query,
    "getfile": _get_file,
}
