"""What the public pages are set to. The gateway fills it from the operator's configuration."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct, field


class UploadLimits(Struct, frozen=True, kw_only=True):
    """How much one person may send along (sheet A12)."""

    max_files: int = 10
    max_file_bytes: int = 10 * 1024 * 1024
    max_total_bytes: int = 25 * 1024 * 1024
    max_image_pixels: int = 50_000_000
    #: Read and thrown away beyond the limit, so that a browser gets its answer; a body beyond this is cut off with 413.
    max_body_bytes: int = 120 * 1024 * 1024
    max_parts: int = 80
    #: All text of one form together.
    max_text_bytes: int = 256 * 1024
    #: A body may take this long plus its size at `min_bytes_per_second` (P20).
    grace_seconds: float = 30
    min_bytes_per_second: int = 2_000


class RateLimits(Struct, frozen=True, kw_only=True):
    """Token buckets: `burst` at once, then `per_minute`. Generous, because whole towns share one mobile address."""

    address_burst: int = 300
    address_per_minute: float = 300
    contact_burst: int = 60
    contact_per_minute: float = 10
    #: Keys remembered at most; the longest unused is forgotten first.
    remembered: int = 50_000


class WebSettings(Struct, frozen=True, kw_only=True):
    """Everything the public pages are built from besides the desk."""

    #: What customers see ("https://aduan.example.co.id").
    public_url: str
    #: 32 bytes of this installation; the connectors of form and app get the same.
    secret: bytes
    #: Where attachments lie: `<aa>/<sha256>` below it.
    attachments_dir: Path
    uploads: UploadLimits = UploadLimits()
    rates: RateLimits = RateLimits()
    #: Addresses or networks of reverse proxies whose X-Forwarded-For is believed (ASVS 4.1.3).
    trusted_proxies: tuple[str, ...] = ()
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    @property
    def base(self) -> str:
        """The path under which the pages stand, without the last slash; empty at the root of a host."""
        return urlsplit(self.public_url).path.rstrip("/")

    @property
    def secure(self) -> bool:
        """True when customers come by HTTPS."""
        return urlsplit(self.public_url).scheme == "https"
