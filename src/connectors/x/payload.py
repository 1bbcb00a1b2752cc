"""X's webhooks and answers as types: only the fields that we read; every other field is passed over."""

from __future__ import annotations

from msgspec import Raw, Struct

from connectors.json_items import Stamp

NOTHING = Raw(b"")


# {"direct_message_events":[{...}],"users":{"222":{"data":{"id":"222","username":"sari_d","name":"Sari"}}}}
class Conversation(Struct):
    """The payload of dm.received, dm.sent and dm.read; the deprecated service has it beside other things."""

    direct_message_events: list[Raw] | None = None
    direct_message_mark_read_events: list[Raw] | None = None
    users: dict[str, Raw] = {}


# X Activity API:  {"data":{"event_uuid":"208","filter":{...},"event_type":"dm.received","payload":{...}}}
# Account Activity API, deprecated:  {"for_user_id":"111","direct_message_events":[...],"users":{...}}
# The end of a replay:  {"replay_job_status":{"webhook_id":"1","job_state":"Complete"}}
class Delivery(Conversation):
    """One POST, of whichever of the two services."""

    data: Raw = NOTHING
    errors: list[Raw] | None = None
    replay_job_status: Raw = NOTHING
    for_user_id: str | None = None
    tweet_create_events: list[Raw] | None = None
    tweet_delete_events: list[Raw] | None = None


class Filter(Struct, frozen=True):
    """{"user_id":"111","direction":"inbound"}"""

    user_id: str | None = None


class Activity(Struct):
    """What stands in `data`."""

    event_type: str
    filter: Filter = Filter()
    payload: Raw = NOTHING
    includes: Raw = NOTHING


class Url(Struct):
    """{"url":"https://t.co/a","expanded_url":"https://contoh.example/bukti"}"""

    url: str = ""
    expanded_url: str | None = None


class Mention(Struct):
    """{"start":4,"end":16,"username":"akseleran","id":"111"}; the old shape says indices and id_str."""

    start: int | None = None
    indices: list[int] = []
    username: str | None = None
    screen_name: str | None = None
    id: str | int | None = None
    id_str: str | None = None


class Entities(Struct):
    """Addresses and names in a text."""

    urls: list[Url] | None = None
    mentions: list[Mention] | None = None
    user_mentions: list[Mention] | None = None


class Variant(Struct):
    """{"bit_rate":832000,"content_type":"video/mp4","url":"https://video.twimg.com/..."}; old shape: bitrate."""

    url: str = ""
    content_type: str = ""
    bit_rate: int | None = None
    bitrate: int | None = None


class VideoInfo(Struct):
    """{"variants":[{...}]}"""

    variants: list[Variant] = []


# {"id":126,"media_url_https":"https://ton.twitter.com/1.1/ton/data/dm/208/126/Ab.jpg","type":"photo","url":"https://t.co/b"}
# {"media_key":"3_126","type":"photo","url":"https://pbs.twimg.com/media/Ab.jpg"}
class Media(Struct):
    """A photo, video or animation, in the old shape or the new."""

    type: str = ""
    media_key: str | None = None
    url: str | None = None
    media_url_https: str | None = None
    preview_image_url: str | None = None
    video_info: VideoInfo | None = None
    variants: list[Variant] | None = None


class Attached(Struct):
    """{"type":"media","media":{...}}"""

    media: Raw = NOTHING


class MessageData(Struct):
    """{"text":"...","entities":{...},"attachment":{...}}"""

    text: str = ""
    entities: Entities | None = None
    attachment: Attached | None = None


class MessageCreate(Struct):
    """{"sender_id":"222","message_data":{...}}"""

    sender_id: str
    message_data: MessageData


# {"type":"message_create","id":"208","created_timestamp":"1784928224372","message_create":{...}}
class DirectMessage(Struct):
    """One pushed direct message."""

    id: str
    type: str = "message_create"
    created_timestamp: Stamp = None
    message_create: MessageCreate | None = None


# {"created_timestamp":"1784928224372","sender_id":"222","target":{...},"last_read_event_id":"208"}
class MarkRead(Struct):
    """Up to which message somebody read."""

    sender_id: str
    last_read_event_id: str
    created_timestamp: Stamp = None


# {"id":"e4f4","created_at_msec":"1784841183370","sender_id":"222","conversation_id":"222:111","encoded_event":"CwAB"}
class Encrypted(Struct):
    """A message of XChat: nobody without the account's private keys can read it."""

    sender_id: str | None = None


class User(Struct):
    """{"id":"222","username":"sari_d","name":"Sari"}; the old shape says id_str and screen_name."""

    id: str | int | None = None
    id_str: str | None = None
    username: str | None = None
    screen_name: str | None = None
    name: str | None = None


class Wrapped(Struct):
    """{"data":{...}}: a user where X wraps each in an object of its own."""

    data: Raw = NOTHING


class Reference(Struct):
    """{"type":"quoted","id":"207"}"""

    type: str = ""
    id: str = ""


class Attachments(Struct):
    """{"media_keys":["3_126"]}"""

    media_keys: list[str] | None = None


class Note(Struct):
    """{"text":"...","entities":{...}}: the whole of a long post."""

    text: str = ""
    entities: Entities | None = None


# {"id":"208","author_id":"222","text":"hey @akseleran","created_at":"2026-07-24T21:23:23.000Z","conversation_id":"208"}
class Post(Struct):
    """A post in the shape of version 2 of the API."""

    id: str
    author_id: str
    text: str = ""
    created_at: str | None = None
    display_text_range: list[int] = []
    edit_history_tweet_ids: list[str] = []
    edit_history_post_ids: list[str] = []
    referenced_tweets: list[Reference] = []
    referenced_posts: list[Reference] = []
    entities: Entities | None = None
    attachments: Attachments | None = None
    note_tweet: Note | None = None
    note_post: Note | None = None


class Includes(Struct, frozen=True):
    """What the payload refers to."""

    users: list[Raw] = []
    media: list[Raw] = []
    tweets: list[Raw] = []
    posts: list[Raw] = []


class LongText(Struct):
    """{"full_text":"...","entities":{...},"extended_entities":{...}}"""

    full_text: str = ""
    display_text_range: list[int] = []
    entities: Entities | None = None
    extended_entities: OldMedia | None = None


class OldMedia(Struct):
    """{"media":[{...}]}"""

    media: list[Raw] = []


class Quoted(Struct):
    """{"user":{"id_str":"111"}}"""

    user: User | None = None


# {"id_str":"208","created_at":"Mon Jan 05 03:00:00 +0000 2026","text":"hey @akseleran","user":{...},"entities":{...}}
class OldPost(Struct):
    """A post in the shape of version 1.1 of the API."""

    id_str: str
    user: User
    text: str = ""
    created_at: str | None = None
    timestamp_ms: Stamp = None
    display_text_range: list[int] = []
    entities: Entities | None = None
    extended_entities: OldMedia | None = None
    extended_tweet: LongText | None = None
    retweeted_status: Raw = NOTHING
    quoted_status: Quoted | None = None


class Owned(Struct):
    """{"id":"208","author_id":"222"}: a post that is gone, or that another one quotes."""

    id: str
    author_id: str


class OldStatus(Struct):
    """{"id":"208","user_id":"222"}"""

    id: str
    user_id: str


class OldDeleted(Struct):
    """{"status":{"id":"208","user_id":"222"},"timestamp_ms":"1784928224372"}"""

    status: OldStatus
    timestamp_ms: Stamp = None


# {"id":"208","event_type":"MessageCreate","text":"hello!","sender_id":"222","created_at":"2026-01-05T03:00:00.000Z",
#  "dm_conversation_id":"111-222","attachments":{"media_keys":["3_126"]}}
class ListedMessage(Struct):
    """One direct message as the API lists it."""

    id: str
    event_type: str = "MessageCreate"
    text: str = ""
    sender_id: str | None = None
    created_at: str | None = None
    entities: Entities | None = None
    attachments: Attachments | None = None


class Listed(Struct):
    """What we keep of a list: one item with what it refers to; our own wrapping, not X's."""

    item: Raw
    includes: Includes = Includes()
