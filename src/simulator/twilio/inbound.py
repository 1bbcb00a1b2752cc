"""The form that Twilio posts for a customer's message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict

from simulator.twilio.calling import Params
from simulator.twilio.records import API_VERSION, Message

if TYPE_CHECKING:
    from simulator.twilio.account import Twilio


class Extra(TypedDict, total=False):
    """What may come with an inbound message besides its content."""

    user_id: str  # business-scoped WhatsApp user id
    name: str
    sid: str
    at: float  # seconds since the epoch
    reply_to: str
    params: Mapping[str, str]  # parameters that Twilio adds tomorrow


def inbound_params(account: Twilio, message: Message, more: Mapping[str, str], extra: Extra) -> Params:
    """The form of an inbound webhook."""
    media: dict[str, str] = {}
    for index, file in enumerate(message.media):
        media[f"MediaUrl{index}"] = f"{account.base_url}{message.uri}/Media/{file.sid}"
        media[f"MediaContentType{index}"] = file.media_type
    params: dict[str, str] = {
        "SmsMessageSid": message.sid,
        "NumMedia": str(len(message.media)),
        "SmsSid": message.sid,
        "SmsStatus": "received",
        "Body": message.body,
        "To": message.to,
        "NumSegments": message.as_json()["num_segments"],
        "ReferralNumMedia": "0",
        "MessageSid": message.sid,
        "AccountSid": account.account_sid,
        "From": message.from_,
        "ApiVersion": API_VERSION,
    }
    if not account.is_whatsapp:
        return list((params | {"FromCountry": "ID", "ToCountry": "ID"} | media | dict(extra.get("params", {}))).items())
    params |= {"ProfileName": extra.get("name", "Budi")} | dict(more)
    if "ID." not in message.from_:
        params["WaId"] = message.from_.rpartition("+")[2]
    if "user_id" in extra:
        params["ExternalUserId"] = extra["user_id"]
    if account.messaging_service_sid:
        params["MessagingServiceSid"] = account.messaging_service_sid
    if message.in_reply_to:
        params["OriginalRepliedMessageSid"] = message.in_reply_to
        params["OriginalRepliedMessageSender"] = account.number
    return list((params | media | dict(extra.get("params", {}))).items())
