"""Programs that enter complaints for people: a customer's app or form, and the person at the desk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from harness.installation import Aduan
from web_samples import form_data


async def post_complaint(aduan: Aduan, slug: str, key: str, fields: Any, api_key: str | None = None) -> tuple[int, Any]:
    """What a customer's program is answered; with the key of an app it is the app form."""
    headers = {"Idempotency-Key": key} | ({"X-Api-Key": api_key} if api_key else {})
    url = f"{aduan.url}/api/v1/organisations/{slug}/complaints"
    async with aiohttp.ClientSession() as session, session.post(url, json=fields, headers=headers) as response:
        return response.status, json.loads(await response.read())


def app_key(aduan: Aduan) -> str:
    """The key of the demonstration's apps."""
    settings: Any = next(c for c in aduan.installation.channels.values() if c.spec.kind == "app_api").settings
    key: str = settings.api_keys[0].get_secret_value()
    return key


async def enter(
    aduan: Aduan, slug: str, key: str, fields: Mapping[str, str], files: bytes | None = None
) -> tuple[int, Any]:
    """What a program of a person at the desk is answered."""
    headers = {"Idempotency-Key": key, "Authorization": f"Bearer {staff_token(aduan, slug)}"}
    body: dict[str, Any] = {"json": dict(fields)}
    if files is not None:
        body = {"data": form_data(dict(fields), [("files", "surat.png", files)])}
    url = f"{aduan.url}/api/v1/organisations/{slug}/tickets"
    async with aiohttp.ClientSession() as session, session.post(url, headers=headers, **body) as response:
        return response.status, json.loads(await response.read())


def staff_token(aduan: Aduan, slug: str) -> str:
    """The token of the demonstration's person at an institution."""
    settings: Any = aduan.installation.channels[f"{slug}-staff"].settings
    found: str = settings.people["petugas"][0].get_secret_value()
    return found
