"""What Meta does with a message that the business sends: refuse, accept, and report on it later."""

from __future__ import annotations

import asyncio
import ipaddress
import urllib.parse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp

from simulator.whatsapp_cloud import checks, payloads
from simulator.whatsapp_cloud.errors import GraphError
from simulator.whatsapp_cloud.payloads import Person, Update
from simulator.whatsapp_cloud.records import Sent, new_message_id

if TYPE_CHECKING:
    from simulator.whatsapp_cloud.account import WhatsAppCloud

Json = dict[str, Any]

FREE_SERVICE_MESSAGES = 1_000  # delivered in a month and per number, since 2026-10-01
MOST_LINKED_BYTES = 16 * 1024 * 1024


def accept(account: WhatsAppCloud, body: Any) -> Json:
    """Meta's answer to an accepted message; raises GraphError for a refused one."""
    if isinstance(body, dict) and body.get("status") == "read":
        return _mark_as_read(account, body)
    type_ = checks.check(body)
    if type_ == "template":
        checks.check_template_known(body["template"], account.templates)
    person = account.people.find(to=body.get("to"), recipient=body.get("recipient"))
    now = account.clock()
    refusal = _refusal(account, person, type_, now)
    if refusal is not None and account.refuse_by in ("call", "both"):
        if account.refuse_by == "both":
            account.tasks.spawn(_fail(account, _keep(account, person, type_, body, now), refusal.code))
        raise refusal
    sent = _keep(account, person, type_, body, now)
    if refusal is not None:
        account.tasks.spawn(_fail(account, sent, refusal.code))
    elif account.statuses or (type_ in checks.MEDIA_TYPES and "link" in body[type_]):
        account.tasks.spawn(_report(account, sent))
    contact: Json = {"input": body.get("to") or body.get("recipient")}
    if person.wa_id is not None:
        contact["wa_id"] = person.wa_id
    if person.user_id is not None:
        contact["user_id"] = person.user_id
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": sent.id}]}


def _mark_as_read(account: WhatsAppCloud, body: Json) -> Json:
    message_id = body.get("message_id")
    if body.get("messaging_product") != "whatsapp" or not isinstance(message_id, str):
        raise GraphError(100, "The parameter message_id is required.")
    account.read_marks.append(message_id)
    return {"success": True}


def _refusal(account: WhatsAppCloud, person: Person, type_: str, now: float) -> GraphError | None:
    if person.wa_id == account.number.display_phone_number:
        return GraphError(131021)
    if account.unreachable and not account.unreachable.isdisjoint((person.wa_id, person.user_id)):
        return GraphError(131026, "Message Undeliverable.")
    if account.enforce_window and type_ != "template" and not account.people.window_open(person, now):
        return GraphError(
            131047,
            "More than 24 hours have passed since the customer last replied to this number.",
        )
    if account.limits is not None:
        exceeded = account.limits.exceeded(person.key, now)
        if exceeded is not None:
            return GraphError(exceeded)
    return None


def _keep(account: WhatsAppCloud, person: Person, type_: str, body: Json, now: float) -> Sent:
    sent = Sent(new_message_id(), person.key, person, type_, body, now)
    if type_ in checks.MEDIA_TYPES and "id" in body[type_]:
        sent.media = account.media.get(body[type_]["id"], now)
        if sent.media is None:
            raise GraphError(131009, f"{type_}['id'] is not a valid media id")
    account.sent.append(sent)
    return sent


async def _report(account: WhatsAppCloud, sent: Sent) -> None:
    link = sent.payload[sent.type].get("link") if sent.type in checks.MEDIA_TYPES else None
    if link is not None and not await _fetch(account, sent, link):
        await _fail(account, sent, 131053)
        return
    if not account.statuses:
        return
    for word, delay in account.status_delays.items():
        await asyncio.sleep(delay * account.time_scale)
        sent.status = word
        await account.report(sent, word)


async def _fail(account: WhatsAppCloud, sent: Sent, code: int) -> None:
    await asyncio.sleep(account.status_delays.get("sent", 0.0) * account.time_scale)
    sent.status = "failed"
    sent.errors.append(code)
    await account.report(sent, "failed", code=code)


async def _fetch(account: WhatsAppCloud, sent: Sent, link: str) -> bool:
    """Downloads linked media as Meta does, from this machine only; True if it came."""
    host = urllib.parse.urlsplit(link).hostname or ""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        return False
    try:
        timeout = aiohttp.ClientTimeout(total=10)
        async with account.place.http.get(link, timeout=timeout) as answer:
            content = await answer.content.read(MOST_LINKED_BYTES + 1)
            if answer.status != 200 or len(content) > MOST_LINKED_BYTES:
                return False
            name = sent.payload[sent.type].get("filename") or urllib.parse.urlsplit(link).path.rsplit("/", 1)[-1]
            sent.media = account.add_media(content, answer.content_type, name)
    except (aiohttp.ClientError, TimeoutError):
        return False
    return True


def status_update(account: WhatsAppCloud, sent: Sent, word: str, code: int | None) -> Update:
    """One status of a sent message, as an update that is not yet delivered."""
    item = payloads.status(
        sent.person,
        sent.id,
        word,
        account.clock(),
        pricing=_pricing(account, sent, word),
        callback_data=sent.callback_data,
        errors=[GraphError(code).webhook()] if code is not None else (),
    )
    contact = payloads.contact_of(sent.person) if word != "failed" else None
    return Update(account.number, "messages", "statuses", item, contact)


def _pricing(account: WhatsAppCloud, sent: Sent, word: str) -> Json:
    if sent.type == "template":
        return {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "utility"}
    month = datetime.fromtimestamp(sent.at, UTC).strftime("%Y-%m")
    count = account.delivered_in_month.get(month, 0)
    if word == "delivered":
        account.delivered_in_month = {month: count + 1}
    free = count < FREE_SERVICE_MESSAGES
    return {
        "billable": not free,
        "pricing_model": "PMP",
        "type": "free_customer_service" if free else "regular",
        "category": "service",
    }
