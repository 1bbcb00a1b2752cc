"""Ed25519 keys of an installation and the signed statement of what a receipt says.

The secret key lies in `keys/` under the data folder and is made at the first start, readable by its owner only. Public
keys stay beside it for ever, so that receipts of an older key can still be verified.
"""

from __future__ import annotations

import hashlib
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from msgspec import Struct

from tickets.told import ToldComplaint, ToldTicket

PublicKeys = Mapping[str, Ed25519PublicKey]
_SECRET_FILE = "receipt-key.pem"  # noqa: S105  # the name of a file, not a secret
_CONTEXT = b"aduan receipt statement 1\n"
_TOKEN = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})")


class Statement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a receipt states; names no person. Its bytes are signed: no field may be added to it."""

    version: int = 1
    organisation: str
    ticket_number: str
    #: Aware UTC.
    received_at: datetime
    #: WIB date; None where no date was promised.
    response_due: date | None
    #: SHA-256 (hex) of the complaint's id: the installation recognises its own, nobody else learns the id.
    complaint: str
    key_id: str


class LetterStatement(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a letter states beside that: what it is about and when it was written; names no person."""

    version: int = 2
    #: The kind of notice ("rejection").
    notice: str
    #: WIB date.
    issued_on: date


class SigningKey:
    """The secret key of an installation; `repr` shows its id only."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = key.public_key()
        self.key_id = key_id(self.public_key)

    def __repr__(self) -> str:
        return f"SigningKey({self.key_id})"

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature."""
        return self._key.sign(message)


def key_id(key: Ed25519PublicKey) -> str:
    """The first 16 hex digits of the SHA-256 of a public key."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def open_key(folder: Path) -> SigningKey:
    """The key in `folder`, made at the first call (0600, flushed to disk). Raises ValueError for a foreign file."""
    path = folder / _SECRET_FILE
    if not path.exists():
        _create(folder, path)
    loaded = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(loaded, Ed25519PrivateKey):
        raise ValueError(f"{path.name} is not an Ed25519 key")
    key = SigningKey(loaded)
    public = folder / f"receipt-{key.key_id}.pub.pem"
    if not public.exists():
        _write(public, public_pem(key.public_key), 0o644)
    return key


def public_keys(folder: Path) -> dict[str, Ed25519PublicKey]:
    """Every public key that this installation ever used, by its id; files that are no such key are left out."""
    found: dict[str, Ed25519PublicKey] = {}
    for path in sorted(folder.glob("receipt-*.pub.pem")):
        key = load_pem_public_key(path.read_bytes())
        if isinstance(key, Ed25519PublicKey):
            found[key_id(key)] = key
    return found


def public_pem(key: Ed25519PublicKey) -> bytes:
    """A public key as PEM, to be published."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def statement_of(
    complaint: ToldComplaint, ticket: ToldTicket, *, organisation: str, response_due: date | None, by: str
) -> Statement:
    """The statement of a receipt; `response_due` only as far as it is printed, `by` is the id of the signing key."""
    return Statement(
        organisation=organisation,
        ticket_number=ticket.ticket_number,
        received_at=complaint.received_at,
        response_due=response_due,
        complaint=hashlib.sha256(complaint.complaint_id.encode()).hexdigest(),
        key_id=by,
    )


def letter_statement_of(
    complaint: ToldComplaint, ticket: ToldTicket, *, organisation: str, notice: str, issued_on: date, by: str
) -> LetterStatement:
    """The statement of a letter of the kind `notice`; `by` is the id of the signing key."""
    receipt = statement_of(complaint, ticket, organisation=organisation, response_due=None, by=by)
    return LetterStatement(
        organisation=receipt.organisation,
        ticket_number=receipt.ticket_number,
        received_at=receipt.received_at,
        response_due=None,
        complaint=receipt.complaint,
        key_id=receipt.key_id,
        notice=notice,
        issued_on=issued_on,
    )


def encode(statement: Statement) -> bytes:
    """The one and only byte form of a statement."""
    return msgspec.json.encode(statement, order="deterministic")


def decode(body: bytes) -> Statement | None:
    """The statement of these bytes; None when they are not exactly what `encode` makes of one."""
    for type_ in (Statement, LetterStatement):
        try:
            statement: Statement = msgspec.json.decode(body, type=type_)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        return statement if encode(statement) == body else None
    return None


def sign_statement(statement: Statement, key: SigningKey) -> str:
    """The statement and its signature as one URL-safe token: what the QR code of a printed receipt carries."""
    body = encode(statement)
    return f"{text_of(body)}.{text_of(key.sign(_CONTEXT + body))}"


def read_statement(token: str, keys: PublicKeys) -> Statement | None:
    """The statement of a genuine token, else None."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    body, signature = bytes_of(match[1]), bytes_of(match[2])
    statement = decode(body) if body is not None else None
    if statement is None or body is None or signature is None:
        return None
    key = keys.get(statement.key_id)
    return statement if key is not None and is_signed(key, signature, _CONTEXT + body) else None


def is_signed(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether the key made this signature of this message."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def text_of(content: bytes) -> str:
    """Bytes as URL-safe text without padding."""
    return urlsafe_b64encode(content).decode().rstrip("=")


def bytes_of(text: str) -> bytes | None:
    """The bytes of such a text; None when it is not the only way to write them."""
    try:
        content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return content if text_of(content) == text else None


def _create(folder: Path, path: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    fresh = folder / f".{_SECRET_FILE}.{os.getpid()}"
    _write(fresh, pem, 0o600)
    try:
        # Of two processes that start at once, one wins; the other reads the winner's key.
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def _write(path: Path, content: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
