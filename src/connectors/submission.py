"""The submission document: what the public form and the apps hand over, and what is kept of it.

The web front spools files, checks their content and seals the document; `receive` trusts nothing without that seal, so
a stranger cannot name somebody else's file by its digest. Shared by the connectors `web_form` and `app_api`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, TypeVar, get_args, runtime_checkable

import msgspec
from msgspec import Struct

from connectors import form_token, signing
from connectors.contract import Answer, Intake, Request
from connectors.errors import Malformed, Rejected
from connectors.submission_fields import Problem, check, problem
from normalizer import identity
from normalizer.message import Attachment, AttachmentKind, Channel, Message, Raw, ReplyAddress, Sender

SEAL_HEADER = "x-aduan-seal"
Purpose = Literal["evidence", "power_of_attorney"]
#: A channel on which a person writes down what the customer says.
EnteredChannel = Literal["phone", "walk_in", "letter"]
ENTERED_CHANNELS: tuple[EnteredChannel, ...] = get_args(EnteredChannel)
#: Before the name of who entered it, among the flags of a message.
ENTERED_BY = "entered_by:"
_KEY = re.compile(r"[\x21-\x7e]{8,128}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FAMILIES: dict[str, AttachmentKind] = {"image": "image", "video": "video", "audio": "audio"}


class InvalidSubmission(Rejected):
    """A submission that cannot be kept as it stands: every field that is wrong is named."""

    def __init__(self, problems: Sequence[Problem], status: int = 400) -> None:
        super().__init__(status, "the submission has problems: " + ", ".join(sorted({p.field for p in problems})))
        self.problems = tuple(problems)


class Upload(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that already lies in the attachment store under its digest."""

    sha256: str
    size: int
    name: str
    #: Sniffed from the content, not what the sender said.
    mime: str
    purpose: Purpose = "evidence"


class Form(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rendered form gives back beside its answers; None for a program."""

    token: str
    #: The public name of the browser session that sends.
    session: str
    #: The field that people leave empty.
    leave_empty: str = ""


class Submission(Struct, frozen=True, kw_only=True):
    """What is kept: the same answers under the same key give the same bytes."""

    #: The browser session, or "program" for a client without one.
    session: str
    idempotency_key: str
    fields: dict[str, str]
    attachments: tuple[Upload, ...] = ()
    version: Literal[1] = 1


class Document(Struct, frozen=True, kw_only=True):
    """A sealed document as it was handed over: nothing in it is judged yet."""

    fields: dict[str, Any]
    attachments: tuple[Upload, ...]
    idempotency_key: str
    form: Form | None


#: A kept submission, of a customer or with what staff say beside it.
S = TypeVar("S", bound=Submission)


@runtime_checkable
class Admitting(Protocol):
    """A connector whose senders prove who they are before a byte of the body is read."""

    def admit(self, request: Request) -> str:
        """Who sends it, by the headers alone. Raises Rejected(401) for anybody else."""


class FormRules(Struct, frozen=True, kw_only=True):
    """How long a person may take to fill in a form."""

    at_least: timedelta
    at_most: timedelta


def document(
    fields: Mapping[str, Any], attachments: Sequence[Upload], idempotency_key: str, form: Form | None
) -> bytes:
    """The document that `receive` reads. ASCII, so that even half characters arrive and can be named."""
    value = {
        "fields": dict(fields),
        "attachments": msgspec.to_builtins(tuple(attachments)),
        "idempotency_key": idempotency_key,
        "form": msgspec.to_builtins(form),
    }
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def seal(secret: bytes, channel_id: str, body: bytes) -> str:
    """The signature that shows that our own web front made this document for this channel."""
    return hmac.new(secret, b"aduan submission\n" + channel_id.encode() + b"\n" + body, hashlib.sha256).hexdigest()


def check_seal(secret: bytes, channel_id: str, request: Request, most: int) -> None:
    """Raises Rejected(401) unless our web front sealed the request; 405 for another method, 413 above `most` bytes."""
    if request.method != "POST":
        raise Rejected(405, "a submission is posted")
    if len(request.body) > most:
        raise Rejected(413, "the document is too large")
    given = request.header(SEAL_HEADER)
    expected = seal(secret, channel_id, request.body)
    if given is None or not signing.same(given, [expected.encode()]):
        raise Rejected(401, "the submission does not come from the web front")


def receive(secret: bytes, channel_id: str, request: Request, rules: FormRules) -> Intake:
    """What to keep of a sealed document. Raises InvalidSubmission naming every field that is wrong."""
    given = read_document(request.body)
    fields, problems = judge(given)
    form = given.form
    if form is not None:
        problems += _form_problems(secret, channel_id, form, request.received_at, rules)
    if problems:
        raise InvalidSubmission(problems)
    kept = Submission(
        session=form.session if form is not None else "program",
        idempotency_key=given.idempotency_key,
        fields=fields,
        attachments=given.attachments,
    )
    return keep(channel_id, request, kept)


def read_document(body: bytes) -> Document:
    """The document in a request that is sealed. Raises Rejected(400) when it is none."""
    try:
        given = json.loads(body)
        if not isinstance(given, dict) or set(given) != set(Document.__struct_fields__):
            raise ValueError
        return msgspec.convert(given, Document)
    except (ValueError, RecursionError) as error:
        raise Rejected(400, "not a submission document") from error


def judge(given: Document, leave: Collection[str] = ()) -> tuple[dict[str, str], list[Problem]]:
    """The fields in their one spelling, and everything that is wrong with them, with the key and with the files.

    `leave` names fields that the caller judges itself.
    """
    fields, problems = check({name: value for name, value in given.fields.items() if name not in leave})
    if any(each.purpose == "power_of_attorney" for each in given.attachments):
        fields.setdefault("acting_as", "representative")
    if not _KEY.fullmatch(given.idempotency_key):
        problems.append(problem("Idempotency-Key", "not_a_key"))
    for index, each in enumerate(given.attachments):
        if not _SHA256.fullmatch(each.sha256) or each.size < 1 or not each.name or len(each.name) > 255:
            problems.append(problem(f"attachments[{index}]", "not_an_attachment"))
    return fields, problems


def keep(channel_id: str, request: Request, kept: Submission) -> Intake:
    """The intake of a submission that is good."""
    body = msgspec.json.encode(kept, order="sorted")
    raw = Raw(channel_id=channel_id, received_at=request.received_at, body=body, target=request.target)
    return Intake(keep=(raw,), answer=Answer(status=201, content_type="application/json"))


def read_kept(raw: Raw, kind: type[S]) -> S:
    """The submission that was kept. Raises Malformed when it cannot be read."""
    try:
        return msgspec.json.decode(raw.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("not a kept submission") from error


def parse(raw: Raw, channel: Channel, account: str) -> Message:
    """The message of a kept submission. Raises Malformed when it cannot be read."""
    return message_of(read_kept(raw, Submission), raw, channel, account)


def message_of(kept: Submission, raw: Raw, channel: Channel, account: str) -> Message:
    """The message that a kept submission is."""
    fields = {name: value for name, value in kept.fields.items() if name != "narrative"}
    email = identity.email(fields.get("email"))
    phone = identity.phone(fields.get("phone"))
    flags = tuple(
        f"power_of_attorney:{each.sha256}" for each in kept.attachments if each.purpose == "power_of_attorney"
    )
    return Message(
        channel=channel,
        account=account,
        key=f"form:{raw.channel_id}:{kept.session}:{kept.idempotency_key}",
        external_id=kept.idempotency_key,
        sent_at=raw.received_at,
        sender=Sender(
            key=_sender_key(kept, email.address.lower() if email else None, phone),
            name=fields.get("full_name"),
            phone=phone,
            email=email.address if email else None,
        ),
        text=kept.fields.get("narrative", ""),
        subject=fields.get("subject"),
        attachments=tuple(_attachment(each) for each in kept.attachments),
        reply=ReplyAddress(recipient=email.address) if email else None,
        fields=fields,
        flags=flags,
    )


def entered_by(message: Message) -> str | None:
    """Who of the staff entered a message: calls, visits and letters have one (section 4), nothing else does."""
    if message.channel not in ENTERED_CHANNELS:
        return None
    return next((flag.removeprefix(ENTERED_BY) for flag in message.flags if flag.startswith(ENTERED_BY)), None)


def _form_problems(secret: bytes, channel_id: str, form: Form, now: datetime, rules: FormRules) -> list[Problem]:
    token = form_token.read(secret, channel_id, form.token)
    if token is None or token.session != form.session:
        return [problem("form", "form_unknown")]
    age = now - token.issued_at
    problems: list[Problem] = []
    if age < rules.at_least:
        problems.append(problem("form", "form_too_fast"))
    elif age > rules.at_most:
        problems.append(problem("form", "form_expired"))
    if form.leave_empty:
        problems.append(problem("leave_empty", "must_be_empty"))
    return problems


def _sender_key(kept: Submission, email: str | None, phone: str | None) -> str:
    if email:
        return f"mailto:{email}"
    if phone:
        return f"tel:{phone}"
    # A program has no session of its own: its key stands for one sender, so that strangers never share one.
    return f"form:{kept.session if kept.session != 'program' else kept.idempotency_key}"


def _attachment(upload: Upload) -> Attachment:
    kind = _FAMILIES.get(upload.mime.partition("/")[0], "document")
    return Attachment(kind=kind, name=upload.name, mime=upload.mime, size=upload.size, sha256=upload.sha256)
