"""One bot at Telegram, pretended: what customers write waits in its queue, what the bot sends is checked."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import msgspec

from simulator import delivery
from simulator.account import Options, PretendedAccount
from simulator.delivery import Attempt, Delivery, Record, RetryPolicy
from simulator.faults import Faults
from simulator.place import Mounted, Place
from simulator.telegram.customer import Customer
from simulator.telegram.limits import Limits
from simulator.telegram.people import Chats, Files, Person, Received, Sent
from simulator.telegram.queue import UpdateQueue
from simulator.weather import Weather

Json = dict[str, Any]

#: One attempt; the queue itself decides on the next.
POLICY = RetryPolicy(waits=(), wanted=lambda attempt: False, timeout=55.0)
#: Kinds of updates that come only when they are asked for by name.
ONLY_BY_NAME = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
_encode = msgspec.json.Encoder().encode


class Telegram(PretendedAccount[Json], Customer):
    """A bot and its queue. Times are seconds since the epoch; `time_scale` shortens the waits between retries."""

    kind = "telegram"
    path = "/telegram"
    name = "Telegram"

    def __init__(
        self,
        *,
        bot_token: str,
        secret_token: str = "",
        username: str = "aduan_bot",
        limits: Limits | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(**options)
        # It is set when the bot starts: from then on the queue pushes.
        self._first_webhook = (self.webhook_url, secret_token)
        self.bot_token = bot_token
        self.username = username
        self.limits = limits
        self.webhook_url = ""
        self.secret_token = ""
        self.allowed_updates: tuple[str, ...] = ()  # none: everything that need not be asked for by name
        self.last_error: tuple[float, str] | None = None
        self.update_faults = Faults()  # met by getUpdates
        self.blocked: set[int] = set()  # chats whose customers blocked the bot
        self.deactivated: set[int] = set()
        self.chats = Chats()
        self.files = Files()
        self.sent: Record[Sent] = Record(self._keep)
        self.received: Record[Received] = Record(self._keep)
        self.answered_taps: Record[str] = Record(self._keep)
        self.calls: Record[str] = Record(self._keep)  # names of every method that was called
        self.polls = 0  # number of the getUpdates call that may wait; an older one is ended
        self.queue = UpdateQueue(
            self._push, tasks=self.tasks, clock=self.clock, time_scale=self.time_scale, closed=self.delete_webhook
        )
        self._next_update = 100_000_000 + secrets.randbelow(800_000_000)

    async def open(self, place: Place) -> None:
        """Starts with the webhook that the bot had before."""
        await super().open(place)
        if self._first_webhook[0]:
            self.set_webhook(*self._first_webhook)

    async def aclose(self) -> None:
        """Ends every delivery under way."""
        self.queue.stop()
        await super().aclose()

    @property
    def bot_id(self) -> int:
        """The bot's id, which its token begins with."""
        return int(self.bot_token.partition(":")[0])

    @property
    def weather(self) -> Weather:
        """What the bot meets."""
        return self._weather

    @weather.setter
    def weather(self, weather: Weather) -> None:
        self._weather = weather
        if weather.climate.unsubscribed and self._place is not None:
            self.delete_webhook()  # Telegram does so after 23 hours of 410

    def me(self) -> Json:
        """The bot as a user."""
        return {
            "id": self.bot_id,
            "is_bot": True,
            "first_name": self.name,
            "username": self.username,
            "can_join_groups": False,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }

    # ---- the webhook

    def set_webhook(self, url: str, secret_token: str = "", allowed: Sequence[str] | None = None) -> None:
        """Pushes from now on, what waits first."""
        self.queue.stop()
        self.webhook_url, self.secret_token = url, secret_token
        if allowed is not None:
            self.allowed_updates = tuple(allowed)
        self.last_error = None
        self.queue.start()

    def delete_webhook(self) -> None:
        """Pushes nothing any more; what was not accepted waits."""
        self.queue.stop()
        self.webhook_url, self.secret_token = "", ""

    async def _push(self, update: Json) -> Attempt:
        headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip, deflate"}
        if self.secret_token:
            headers["X-Telegram-Bot-Api-Secret-Token"] = self.secret_token
        sending = Delivery(self.webhook_url, _encode(update), headers)
        self.deliveries.append(sending)
        found = await delivery.attempt(self.place.http, sending, POLICY)
        if found.status is None:
            self.last_error = (self.clock(), found.error or "Connection failed")
        elif not 200 <= found.status < 300:
            self.last_error = (self.clock(), f"Wrong response from the webhook: {found.status}")
        else:
            await self._obey(found.body)
        return found

    async def _obey(self, body: bytes) -> None:
        """Makes the call that the answer to a webhook may be; nobody sees its result."""
        from simulator.telegram.methods import call  # the methods know the account that stands behind them

        try:
            found = msgspec.json.decode(body, type=dict[str, Any]) if body else {}
        except msgspec.MsgspecError:
            return
        method = found.pop("method", None)
        if isinstance(method, str):
            await call(self, method, found)

    async def inject_raw(self, body: bytes, *, secret: str | None = None) -> Delivery:
        """Posts these bytes once, with `secret` (default: the right one); the queue knows nothing of them."""
        word = self.secret_token if secret is None else secret
        sending = Delivery(self.webhook_url, body, {"X-Telegram-Bot-Api-Secret-Token": word} if word else {})
        return await self._post_once(sending, POLICY)

    # ---- from the customer

    async def update(self, kind: str, content: Json, chat_id: int, at: float | None = None) -> int:
        """Queues one update and returns its id; in calm weather after the first attempt to push it."""
        moment = self.clock() if at is None else at
        self._next_update += 1
        update_id = self._next_update
        wanted = kind in self.allowed_updates if self.allowed_updates else kind not in ONLY_BY_NAME
        if wanted:
            item = {"update": {"update_id": update_id, kind: content}, "chat": chat_id, "at": moment}
            if self.weather.climate.unsubscribed:
                await self._post([item])  # nothing is lost, it waits until the bot asks
            else:
                await self._mixer.put(item, self.weather)
        return update_id

    async def _post(self, items: list[Json]) -> None:
        for item in items:
            await self.queue.put(item["update"], item["chat"], item["at"])

    def remember(self, received: Received) -> None:
        """Keeps what a customer wrote, for the page and for tests."""
        self.received.append(received)

    # ---- to the customer

    def keep(self, person: Person, text: str, payload: Mapping[str, Any]) -> Sent:
        """What the bot sent, accepted."""
        sent = Sent(self.chats.next_message(person.id), person.id, text, self.clock(), payload)
        self.sent.append(sent)
        return sent

    @classmethod
    def mount(cls, accounts: Sequence[Telegram]) -> Mounted:
        """The Bot API of all bots."""
        from simulator.telegram.api import BotApi  # the front knows the accounts that stand behind it

        return Mounted(BotApi(accounts).routes())
