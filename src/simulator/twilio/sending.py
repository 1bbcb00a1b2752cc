"""What Twilio does with a message that the business sends: refuse, accept, and report on it later."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from simulator.twilio.errors import RestError
from simulator.twilio.records import Media, Message, new_sid

if TYPE_CHECKING:
    from simulator.twilio.account import Twilio

Form = Mapping[str, Sequence[str]]

BODY_LIMIT = 1_600
MEDIA_LIMIT = 16 * 1024 * 1024
VALIDITY = range(1, 36_001)  # seconds

_WHATSAPP = re.compile(r"whatsapp:(\+[1-9]\d{6,14}|[A-Z]{2}\.\w{3,})")
_E164 = re.compile(r"\+[1-9]\d{6,14}")


def accept(account: Twilio, form: Form) -> Message:
    """The accepted message; raises RestError for a refused one."""
    message = _checked(account, form)
    refusal = _refusal(account, message)
    if refusal is not None and account.refuse_by == "call":
        raise RestError(refusal)
    account.remember(message)
    account.sent.append(message)
    account.tasks.spawn(_go(account, message, form.get("MediaUrl", ()), refusal))
    if refusal is not None and account.refuse_by == "both":
        raise RestError(refusal)
    return message


def _checked(account: Twilio, form: Form) -> Message:
    def one(name: str) -> str:
        return form[name][0] if form.get(name) else ""

    to, from_, service = one("To"), one("From"), one("MessagingServiceSid")
    if not to:
        raise RestError(21604)
    if not from_ and not service:
        raise RestError(21603)
    if from_ and from_ != account.number:
        raise RestError(63007 if from_.startswith("whatsapp:") else 21606)
    if service and service != account.messaging_service_sid:
        raise RestError(21603)
    if to.startswith("whatsapp:") != account.number.startswith("whatsapp:"):
        raise RestError(21910)
    if not (_WHATSAPP if to.startswith("whatsapp:") else _E164).fullmatch(to):
        raise RestError(21211, f"The 'To' number {to} is not a valid phone number.")
    if to in account.opted_out:
        raise RestError(21610)
    body, content_sid = one("Body"), one("ContentSid")
    if not body and not form.get("MediaUrl") and not content_sid and not form.get("PersistentAction"):
        raise RestError(21619)
    if len(body) > BODY_LIMIT:
        raise RestError(21617)
    variables = _variables(one("ContentVariables"))
    if content_sid:
        if not re.fullmatch(r"HX[0-9a-fA-F]{32}", content_sid) or (
            account.templates is not None and content_sid not in account.templates
        ):
            raise RestError(21655)
        body = account.template_text(content_sid, variables)
    validity = one("ValidityPeriod")
    if validity and (not validity.isdigit() or int(validity) not in VALIDITY):
        raise RestError(20001, "The ValidityPeriod parameter is invalid")
    callback = one("StatusCallback")
    if callback and urlsplit(callback).scheme not in ("http", "https"):
        raise RestError(21609)
    media = form.get("MediaUrl", ())
    if len(media) > 10 or any(urlsplit(url).scheme not in ("http", "https") for url in media):
        raise RestError(21620)
    return Message(
        new_sid("MM" if media else "SM"),
        account.account_sid,
        False,
        account.number,
        to,
        body,
        account.clock(),
        "accepted" if service else "queued",
        messaging_service_sid=service or None,
        status_callback=callback,
        content_sid=content_sid or None,
        content_variables=variables,
        persistent_action=list(form.get("PersistentAction", ())),
    )


def _variables(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        given = json.loads(text)
    except ValueError:
        raise RestError(21656) from None
    if not isinstance(given, dict) or not all(isinstance(value, str) and value for value in given.values()):
        raise RestError(21656)
    return given


def _refusal(account: Twilio, message: Message) -> int | None:
    if message.to in account.unreachable:
        return 63024 if account.is_whatsapp else 21614
    if account.enforce_window and not message.content_sid and not account.window_open(message.to, message.at):
        return 63016
    return None


async def _go(account: Twilio, message: Message, links: Sequence[str], refusal: int | None) -> None:
    for link in links:
        media = await _fetch(account, link)
        if media is None:
            refusal = refusal or 63019
        else:
            message.media.append(media)
    if refusal is not None:
        await asyncio.sleep(account.status_delays.get("queued", 0.0) * account.time_scale)
        await account.report(message, "failed", code=refusal)
        return
    if not account.statuses:
        return
    for word, delay in account.status_delays.items():
        if word == "read" and not account.is_whatsapp:
            continue
        await asyncio.sleep(delay * account.time_scale)
        await account.report(message, word)


async def _fetch(account: Twilio, link: str) -> Media | None:
    """Downloads media to send as Twilio does, from this machine only."""
    host = urlsplit(link).hostname or ""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        return None
    try:
        async with account.place.http.get(link, timeout=aiohttp.ClientTimeout(total=10)) as answer:
            content = await answer.content.read(MEDIA_LIMIT + 1)
            if answer.status != 200 or len(content) > MEDIA_LIMIT:
                return None
            name = urlsplit(link).path.rsplit("/", 1)[-1]
            return Media(new_sid("ME"), content, answer.content_type, account.clock(), name)
    except (aiohttp.ClientError, TimeoutError):
        return None
