"""The first page: whom a customer can complain to here."""

from __future__ import annotations

from aiohttp import web

from web.public.site import Site, language_of


async def show(site: Site, request: web.Request) -> web.Response:
    """GET: the organisations with a form, by name."""
    pages = [page for page in site.desk.organisations() if page.form_channel_id is not None]
    return site.pages.render(
        "home.html",
        language_of(request),
        path="/",
        organisation=None,
        organisations=sorted(pages, key=lambda page: page.name.casefold()),
    )
