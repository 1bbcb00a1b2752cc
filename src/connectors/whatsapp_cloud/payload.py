"""Meta's webhook as types: only the fields that we read; every other field is passed over.

Items of a list stay `msgspec.Raw` until their turn, so that one that cannot be read leaves its neighbours alone.
"""

from __future__ import annotations

from msgspec import Raw, Struct, field

from connectors.json_items import Stamp


# {"object":"whatsapp_business_account","entry":[{"id":"1022901","changes":[{"field":"messages","value":{...}}]}]}
class Envelope(Struct):
    """One POST."""

    entry: list[Raw]
    object: str = ""


class Entry(Struct):
    """Changes of one business account."""

    changes: list[Raw]
    id: str | int = ""


class Change(Struct):
    """One change; `field` says what its value is about."""

    value: Raw
    field: str = ""


# {"display_phone_number":"6221500123","phone_number_id":"106540352242922"}
class Metadata(Struct):
    """The business number that the items of a value belong to."""

    phone_number_id: str | int = ""


# {"messaging_product":"whatsapp","metadata":{...},"contacts":[...],"messages":[...]}
class Value(Struct):
    """The content of a change with field `messages` or `smb_message_echoes`."""

    metadata: Metadata | None = None
    contacts: list[Raw] | None = None
    messages: list[Raw] | None = None
    statuses: list[Raw] | None = None
    errors: list[Raw] | None = None
    message_echoes: list[Raw] | None = None


class Profile(Struct):
    """How a customer shows up."""

    name: str | None = None
    username: str | None = None


# {"profile":{"name":"Sari","username":"sari.k"},"wa_id":"6281200000001","user_id":"ID.1349"}
class Contact(Struct):
    """A customer; wa_id is missing when the number is hidden behind a user name."""

    profile: Profile | None = None
    wa_id: str | None = None
    user_id: str | None = None


# {"code":131047,"title":"Re-engagement message","error_data":{"details":"..."}}
class Error(Struct):
    """An error; only the code is read, titles change."""

    code: int | str | None = None


class Text(Struct):
    """{"body":"..."}"""

    body: str = ""


# {"id":"1003383421387256","mime_type":"image/jpeg","sha256":"SfIn...","caption":"...","filename":"...","voice":true}
class Media(Struct):
    """An image, video, sticker, audio or document."""

    id: str | None = None
    mime_type: str | None = None
    caption: str | None = None
    filename: str | None = None


# {"latitude":-6.2,"longitude":106.8,"name":"Kantor","address":"Jl. Sudirman 1"}
class Location(Struct):
    """A place."""

    latitude: float | str = ""
    longitude: float | str = ""
    name: str | None = None
    address: str | None = None
    url: str | None = None


class Phone(Struct):
    """{"phone":"+62 812-0000-0001","wa_id":"6281200000001","type":"MOBILE"}"""

    phone: str | None = None
    wa_id: str | None = None


class Name(Struct):
    """{"formatted_name":"Budi"}"""

    formatted_name: str = ""


# {"name":{"formatted_name":"Budi"},"phones":[{...}],"origin":"contact_request"}
class Card(Struct):
    """A contact card; origin `contact_request` means that the customer shared the own number on our request."""

    name: Name | None = None
    phones: list[Phone] = []
    origin: str | None = None


# {"id":"ya","title":"Ya","description":"..."}  or  {"name":"flow","body":"Sent","response_json":"{\"a\":1}"}
class Choice(Struct):
    """What was tapped, or what a flow collected (`response_json` is JSON in a string, not always an object)."""

    title: str | None = None
    body: str | None = None
    response_json: str | None = None


class Interactive(Struct):
    """{"type":"button_reply","button_reply":{...}}"""

    button_reply: Choice | None = None
    list_reply: Choice | None = None
    nfm_reply: Choice | None = None


class Button(Struct):
    """{"payload":"STOP","text":"Berhenti"}"""

    text: str | None = None
    payload: str | None = None


# {"type":"user_changed_number","wa_id":"6281200000002"}
# {"type":"user_changed_user_id","user_id":"ID.2","previous_user_id":"ID.1"}
class System(Struct):
    """A customer's identity changed."""

    type: str = ""
    wa_id: str | None = None
    user_id: str | None = None
    previous_user_id: str | None = None


class Context(Struct):
    """What the message answers or where it was forwarded from."""

    id: str | None = None
    forwarded: bool | None = None
    frequently_forwarded: bool | None = None


class Order(Struct):
    """{"catalog_id":"1948","text":"...","product_items":[...]}"""

    text: str | None = None


class Content(Struct):
    """The part of a message that its type names."""

    text: Text | None = None
    image: Media | None = None
    video: Media | None = None
    audio: Media | None = None
    document: Media | None = None
    sticker: Media | None = None
    location: Location | None = None
    contacts: list[Card] | None = None
    interactive: Interactive | None = None
    button: Button | None = None
    order: Order | None = None
    type: str = ""


# {"original_message_id":"wamid.A","message":{"type":"text","text":{"body":"..."}}}
class Revision(Struct):
    """The message that was edited or revoked, and its new content."""

    original_message_id: str
    message: Content | None = None


# {"from":"6281200000001","from_user_id":"ID.1349","id":"wamid.HBg","timestamp":"1767573000","type":"text","text":{...}}
class Item(Content, kw_only=True):
    """One message of a customer."""

    id: str
    from_: str | None = field(default=None, name="from")
    from_user_id: str | None = None
    timestamp: Stamp = None
    context: Context | None = None
    group_id: str | None = None
    referral: Raw = Raw(b"")
    errors: list[Error] | None = None
    system: System | None = None
    edit: Revision | None = None
    revoke: Revision | None = None


class Pricing(Struct):
    """{"billable":true,"pricing_model":"PMP","category":"service","type":"regular"}"""

    category: str | None = None
    billable: bool | None = None


# {"id":"wamid.HBg","status":"delivered","timestamp":"1767573001","biz_opaque_callback_data":"r-17.1","pricing":{...}}
class Status(Struct):
    """What became of a message that we sent."""

    id: str
    status: str
    timestamp: Stamp = None
    biz_opaque_callback_data: str | None = None
    pricing: Pricing | None = None
    errors: list[Error] | None = None


class SentMessage(Struct):
    """{"id":"wamid.HBg"}"""

    id: str = ""


# {"messaging_product":"whatsapp","contacts":[{"input":"+62812","wa_id":"62812"}],"messages":[{"id":"wamid.HBg"}]}
class SendAnswer(Struct):
    """What a send is answered with, good or bad."""

    messages: list[SentMessage] = []


# {"url":"https://lookaside.fbsbx.com/...","mime_type":"image/jpeg","sha256":"...","file_size":"303833","id":"1003"}
class MediaAnswer(Struct):
    """Where a media id can be fetched, for five minutes."""

    url: str | None = None
