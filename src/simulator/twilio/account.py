"""One Twilio messaging address, pretended: a WhatsApp sender, or a plain number when it has no channel prefix."""

from __future__ import annotations

import base64
import json
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Literal, Unpack

from simulator.account import MOST_DELIVERED, Options, PretendedAccount
from simulator.delivery import Delivery, Record
from simulator.place import Asks, Attachment, Choice, Line, Mounted, Talk
from simulator.twilio import webhooks
from simulator.twilio.calling import Alert, Hook, Params, call, delivery_of, policy
from simulator.twilio.inbound import Extra, inbound_params
from simulator.twilio.records import API_VERSION, Media, Message, new_sid

Where = Literal["call", "status", "both"]

WINDOW_SECONDS = 24 * 3600.0
MOST_PEOPLE = 100_000
STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
START = frozenset({"START", "YES", "UNSTOP"})


class Twilio(PretendedAccount[Hook]):
    """A Twilio account with one sender. Times are seconds since the epoch; `time_scale` shortens status delays."""

    kind = "twilio"
    path = "/twilio"
    name = "Twilio"
    asks: Asks = "number"

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        number: str,
        fallback_url: str = "",
        messaging_service_sid: str | None = None,
        api_keys: Mapping[str, str] | None = None,
        shared_key: tuple[str, str] | None = None,
        sign_port: bool = True,
        statuses: bool = True,
        enforce_window: bool = True,
        templates: Mapping[str, str] | None = None,
        refuse_by: Where = "status",
        webhook_seconds: float = webhooks.TOTAL_SECONDS,
        status_delays: Mapping[str, float] | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(**options)
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.number = number
        self.fallback_url = fallback_url
        self.messaging_service_sid = messaging_service_sid
        self.api_keys = dict(api_keys or {})
        self.shared_key = shared_key  # (key id, secret): webhooks are signed with SHA-256 instead of the auth token
        self.sign_port = sign_port
        self.statuses = statuses
        self.is_whatsapp = number.startswith("whatsapp:")
        self.enforce_window = enforce_window and self.is_whatsapp
        self.templates = templates  # ContentSid -> text with {{1}}; None: any ContentSid is approved
        self.refuse_by: Where = refuse_by
        self.webhook_seconds = webhook_seconds
        self.status_delays = dict(status_delays or {"queued": 0.01, "sent": 0.05, "delivered": 0.2, "read": 1.0})
        self.unreachable: set[str] = set()  # addresses without WhatsApp: 63024; landlines: 21614
        self.opted_out: set[str] = set()  # numbers that texted STOP: 21610
        self.sent: Record[Message] = Record(self._keep)
        self.received: Record[Message] = Record(self._keep)
        self.alerts: Record[Alert] = Record(min(self._keep, MOST_DELIVERED))
        self.leaked: Record[str] = Record(100)  # paths of the media host that an Authorization header reached
        self.messages: OrderedDict[str, Message] = OrderedDict()
        self.cdn: OrderedDict[str, Media] = OrderedDict()
        self._wrote: OrderedDict[str, float] = OrderedDict()

    @classmethod
    def mount(cls, accounts: Sequence[Twilio]) -> Mounted:
        """The REST API of all accounts, and the host of their media."""
        from simulator.twilio.rest import Rest  # the front knows the accounts that stand behind it

        rest = Rest(accounts)
        return Mounted(rest.routes(), rest.cdn_routes())

    # ---- from the customer

    async def inject_text(self, from_: str | None, text: str, **extra: Unpack[Extra]) -> str:
        """Delivers a text and returns its MessageSid."""
        return await self._inject(from_, text, [], {"MessageType": "text"}, extra)

    async def inject_media(
        self,
        from_: str | None,
        content: bytes,
        media_type: str,
        *,
        filename: str = "",
        caption: str = "",
        **extra: Unpack[Extra],
    ) -> str:
        """Delivers a file; the body is the caption and may be empty."""
        media = Media(new_sid("ME"), content, media_type, self.clock(), filename)
        type_ = media_type.split("/")[0]
        message_type = type_ if type_ in ("image", "audio", "video") else "document"
        return await self._inject(from_, caption, [media], {"MessageType": message_type}, extra)

    async def inject_location(
        self,
        from_: str | None,
        latitude: float,
        longitude: float,
        *,
        address: str = "",
        label: str = "",
        **extra: Unpack[Extra],
    ) -> str:
        """Delivers a place."""
        params = {
            "MessageType": "location",
            "Latitude": str(latitude),
            "Longitude": str(longitude),
            "Address": address,
            "Label": label,
        }
        return await self._inject(from_, "", [], params, extra)

    async def inject_button(self, from_: str | None, text: str, payload: str, **extra: Unpack[Extra]) -> str:
        """Delivers a tap on a quick reply."""
        params = {"MessageType": "button", "ButtonText": text, "ButtonPayload": payload}
        return await self._inject(from_, text, [], params, extra)

    async def inject_raw(
        self,
        params: Params,
        *,
        secret: str | None = None,
        signature: str | None = None,
        url: str | None = None,
        signed_url: str | None = None,
    ) -> Delivery:
        """Posts these parameters once; each argument falsifies one part of the signature."""
        target = url or self.webhook_url
        sending = delivery_of(self, target, params, str(uuid.uuid4()), secret=secret, signed_url=signed_url)
        if signature is not None:
            sending.headers["X-Twilio-Signature"] = signature
        if signature == "":
            del sending.headers["X-Twilio-Signature"]
        return await self._post_once(sending, policy(self, target))

    async def _inject(
        self, from_: str | None, body: str, media: list[Media], more: Mapping[str, str], extra: Extra
    ) -> str:
        sender = self.address_of(from_ or extra["user_id"])
        at = extra.get("at", self.clock())
        sid = extra.get("sid") or new_sid("MM" if media else "SM")
        message = Message(
            sid, self.account_sid, True, sender, self.number, body, at, "received", media, more["MessageType"]
        )
        message.in_reply_to = extra.get("reply_to")
        self.remember(message)
        self.received.append(message)
        if not self.is_whatsapp and body.strip().upper() in STOP:
            self.opted_out.add(sender)
        elif body.strip().upper() in START:
            self.opted_out.discard(sender)
        self._wrote[sender] = max(at, self._wrote.pop(sender, 0.0))
        while len(self._wrote) > MOST_PEOPLE:
            self._wrote.popitem(last=False)
        params = inbound_params(self, message, more, extra)
        if self.webhook_url:
            hook = Hook(message, tuple(params), self.webhook_url, True, str(uuid.uuid4()))
            await self._mixer.put(hook, self.weather)
        return sid

    # ---- to the business

    async def report(self, message: Message, status: str, *, code: int | None = None) -> None:
        """Sets the status of a sent message and calls its status callback."""
        message.status, message.updated = status, self.clock()
        if code is not None:
            message.error_code = code
        if not message.status_callback:
            return
        params: dict[str, str] = {
            "ApiVersion": API_VERSION,
            "MessageStatus": status,
            "SmsSid": message.sid,
            "SmsStatus": status,
            "To": message.to,
            "From": message.from_,
            "MessageSid": message.sid,
            "AccountSid": self.account_sid,
        }
        if self.is_whatsapp:
            params["ChannelPrefix"] = "whatsapp"
        if code is not None:
            params |= {"ErrorCode": str(code), "EventType": "UNDELIVERED"}
        hook = Hook(message, tuple(params.items()), message.status_callback, False, str(uuid.uuid4()))
        await self._mixer.put(hook, self.weather)

    async def _post(self, hooks: list[Hook]) -> None:
        for hook in hooks:
            await call(self, hook)

    # ---- memory

    def remember(self, message: Message) -> None:
        """Adds a message to the history that the REST API lists."""
        self.messages[message.sid] = message
        while len(self.messages) > self._keep:
            self.messages.popitem(last=False)

    def window_open(self, address: str, now: float) -> bool:
        """True within 24 h of the last message from this address."""
        return now - self._wrote.get(address, float("-inf")) < WINDOW_SECONDS

    def close_window(self, address: str) -> None:
        """Makes the customer's last message too old."""
        self._wrote.pop(self.address_of(address), None)

    def address_of(self, person: str) -> str:
        """A number or user id with this channel's prefix."""
        if person.startswith("whatsapp:") or not self.is_whatsapp:
            return person
        return f"whatsapp:{person}"

    def authorized(self, header: str) -> bool:
        """True for Basic credentials of this account or of one of its API keys."""
        pairs = {self.account_sid: self.auth_token} | self.api_keys
        valid = {base64.b64encode(f"{user}:{secret}".encode()).decode() for user, secret in pairs.items()}
        return header.removeprefix("Basic ").strip() in valid and header.startswith("Basic ")

    def template_text(self, content_sid: str, variables: Mapping[str, str]) -> str:
        """The words of a content template with its variables."""
        if self.templates is None:
            return f"[{content_sid}] {json.dumps(variables, ensure_ascii=False)}"
        text = self.templates[content_sid]
        for name, value in variables.items():
            text = text.replace("{{" + name + "}}", value)
        return text

    # ---- for the page

    @property
    def channel(self) -> str:
        """The channel, in words."""
        return "WhatsApp (Twilio)" if self.is_whatsapp else "SMS (Twilio)"

    @property
    def address(self) -> str:
        """The number that customers write to."""
        return self.number.removeprefix("whatsapp:")

    def talks(self) -> list[Talk]:
        """The account itself."""
        return [self]

    async def say(self, person: str, text: str, attachment: Attachment | None = None) -> None:
        """Lets a customer write."""
        if attachment is None:
            await self.inject_text(person, text)
        else:
            await self.inject_media(
                person, attachment.content, attachment.media_type, filename=attachment.filename, caption=text
            )

    async def choose(self, person: str, choice: Choice) -> None:
        """Lets a customer tap a quick reply."""
        await self.inject_button(person, choice.title, choice.id)

    def conversation(self, person: str) -> list[Line]:
        """What this customer wrote and what came back, oldest first."""
        address = self.address_of(person)
        lines = [
            Line(
                each.at,
                each.inbound,
                each.body,
                each.kind if each.inbound else each.status,
                tuple(Attachment(file.filename or file.sid, file.media_type, file.content) for file in each.media),
            )
            for each in (*self.received, *self.sent)
            if address in (each.from_, each.to)
        ]
        return sorted(lines, key=lambda line: line.at)
