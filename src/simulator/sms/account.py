"""One sender at an invented SMS aggregator: signed webhooks, delivery reports, STOP, limits, refusals by code."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Unpack

from simulator import delivery
from simulator.account import Options, PretendedAccount
from simulator.delivery import Delivery, Record, RetryPolicy
from simulator.limits import Buckets
from simulator.place import Asks, Attachment, Choice, Line, Mounted, Talk
from simulator.sms.records import Json, Report, Text, new_id, segments_of, written

SIGNATURE = "X-Contoh-Signature"
TIMESTAMP = "X-Contoh-Timestamp"
# What is not answered with 2xx is tried again for a day, each time signed anew.
RETRY_WAITS: Sequence[float] = (1, 5, 30, 120, 600, *([3600] * 24))
POLICY = RetryPolicy(waits=(), wanted=lambda attempt: attempt.status is None or attempt.status // 100 != 2)
MOST_EVENTS = 50  # in one webhook
PART = 153  # characters of one part of a long text
STOP, START = frozenset({"STOP", "BERHENTI", "UNREG"}), frozenset({"START", "MULAI"})


class Sms(PretendedAccount[Report]):
    """An account with one number. Times are seconds since the epoch; `time_scale` shortens waits."""

    kind = "sms_http"
    path = "/sms"
    name = "SMS"
    asks: Asks = "number"
    channel = "SMS"

    def __init__(
        self,
        *,
        api_key: str,
        webhook_secret: str,
        sender: str,
        statuses: bool = True,
        honours_stop: bool = True,
        per_second: float = 100.0,
        most_segments: int = 10,
        status_delays: Mapping[str, float] | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(**options)
        self.api_key = api_key
        self.webhook_secret = webhook_secret
        self.sender = digits_of(sender)
        self.statuses = statuses
        self.honours_stop = honours_stop  # False: it hands a STOP on and goes on sending
        self.per_second = per_second
        self.most_segments = most_segments
        self.status_delays = dict(status_delays or {"ACCEPTD": 0.01, "ENROUTE": 0.05, "DELIVRD": 0.3})
        self.opted_out: set[str] = set()
        self.landlines: set[str] = set()  # 1203
        self.unknown: set[str] = set()  # accepted, then UNDELIV with 1204
        self.sent: Record[Text] = Record(self._keep)
        self.received: Record[Text] = Record(self._keep)
        self.texts: Buckets[None] = Buckets()

    @classmethod
    def mount(cls, accounts: Sequence[Sms]) -> Mounted:
        """The API of all accounts."""
        from simulator.sms.api import Api  # the front knows the accounts that stand behind it

        return Mounted(Api(accounts).routes())

    # ---- from the customer

    async def inject_text(
        self,
        from_: str,
        text: str,
        *,
        id: str = "",
        at: float | None = None,
        in_parts: bool = False,
        as_base64: bool = False,
    ) -> str:
        """Delivers a text and returns its id; `in_parts` one part after the other, the last first."""
        moment = self.clock() if at is None else at
        number = digits_of(from_) if from_.lstrip("+").isdecimal() else from_
        kept = Text(id or new_id("mo"), True, number, self.sender, text, moment, "received", segments_of(text))
        self.received.append(kept)
        if text.strip().upper() in STOP:
            self.opted_out.add(number)
        elif text.strip().upper() in START:
            self.opted_out.discard(number)
        shown = b64encode(text.encode()).decode() if as_base64 else text
        parts = [shown[start : start + PART] for start in range(0, len(shown), PART)] if in_parts else [shown]
        for index, part in reversed(list(enumerate(parts, 1))):
            event: Json = {
                "type": "sms.received",
                "id": kept.id,
                "from": number,
                "to": self.sender,
                "text": part,
                "received_at": written(moment),
            }
            if len(parts) > 1:
                event |= {"udh": {"ref": int(moment) % 256, "part": index, "parts": len(parts)}}
            await self._mixer.put(Report(event), self.weather)
        return kept.id

    async def inject_raw(
        self,
        body: bytes,
        *,
        secret: str | None = None,
        stamp: str | None = None,
        signature: str | None = None,
    ) -> Delivery:
        """Posts these bytes once; each argument falsifies one part of the proof ("" leaves the signature out)."""
        sending = self._delivery(body, secret=secret, stamp=stamp)
        if signature is not None:
            sending.headers[SIGNATURE] = signature
        if signature == "":
            del sending.headers[SIGNATURE]
        return await self._post_once(sending, POLICY)

    # ---- to the business

    async def report(self, text: Text, status: str, *, error: int | None = None) -> None:
        """Sets the status of a sent text and delivers a report of it."""
        text.status, text.error = status, error
        event = {
            "type": "sms.report",
            "message_id": text.id,
            "client_ref": text.client_ref,
            "status": status,
            "error": error or 0,
            "at": written(self.clock()),
            "price": f"IDR {350 * text.segments}",
        }
        await self._mixer.put(Report(event), self.weather)

    async def _post(self, reports: list[Report]) -> None:
        for start in range(0, len(reports), MOST_EVENTS):
            if self.webhook_url:
                await self._post_now(reports[start : start + MOST_EVENTS])

    async def _post_now(self, reports: Sequence[Report]) -> None:
        body = json.dumps({"events": [dict(each.body) for each in reports]}, ensure_ascii=False).encode()
        sending = self._delivery(body)
        self.deliveries.append(sending)
        if POLICY.wanted(await delivery.attempt(self.place.http, sending, POLICY)):
            self.tasks.spawn(self._insist(sending))

    async def _insist(self, sending: Delivery) -> None:
        for wait in RETRY_WAITS:
            await asyncio.sleep(wait * self.time_scale)
            # With the old time of signing it would be a replay.
            sending.headers = self._delivery(sending.body).headers
            if not POLICY.wanted(await delivery.attempt(self.place.http, sending, POLICY)):
                return
        sending.given_up = True

    def _delivery(self, body: bytes, *, secret: str | None = None, stamp: str | None = None) -> Delivery:
        stamp = str(int(self.clock())) if stamp is None else stamp
        key = (self.webhook_secret if secret is None else secret).encode()
        proof = hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", TIMESTAMP: stamp, SIGNATURE: f"v1={proof}"}
        return Delivery(self.webhook_url, body, headers)

    # ---- for the page

    @property
    def address(self) -> str:
        """The number that customers write to."""
        return f"+{self.sender}"

    def talks(self) -> list[Talk]:
        """The account itself."""
        return [self]

    async def say(self, person: str, text: str, attachment: Attachment | None = None) -> None:
        """Lets a customer write; a file has no way by SMS."""
        await self.inject_text(person, text or ("[MMS]" if attachment else ""))

    async def choose(self, person: str, choice: Choice) -> None:
        """Lets a customer answer with the words of a choice."""
        await self.inject_text(person, choice.title)

    def conversation(self, person: str) -> list[Line]:
        """What this customer wrote and what came back, oldest first."""
        number = digits_of(person)
        lines = [
            Line(each.at, each.inbound, each.text, f"{each.status}, {each.segments} SMS")
            for each in (*self.received, *self.sent)
            if number in (each.from_, each.to)
        ]
        return sorted(lines, key=lambda line: line.at)


def digits_of(number: str) -> str:
    """A number without plus, spaces and dashes; a registered name as it is."""
    digits = "".join(letter for letter in number if letter.isdecimal())
    return digits if digits and not any(letter.isalpha() for letter in number) else number
