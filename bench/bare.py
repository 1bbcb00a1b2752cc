"""The baseline: an aiohttp server that answers 200 to everything. `python bench/bare.py PORT`."""

from __future__ import annotations

import sys

from aiohttp import web


async def answer(_: web.Request) -> web.Response:
    """An empty 200; the body of the request is not looked at."""
    return web.Response()


def main() -> None:
    """Serves until SIGTERM."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


if __name__ == "__main__":
    main()
