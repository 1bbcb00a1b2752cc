"""The Graph API as the business calls it: one front for all accounts on a port."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web

from simulator.faults import Code, Fault, weather_fault
from simulator.front import answer, carry_out, refusing, suffer
from simulator.meta_graph import check_version, read_json
from simulator.whatsapp_cloud.account import WhatsAppCloud
from simulator.whatsapp_cloud.errors import GraphError
from simulator.whatsapp_cloud.sending import accept

_decode = msgspec.json.Decoder().decode
MOST_MEDIA_BYTES = 100 * 1024 * 1024


class Graph:
    """Routes calls to the account that owns the number, the business account or the media."""

    prefix = "/graph"

    def __init__(self, accounts: Sequence[WhatsAppCloud]) -> None:
        self._accounts = list(accounts)
        self._numbers = {account.phone_number_id: account for account in accounts}

    def routes(self) -> list[web.RouteDef]:
        """The routes, to be mounted below `prefix`."""
        return [
            web.post("/{version}/{id}/messages", refusing(self.messages)),
            web.post("/{version}/{id}/media", refusing(self.upload)),
            web.get("/{version}/{id}/subscribed_apps", refusing(self.subscribed_apps)),
            web.post("/{version}/{id}/subscribed_apps", refusing(self.subscribe)),
            web.delete("/{version}/{id}/subscribed_apps", refusing(self.unsubscribe)),
            web.get("/whatsapp_business/attachments/", self.download),
            web.get("/debug_token", refusing(self.debug_token)),
            web.get("/{version}/debug_token", refusing(self.debug_token)),
            web.get("/{version}/{id}", refusing(self.node)),
            web.delete("/{version}/{id}", refusing(self.delete)),
        ]

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """POST /{version}/{phone_number_id}/messages"""
        account = self._number(request)
        raw = await request.read()
        fault = account.faults.next() or (_past_window(account) if _is_template(raw) else _weather(account))
        if fault is None:
            self._authorize(request, account)
        return await carry_out(fault, request, _refusal, lambda: answer(accept(account, read_json(raw, GraphError))))

    async def node(self, request: web.Request) -> web.StreamResponse:
        """GET /{version}/{id}: a phone number or a media file."""
        check_version(request, GraphError)
        id_ = request.match_info["id"]
        if id_ in self._numbers:
            return answer(_phone_number(self._authorized(request, self._numbers[id_])))
        if any(account.waba_id == id_ for account in self._accounts):
            account = self._authorized(request, self._business(request))
            return answer({"id": id_, "name": account.name, "timezone_id": "42"})
        for account in self._accounts:
            media = account.media.get(id_, account.clock())
            if media is not None:
                fault = account.media_faults.next() or _past_window(account)
                if fault is not None:
                    return await suffer(fault, request, _refusal)
                self._authorize(request, account)
                wanted = request.query.get("phone_number_id")
                if wanted is not None and wanted != account.phone_number_id:
                    break
                return answer(
                    {
                        "messaging_product": "whatsapp",
                        "url": account.media_address(media, "getMedia"),
                        "mime_type": media.media_type,
                        "sha256": media.sha256,
                        "file_size": str(len(media.content)),
                        "id": media.id,
                    }
                )
        raise GraphError(100, f"Unsupported get request. Object with ID '{id_[:40]}' does not exist")

    async def download(self, request: web.Request) -> web.StreamResponse:
        """GET the bytes at a temporary address; the same bearer token is needed."""
        key = request.query.get("hash", "")
        for account in self._accounts:
            media = account.media.at_address(key, account.clock())
            if media is not None and media.id == request.query.get("mid"):
                if request.headers.get("Authorization") != f"Bearer {account.access_token}":
                    return web.Response(status=401, text="Unauthorized")
                fault = account.media_faults.next() or _past_window(account)
                if fault is not None:
                    return await suffer(fault, request, _refusal)
                return web.Response(body=media.content, headers={"Content-Type": media.media_type})
        return web.Response(status=404, text="Not Found")

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """POST /{version}/{phone_number_id}/media (multipart)"""
        account = self._authorized(request, self._number(request))
        form = await request.post()
        file, type_ = form.get("file"), form.get("type")
        if form.get("messaging_product") != "whatsapp" or not isinstance(file, web.FileField):
            raise GraphError(100, "The parameters messaging_product and file are required.")
        media_type = type_ if isinstance(type_, str) and type_ else file.content_type
        media = account.add_media(file.file.read(), media_type, file.filename)
        return answer({"id": media.id})

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """DELETE /{version}/{media_id}"""
        check_version(request, GraphError)
        id_ = request.match_info["id"]
        for account in self._accounts:
            if account.media.get(id_, account.clock()) is not None:
                self._authorize(request, account)
                return answer({"success": account.media.delete(id_)})
        raise GraphError(100, "Unsupported delete request.")

    async def subscribed_apps(self, request: web.Request) -> web.StreamResponse:
        """GET /{version}/{waba_id}/subscribed_apps"""
        account = self._authorized(request, self._business(request))
        app = {"id": account.app_id, "name": account.name, "link": "https://www.facebook.com/games/?app_id=0"}
        data = [{"whatsapp_business_api_data": app, "override_callback_uri": account.webhook_url}]
        return answer({"data": data if account.subscribed and not account.weather.climate.unsubscribed else []})

    async def subscribe(self, request: web.Request) -> web.StreamResponse:
        """POST /{version}/{waba_id}/subscribed_apps; an override address must pass the handshake."""
        account = self._authorized(request, self._business(request))
        raw = await request.read()
        body = (
            read_json(raw, GraphError)
            if request.content_type == "application/json" and raw
            else dict(await request.post())
        )
        url, token = body.get("override_callback_uri"), body.get("verify_token")
        if url is not None:
            if not isinstance(url, str) or not isinstance(token, str):
                raise GraphError(100, "override_callback_uri and verify_token are both required.")
            account.webhook_url, account.verify_token = url, token
            if not (await account.handshake()).ok:
                raise GraphError(2200, "Callback verification failed.")
        account.subscribed = True
        return answer({"success": True})

    async def unsubscribe(self, request: web.Request) -> web.StreamResponse:
        """DELETE /{version}/{waba_id}/subscribed_apps"""
        account = self._authorized(request, self._business(request))
        account.subscribed = False
        return answer({"success": True})

    async def debug_token(self, request: web.Request) -> web.StreamResponse:
        """GET /debug_token?input_token=…: what the token may do, and until when."""
        asking = request.headers.get("Authorization", "").removeprefix("Bearer ") or request.query.get("access_token")
        asked = request.query.get("input_token", "")
        for account in self._accounts:
            if asking not in (account.access_token, f"{account.app_id}|{account.app_secret}"):
                continue
            valid = asked == account.access_token and account.weather.climate.trouble != "expired-token"
            data: dict[str, Any] = {"app_id": account.app_id, "type": "SYSTEM_USER", "is_valid": valid}
            if valid:
                data |= {
                    "expires_at": 0,
                    "scopes": ["whatsapp_business_management", "whatsapp_business_messaging"],
                    "granular_scopes": [{"scope": "whatsapp_business_messaging", "target_ids": [account.waba_id]}],
                }
            else:
                data |= {"error": {"code": 190, "message": "Session has expired"}, "scopes": []}
            return answer({"data": data})
        raise GraphError(190)

    def _number(self, request: web.Request) -> WhatsAppCloud:
        check_version(request, GraphError)
        id_ = request.match_info["id"]
        account = self._numbers.get(id_)
        if account is None:
            raise GraphError(100, f"Unsupported request. Object with ID '{id_[:40]}' does not exist")
        return account

    def _business(self, request: web.Request) -> WhatsAppCloud:
        """The account in the path; several numbers may share one, then the token decides."""
        check_version(request, GraphError)
        id_ = request.match_info["id"]
        found = [account for account in self._accounts if account.waba_id == id_]
        if not found:
            raise GraphError(100, f"Unsupported request. Object with ID '{id_[:40]}' does not exist")
        given = request.headers.get("Authorization", "")
        return next((account for account in found if given == f"Bearer {account.access_token}"), found[0])

    def _authorized(self, request: web.Request, account: WhatsAppCloud) -> WhatsAppCloud:
        self._authorize(request, account)
        if account.weather.climate.trouble == "expired-token":
            raise GraphError(190)
        return account

    def _authorize(self, request: web.Request, account: WhatsAppCloud) -> None:
        if request.headers.get("Authorization") != f"Bearer {account.access_token}":
            raise GraphError(190)


def _phone_number(account: WhatsAppCloud) -> dict[str, Any]:
    return {
        "id": account.phone_number_id,
        "verified_name": account.name,
        "display_phone_number": f"+{account.number.display_phone_number}",
        "code_verification_status": "VERIFIED",
        "quality_rating": "GREEN",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "webhook_configuration": {"application": account.webhook_url},
    }


def _weather(account: WhatsAppCloud) -> Fault | None:
    return weather_fault(
        account.weather,
        rate_limit=[Code(number) for number in (130429, 131056, 80007)],
        server_error=(Code(131000), Code(131016), Code(2)),
        expired_token=Code(190),
        window_closed=Code(131047),
    )


def _past_window(account: WhatsAppCloud) -> Fault | None:
    # The window is about free answers; a download or a template never meets it.
    return None if account.weather.climate.trouble == "window-closed" else _weather(account)


def _is_template(raw: bytes) -> bool:
    try:
        body = _decode(raw)
    except msgspec.DecodeError:
        return False
    return isinstance(body, dict) and body.get("type") == "template"


def _refusal(code: Code) -> GraphError:
    return GraphError(code.code, status=code.status)
