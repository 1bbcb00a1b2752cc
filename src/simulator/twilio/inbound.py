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
    params: dict[str, str] = {
        "SmsMessageSid": message.sid,
        "NumMedia": str(len(message.media)),
        "ProfileName": extra.get("name", "Budi"),
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
    } | dict(more)
    if "ID." not in message.from_:
        params["WaId"] = message.from_.rpartition("+")[2]
    if "user_id" in extra:
        params["ExternalUserId"] = extra["user_id"]
    if account.messaging_service_sid:
        params["MessagingServiceSid"] = account.messaging_service_sid
    if message.in_reply_to:
        params["OriginalRepliedMessageSid"] = message.in_reply_to
        params["OriginalRepliedMessageSender"] = account.number
    for index, media in enumerate(message.media):
        params[f"MediaUrl{index}"] = f"{account.base_url}{message.uri}/Media/{media.sid}"
        params[f"MediaContentType{index}"] = media.media_type
    return list((params | dict(extra.get("params", {}))).items())
