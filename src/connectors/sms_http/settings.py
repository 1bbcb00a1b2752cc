"""What an operator gives for one SMS sender: how the aggregator's webhook looks and how it is sent through."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AnyHttpUrl, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from ruamel.yaml import YAML

from connectors import codes
from connectors.codes import ErrorClass
from connectors.contract import ChannelSettings
from connectors.signing import Digest, Secret, Secrets

HERE = Path(__file__).parent
#: Twilio's error codes and the class that each one means.
CODES = codes.load(HERE / "codes.yaml")
_TWILIO: Mapping[str, Any] = YAML(typ="safe", pure=True).load((HERE / "twilio.yaml").read_text(encoding="utf-8"))
#: Where to find the account in Twilio's address for sending.
TWILIO_URL = (
    r"^(?P<root>https?://[^/]+(?:/[^/?#]+)*)/2010-04-01/Accounts/(?P<account>AC[0-9a-fA-F]{32})/Messages\.json$"
)

#: The place of a value: a name, or names from the outside in with dots between them ("data.message.id").
Place = Annotated[str, StringConstraints(pattern=r"^[^.\s]+(\.[^.\s]+)*$")]
#: One or more places; the first that holds something counts.
Places = Annotated[
    tuple[Place, ...],
    BeforeValidator(
        lambda given: (given,) if isinstance(given, str) else given, json_schema_input_type=Place | tuple[Place, ...]
    ),
]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
Word = Literal["sent", "delivered", "read", "failed", "pending", "message"]
Value = Literal["to", "from", "text", "key", "callback", "unicode"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Proof(_Part):
    """How a webhook proves that it comes from the aggregator."""

    header: HeaderName = Field(default="x-signature", description="The header that carries the proof.")
    recipe: Literal["hmac", "token"] = Field(
        default="hmac", description="hmac: a signature made with the secret; token: the secret itself."
    )
    over: Literal["body", "timestamp_body", "url_params"] = Field(
        default="timestamp_body",
        description="What is signed: the body, the time and the body, or the address and the sorted form fields.",
    )
    algorithm: Digest = Field(default="sha256", description="The hash of the signature: sha256 or sha1.")
    encoding: Literal["hex", "base64"] = Field(default="hex", description="How the signature is written.")
    prefix: str = Field(default="", description='What stands before the proof in its header ("sha256=", "Bearer ").')
    separator: str = Field(default=".", description="What stands between time and body where both are signed.")
    timestamp_header: HeaderName = Field(
        default="x-timestamp", description="The header with the time of signing, seconds since 1970."
    )
    max_age_seconds: float = Field(
        default=300.0, gt=0, le=86_400, description="How old a signed time may be, in seconds; older is a replay."
    )


class MessageFields(_Part):
    """Where the fields of a customer's message stand."""

    id: Places = Field(default=("id",), description="The aggregator's id of the message.")
    from_: Places = Field(default=("from",), alias="from", description="The customer's number.")
    to: Places = Field(default=("to",), description="The number that was written to.")
    text: Places = Field(default=("text",), description="The text.")
    sent_at: Places = Field(default=("sent_at",), description="When it was sent: seconds, milliseconds or ISO 8601.")
    files: Places = Field(default=("files",), description="How many files came along (MMS).")
    part_number: Places = Field(
        default=("udh.number",), description="Which part of a long text this is, from 1, where they come one by one."
    )
    part_count: Places = Field(default=("udh.count",), description="How many parts the long text has.")
    opt_out: Places = Field(
        default=("opt_out",), description="The aggregator's own word that this is a STOP or START, where it has one."
    )


class StatusFields(_Part):
    """Where the fields of a delivery report stand."""

    id: Places = Field(default=("message_id",), description="The id that sending was answered with.")
    reference: Places = Field(default=("reference",), description="The key that we gave when sending.")
    state: Places = Field(default=("status",), description="The aggregator's word for what became of it.")
    code: Places = Field(default=("error_code",), description="The aggregator's code of a failure.")
    at: Places = Field(default=("at",), description="When that happened.")
    price: Places = Field(default=("price",), description="What it cost, for the cost report.")
    states: dict[str, Word] = Field(
        default={
            "accepted": "pending", "queued": "pending", "enroute": "pending", "sent": "sent",
            "delivered": "delivered", "delivrd": "delivered", "read": "read", "failed": "failed",
            "undelivered": "failed", "undeliv": "failed", "expired": "failed", "rejected": "failed",
            "rejectd": "failed", "received": "message",
        },
        description="What each of its words means, in lower case: sent, delivered, read, failed, pending, or message "
        "where the same field marks what a customer wrote.",
    )  # fmt: skip


class Incoming(_Part):
    """How a webhook of the aggregator looks."""

    format: Literal["json", "form"] = Field(default="json", description="How the body is written.")
    items: Place | None = Field(
        default=None, description="The list of messages in a JSON body that holds several; null: the body is one."
    )
    event: Places = Field(default=("event",), description="What says whether it is a message or a delivery report.")
    message_events: tuple[str, ...] = Field(
        default=("message", "mo", "inbound"), description="The words for a message, where there is such a field."
    )
    status_events: tuple[str, ...] = Field(
        default=("status", "dlr", "report"), description="The words for a delivery report."
    )
    proof: Proof = Field(default=Proof(), description="How a webhook proves where it comes from.")
    message: MessageFields = Field(
        default=MessageFields(), description="Where the fields of a customer's message stand."
    )
    status: StatusFields = Field(default=StatusFields(), description="Where the fields of a delivery report stand.")
    base64_text: Literal["auto", "always", "never"] = Field(
        default="auto", description="Whether texts come in Base64; auto: long ones that can be nothing else."
    )
    utc_offset: Annotated[str, StringConstraints(pattern=r"^[+-](0\d|1[0-4]):[0-5]\d$")] = Field(
        default="+00:00", description="The zone of times that name none, as +07:00."
    )
    stop_words: tuple[str, ...] = Field(
        default=("STOP", "STOPALL", "UNSUBSCRIBE", "BERHENTI", "UNREG"),
        description="Texts by which a customer wants no more messages; the whole text must be one of them.",
    )
    start_words: tuple[str, ...] = Field(
        default=("START", "UNSTOP", "MULAI"), description="Texts by which a customer wants messages again."
    )
    answer: str = Field(default="", max_length=1000, description="What a webhook is answered with.")
    answer_type: str = Field(
        default="text/plain", pattern=r"^[a-z]+/[a-z0-9.+-]+$", description="The media type of that answer, alone."
    )

    @model_validator(mode="after")
    def _form_where_fields_are_signed(self) -> Incoming:
        if self.proof.recipe == "hmac" and self.proof.over == "url_params" and self.format != "form":
            raise ValueError("`over: url_params` signs form fields: set `format: form`")
        return self


class Login(_Part):
    """How a call of ours proves who we are."""

    scheme: Literal["bearer", "basic", "header", "field", "none"] = Field(
        default="bearer",
        description="How the secret is shown: Authorization (bearer, basic), a header of its own, a field of the body.",
    )
    user: str = Field(default="", pattern=r"^[^:\x00-\x1f\x7f]*$", description="The name for basic.")
    header: HeaderName = Field(default="x-api-key", description="The name of the header for header.")
    field: Place = Field(default="api_key", description="Where in the body the secret goes for field.")
    secret: Secret | None = Field(default=None, description="The secret; null: the first of `secrets`.")


class OutgoingFields(_Part):
    """How a text is handed to the aggregator and what it answers."""

    method: Literal["POST", "PUT"] = Field(default="POST", description="The method of the call.")
    format: Literal["json", "form"] = Field(default="json", description="How the body is written.")
    fields: dict[Value, Place] = Field(
        default={"to": "to", "from": "from", "text": "text", "key": "reference"},
        description="Where in the body each of to, from, text, key (comes back in the delivery report), callback (the "
        "address for the report) and unicode (yes or no) goes.",
    )
    constants: dict[Place, str] = Field(default={}, description="Further fields of the body, always the same.")
    numbers: Literal["plus", "digits"] = Field(
        default="plus", description="How the customer's number is written: +62812... or 62812..."
    )
    login: Login = Field(default=Login(), description="How a call proves who we are.")
    id: Place = Field(default="id", description="Where the aggregator's id stands in a good answer.")
    code: Place = Field(default="code", description="Where its code stands in an answer, good or bad.")
    good_codes: tuple[str, ...] = Field(
        default=("0",), description="Codes that are no error, where good answers carry one too."
    )
    codes: dict[str, ErrorClass] = Field(
        default={},
        description='What each of its error codes, or of its HTTP statuses ("http 402"), means: Unavailable, '
        "Throttled, AuthFailed, Unreachable, Refused or Ambiguous.",
    )
    throttled_after: float = Field(
        default=10.0, gt=0, le=3600, description="How long to wait when it says wait without saying how long, seconds."
    )
    check_url: AnyHttpUrl | None = Field(
        default=None, description="An address that answers 2xx to good credentials and changes nothing."
    )

    @model_validator(mode="after")
    def _can_be_sent(self) -> OutgoingFields:
        if not {"to", "text"} <= self.fields.keys():
            raise ValueError("`fields` must place `to` and `text`: without them nothing can be sent")
        places = [*self.fields.values(), *self.constants, *([self.login.field] if self.login.scheme == "field" else [])]
        for place in places:
            if sum(f"{other}.".startswith(f"{place}.") for other in places) > 1:
                raise ValueError(f"two values would stand at `{place}`")
        return self


class Settings(ChannelSettings):
    """Keys of an `sms_http` channel."""

    kind: Literal["sms_http"] = Field(description="Which connector serves this channel.")
    sender: Annotated[str, StringConstraints(pattern=r"^(\+?[0-9]{3,15}|[A-Za-z0-9 ._-]{1,11})$")] = Field(
        description="Our number, short code or alphanumeric sender, as the aggregator registered it."
    )
    receives: tuple[Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{3,15}$")], ...] = Field(
        default=(), description="Further numbers of ours that customers write to, where the sender is a name."
    )
    send_url: AnyHttpUrl = Field(
        description="Where texts are handed in; for Twilio https://api.twilio.com/2010-04-01/Accounts/AC.../Messages.json."
    )
    secrets: Secrets = Field(
        description="Secrets that sign webhooks (for Twilio the auth tokens), the newest first; give both while you "
        "replace one."
    )
    profile: Literal["plain", "twilio"] = Field(
        default="plain", description="Where the mapping begins: the defaults below, or Twilio's; single keys change it."
    )
    incoming: Incoming = Field(default=Incoming(), description="How a webhook of the aggregator looks.")
    outgoing: OutgoingFields = Field(default=OutgoingFields(), description="How a text is handed to the aggregator.")
    timeout_seconds: float = Field(
        default=15.0, gt=0, le=120, description="How long one call of the aggregator may take, in seconds."
    )
    page_size: int = Field(
        default=200, ge=1, le=1000, description="How many messages one page holds when missed ones are looked for."
    )

    @model_validator(mode="before")
    @classmethod
    def _profile_below(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or given.get("profile") != "twilio":
            return given
        table = {"outgoing": {"codes": {str(code): name for code, name in CODES.codes.items()}}}
        return _over(_over(_TWILIO, table), given)


def _over(below: Any, above: Any) -> Any:
    """Both mappings as one, key by key; what stands above counts."""
    if not (isinstance(below, Mapping) and isinstance(above, Mapping)):
        return above
    return {**below, **{key: _over(below[key], value) if key in below else value for key, value in above.items()}}
