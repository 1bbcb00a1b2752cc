"""The public pages and the two addresses for programs. `routes` is what the gateway mounts, after its own routes."""

from __future__ import annotations

from aiohttp import web

from web.ports import Desk
from web.public import api, entry, form, home, receipt, status, verify
from web.public.site import Audience, Site, View, guarded
from web.settings import WebSettings

__all__ = ["routes"]

_YEAR = 31_536_000


def routes(desk: Desk, settings: WebSettings) -> list[web.RouteDef]:
    """The routes of the public web. `/{organisation}/` comes last, so that it takes only what nobody else has."""
    site = Site(desk, settings)

    def route(method: str, path: str, view: View, audience: Audience = "people") -> web.RouteDef:
        handler = guarded(site, view, audience)
        return web.get(path, handler) if method == "GET" else web.route(method, path, handler)

    return [
        route("GET", "/", home.show),
        route("GET", "/assets/{name}", _asset),
        route("POST", "/api/v1/organisations/{organisation}/complaints", api.create, "programs"),
        route("OPTIONS", "/api/v1/organisations/{organisation}/complaints", api.preflight, "programs"),
        route("POST", "/api/v1/organisations/{organisation}/tickets", entry.create, "programs"),
        route("GET", "/api/v1/complaints/{ticket_number}", api.status, "programs"),
        route("GET", "/status", status.show),
        route("POST", "/status", status.ask),
        route("GET", "/verify", verify.show),
        route("POST", "/verify", verify.judge),
        route("GET", "/r/{token}.pdf", receipt.pdf),
        route("GET", "/r/{token}", receipt.show),
        route("GET", "/{organisation}", form.redirect),
        route("GET", "/{organisation}/", form.show),
        route("POST", "/{organisation}/", form.send),
    ]


async def _asset(site: Site, request: web.Request) -> web.Response:
    asset = site.pages.asset(request.match_info["name"])
    if asset is None:
        raise web.HTTPNotFound
    return web.Response(
        body=asset.body,
        content_type=asset.content_type,
        headers={
            "Cache-Control": f"public, max-age={_YEAR}, immutable",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        },
    )
