"""Meta's media store: upload, temporary addresses, bounded memory."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass

ADDRESS_LIFE = 300.0  # seconds that a download address works
MEDIA_LIFE = 7 * 86_400.0  # seconds that a media id from a webhook works
MOST_BYTES = 64 * 1024 * 1024
MOST_ADDRESSES = 10_000


@dataclass(frozen=True, slots=True)
class Media:
    """A stored file."""

    id: str
    content: bytes
    media_type: str
    filename: str
    at: float

    @property
    def sha256(self) -> str:
        """The SHA-256 in hex, as the Graph API reports it."""
        return hashlib.sha256(self.content).hexdigest()


class MediaStore:
    """Files by id and by temporary address; the oldest make room."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, Media] = OrderedDict()
        self._addresses: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._bytes = 0
        self._next = 1_000_000_000_000_000 + secrets.randbelow(10**15)

    def add(self, content: bytes, media_type: str, filename: str, at: float) -> Media:
        """Keeps a file."""
        self._next += 1
        media = Media(str(self._next), content, media_type, filename, at)
        self._files[media.id] = media
        self._bytes += len(content)
        while self._bytes > MOST_BYTES and len(self._files) > 1:
            _, oldest = self._files.popitem(last=False)
            self._bytes -= len(oldest.content)
        return media

    def get(self, media_id: str, now: float) -> Media | None:
        """The file, or None when unknown or too old."""
        media = self._files.get(media_id)
        return media if media is not None and now - media.at <= MEDIA_LIFE else None

    def delete(self, media_id: str) -> bool:
        """Removes a file; True if it was there."""
        media = self._files.pop(media_id, None)
        if media is not None:
            self._bytes -= len(media.content)
        return media is not None

    def address(self, media_id: str, now: float) -> tuple[str, int]:
        """A new secret part of a download address, and the second at which it expires."""
        key = secrets.token_urlsafe(24)
        expires = now + ADDRESS_LIFE
        self._addresses[key] = (media_id, expires)
        while len(self._addresses) > MOST_ADDRESSES:
            self._addresses.popitem(last=False)
        return key, int(expires)

    def at_address(self, key: str, now: float) -> Media | None:
        """The file at a download address, or None once it expired."""
        media_id, expires = self._addresses.get(key, ("", 0.0))
        return self.get(media_id, now) if now < expires else None

    def expire_addresses(self) -> None:
        """Makes every download address useless at once."""
        self._addresses.clear()
