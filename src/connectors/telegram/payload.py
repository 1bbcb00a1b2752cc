"""Telegram's updates and answers as types: only the fields that we read; every other field is passed over."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Raw, Struct, field

#: "At most 52 significant bits" (Bot API, User and Chat).
Id = Annotated[int, Meta(ge=-(2**52), le=2**52)]

#: One update, by its keys: `update_id` and one that says what it is about. Each is decoded in its turn.
# {"update_id":10000,"message":{...}}
Update = dict[str, Raw]


# {"id":1111,"is_bot":false,"first_name":"Sari","last_name":"Dewi","username":"sari_d","language_code":"id"}
class User(Struct):
    """Who wrote."""

    id: Id
    is_bot: bool = False
    first_name: str | None = None
    last_name: str | None = None
    username: str | None = None


class Chat(Struct):
    """{"id":1111,"type":"private","first_name":"Sari"}"""

    id: Id
    type: str = ""


# {"file_id":"BQACAgUAAx","file_unique_id":"AgADBg","file_name":"bukti.pdf","mime_type":"application/pdf","file_size":4}
class File(Struct):
    """A document, voice note, audio, video, video note, animation, sticker, or one size of a photo."""

    file_id: str = ""
    file_name: str | None = None
    mime_type: str | None = None
    file_size: int | None = None


# {"file_id":"CAACAgUAAx","emoji":"😡","is_animated":false,"is_video":false,"file_size":12345}
class Sticker(Struct):
    """A sticker; its kind of file has no mime type of its own in the update."""

    file_id: str = ""
    emoji: str | None = None
    is_animated: bool = False
    is_video: bool = False
    file_size: int | None = None


class Location(Struct):
    """{"latitude":-6.2,"longitude":106.8}"""

    latitude: float
    longitude: float


# {"location":{...},"title":"Kantor","address":"Jl. Sudirman 1"}
class Venue(Struct):
    """A place with a name."""

    location: Location
    title: str = ""
    address: str = ""


# {"phone_number":"+6281200000001","first_name":"Sari","user_id":1111}
class Contact(Struct):
    """A contact card; its user id is the sender's own when somebody shares the own number."""

    phone_number: str = ""
    first_name: str = ""
    last_name: str = ""
    user_id: Id | None = None


class Entity(Struct):
    """{"type":"text_link","offset":0,"length":4,"url":"https://..."}"""

    type: str = ""
    url: str | None = None


class Ref(Struct):
    """The message that is answered: {"message_id":7,...}"""

    message_id: Id


# {"message_id":8,"date":1767582000,"chat":{...},"from":{...},"text":"Saldo saya hilang"}
class Item(Struct):
    """One message."""

    message_id: Id
    chat: Chat
    date: int = 0
    edit_date: int | None = None
    from_: User | None = field(default=None, name="from")
    text: str | None = None
    entities: list[Entity] = []
    caption: str | None = None
    caption_entities: list[Entity] = []
    photo: list[File] | None = None
    document: File | None = None
    voice: File | None = None
    audio: File | None = None
    video: File | None = None
    video_note: File | None = None
    animation: File | None = None
    sticker: Sticker | None = None
    location: Location | None = None
    venue: Venue | None = None
    contact: Contact | None = None
    reply_to_message: Ref | None = None
    media_group_id: str | None = None
    forward_origin: Raw = Raw(b"")


class Button(Struct):
    """{"text":"Ya","callback_data":"yes"}"""

    text: str = ""
    callback_data: str | None = None


class Keyboard(Struct):
    """{"inline_keyboard":[[{...}]]}"""

    inline_keyboard: list[list[Button]] = []


# {"message_id":9,"date":1767582000,"chat":{...},"reply_markup":{...}}
class Offered(Struct):
    """The message of ours whose button was tapped; date 0 when Telegram no longer hands it out."""

    message_id: Id
    chat: Chat
    reply_markup: Keyboard | None = None


# {"id":"4382bfdwdsb323b2d9","from":{...},"message":{...},"data":"yes"}
class Callback(Struct):
    """A tap on a button."""

    id: str
    from_: User = field(name="from")
    message: Offered | None = None
    data: str | None = None


class Membership(Struct):
    """{"status":"kicked","user":{...}}"""

    status: str = ""


# {"chat":{...},"from":{...},"date":1767582000,"old_chat_member":{...},"new_chat_member":{...}}
class MemberChange(Struct):
    """What became of the bot in a chat: in a private one, the customer blocked or unblocked it."""

    chat: Chat
    new_chat_member: Membership
    date: int = 0


# {"retry_after":17}  {"migrate_to_chat_id":-1001}
class Parameters(Struct):
    """What helps with an error."""

    retry_after: int | float | None = None


# {"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}
class Answer(Struct):
    """The envelope of every answer of the Bot API."""

    ok: bool
    error_code: int | None = None
    description: str = ""
    parameters: Parameters | None = None


class Updates(Struct):
    """{"ok":true,"result":[{"update_id":10000,...}]}: each update stays as the bytes that came."""

    result: list[Raw]


class Position(Struct):
    """The place of an update in the bot's queue."""

    update_id: Id
