"""Headers that every page carries: no script, nothing from elsewhere, no framing but where the operator allows it."""

from __future__ import annotations

from collections.abc import Sequence


def page_headers(frame_origins: Sequence[str] = (), *, secret: bool = False, secure: bool = False) -> dict[str, str]:
    """Headers of a page. `secret`: its address holds a token, so no referrer leaves it and nobody indexes it."""
    ancestors = " ".join(("'self'", *frame_origins)) if frame_origins else "'none'"
    headers = {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
            f"frame-ancestors {ancestors}"
        ),
        "X-Content-Type-Options": "nosniff",
        # Not "no-referrer" where a form is sent: browsers would then send `Origin: null`.
        "Referrer-Policy": "no-referrer" if secret else "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "Cache-Control": "no-store",
        "Vary": "Accept-Language",
    }
    if not frame_origins:
        headers["X-Frame-Options"] = "DENY"
    if secret:
        headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    if secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers
