"""Seals a receipt's PDF and tells whether a file is a genuine, unchanged one. Needs only the public keys."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from receipts.signature import PublicKeys, SigningKey, Statement, bytes_of, decode, encode, is_signed, text_of

Reason = Literal["genuine", "not_a_receipt", "unknown_key", "changed"]

_MARK = b"%ADUAN-RECEIPT-1 "
#: The line behind the PDF; a file that ends otherwise, even by one byte, is no receipt of ours.
_SEAL = re.compile(rb"%ADUAN-RECEIPT-1 ([A-Za-z0-9_-]{1,2000}) ([0-9a-f]{128})\n")
_LONGEST_SEAL = 2200


class Verdict(Struct, frozen=True, kw_only=True):
    """Whether a file is a genuine receipt; `statement` says of what, only when it is."""

    valid: bool
    reason: Reason
    statement: Statement | None = None


def seal(pdf: bytes, statement: Statement, key: SigningKey) -> bytes:
    """The PDF with its statement and a signature over every byte before the signature."""
    signed = pdf.rstrip(b"\n") + b"\n" + _MARK + text_of(encode(statement)).encode() + b" "
    return signed + key.sign(signed).hex().encode() + b"\n"


def verify(pdf: bytes, keys: PublicKeys) -> Verdict:
    """Whether these bytes are a receipt that one of `keys` signed; one byte changed, added or missing: invalid."""
    start = pdf.rfind(_MARK, max(0, len(pdf) - _LONGEST_SEAL))
    match = _SEAL.fullmatch(pdf, start) if start >= 0 else None
    if match is None or not pdf.startswith(b"%PDF-"):
        return Verdict(valid=False, reason="not_a_receipt" if start < 0 else "changed")
    body = bytes_of(match[1].decode())
    statement = decode(body) if body is not None else None
    if statement is None:
        return Verdict(valid=False, reason="changed")
    key = keys.get(statement.key_id)
    if key is None:
        return Verdict(valid=False, reason="unknown_key")
    if not is_signed(key, bytes.fromhex(match[2].decode()), pdf[: match.start(2)]):
        return Verdict(valid=False, reason="changed")
    return Verdict(valid=True, reason="genuine", statement=statement)
