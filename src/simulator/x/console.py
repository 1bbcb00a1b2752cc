"""What an operator sets up at X: webhooks, replays of what they missed, and subscriptions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from simulator.front import answer, refusing
from simulator.x.answers import limited, read_json, suffer, told
from simulator.x.errors import ApiError
from simulator.x.logins import Logins
from simulator.x.records import stamp

LONGEST_REPLAY = 86_400.0


class Console:
    """Webhooks and subscriptions of all apps."""

    def __init__(self, logins: Logins) -> None:
        self._logins = logins

    def routes(self) -> list[web.RouteDef]:
        """The routes of the API, below the provider's path."""
        return [
            web.get("/2/webhooks", refusing(self.webhooks)),
            web.post("/2/webhooks", refusing(self.register)),
            web.post("/2/webhooks/replay", refusing(self.replay)),
            web.put("/2/webhooks/{id}", refusing(self.validate)),
            web.get("/2/activity/subscriptions", refusing(self.subscriptions)),
            web.post("/2/activity/subscriptions", refusing(self.subscribe)),
        ]

    async def webhooks(self, request: web.Request) -> web.StreamResponse:
        """GET /2/webhooks: the app's, and whether each is valid."""
        listed = {
            each.webhook_url: {
                "id": each.webhook_id,
                "url": each.webhook_url,
                "valid": each.valid and not each.weather.climate.unsubscribed,
                "created_at": stamp(0),
            }
            for each in self._logins.app(request)
            if each.webhook_url
        }
        return answer({"data": list(listed.values()), "meta": {"result_count": len(listed)}})

    async def register(self, request: web.Request) -> web.StreamResponse:
        """POST /2/webhooks: X sends its challenge at once."""
        account, body = self._logins.app(request)[0], read_json(await request.read())
        url = body.get("url")
        if not isinstance(url, str) or not 1 <= len(url) <= 200:
            raise ApiError(214)
        account.webhook_url = url
        if not (await account.challenge()).ok:
            raise ApiError(214)
        webhook = {"id": account.webhook_id, "url": url, "valid": True, "created_at": stamp(account.clock())}
        return answer({"data": webhook})

    async def validate(self, request: web.Request) -> web.StreamResponse:
        """PUT /2/webhooks/{id}: the challenge once more."""
        account = next((a for a in self._logins.app(request) if a.webhook_id == request.match_info["id"]), None)
        if account is None:
            raise ApiError(34)
        await account.challenge()
        return answer({"data": {"valid": account.valid}})

    async def replay(self, request: web.Request) -> web.StreamResponse:
        """POST /2/webhooks/replay: what went out in the last 24 hours, once more."""
        body = read_json(await request.read())
        account = next((a for a in self._logins.app(request) if a.webhook_id == body.get("webhook_id")), None)
        if account is None:
            raise ApiError(34)
        fault = account.console_faults.next()
        if fault is not None:
            return await suffer(fault, request, None)
        headers = limited(account, "replay")
        begin, end = (_minute(body.get(name)) for name in ("from_date", "to_date"))
        if not begin < end or account.clock() - begin > LONGEST_REPLAY + 60:
            raise ApiError(214)
        account.tasks.spawn(account.replay(begin, end))
        job = {"job_id": account.new_id(account.clock()), "created_at": stamp(account.clock())}
        return told(answer({"data": job}), headers)

    async def subscriptions(self, request: web.Request) -> web.StreamResponse:
        """GET /2/activity/subscriptions"""
        listed = [
            {"subscription_id": f"{number}", "event_type": type_, "filter": {"user_id": account.me.id},
             "webhook_id": account.webhook_id, "tag": "aduan"}
            for account in self._logins.app(request)
            for number, type_ in enumerate(sorted(account.subscriptions), 1)
            if not account.weather.climate.unsubscribed
        ]  # fmt: skip
        return answer({"data": listed, "meta": {"total_subscriptions": len(listed)}})

    async def subscribe(self, request: web.Request) -> web.StreamResponse:
        """POST /2/activity/subscriptions: private events need the account's own login."""
        account, body = self._logins.user(request), read_json(await request.read())
        wanted = body.get("filter")
        if not isinstance(wanted, dict) or wanted.get("user_id") != account.me.id or not body.get("event_type"):
            raise ApiError(214)
        account.subscriptions.add(str(body["event_type"]))
        return answer({"data": {"subscription": {"event_type": body["event_type"], "filter": wanted}}})


def _minute(text: Any) -> float:
    try:
        return datetime.strptime(str(text), "%Y%m%d%H%M").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ApiError(214) from None
