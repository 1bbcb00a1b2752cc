"""How much of one mail is read (sheet A10). What lies beyond is flagged and stays in the stored mail."""

from __future__ import annotations

from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds of one parse; all sizes in bytes unless said otherwise."""

    parts: int = 200
    depth: int = 20
    header_block: int = 64 * 1024
    #: One unfolded header as far as it is decoded.
    header_line: int = 8 * 1024
    encoded_words: int = 200
    recipients: int = 100
    #: Message-IDs kept of References, newest last (A11: "the last ~10 ids").
    references: int = 10
    #: HTML that is turned into text, over all parts of a mail; the rest is only stripped of its tags.
    html: int = 512 * 1024
    #: Text of one mail, characters.
    text: int = 1024 * 1024
    #: Characters of a subject, as a mail client may still send one in one line (RFC 5322 section 2.1.1).
    subject: int = 998
    #: A Message-ID longer than this is no key.
    message_id: int = 500


LIMITS = Limits()
