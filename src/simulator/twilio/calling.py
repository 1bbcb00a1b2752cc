"""Calling the business: signed, within Twilio's budget, with its one retry and its fallback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from simulator import delivery
from simulator.delivery import Delivery, RetryPolicy
from simulator.twilio import webhooks
from simulator.twilio.records import Message, new_sid
from simulator.twilio.signing import Algorithm, sign

if TYPE_CHECKING:
    from simulator.twilio.account import Twilio

Params = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Alert:
    """A warning in Twilio's debugger about one of our webhooks."""

    code: int
    url: str
    message_sid: str


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook to be called."""

    message: Message
    params: tuple[tuple[str, str], ...]
    url: str
    inbound: bool
    token: str


async def call(account: Twilio, hook: Hook) -> None:
    """One webhook: the first address within its budget, then the fallback address, then never again."""
    answer = await _attempts(account, hook, hook.url, list(hook.params))
    if not webhooks.accepted(answer) and hook.inbound and account.fallback_url:
        account.alerts.append(Alert(11200, hook.url, hook.message.sid))
        failed = [*hook.params, ("ErrorCode", "11200"), ("ErrorUrl", hook.url)]
        answer = await _attempts(account, hook, account.fallback_url, failed)
    code = webhooks.complaint_about(answer) if hook.inbound or not webhooks.accepted(answer) else None
    if code is not None:
        account.alerts.append(Alert(code, hook.url, hook.message.sid))
    if hook.inbound:
        for text in webhooks.replies_in(answer):
            reply = Message(
                new_sid("SM"),
                account.account_sid,
                False,
                account.number,
                hook.message.from_,
                text,
                account.clock(),
                "sent",
            )
            account.remember(reply)
            account.sent.append(reply)


async def _attempts(account: Twilio, hook: Hook, url: str, params: Params) -> delivery.Attempt:
    sending = delivery_of(account, url, params, hook.token)
    account.deliveries.append(sending)
    rules = policy(account, url)
    wanted = webhooks.budget(url, total=account.webhook_seconds)
    answer = await delivery.attempt(account.place.http, sending, rules)
    for _ in range(wanted.retries):
        if not wanted.wants_retry(answer):
            break
        answer = await delivery.attempt(account.place.http, sending, rules)
    sending.given_up = not webhooks.accepted(answer)
    return answer


def policy(account: Twilio, url: str) -> RetryPolicy:
    wanted = webhooks.budget(url, total=account.webhook_seconds)
    return RetryPolicy(
        waits=(), wanted=wanted.wants_retry, timeout=min(wanted.read, wanted.total), connect_timeout=wanted.connect
    )


def delivery_of(
    account: Twilio, url: str, params: Params, token: str, *, secret: str | None = None, signed_url: str | None = None
) -> Delivery:
    algorithm: Algorithm = "HMAC_SHA256" if account.shared_key else "HMAC_SHA1"
    key = secret if secret is not None else account.shared_key[1] if account.shared_key else account.auth_token
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "User-Agent": "TwilioProxy/1.1",
        "Accept": "*/*",
        "I-Twilio-Idempotency-Token": token,
        "X-Home-Region": "us1",
        "X-Twilio-Signature": sign(key, signed_url or url, params, algorithm=algorithm, keep_port=account.sign_port),
    }
    if account.shared_key:
        headers["X-Twilio-Webhooks-Signature-Settings"] = f"key={account.shared_key[0]},algorithm={algorithm}"
    return Delivery(url.partition("#")[0], urlencode(params).encode("ascii"), headers)
