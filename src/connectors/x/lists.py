"""What X lists of direct messages and mentions, newest first, page by page, with a place to go on from.

A list is walked from its top down to what the last walk began with. The place is kept with every page: a walk that is
cut, or that X's limit of 15 calls in 15 minutes interrupts, goes on where it was and never jumps over a message.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from connectors.contract import Setup
from connectors.errors import Refused, Unavailable
from connectors.http_errors import Answered
from connectors.x import content
from connectors.x.answers import Page
from connectors.x.client import Api
from connectors.x.content import readable
from connectors.x.costs import Costs
from connectors.x.parse import DM, LISTED, POST, Source
from connectors.x.payload import Attachments, Entities, Includes, Listed, Reference
from connectors.x.settings import Settings
from normalizer.message import Raw

#: Milliseconds since 1970 at which X's ids begin to count; the lower 22 bits are not time.
EPOCH = 1_288_834_974_657
_ID = re.compile(r"[0-9]{1,19}")
USER = ["username", "name"]
MEDIA = ["media_key", "type", "url", "preview_image_url", "variants"]
FIELDS: Mapping[Source, Mapping[str, Any]] = {
    DM: {
        "dm_event_fields": ["id", "text", "event_type", "created_at", "sender_id", "dm_conversation_id", "attachments",
                            "entities"],
        "event_types": "MessageCreate",
        "expansions": ["sender_id", "attachments.media_keys"],
    },
    POST: {
        "tweet_fields": ["author_id", "created_at", "conversation_id", "in_reply_to_user_id", "referenced_tweets",
                         "entities", "attachments", "display_text_range", "edit_history_tweet_ids", "note_tweet"],
        "expansions": ["author_id", "attachments.media_keys", "referenced_tweets.id"],
    },
}  # fmt: skip


class Place(Struct, frozen=True, omit_defaults=True):
    """Where a list was left: everything up to `after` is kept, and of a walk under way from `top` the pages so far."""

    after: int
    #: True: `after` is an id that X gave, not one made from a moment.
    given: bool = False
    top: int = 0
    token: str | None = None


class Cursor(Struct):
    """What the pump keeps: the places in the lists of one account."""

    account: str
    places: dict[Source, Place]


class Astray(Unavailable):
    """A page that names itself as the next one."""


class _Head(Struct):
    """What an item says of itself and of what it refers to."""

    id: str
    text: str = ""
    entities: Entities | None = None
    sender_id: str | None = None
    author_id: str | None = None
    attachments: Attachments | None = None
    referenced_tweets: list[Reference] = []
    referenced_posts: list[Reference] = []


class _Named(Struct):
    """An object that others refer to."""

    id: str | None = None
    media_key: str | None = None


def id_at(moment: datetime) -> int:
    """The smallest id that X can give at a moment (UTC)."""
    return max(0, int(moment.timestamp() * 1000) - EPOCH) << 22


def moment_of(id_: int) -> datetime:
    """The moment (UTC) at which X gave an id."""
    return datetime.fromtimestamp(((id_ >> 22) + EPOCH) / 1000, UTC)


class Lists:
    """The two lists of one account."""

    def __init__(self, setup: Setup, api: Api, costs: Costs) -> None:
        settings: Settings = setup.settings
        self._setup = setup
        self._api = api
        self._costs = costs
        self._account = settings.user_id
        self._size = settings.page_size
        #: Items that could not be read and are kept.
        self._broken: set[bytes] = set()

    async def walk(self, source: Source, place: Place) -> AsyncGenerator[tuple[tuple[Raw, ...], Place], None]:
        """Pages of what is new after a place, each with the place that follows it; ends when nothing newer is left."""
        forgotten = False
        while True:
            try:
                page = _page(await self._ask(source, place), place.token)
            except (Refused, Astray):
                if place.token is None or forgotten:
                    raise
                # The walk was left for so long that X has forgotten it: it begins again at the top, once.
                forgotten, place = True, Place(place.after, place.given)
                continue
            heads = [_head(item) for item in page.data]
            ids = [int(head.id) for head in heads if head is not None]
            fresh = [
                (item, head)
                for item, head in zip(page.data, heads, strict=True)
                if (bytes(item) not in self._broken if head is None else self._is_new(head, place))
            ]
            self._count(source, ids)
            place = _next(place, ids, page.meta.next_token)
            yield tuple(self._raws(source, fresh, page.includes)), place
            # Only now it is kept. Without an id, its place in the list says nothing: it would come at every look.
            self._broken.update(bytes(item) for item, head in fresh if head is None)
            if place.token is None:
                return

    def _is_new(self, head: _Head, place: Place) -> bool:
        return int(head.id) > place.after and self._account not in (head.sender_id, head.author_id)

    async def sent(self, person: str, text: str, earliest: datetime) -> str | None:
        """The id of our direct message to a person with this text since a moment (UTC); None when none is listed."""
        token: str | None = None
        while True:
            more = {"pagination_token": token} if token is not None else {}
            asked = {**FIELDS[DM], **more, "participant_id": person, "max_results": self._size}
            page = _page(await self._api.get_direct_message_events(**asked), token)
            heads = [head for item in page.data if (head := _head(item)) is not None]
            self._count(DM, [int(head.id) for head in heads])
            for head in heads:
                if head.sender_id != self._account or int(head.id) < id_at(earliest):
                    continue
                if alike(content.words(head.text, head.entities)) == alike(text):
                    return head.id
            token = page.meta.next_token
            if token is None or any(int(head.id) < id_at(earliest) for head in heads):
                return None

    def _count(self, source: Source, ids: Iterable[int]) -> None:
        today = self._setup.now().astimezone(UTC).date()
        self._costs.read("dm_read" if source == DM else "mention_read", map(str, ids), today)

    async def _ask(self, source: Source, place: Place) -> Any:
        asked = {**FIELDS[source], "user_fields": USER, "media_fields": MEDIA, "max_results": self._size}
        if place.token is not None:
            asked["pagination_token"] = place.token
        if source == DM:
            return await self._api.get_direct_message_events(**asked)
        # An id made from a moment is none that X would know: then the moment itself is asked for.
        asked |= {"since_id": place.after} if place.given else {"start_time": moment_of(place.after)}
        return await self._api.get_users_mentions(self._account, user_auth=True, **asked)

    def _raws(
        self, source: Source, items: Iterable[tuple[msgspec.Raw, _Head | None]], includes: Includes
    ) -> Iterable[Raw]:
        """Each item with what it refers to, oldest first."""
        users, media = _by_name(includes.users), _by_name(includes.media)
        posts = _by_name([*includes.tweets, *includes.posts])
        for item, head in reversed(list(items)):
            own = Includes()
            if head is not None:
                author = head.sender_id or head.author_id or ""
                keys = (head.attachments.media_keys if head.attachments is not None else None) or ()
                named = (*head.referenced_tweets, *head.referenced_posts)
                own = Includes(
                    users=[users[author]] if author in users else [],
                    media=[media[key] for key in keys if key in media],
                    tweets=[posts[each.id] for each in named if each.id in posts],
                )
            yield Raw(
                channel_id=self._setup.channel_id,
                received_at=self._setup.now(),
                body=msgspec.json.encode(Listed(item=item, includes=own)),
                headers={LISTED: source},
                ref=f"{source}:{head.id if head is not None else 'unreadable'}",
            )


def _next(place: Place, ids: list[int], token: str | None) -> Place:
    """The place after a page with these ids."""
    top = max([place.top, *ids])
    if token is not None and (not ids or min(ids) > place.after):
        return Place(place.after, place.given, top, token)
    return Place(top, given=True) if top > place.after else Place(place.after, place.given)


def _page(answer: Answered, token: str | None) -> Page:
    """The page that was asked for by this token."""
    page = readable(answer.body, Page)
    if page is None:
        raise Unavailable("X's list cannot be read")
    if token is not None and page.meta.next_token == token:
        raise Astray("X's list leads in circles")
    return page


def _head(item: msgspec.Raw) -> _Head | None:
    head = readable(item, _Head)
    return head if head is not None and _ID.fullmatch(head.id) else None


def alike(text: str) -> str:
    """A text as it can be compared: X writes addresses in its own short form."""
    return " ".join("…" if "." in word[1:-1] else word for word in text.split())


def _by_name(items: Iterable[msgspec.Raw]) -> dict[str, msgspec.Raw]:
    return {named.media_key or named.id or "": item for item in items if (named := readable(item, _Named)) is not None}
