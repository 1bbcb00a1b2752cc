"""Twilio's REST API as the business calls it, and the media host behind it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar
from urllib.parse import parse_qs, quote, urlencode

from aiohttp import web

from simulator.faults import Code, Fault, weather_fault
from simulator.front import answer, carry_out, refusing, suffer
from simulator.twilio.account import Twilio
from simulator.twilio.errors import RestError
from simulator.twilio.records import API_VERSION, Media, Message, rfc2822
from simulator.twilio.sending import accept

DEFAULT_PAGE = 50
LARGEST_PAGE = 1_000
MOST_ADDRESSES = 10_000


class Known(Protocol):
    """An account at Twilio, as its REST API knows it."""

    account_sid: str

    def authorized(self, header: str) -> bool:
        """True for good credentials."""


K = TypeVar("K", bound=Known)


def named(accounts: Iterable[K], request: web.Request) -> list[K]:
    """The senders of the account in the path; raises RestError when there is none."""
    found = [each for each in accounts if each.account_sid == request.match_info["account"]]
    if not found:
        raise RestError(20003)
    return found


def log_in(accounts: Iterable[Known], request: web.Request) -> None:
    """Raises RestError when the call has no credentials of any of these accounts."""
    header = request.headers.get("Authorization", "")
    if not any(account.authorized(header) for account in accounts):
        raise RestError(20003)


def refusal(code: Code) -> RestError:
    """The refusal that a code stands for."""
    return RestError(code.code, status=code.status)


class Rest:
    """Routes calls to the account named in the path. Several senders may share one account."""

    def __init__(self, accounts: Sequence[Twilio]) -> None:
        self._accounts = list(accounts)

    def routes(self) -> list[web.RouteDef]:
        """The routes, to be mounted below the prefix of the API host."""
        account = f"/{API_VERSION}/Accounts/{{account}}"
        message = account + "/Messages/{message}"
        return [
            web.post(account + "/Messages.json", refusing(self.create)),
            web.get(account + "/Messages.json", refusing(self.list_messages)),
            web.get(message + ".json", refusing(self.fetch)),
            web.delete(message + ".json", refusing(self.delete)),
            web.get(message + "/Media.json", refusing(self.list_media)),
            web.get(message + "/Media/{media}.json", refusing(self.fetch_media)),
            web.get(message + "/Media/{media}", refusing(self.redirect_to_media)),
            web.delete(message + "/Media/{media}.json", refusing(self.delete_media)),
            web.delete(message + "/Media/{media}", refusing(self.delete_media)),
            web.get(account + ".json", refusing(self.account)),
        ]

    def cdn_routes(self) -> list[web.RouteDef]:
        """The routes of the media host, which has its own port."""
        return [web.get("/media/{key}", self.download)]

    async def create(self, request: web.Request) -> web.StreamResponse:
        """POST …/Messages.json"""
        accounts = named(self._accounts, request)
        form = parse_qs((await request.read()).decode("utf-8", "replace"), keep_blank_values=True)
        sender, service = form.get("From", [""])[0], form.get("MessagingServiceSid", [""])[0]
        account = next(
            (a for a in accounts if a.number == sender or (service and a.messaging_service_sid == service)),
            accounts[0],
        )
        fault = account.faults.next() or _weather(account, template="ContentSid" in form)
        if fault is None:
            log_in(accounts, request)
        return await carry_out(fault, request, refusal, lambda: answer(accept(account, form).as_json(), 201))

    async def list_messages(self, request: web.Request) -> web.StreamResponse:
        """GET …/Messages.json?To=&From=&DateSent>=&PageSize=&Page="""
        accounts = self._authorized(request)
        query = {name: values[-1] for name, values in parse_qs(request.query_string).items()}
        size = _number(query, "PageSize", DEFAULT_PAGE)
        page = _number(query, "Page", 0)
        size = min(max(size, 1), LARGEST_PAGE)
        found = _filtered((m for a in accounts for m in a.messages.values()), query)
        found.sort(key=lambda message: message.at, reverse=True)
        shown = found[page * size : (page + 1) * size]
        path = f"/{API_VERSION}/Accounts/{request.match_info['account']}/Messages.json"
        filters = {name: value for name, value in query.items() if name not in ("Page", "PageSize", "PageToken")}

        def uri(number: int, token: str = "") -> str:
            more = {"PageSize": str(size), "Page": str(number)} | ({"PageToken": token} if token else {})
            return f"{path}?{urlencode(filters | more, quote_via=quote)}"

        return answer(
            {
                "end": page * size + len(shown) - 1 if shown else 0,
                "first_page_uri": uri(0),
                "next_page_uri": uri(page + 1, f"PA{shown[-1].sid}") if len(found) > (page + 1) * size else None,
                "page": page,
                "page_size": size,
                "previous_page_uri": uri(page - 1) if page else None,
                "messages": [message.as_json() for message in shown],
                "start": page * size,
                "uri": uri(page),
            }
        )

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        """GET …/Messages/{sid}.json"""
        return answer(self._message(request)[1].as_json())

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """DELETE …/Messages/{sid}.json"""
        account, message = self._message(request)
        del account.messages[message.sid]
        return web.Response(status=204)

    async def list_media(self, request: web.Request) -> web.StreamResponse:
        """GET …/Messages/{sid}/Media.json"""
        _, message = self._message(request)
        listed = [message.media_json(media) for media in message.media]
        uri = f"{message.uri}/Media.json"
        more = {"page": 0, "page_size": DEFAULT_PAGE, "start": 0, "end": max(0, len(listed) - 1), "uri": uri}
        pages = {"first_page_uri": uri, "next_page_uri": None, "previous_page_uri": None}
        return answer({"media_list": listed} | more | pages)

    async def fetch_media(self, request: web.Request) -> web.StreamResponse:
        """GET …/Media/{sid}.json: what is known of the file."""
        _, message, media = self._media(request)
        return answer(message.media_json(media))

    async def redirect_to_media(self, request: web.Request) -> web.StreamResponse:
        """GET …/Media/{sid}: a redirect to the media host, whose address is the secret."""
        account, _, media = self._media(request)
        fault = account.media_faults.next()
        if fault is not None:
            return await suffer(fault, request, refusal)
        key = secrets.token_urlsafe(24)
        account.cdn[key] = media
        while len(account.cdn) > MOST_ADDRESSES:
            account.cdn.popitem(last=False)
        return web.Response(status=307, headers={"Location": f"{account.place.cdn_url}/media/{key}"})

    async def delete_media(self, request: web.Request) -> web.StreamResponse:
        """DELETE …/Media/{sid}"""
        _, message, media = self._media(request)
        message.media.remove(media)
        return web.Response(status=204)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """GET at the media host; credentials that arrive here have leaked and are noted."""
        key = request.match_info["key"]
        for account in self._accounts:
            media = account.cdn.get(key)
            if media is not None:
                fault = account.media_faults.next()
                if fault is not None:
                    return await suffer(fault, request, refusal)
                if "Authorization" in request.headers:
                    account.leaked.append(request.path)
                    return web.Response(status=400, text="Only one auth mechanism allowed")
                return web.Response(body=media.content, headers={"Content-Type": media.media_type})
        return web.Response(status=403, text="Access Denied")

    async def account(self, request: web.Request) -> web.StreamResponse:
        """GET …/Accounts/{sid}.json"""
        account = self._authorized(request)[0]
        path = f"/{API_VERSION}/Accounts/{account.account_sid}"
        return answer(
            {
                "auth_token": "redacted",
                "date_created": rfc2822(0),
                "date_updated": rfc2822(0),
                "friendly_name": account.name,
                "owner_account_sid": account.account_sid,
                "sid": account.account_sid,
                "status": "active",
                "subresource_uris": {"messages": f"{path}/Messages.json"},
                "type": "Full",
                "uri": f"{path}.json",
            }
        )

    def _authorized(self, request: web.Request) -> list[Twilio]:
        accounts = named(self._accounts, request)
        log_in(accounts, request)
        if any(account.weather.climate.trouble == "expired-token" for account in accounts):
            raise RestError(20003)
        return accounts

    def _message(self, request: web.Request) -> tuple[Twilio, Message]:
        for account in self._authorized(request):
            message = account.messages.get(request.match_info["message"])
            if message is not None:
                return account, message
        raise RestError(20404, f"The requested resource {request.path} was not found")

    def _media(self, request: web.Request) -> tuple[Twilio, Message, Media]:
        account, message = self._message(request)
        for media in message.media:
            if media.sid == request.match_info["media"]:
                return account, message, media
        raise RestError(20404, f"The requested resource {request.path} was not found")


def _number(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdigit():
        raise RestError(20001, f"{name} must be a number")
    return int(text)


def _filtered(messages: Iterable[Message], query: dict[str, str]) -> list[Message]:
    """The messages that the filters of the list keep; a date means that whole day, in UTC."""
    on, before, after = (_moment(query.get(f"DateSent{sign}")) for sign in ("", "<", ">"))
    return [
        each
        for each in messages
        if each.to == query.get("To", each.to)
        and each.from_ == query.get("From", each.from_)
        and (on is None or on[0] <= each.at < on[1])
        and (before is None or each.at < before[1])
        and (after is None or each.at >= after[0])
    ]


def _moment(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RestError(20001, "DateSent is not a date") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    length = timedelta(days=1) if len(text) == 10 else timedelta(seconds=1)
    return moment.timestamp(), (moment + length).timestamp()


def _weather(account: Twilio, *, template: bool) -> Fault | None:
    return weather_fault(
        account.weather,
        rate_limit=[Code(number) for number in (20429, 14107, 63018)],
        server_error=(Code(20500), Code(20503)),
        expired_token=Code(20003),
        window_closed=None if template else Code(63016),
    )
