"""Is this form sent from our own page? Origin, Sec-Fetch-Site, and a token bound to a cookie (ASVS 3.5.1-3.5.3)."""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlsplit

from aiohttp import web

from connectors import form_token
from web.settings import WebSettings

_COOKIE = re.compile(r"[A-Za-z0-9_-]{22}")


def cookie_name(settings: WebSettings) -> str:
    """The name of the session cookie; bound to the host where HTTPS allows it."""
    return "__Host-aduan_form" if settings.secure and not settings.base else "aduan_form"


def cookie_of(request: web.BaseRequest, settings: WebSettings) -> str | None:
    """The session secret that the browser holds, or None when it has none or a damaged one."""
    value = request.cookies.get(cookie_name(settings), "")
    return value if _COOKIE.fullmatch(value) else None


def new_cookie() -> str:
    """A session secret of 128 random bits."""
    return secrets.token_urlsafe(16)


def set_cookie(response: web.StreamResponse, settings: WebSettings, value: str) -> None:
    """Gives the browser its session secret for a day."""
    response.set_cookie(
        cookie_name(settings),
        value,
        max_age=86_400,
        path=(settings.base or "/"),
        secure=settings.secure,
        httponly=True,
        samesite="Lax",
    )


def from_our_page(request: web.BaseRequest, settings: WebSettings) -> bool:
    """False when the browser says that another site sends this."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("Origin")
    return origin is None or is_own_origin(origin, request, settings)


def is_own_origin(origin: str, request: web.BaseRequest, settings: WebSettings) -> bool:
    """True when `origin` is where our own pages stand."""
    ours = urlsplit(settings.public_url)
    theirs = urlsplit(origin)
    if theirs.scheme not in {"http", "https"} or not theirs.netloc:
        return False
    return (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc) or theirs.netloc == request.host


def session_of(request: web.BaseRequest, settings: WebSettings, channel_id: str, token: str) -> str | None:
    """The session name a posted form belongs to, or None when it may be forged.

    A frame on another site has no Lax cookie: there the browser's own word "same-origin" takes its place.
    """
    if not from_our_page(request, settings):
        return None
    cookie = cookie_of(request, settings)
    if cookie is not None:
        return form_token.session_name(cookie)
    said = form_token.read(settings.secret, channel_id, token)
    if said is not None and request.headers.get("Sec-Fetch-Site") == "same-origin":
        return said.session
    return None
