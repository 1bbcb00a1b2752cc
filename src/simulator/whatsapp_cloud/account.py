"""One WhatsApp number at Meta, pretended: what customers send goes out as signed webhooks, what we send is checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Unpack

from simulator.account import Options
from simulator.delivery import Delivery, Record, RetryPolicy
from simulator.meta_account import MetaAccount
from simulator.meta_media import Media, MediaStore
from simulator.place import Mounted
from simulator.whatsapp_cloud import inbound, payloads
from simulator.whatsapp_cloud.inbound import Content
from simulator.whatsapp_cloud.injections import Sender
from simulator.whatsapp_cloud.limits import Limits
from simulator.whatsapp_cloud.payloads import Number, Person, Update
from simulator.whatsapp_cloud.people import People, digits_of
from simulator.whatsapp_cloud.records import Received, Sent, new_message_id
from simulator.whatsapp_cloud.sending import status_update
from simulator.whatsapp_cloud.view import CustomerView

Json = dict[str, Any]
Where = Literal["call", "status", "both"]

# Non-200 is tried again at once, then less often, for seven days (Meta: WhatsApp webhooks).
RETRY_WAITS: Sequence[float] = (0, 5, 15, 60, 300, 900, 1800, *([3600] * 24), *([4 * 3600] * 36))
POLICY = RetryPolicy(waits=RETRY_WAITS, wanted=lambda attempt: attempt.status != 200)


class WhatsAppCloud(MetaAccount[Update], CustomerView):
    """A WhatsApp Cloud API account with one number. Times are seconds since the epoch; `time_scale` shortens waits."""

    kind = "whatsapp_cloud"
    path = "/graph"
    name = "WhatsApp"

    def __init__(
        self,
        *,
        app_secret: str,
        access_token: str,
        phone_number_id: str,
        waba_id: str,
        verify_token: str,
        display_phone_number: str = "622150996000",
        country_code: str = "62",
        app_id: str = "1000000000000001",
        statuses: bool = True,
        user_ids: bool = True,
        media_urls: bool = True,
        enforce_window: bool = True,
        templates: Mapping[tuple[str, str], int] | None = None,
        limits: Limits | None = None,
        refuse_by: Where = "call",
        status_delays: Mapping[str, float] | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(app_secret=app_secret, verify_token=verify_token, policy=POLICY, **options)
        self.access_token = access_token
        self.app_id = app_id
        self.number = Number(phone_number_id, digits_of(display_phone_number), waba_id)
        self.statuses = statuses
        self.media_urls = media_urls
        self.enforce_window = enforce_window
        self.templates = templates  # (name, language) -> count of body parameters; None: any template is approved
        self.limits = limits
        self.refuse_by: Where = refuse_by
        self.status_delays = dict(status_delays or {"sent": 0.05, "delivered": 0.2, "read": 1.0})
        self.people = People(waba_id, country_code=country_code, user_ids=user_ids)
        self.unreachable: set[str] = set()  # numbers or user ids that are not on WhatsApp
        self.subscribed = False
        self.media = MediaStore()
        self.sent: Record[Sent] = Record(self._keep)
        self.received: Record[Received] = Record(self._keep)
        self.read_marks: Record[str] = Record(self._keep)  # ids of customer messages that the business marked as read
        self.delivered_in_month: dict[str, int] = {}

    @property
    def phone_number_id(self) -> str:
        """The id of the number in the Graph API."""
        return self.number.phone_number_id

    @property
    def waba_id(self) -> str:
        """The id of the business account."""
        return self.number.waba_id

    # ---- from the customer

    def update(
        self, from_: str | None, content: Content, *, number: Number | None = None, **sender: Unpack[Sender]
    ) -> Update:
        """One message as an update that is not yet delivered; it is remembered as received."""
        person = self.people.meet(from_, sender.get("user_id"), sender.get("name", "Budi"), sender.get("username"))
        at = sender.get("at", self.clock())
        message_id = sender.get("message_id") or new_message_id()
        fields = dict(content.fields)
        context: Json = {}
        if "reply_to" in sender:
            context |= {"from": self.number.display_phone_number, "id": sender["reply_to"]}
        for mark in ("forwarded", "frequently_forwarded"):
            if sender.get(mark):
                context[mark] = True
        if context:
            fields["context"] = context
        for key in ("referral", "group_id"):
            if key in sender:
                fields[key] = sender[key]
        if content.type not in inbound.WITHOUT_WINDOW:
            self.people.wrote(person, at)
        self.received.append(Received(message_id, person, content, at))
        item = payloads.message(person, message_id, at, content.type, fields)
        contact = None if content.type == "system" else payloads.contact_of(person)
        return Update(number or self.number, "messages", "messages", item, contact)

    async def inject(self, from_: str | None, content: Content, **sender: Unpack[Sender]) -> str:
        """Delivers one message to the business and returns its wamid; in calm weather after the first attempt."""
        update = self.update(from_, content, **sender)
        await self._mixer.put(update, self.weather)
        return str(update.item["id"])

    async def inject_batch(self, updates: Iterable[Update]) -> list[Delivery]:
        """Delivers these updates together, in as few POSTs as Meta's limits allow."""
        return [await self._post_now(group) for group in payloads.packs(list(updates))]

    async def inject_event(self, field_: str, value: Json) -> Delivery:
        """Delivers an account event such as account_update, which names no number."""
        return await self._post_now([Update(self.number, field_, "", value)])

    async def inject_echo(self, to: str, text: str) -> Delivery:
        """Delivers the echo of a message that the business wrote in its own app."""
        item = payloads.message(
            Person(self.number.display_phone_number, None), new_message_id(), self.clock(), "text", {}
        )
        item |= {"to": digits_of(to), "text": {"body": text}}
        return await self._post_now([Update(self.number, "smb_message_echoes", "message_echoes", item)])

    def add_media(self, content: bytes, media_type: str, filename: str = "") -> Media:
        """Puts a file into Meta's store and returns it with its id."""
        return self.media.add(content, media_type, filename, self.clock())

    def media_address(self, media: Media, source: str = "webhook") -> str | None:
        """A temporary download address, None when the account leaves it out of webhooks."""
        if source == "webhook" and not self.media_urls:
            return None
        key, expires = self.media.address(media.id, self.clock())
        query = f"mid={media.id}&source={source}&ext={expires}&hash={key}"
        return f"{self.base_url}/whatsapp_business/attachments/?{query}"

    @classmethod
    def mount(cls, accounts: Sequence[WhatsAppCloud]) -> Mounted:
        """The Graph API of all numbers."""
        from simulator.whatsapp_cloud.graph import Graph  # the front knows the accounts that stand behind it

        return Mounted(Graph(accounts).routes())

    # ---- to the business

    async def report(self, sent: Sent, word: str, *, code: int | None = None) -> None:
        """Delivers one status of a sent message; with `code` a failure."""
        await self._mixer.put(status_update(self, sent, word, code), self.weather)

    async def _post(self, updates: list[Update]) -> None:
        for group in payloads.packs(updates):
            await self._post_now(group)

    async def _post_now(self, updates: Sequence[Update]) -> Delivery:
        sending = self._delivery(payloads.encode(payloads.envelope(updates)))
        if not sending.url:
            return sending
        return await self._post_until_accepted(sending, POLICY)
