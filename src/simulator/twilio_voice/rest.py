"""Twilio's REST API for calls and recordings as the business calls it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from aiohttp import web

from simulator.faults import Code, Fault, Http, Stall, weather_fault
from simulator.front import answer, refusing, suffer
from simulator.twilio.errors import RestError
from simulator.twilio.records import API_VERSION, rfc2822
from simulator.twilio.rest import log_in, named, refusal
from simulator.twilio_voice.account import TwilioVoice
from simulator.twilio_voice.calls import Call, Recording

DEFAULT_PAGE = 50
LARGEST_PAGE = 1_000

_LISTS = {"calls": "Calls", "recordings": "Recordings", "incoming_phone_numbers": "IncomingPhoneNumbers"}

Query = Mapping[str, str]
Work = Callable[[Sequence[TwilioVoice]], web.Response]


class Rest:
    """Routes calls to the account named in the path. Several numbers may share one account."""

    def __init__(self, accounts: Sequence[TwilioVoice]) -> None:
        self._accounts = list(accounts)

    def routes(self) -> list[web.RouteDef]:
        """The routes, to be mounted below the prefix of the API host."""
        account = f"/{API_VERSION}/Accounts/{{account}}"
        return [
            web.get(account + "/Calls.json", refusing(self.list_calls)),
            web.get(account + "/Calls/{call}.json", refusing(self.fetch_call)),
            web.get(account + "/Calls/{call}/Recordings.json", refusing(self.list_recordings)),
            web.get(account + "/Recordings.json", refusing(self.list_recordings)),
            web.get(account + "/Recordings/{recording}.json", refusing(self.fetch_recording)),
            web.delete(account + "/Recordings/{recording}.json", refusing(self.delete_recording)),
            web.get(account + "/Recordings/{recording}", refusing(self.download)),
            web.get(account + "/IncomingPhoneNumbers.json", refusing(self.numbers)),
            web.get(account + ".json", refusing(self.account)),
        ]

    async def list_calls(self, request: web.Request) -> web.StreamResponse:
        """GET …/Calls.json?To=&From=&Status=&StartTime>=&PageSize=&Page="""
        query = _query(request)

        def wanted(call: Call) -> bool:
            named = call.to == query.get("To", call.to) and call.from_ == query.get("From", call.from_)
            return named and call.status == query.get("Status", call.status) and _within(call.at, query, "StartTime")

        def found(accounts: Sequence[TwilioVoice]) -> web.Response:
            listed = [call for each in accounts for call in each.calls.values() if wanted(call)]
            listed.sort(key=lambda call: call.at, reverse=True)
            return _page(request, query, "calls", [call.as_json() for call in listed])

        return await self._serve(request, found)

    async def list_recordings(self, request: web.Request) -> web.StreamResponse:
        """GET …/Recordings.json?CallSid=&DateCreated>=, and the same of one call."""
        query = _query(request)
        call = request.match_info.get("call") or query.get("CallSid")

        def found(accounts: Sequence[TwilioVoice]) -> web.Response:
            listed = [
                (kept, each.clock())
                for each in accounts
                for kept in each.recordings.values()
                if kept.call_sid == (call or kept.call_sid) and _within(kept.at, query, "DateCreated")
            ]
            listed.sort(key=lambda pair: pair[0].at, reverse=True)
            return _page(request, query, "recordings", [kept.as_json(now) for kept, now in listed])

        return await self._serve(request, found)

    async def fetch_call(self, request: web.Request) -> web.StreamResponse:
        """GET …/Calls/{sid}.json"""

        def found(accounts: Sequence[TwilioVoice]) -> web.Response:
            for each in accounts:
                if request.match_info["call"] in each.calls:
                    return answer(each.calls[request.match_info["call"]].as_json())
            raise RestError(20404)

        return await self._serve(request, found)

    async def fetch_recording(self, request: web.Request) -> web.StreamResponse:
        """GET …/Recordings/{sid}.json"""

        def found(accounts: Sequence[TwilioVoice]) -> web.Response:
            account, kept = _recording(accounts, request.match_info["recording"])
            return answer(kept.as_json(account.clock()))

        return await self._serve(request, found)

    async def delete_recording(self, request: web.Request) -> web.StreamResponse:
        """DELETE …/Recordings/{sid}.json"""

        def found(accounts: Sequence[TwilioVoice]) -> web.Response:
            account, kept = _recording(accounts, request.match_info["recording"])
            del account.recordings[kept.sid]
            return web.Response(status=204)

        return await self._serve(request, found)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """GET …/Recordings/{sid}, .mp3 or .wav: the sound itself, once it is processed."""
        sid = request.match_info["recording"].removesuffix(".mp3").removesuffix(".wav")
        accounts = named(self._accounts, request)
        account, kept = _recording(accounts, sid)
        fault = account.media_faults.next()
        if fault is not None:
            return await suffer(fault, request, refusal)
        if account.media_needs_login or "Authorization" in request.headers:
            log_in(accounts, request)
        if kept.status != "completed" or account.clock() < kept.ready_at:
            raise RestError(20404)
        return web.Response(body=kept.content, content_type="audio/mpeg")

    async def account(self, request: web.Request) -> web.StreamResponse:
        """GET …/Accounts/{sid}.json"""

        def found(accounts: Sequence[TwilioVoice]) -> web.Response:
            account = accounts[0]
            status = "suspended" if account.suspended else "active"
            return answer(
                {"sid": account.account_sid, "friendly_name": account.name, "status": status, "type": "Full"}
                | {"date_created": rfc2822(0), "uri": request.path}
            )

        return await self._serve(request, found)

    async def numbers(self, request: web.Request) -> web.StreamResponse:
        """GET …/IncomingPhoneNumbers.json?PhoneNumber="""
        query = _query(request)

        def found(accounts: Sequence[TwilioVoice]) -> web.Response:
            listed = [each.number_json() for each in accounts if query.get("PhoneNumber", "") in each.number]
            return _page(request, query, "incoming_phone_numbers", listed)

        return await self._serve(request, found)

    async def _serve(self, request: web.Request, work: Work) -> web.StreamResponse:
        accounts = named(self._accounts, request)
        for each in accounts:
            if (fault := _fault(each)) is not None:
                return await suffer(fault, request, refusal)
        log_in(accounts, request)
        return work(accounts)


def _recording(accounts: Sequence[TwilioVoice], sid: str) -> tuple[TwilioVoice, Recording]:
    for each in accounts:
        if sid in each.recordings:
            return each, each.recordings[sid]
    raise RestError(20404)


def _query(request: web.Request) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(request.query_string).items()}


def _page(request: web.Request, query: Query, name: str, items: list[dict[str, Any]]) -> web.Response:
    """One page of a list, newest first."""
    given = query.get("PageSize", str(DEFAULT_PAGE)), query.get("Page", "0")
    if not all(text.isdigit() for text in given):
        raise RestError(20001, "PageSize and Page must be numbers")
    size, page = min(max(int(given[0]), 1), LARGEST_PAGE), int(given[1])
    filters = {key: value for key, value in query.items() if key not in ("Page", "PageSize")}
    path = f"/{API_VERSION}/Accounts/{request.match_info['account']}/{_LISTS[name]}.json"
    more = urlencode(filters | {"PageSize": str(size), "Page": str(page + 1)}, quote_via=quote)
    return answer(
        {
            name: items[page * size : (page + 1) * size],
            "page": page,
            "page_size": size,
            "next_page_uri": f"{path}?{more}" if len(items) > (page + 1) * size else None,
        }
    )


def _within(at: float, query: Query, name: str) -> bool:
    """True if a moment lies within the filters of a list; a date means that whole day, in UTC."""
    day = datetime.fromtimestamp(at, UTC).date().isoformat()
    on, before, after = (query.get(f"{name}{sign}") for sign in ("", "<", ">"))
    return (
        (on is None or day == on[:10])
        and (before is None or day <= before[:10])
        and (after is None or day >= after[:10])
    )


def _fault(account: TwilioVoice) -> Fault | None:
    scripted = account.faults.next()
    if scripted is not None:
        return scripted
    fault = weather_fault(
        account.weather,
        rate_limit=[Code(20429)],
        server_error=(Code(20500), Code(20503)),
        expired_token=Code(20003),
        may_accept=False,
    )
    # Nothing is sent here: a stall is only an answer that the caller waits for in vain.
    return Http(504) if isinstance(fault, Stall) else fault
