"""What staff enter by a program: a call, a visit or a letter becomes a ticket, and the answer says what to read out."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from web.ports import Entered
from web.problem import ProblemError
from web.public.api import answer, page_of, read, receipt_of
from web.public.site import Site
from web.public.submit import Given, answered, enter, sealed


async def create(site: Site, request: web.Request) -> web.Response:
    """POST a complaint that staff were told: 201 after the commit, with what the customer must get."""
    page = page_of(site, request)
    channel_id = page.staff_channel_id
    if channel_id is None:
        raise ProblemError(404, "no_such_door", "This organisation has no channel of the kind `staff`.")
    nothing = Given(fields={}, uploads=(), problems=(), key="")
    try:
        with answered():
            # Before a byte of the body: strangers fill no disk here.
            site.desk.admit(channel_id, sealed(site, request, channel_id, nothing, "Authorization"))
    except ProblemError:
        site.slow_down(request)
        raise
    entered = await enter(site, request, page, channel_id, await read(site, request))
    location = f"{site.settings.base}/api/v1/complaints/{entered.recorded.ticket_number}"
    return answer(_told(entered), 201, {"Location": location})


def _told(entered: Entered) -> dict[str, Any]:
    return {
        **receipt_of(entered.recorded),
        "channel": entered.channel,
        "form": entered.form,
        "counts_from": entered.counts_from.isoformat(),
        "entered_by": entered.entered_by,
        "receipt_goes_by": list(entered.receipt_goes_by),
        "read_out": {"id": entered.read_out.id, "en": entered.read_out.en},
    }
